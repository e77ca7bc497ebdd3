import fs from 'node:fs';
import { Accounts } from './accounts';
import {
  commandLine,
  processGroup,
  procNumbers,
  procText,
  processStatus,
  threadCore,
  threadIds,
} from './process';
import { ipcTables } from './osdata-ipc';
import type { Row, Table } from './osdata-table';
import { commandName } from './osdata-table';
import { sockets } from './osdata-sockets';
import { escapeXml } from './xml';

function commandText(pid: number): string {
  const args = commandLine(pid);
  return args?.length ? args.join(' ') : `[${commandName(pid)}]`;
}

function owner(pid: number, accounts: Accounts): string {
  const status = processStatus(pid);
  return status ? accounts.user(status.euid) : '?';
}

function* processes(accounts: Accounts): Iterable<Row> {
  for (const pid of procNumbers('/proc')) {
    const cores = new Set(threadIds(pid).map((tid) => threadCore(pid, tid)));
    cores.delete(undefined);
    yield [
      ['pid', pid],
      ['user', owner(pid, accounts)],
      ['command', commandText(pid)],
      ['cores', ([...cores] as number[]).sort((a, b) => a - b).join(',')],
    ];
  }
}

function* processGroups(): Iterable<Row> {
  const all = procNumbers('/proc')
    .map((pid) => ({ pid, group: processGroup(pid) ?? 0 }))
    .filter(({ group }) => group > 0)
    .sort(
      (a, b) =>
        a.group - b.group || Number(b.pid === b.group) - Number(a.pid === a.group) || a.pid - b.pid,
    );
  for (const { pid, group } of all) {
    yield [
      ['pgid', group],
      ['leader command', commandName(group)],
      ['pid', pid],
      ['command line', commandText(pid)],
    ];
  }
}

function* threads(): Iterable<Row> {
  for (const pid of procNumbers('/proc')) {
    const command = commandName(pid);
    for (const tid of threadIds(pid)) {
      yield [
        ['pid', pid],
        ['command', command],
        ['tid', tid],
        ['core', threadCore(pid, tid) ?? -1],
      ];
    }
  }
}

function* files(): Iterable<Row> {
  for (const pid of procNumbers('/proc')) {
    const command = commandName(pid);
    for (const fd of procNumbers(`/proc/${pid}/fd`)) {
      yield [
        ['pid', pid],
        ['command', command],
        ['file descriptor', fd],
        ['name', linkText(`/proc/${pid}/fd/${fd}`) ?? fd],
      ];
    }
  }
}

function linkText(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined;
  }
}

// name size uses dependencies status address
function* modules(): Iterable<Row> {
  for (const line of (procText('/proc/modules') ?? '').split('\n')) {
    const [name, size, uses, dependencies, status, address] = line.split(' ');
    if (address === undefined) continue;
    yield [
      ['name', name!],
      ['size', size!],
      ['num uses', uses!],
      ['dependencies', dependencies!],
      ['status', status!],
      ['address', address.replace(/^0x0*(?=.)/, '')],
    ];
  }
}

/** One row a processor; columns are what /proc/cpuinfo has. */
function* cpus(): Iterable<Row> {
  for (const block of (procText('/proc/cpuinfo') ?? '').split('\n\n')) {
    const row = block
      .split('\n')
      .map((line) => /^(.*?)\s*:\s*(.*)$/.exec(line))
      .filter((match) => match !== null)
      .map((match) => [match[1]!, match[2]!] as const);
    if (row[0]?.[0] === 'processor') yield row;
  }
}

const TABLES: readonly Table[] = [
  {
    name: 'cpus',
    title: 'CPUs',
    description: 'Listing of all cpus/cores on the system',
    type: 'cpus',
    rows: cpus,
  },
  {
    name: 'files',
    title: 'File descriptors',
    description: 'Listing of all file descriptors',
    type: 'files',
    rows: files,
  },
  {
    name: 'modules',
    title: 'Kernel modules',
    description: 'Listing of all loaded kernel modules',
    type: 'modules',
    rows: modules,
  },
  ipcTables.msg,
  {
    name: 'processes',
    title: 'Processes',
    description: 'Listing of all processes',
    type: 'processes',
    rows: processes,
  },
  {
    name: 'procgroups',
    title: 'Process groups',
    description: 'Listing of all process groups',
    type: 'process groups',
    rows: processGroups,
  },
  ipcTables.semaphores,
  ipcTables.shm,
  {
    name: 'sockets',
    title: 'Sockets',
    description: 'Listing of all internet-domain sockets',
    type: 'I sockets',
    rows: sockets,
  },
  {
    name: 'threads',
    title: 'Threads',
    description: 'Listing of all threads',
    type: 'threads',
    rows: threads,
  },
];

function document(type: string, rows: Iterable<Row>): string {
  let items = '';
  for (const row of rows) {
    const columns = row.map(
      ([name, value]) => `<column name="${escapeXml(name)}">${escapeXml(String(value))}</column>`,
    );
    items += `<item>${columns.join('')}</item>`;
  }
  return `<osdata type="${type}">\n${items}</osdata>\n`;
}

function* types(): Iterable<Row> {
  for (const table of TABLES) {
    yield [
      ['Type', table.name],
      ['Description', table.description],
      ['Title', table.title],
    ];
  }
}

/** A qXfer:osdata document; an empty one for an object there is none of, which gdb explains. */
export function osdata(annex: string): string {
  if (annex === '' || annex === 'types') return document('types', types());
  const table = TABLES.find(({ name }) => name === annex);
  return table ? document(table.type, table.rows(new Accounts())) : '';
}
