import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native, type SpawnedChild, type SpawnSpec } from '../../src/native';
import { PATIENCE } from '../support/patience';

const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
const ENOTDIR = 20;
const LIMIT_MS = 20_000 * PATIENCE;

let dir: string;
beforeEach(() => (dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'ntrace-')))));
afterEach(() => rmSync(dir, { recursive: true }));

async function until(done: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!done()) {
    if (Date.now() > end) throw new Error('it did not happen');
    await delay(1);
  }
}

async function death(child: SpawnedChild): Promise<number> {
  await until(() => child.reap() !== undefined);
  return child.reap() as number;
}

/** Runs it to its end; gives what it wrote and its wait status. */
async function run(spec: SpawnSpec): Promise<{ out: string; status: number; child: SpawnedChild }> {
  const file = path.join(dir, 'out');
  const child = native.spawn({ stdio: [undefined, file, file], ...spec });
  child.go();
  const status = await death(child);
  return { out: existsSync(file) ? readFileSync(file, 'utf8') : '', status, child };
}

function sh(script: string, more: Partial<SpawnSpec> = {}): Promise<{ out: string }> {
  return run({ file: '/bin/sh', args: ['sh', '-c', script], ...more });
}

test('arguments arrive as they are', async () => {
  const args = ['printf', '[%s]', 'two words', '', '*', '"quoted"', 'ü', '\n'];
  const { out, status, child } = await run({ file: 'printf', args });
  expect(out).toBe('[two words][][*]["quoted"][ü][\n]');
  expect(status).toBe(0);
  expect(child.failure()).toEqual({ errno: 0, step: '' });
});

test('argv[0] is ours to choose', async () => {
  const { out } = await run({ file: '/bin/sh', args: ['other name', '-c', 'echo $0'] });
  expect(out).toBe('other name\n');
});

test('the environment is the given one alone, or ours', async () => {
  expect((await sh('/usr/bin/env | grep -v _=', { env: ['A=1', 'B=x y'], cwd: '/' })).out).toMatch(
    /^A=1\nB=x y\n(PWD=\/\n)?$/,
  );
  expect((await sh('echo $HOME')).out).toBe(`${process.env['HOME'] ?? ''}\n`);
});

test('the working directory', async () => {
  expect((await sh('pwd', { cwd: dir })).out).toBe(`${dir}\n`);
});

test('a name is looked up in PATH of the environment it gets', async () => {
  writeFileSync(path.join(dir, 'ntrace-prog'), '#!/bin/sh\necho found\n', { mode: 0o755 });
  const spec = { file: 'ntrace-prog', args: ['ntrace-prog'] };
  expect((await run({ ...spec, env: [`PATH=/none:${dir}`] })).out).toBe('found\n');
  expect((await run({ ...spec, env: ['PATH=/none:.'], cwd: dir })).out).toBe('found\n');
  expect((await run({ ...spec })).child.failure()).toEqual({ errno: ENOENT, step: 'exec' });
});

test('it waits for go() in our memory, then is the program', async () => {
  const child = native.spawn({ file: 'sleep', args: ['sleep', '1000'] });
  expect(readlinkSync(`/proc/${child.pid}/exe`)).toBe(realpathSync(process.execPath));
  expect(child.failure()).toEqual({ errno: 0, step: '' });
  expect(child.reap()).toBeUndefined();
  child.go();
  await until(() => readlinkSync(`/proc/${child.pid}/exe`) !== realpathSync(process.execPath));
  expect(native.kill(child.pid, 0, 9)).toBe(0);
  expect(await death(child)).toBe(9);
  expect(child.reap()).toBe(9);
});

describe('a failure names its step', () => {
  const cases: [string, () => Partial<SpawnSpec>, number, string][] = [
    ['no such file', () => ({ file: '/nonesuch' }), ENOENT, 'exec'],
    ['no such name', () => ({ file: 'ntrace-nonesuch' }), ENOENT, 'exec'],
    ['an empty name', () => ({ file: '' }), ENOENT, 'exec'],
    ['a directory', () => ({ file: dir }), EACCES, 'exec'],
    ['no such directory', () => ({ cwd: '/nonesuch' }), ENOENT, 'chdir'],
    ['a file as directory', () => ({ cwd: '/etc/passwd' }), ENOTDIR, 'chdir'],
    ['no such input', () => ({ stdio: ['/nonesuch', undefined, undefined] }), ENOENT, 'stdio'],
  ];
  test.each(cases)('%s', async (_name, more, errno, step) => {
    const { status, child } = await run({ file: '/bin/true', args: ['x'], ...more() });
    expect(child.failure()).toEqual({ errno, step });
    expect(status).toBe(127 << 8);
  });

  test('no permission, no format', async () => {
    const file = path.join(dir, 'prog');
    writeFileSync(file, 'no program');
    expect((await run({ file, args: ['x'] })).child.failure()).toEqual({
      errno: EACCES,
      step: 'exec',
    });
    chmodSync(file, 0o755);
    expect((await run({ file, args: ['x'] })).child.failure()).toEqual({
      errno: ENOEXEC,
      step: 'exec',
    });
  });

  test('a string with a NUL is refused at once', () => {
    expect(() => native.spawn({ file: '/bin/true', args: ['a\0b'] })).toThrow(/NUL/);
  });
});

