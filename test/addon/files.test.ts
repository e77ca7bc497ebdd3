import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../src/native';
import { describeIf, root } from '../gdb/support/needs';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
const ENOENT = -2;
const ESRCH = -3;
const EINVAL = -22;

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(os.tmpdir(), 'ntrace-'))));
afterEach(() => rmSync(dir, { recursive: true }));

function contents(pid: number, name: string): string {
  const fd = native.openInRoot(pid, name, O_RDONLY, 0);
  if (fd < 0) throw new Error(native.errnoName(-fd));
  try {
    return readFileSync(fd, 'latin1');
  } finally {
    closeSync(fd);
  }
}

describe.each([
  ['ourselves', 0],
  ['a process with our root', process.pid],
])('files of %s', (_name, pid) => {
  test('are created with their mode, read and unlinked', () => {
    const name = path.join(dir, 'new');
    const fd = native.openInRoot(pid, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    expect(fd).toBeGreaterThan(2);
    writeFileSync(fd, 'text');
    closeSync(fd);
    expect(contents(pid, name)).toBe('text');
    expect(native.unlinkInRoot(pid, name)).toBe(0);
    expect(existsSync(name)).toBe(false);
    expect(native.unlinkInRoot(pid, name)).toBe(ENOENT);
    expect(native.openInRoot(pid, name, O_RDONLY, 0)).toBe(ENOENT);
  });

  test('include those of /proc, through its magic links', () => {
    expect(contents(pid, `/proc/${process.pid}/task/${process.pid}/maps`)).toMatch(/ntrace\.node/);
    const fd = native.openInRoot(pid, `/proc/${process.pid}/exe`, O_RDONLY, 0);
    expect(fd).toBeGreaterThan(2);
    closeSync(fd);
    const target = native.readlinkInRoot(pid, `/proc/${process.pid}/exe`);
    expect(Buffer.from(target as Uint8Array).toString()).toBe(readlinkSync('/proc/self/exe'));
  });

  test('readlink of something else is EINVAL', () => {
    expect(native.readlinkInRoot(pid, dir)).toBe(EINVAL);
    expect(native.readlinkInRoot(pid, path.join(dir, 'none'))).toBe(ENOENT);
  });

  test('a path with a NUL names nothing', () => {
    expect(native.openInRoot(pid, '/etc/pass\0wd', O_RDONLY, 0)).toBe(EINVAL);
    expect(native.unlinkInRoot(pid, `${dir}/a\0b`)).toBe(EINVAL);
  });
});

test('a process that is gone is ESRCH', () => {
  expect(native.openInRoot(2 ** 22 + 1, '/etc/passwd', O_RDONLY, 0)).toBe(ESRCH);
});

// chroot() is for root alone
describeIf(root())('files of a process with another root', () => {
  let child: ChildProcess;
  let pid: number;
  beforeEach(async () => {
    mkdirSync(path.join(dir, 'sub'));
    writeFileSync(path.join(dir, 'file'), 'inside');
    symlinkSync('/file', path.join(dir, 'sub', 'absolute'));
    symlinkSync('../../../../../etc/passwd', path.join(dir, 'escape'));
    child = spawn('python3', [
      '-c',
      'import os, sys; os.chroot(sys.argv[1]); print("in", flush=True); sys.stdin.read()',
      dir,
    ]);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    pid = child.pid as number;
  });
  afterEach(async () => {
    child.stdin?.end();
    await once(child, 'exit');
  });

  test('are found below it, links included, and nothing else is', () => {
    expect(contents(pid, '/file')).toBe('inside');
    expect(contents(pid, '/sub/absolute')).toBe('inside');
    expect(contents(pid, '/../../file')).toBe('inside');
    expect(native.openInRoot(pid, '/escape', O_RDONLY, 0)).toBe(ENOENT);
    expect(native.openInRoot(pid, '/etc/passwd', O_RDONLY, 0)).toBe(ENOENT);
  });

  test('are created, unlinked and read as links', () => {
    const fd = native.openInRoot(pid, '/sub/new', O_WRONLY | O_CREAT, 0o640);
    closeSync(fd);
    expect(existsSync(path.join(dir, 'sub', 'new'))).toBe(true);
    expect(native.unlinkInRoot(pid, '/sub/new')).toBe(0);
    expect(existsSync(path.join(dir, 'sub', 'new'))).toBe(false);
    const target = native.readlinkInRoot(pid, '/sub/absolute');
    expect(Buffer.from(target as Uint8Array).toString()).toBe('/file');
    expect(native.readlinkInRoot(pid, '/file')).toBe(EINVAL);
  });
});
