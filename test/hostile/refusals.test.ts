// What a user of the real gdb sees when something is refused: in its window, and by monitor why.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { GdbConsole } from '../../src/cli/demo/gdb-console';
import { command, testIf } from '../gdb/support/needs';
import { OURS, ServerProcess } from '../gdb/support/server-process';
import { hex } from '../rsp/client';
import { program } from '../gdb/support/program';
import { startReady } from '../gdb/support/victim';
import { RawClient } from './raw-client';
import { eventually, LARGE, tracer } from './watching';

const NOBODY = 65534;
/** gdb shows texts of errors from here on (its feature error-message); before, only that it failed. */
const SHOWS_TEXT = 16;
const version = Number(/(\d+)\.\d+/.exec(spawnSync('gdb', ['--version']).stdout.toString())?.[1]);

const children: ChildProcess[] = [];
const servers: ServerProcess[] = [];
const gdbs: GdbConsole[] = [];
afterEach(async () => {
  for (const gdb of gdbs.splice(0)) await gdb.quit().catch(() => gdb.vanish());
  for (const server of servers.splice(0)) await server.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function started(file: string, ...args: string[]): number {
  const child = spawn(file, args, { stdio: 'ignore' });
  children.push(child);
  return child.pid!;
}
async function connected(server: ServerProcess): Promise<GdbConsole> {
  servers.push(server);
  const gdb = await GdbConsole.start();
  gdbs.push(gdb);
  await gdb.send(`target extended-remote :${await server.port()}`);
  return gdb;
}
const multi = (): ServerProcess => ServerProcess.start(['--multi', '127.0.0.1:0']);

/** Tries, and looks at all the places where the reason must stand. */
async function refused(
  server: ServerProcess,
  gdb: GdbConsole,
  tried: string,
  reason: RegExp,
): Promise<void> {
  const seen = await gdb.send(tried);
  expect(seen).toMatch(version >= SHOWS_TEXT ? reason : /failed/);
  expect(await gdb.send('monitor why')).toMatch(reason);
  await server.says(reason);
}

describe('attach', () => {
  test('to a pid that is gone', async () => {
    const child = spawn('true');
    await once(child, 'close');
    const server = multi();
    const gdb = await connected(server);
    await refused(server, gdb, `attach ${child.pid}`, /there is no such process/);
    expect(await gdb.send('info inferiors')).toMatch(/<null>/);
  });

  test('to the server itself', async () => {
    const server = multi();
    const gdb = await connected(server);
    await refused(server, gdb, `attach ${server.pid}`, /it is this server itself; start a second/);
  });

  const threadd = fs.existsSync('/proc/2/comm') && fs.readFileSync('/proc/2/comm', 'latin1');
  testIf(threadd === 'kthreadd\n' ? '' : 'no kernel thread is visible')(
    'to a kernel thread',
    async () => {
      const server = multi();
      const gdb = await connected(server);
      await refused(server, gdb, 'attach 2', /process 2 \(kthreadd\): it is a kernel thread/);
    },
  );

  test('to a zombie', async () => {
    const parent = started('sh', '-c', 'true & exec sleep 1000');
    const children_ = `/proc/${parent}/task/${parent}/children`;
    let zombie = 0;
    await eventually('there is a zombie', () => {
      zombie = Number(fs.readFileSync(children_, 'latin1').split(' ')[0]);
      return zombie > 0 && /^State:\tZ/m.test(fs.readFileSync(`/proc/${zombie}/status`, 'latin1'));
    });
    const server = multi();
    const gdb = await connected(server);
    const reason = new RegExp(`it is dead and waits for its parent, sleep \\(pid ${parent}\\)`);
    await refused(server, gdb, `attach ${zombie}`, reason);
  });

  test('to a thread', async () => {
    const child = await startReady(program('forever'), 'tell');
    children.push(child);
    const pid = child.pid!;
    const thread = fs
      .readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .find((tid) => tid !== pid);
    const server = multi();
    const gdb = await connected(server);
    const reason = new RegExp(`it is a thread of process ${pid}; attach that one`);
    await refused(server, gdb, `attach ${thread}`, reason);
  });

  testIf(command('strace'))('to what strace traces', async () => {
    const pid = started('sleep', '1000');
    const strace = started('strace', '-o', '/dev/null', '-p', String(pid));
    await eventually('strace has it', () => tracer(pid) === strace);
    const server = multi();
    const gdb = await connected(server);
    const reason = new RegExp(`strace \\(pid ${strace}\\) traces it already; end that`);
    await refused(server, gdb, `attach ${pid}`, reason);
    // and when that has ended it works
    process.kill(strace, 'SIGTERM');
    await eventually('strace let it go', () => tracer(pid) === 0);
    expect(await gdb.send(`attach ${pid}`)).toMatch(/Attaching to/);
    expect(tracer(pid)).toBe(server.pid);
    expect(await gdb.send('detach')).toMatch(/Detaching/);
  });

  test('to what another server traces', async () => {
    const other = ServerProcess.start(['127.0.0.1:0', LARGE]);
    servers.push(other);
    await other.port();
    const pid = Number(/created; pid = (\d+)/.exec(other.stderr)?.[1]);
    const server = multi();
    const gdb = await connected(server);
    const reason = new RegExp(`\\(pid ${other.pid}\\) traces it already`);
    await refused(server, gdb, `attach ${pid}`, reason);
    // a server that no client came to leaves its program alone when it ends
    process.kill(pid, 'SIGKILL');
  });

  test('a second time to the same', async () => {
    const pid = started(LARGE);
    const server = multi();
    servers.push(server);
    const client = await RawClient.quiet(await server.port());
    await client.ask('qSupported:error-message+;multiprocess+');
    expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T05/);
    expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^E\..*attached already/);
    client.vanish();
  });

  const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  const may =
    process.getuid?.() !== 0
      ? 'only root can become another user'
      : command('setpriv') ||
        (spawnSync('setpriv', [...asNobody, OURS, '--version']).status === 0
          ? ''
          : 'another user cannot read the server');
  testIf(may)('to a process of another user', async () => {
    const pid = started('sleep', '1000');
    const server = ServerProcess.start([...asNobody, OURS, '--multi', '127.0.0.1:0'], {
      executable: 'setpriv',
    });
    const gdb = await connected(server);
    const reason = /it belongs to user 0 and we are user 65534; run as that user, as root, or with/;
    await refused(server, gdb, `attach ${pid}`, reason);
    expect(tracer(pid)).toBe(0);
  });
});

