import type { Accounts } from './accounts';
import type { Row, Table } from './osdata-table';
import { commandName } from './osdata-table';
import { procText } from './process';

// System V objects: one line each in /proc/sysvipc, columns named in the first

type Fields = ReadonlyMap<string, string>;

function* table(name: string): Iterable<Fields> {
  const [head, ...lines] = (procText(`/proc/sysvipc/${name}`) ?? '').split('\n');
  const names = head!.trim().split(/\s+/);
  for (const line of lines) {
    const values = line.trim().split(/\s+/);
    if (values.length >= names.length) yield new Map(names.map((key, i) => [key, values[i]!]));
  }
}

/** As ctime() prints it, without its newline; empty for never. */
export function timeText(seconds: number): string {
  if (seconds === 0) return '';
  // "Sun Nov 22 2026 18:01:04 GMT+0000 (...)"
  const [day, month, date, year, time] = new Date(seconds * 1000).toString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`;
}

function owners(fields: Fields, accounts: Accounts): Row {
  return [
    ['user', accounts.user(Number(fields.get('uid')))],
    ['group', accounts.group(Number(fields.get('gid')))],
    ['creator user', accounts.user(Number(fields.get('cuid')))],
    ['creator group', accounts.group(Number(fields.get('cgid')))],
  ];
}

function plain(fields: Fields, name: string): string {
  return fields.get(name) ?? '';
}

function command(fields: Fields, name: string): string {
  return commandName(Number(fields.get(name)));
}

function time(fields: Fields, name: string): string {
  return timeText(Number(fields.get(name) ?? 0));
}

function* shm(accounts: Accounts): Iterable<Row> {
  for (const f of table('shm')) {
    yield [
      ['key', plain(f, 'key')],
      ['shmid', plain(f, 'shmid')],
      ['permissions', plain(f, 'perms')],
      ['size', plain(f, 'size')],
      ['creator command', command(f, 'cpid')],
      ['last op. command', command(f, 'lpid')],
      ['num attached', plain(f, 'nattch')],
      ...owners(f, accounts),
      ['last shmat() time', time(f, 'atime')],
      ['last shmdt() time', time(f, 'dtime')],
      ['last shmctl() time', time(f, 'ctime')],
    ];
  }
}

function* sem(accounts: Accounts): Iterable<Row> {
  for (const f of table('sem')) {
    yield [
      ['key', plain(f, 'key')],
      ['semid', plain(f, 'semid')],
      ['permissions', plain(f, 'perms')],
      ['num semaphores', plain(f, 'nsems')],
      ...owners(f, accounts),
      ['last semop() time', time(f, 'otime')],
      ['last semctl() time', time(f, 'ctime')],
    ];
  }
}

function* msg(accounts: Accounts): Iterable<Row> {
  for (const f of table('msg')) {
    yield [
      ['key', plain(f, 'key')],
      ['msqid', plain(f, 'msqid')],
      ['permissions', plain(f, 'perms')],
      ['num used bytes', plain(f, 'cbytes')],
      ['num messages', plain(f, 'qnum')],
      ['last msgsnd() command', command(f, 'lspid')],
      ['last msgrcv() command', command(f, 'lrpid')],
      ...owners(f, accounts),
      ['last msgsnd() time', time(f, 'stime')],
      ['last msgrcv() time', time(f, 'rtime')],
      ['last msgctl() time', time(f, 'ctime')],
    ];
  }
}

export const ipcTables: Readonly<Record<'shm' | 'semaphores' | 'msg', Table>> = {
  shm: {
    name: 'shm',
    title: 'Shared-memory regions',
    description: 'Listing of all shared-memory regions',
    type: 'shared memory',
    rows: shm,
  },
  semaphores: {
    name: 'semaphores',
    title: 'Semaphores',
    description: 'Listing of all semaphores',
    type: 'semaphores',
    rows: sem,
  },
  msg: {
    name: 'msg',
    title: 'Message queues',
    description: 'Listing of all message queues',
    type: 'message queues',
    rows: msg,
  },
};