test('signals are as in a fresh process, though Node ignores some', async () => {
  const { out } = await run({ file: 'cat', args: ['cat', '/proc/self/status'] });
  for (const set of ['SigBlk', 'SigIgn', 'SigCgt'])
    expect(new RegExp(`^${set}:\\t(\\w+)$`, 'm').exec(out)?.[1]).toBe('0'.repeat(16));
  expect(readFileSync('/proc/self/status', 'latin1')).not.toMatch(/^SigIgn:\t0{16}$/m);
});

test('the limit of open files is not the one Node raised', async () => {
  const [soft] = (await sh('ulimit -Sn')).out.split('\n');
  const [, ours, hard] = limits('self');
  const [, parents] = limits(String(process.ppid));
  const wanted =
    ours !== hard ? ours : parents && hard && parents < hard ? parents : Math.min(1024, hard ?? 0);
  expect(Number(soft)).toBe(wanted);
  expect((await sh('ulimit -Hn')).out).toBe(`${hard}\n`);
});

function limits(pid: string): number[] {
  const line =
    readFileSync(`/proc/${pid}/limits`, 'latin1').match(/^Max open files.*$/m)?.[0] ?? '';
  return [0, ...(line.match(/\d+/g) ?? []).map(Number)];
}

test('no descriptor but the three is passed on', async () => {
  const { out } = await run({ file: 'ls', args: ['ls', '/proc/self/fd'] });
  expect(out.trim().split('\n').slice(0, 3)).toEqual(['0', '1', '2']);
  expect(out.trim().split('\n').length).toBe(4); // and ls's own
});

test('both outputs in one file keep their order', async () => {
  const { out } = await sh('echo one; echo two >&2; echo three');
  expect(out).toBe('one\ntwo\nthree\n');
});

test('/dev/stderr as output is our descriptor, whatever it is', () => {
  const script = `
    const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
    const args = ['sh', '-c', 'echo text'];
    const child = native.spawn({ file: '/bin/sh', args, stdio: ['/dev/null', '/dev/stderr'] });
    child.go();
    while (child.reap() === undefined);`;
  const out = execFileSync('/bin/sh', [
    '-c',
    'exec "$0" -e "$1" 2>&1 >/dev/null',
    process.execPath,
    script,
  ]);
  expect(out.toString()).toBe('text\n');
});

test('address randomization goes off on request', async () => {
  const cat = { file: 'cat', args: ['cat', '/proc/self/personality'] };
  expect((await run({ ...cat, noRandomize: true })).out).toBe('00040000\n');
  expect((await run(cat)).out).toBe(readFileSync('/proc/self/personality', 'latin1'));
});

test('a process group of its own on request', async () => {
  const group = async (newGroup: boolean): Promise<[string, number]> => {
    const { out, child } = await run({ file: 'cat', args: ['cat', '/proc/self/stat'], newGroup });
    return [out.split(' ')[4] ?? '', child.pid];
  };
  const [own, pid] = await group(true);
  expect(own).toBe(String(pid));
  const [inherited, other] = await group(false);
  expect(inherited).not.toBe(String(other));
});

test('a child nobody lets go ends with us', async () => {
  const script = `
    const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
    console.log(native.spawn({ file: 'sleep', args: ['sleep', '1000'] }).pid);
    process.exit(0);`;
  const pid = execFileSync(process.execPath, ['-e', script], { timeout: LIMIT_MS })
    .toString()
    .trim();
  const alive = (): boolean => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      return false;
    }
  };
  await until(() => !alive());
});

test('two hundred children leave no descriptor and no memory behind', async () => {
  const count = (): number =>
    Number(execFileSync('sh', ['-c', `ls /proc/${process.pid}/fd | wc -l`]));
  const stacks = (): number =>
    readFileSync('/proc/self/maps', 'latin1')
      .split('\n')
      .filter((l) => / ---p /.test(l)).length;
  const round = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const child = native.spawn({ file: '/bin/true', args: ['true'] });
      child.go();
      await death(child);
      expect(child.failure().errno).toBe(0);
    }
  };
  await round(10);
  const [fds, maps] = [count(), stacks()];
  await round(200);
  expect(count()).toBeLessThan(fds + 20);
  expect(stacks()).toBeLessThan(maps + 20);
});