describe('run', () => {
  test.each([
    ['a file that is missing', '/nonexistent/program', /No such file or directory/],
    ['a directory', '/etc', /Permission denied/],
    ['a file that is no program', '/etc/passwd', /Permission denied/],
    [
      'text that may be executed',
      path.resolve(__dirname, __filename),
      /Permission denied|Exec form/,
    ],
  ])('%s', async (_what, file, reason) => {
    const server = multi();
    const gdb = await connected(server);
    await gdb.send(`set remote exec-file ${file}`);
    await refused(server, gdb, 'run', reason);
    expect(await gdb.send('info inferiors')).toMatch(/<null>/);
    // nothing is left of the try, and the server works on
    await gdb.script(`file ${LARGE}`, `set remote exec-file ${LARGE}`, 'break never');
    expect(await gdb.send('starti')).toMatch(/Program stopped/);
    expect(await gdb.send('kill')).toMatch(/killed/);
  });
});

describe('on a live program', () => {
  async function running(): Promise<[ServerProcess, GdbConsole]> {
    const server = ServerProcess.start(['127.0.0.1:0', LARGE]);
    servers.push(server);
    const gdb = await GdbConsole.start(LARGE);
    gdbs.push(gdb);
    await gdb.send(`target remote :${await server.port()}`);
    return [server, gdb];
  }

  test('memory that is not there', async () => {
    const [, gdb] = await running();
    expect(await gdb.send('x/4xb 0')).toMatch(/Cannot access memory at address 0x0/);
    expect(await gdb.send('set var *(int *) 0x10 = 1')).toMatch(
      /Cannot access memory at address 0x10/,
    );
  });

  test('a breakpoint where nothing is mapped', async () => {
    const [, gdb] = await running();
    const seen = await gdb.script('break *0x10', 'continue');
    expect(seen).toMatch(/Cannot insert breakpoint 1\.\n.*Cannot access memory at address 0x10/);
    expect(await gdb.send('monitor why')).toMatch(/Z0: cannot insert a breakpoint at 0x10 /);
    await gdb.script('delete', 'break function');
    expect(await gdb.send('continue')).toMatch(/Breakpoint 2, /);
  });

  test('watchpoints beyond the debug registers', async () => {
    const [, gdb] = await running();
    for (let i = 0; i < 5; i++) await gdb.send(`watch memory[${8 * i}]`);
    const seen = await gdb.send('continue');
    expect(seen).toMatch(/Could not insert hardware watchpoint \d/);
    expect(seen).toMatch(/too many hardware breakpoints\/watchpoints/);
    expect(await gdb.send('monitor why')).toMatch(/every debug register is in use, used by us/);
    await gdb.send('delete 5');
    expect(await gdb.send('continue')).toMatch(/Hardware watchpoint 2: memory\[8\]/);
  });
});

describe('the reply', () => {
  async function client(features: string): Promise<RawClient> {
    const server = multi();
    servers.push(server);
    const raw = await RawClient.quiet(await server.port());
    const answer = await raw.ask(`qSupported:${features}`);
    expect(answer.includes('error-message+')).toBe(features.includes('error-message+'));
    return raw;
  }

  test('has a text for who announced that it understands it', async () => {
    const raw = await client('error-message+');
    await raw.ask(`vRun;${hex(LARGE)}`);
    expect(await raw.ask('m10,4')).toMatch(/^E\.cannot read 4 bytes at 0x10 /);
    expect(await raw.ask('Z0,10,1')).toMatch(/^E\.cannot insert a breakpoint at 0x10 /);
    raw.vanish();
  });
  test("is in gdbserver's words on standard error where no shell starts the program", async () => {
    const raw = await client('multiprocess+');
    expect(await raw.ask('QStartupWithShell:0')).toBe('OK');
    expect(await raw.ask(`vRun;${hex('/proc/version')}`)).toMatch(/^E/);
    const [server] = servers;
    expect(await server!.says(/gdbserver: Error: Permission denied\n/)).not.toBeNull();
    expect(server!.stderr).toContain('gdbserver: Cannot exec /proc/version\n');
    raw.vanish();
  });
  test('is a number for others, but for what a user commands', async () => {
    const raw = await client('multiprocess+');
    await raw.ask(`vRun;${hex(LARGE)}`);
    expect(await raw.ask('m10,4')).toBe('E0e');
    expect(await raw.ask('Z0,10,1')).toBe('E0e');
    expect(await raw.ask('vAttach;7fffffff')).toMatch(/^E\.cannot attach to process 2147483647/);
    expect(await raw.ask('vAttach;80000000')).toBe('E01');
    raw.vanish();
  });
});
