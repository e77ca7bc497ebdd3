import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../src/native';
import { PACKET_SIZE } from '../../src/rsp/session';
import { root, testIf } from '../gdb/support/needs';
import { hex, SelfSession } from './self-session';

let scratch: string;
let self: SelfSession;

beforeEach(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-host-io-'));
  self = new SelfSession();
});
afterEach(() => {
  self.session.close();
  fs.rmSync(scratch, { recursive: true });
});

const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;

function file(name: string, content: Buffer | string = ''): string {
  const made = path.join(scratch, name);
  fs.writeFileSync(made, content);
  return made;
}
function open(name: string, flags = 0, mode = 0): string {
  return self.ask(`vFile:open:${hex(name)},${flags.toString(16)},${mode.toString(16)}`);
}
/** Attachment of a reply; checks the length it tells. */
function attachment(reply: Buffer): Buffer {
  const semicolon = reply.indexOf(';');
  const data = reply.subarray(semicolon + 1);
  expect(reply.toString('latin1', 0, semicolon)).toBe(`F${data.length.toString(16)}`);
  return data;
}

test('opens, reads, stats and closes', () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const name = file('all', every);
  expect(open(name)).toBe('F0');
  expect(attachment(self.all('vFile:pread:0,1000,0')[0]!)).toEqual(every);
  expect(attachment(self.all('vFile:pread:0,4,23')[0]!)).toEqual(Buffer.from('#$%&'));
  expect(self.ask('vFile:pread:0,10,100')).toBe('F0;');
  expect(self.ask('vFile:pread:0,10,ffff')).toBe('F0;');
  expect(self.ask('vFile:pread:0,0,0')).toBe('F0;');
  const byNumber = attachment(self.all('vFile:fstat:0')[0]!);
  expect(byNumber.length).toBe(64);
  expect(attachment(self.all(`vFile:stat:${hex(name)}`)[0]!)).toEqual(byNumber);
  expect(self.ask('vFile:close:0')).toBe('F0');
  expect(self.ask('vFile:close:0')).toBe('F-1,9');
  expect(self.ask('vFile:pread:0,1,0')).toBe('F-1,9');
});

test('struct stat has the layout of the protocol', () => {
  const name = file('stat', 'twelve bytes');
  fs.chmodSync(name, 0o640);
  fs.utimesSync(name, 1000000000, 1234567890);
  const host = fs.statSync(name);
  const raw = attachment(self.all(`vFile:stat:${hex(name)}`)[0]!);
  expect(raw.readUInt32BE(4)).toBe(host.ino % 2 ** 32);
  expect(raw.readUInt32BE(8)).toBe(0o100640);
  expect(raw.readUInt32BE(12)).toBe(1);
  expect(raw.readUInt32BE(16)).toBe(host.uid);
  expect(raw.readBigUInt64BE(28)).toBe(12n);
  expect(raw.readBigUInt64BE(36)).toBe(BigInt(host.blksize));
  expect(raw.readBigUInt64BE(44)).toBe(BigInt(host.blocks));
  expect(raw.readUInt32BE(52)).toBe(1000000000);
  expect(raw.readUInt32BE(56)).toBe(1234567890);
});

test('kinds of files: directory, device, symbolic link and its target', () => {
  const link = path.join(scratch, 'link');
  fs.symlinkSync(file('target', 'x'), link);
  const mode = (packet: string): number => attachment(self.all(packet)[0]!).readUInt32BE(8);
  expect(mode(`vFile:stat:${hex('/')}`) & 0o170000).toBe(0o40000);
  expect(mode(`vFile:stat:${hex('/dev/null')}`)).toBe(0o20666);
  expect(mode(`vFile:stat:${hex(link)}`) & 0o170000).toBe(0o100000);
  expect(mode(`vFile:lstat:${hex(link)}`) & 0o170000).toBe(0o120000);
  expect(attachment(self.all(`vFile:readlink:${hex(link)}`)[0]!).toString()).toBe(
    path.join(scratch, 'target'),
  );
});

test('creates, writes, truncates, appends and removes', () => {
  const name = path.join(scratch, 'made');
  expect(open(name, 0x1 | 0x200 | 0x400 | 0x800, 0o600)).toBe('F0');
  expect(fs.statSync(name).mode & 0o777).toBe(0o600);
  expect(self.ask('vFile:pwrite:0,0,a#b$c}d*e')).toBe('F9');
  expect(self.ask('vFile:pwrite:0,4,,,')).toBe('F2');
  expect(fs.readFileSync(name, 'utf8')).toBe('a#b$,,d*e');
  expect(self.ask('vFile:pread:0,1,0')).toBe('F-1,9'); // written only
  expect(open(name, 0x1 | 0x200 | 0x800, 0o600)).toBe('F-1,11'); // EEXIST
  expect(open(name, 0x1 | 0x400)).toBe('F1');
  expect(fs.statSync(name).size).toBe(0);
  expect(self.ask(`vFile:unlink:${hex(name)}`)).toBe('F0');
  expect(fs.existsSync(name)).toBe(false);
  expect(self.ask(`vFile:unlink:${hex(name)}`)).toBe('F-1,2');
});

test('errors have the numbers of the protocol', () => {
  expect(open(path.join(scratch, 'none'))).toBe('F-1,2');
  expect(open(file('plain') + '/x')).toBe('F-1,14'); // ENOTDIR
  expect(open(scratch, 1)).toBe('F-1,15'); // EISDIR
  expect(open('/' + 'n'.repeat(300))).toBe('F-1,5b'); // ENAMETOOLONG
  expect(open('/', 3)).toBe('F-1,16');
  expect(open('/', 0x40000000)).toBe('F-1,16');
  expect(self.ask(`vFile:unlink:${hex(scratch)}`)).toBe('F-1,15');
  expect(self.ask(`vFile:readlink:${hex(scratch)}`)).toBe('F-1,16');
  expect(self.ask('vFile:fstat:63')).toBe('F-1,9');
  expect(open('/proc/self/mem')).toBe('F0');
  expect(self.ask('vFile:pread:0,8,0')).toBe('F-1,5'); // EIO
});

test('malformed packets are EINVAL, unknown operations unknown', () => {
  for (const packet of [
    'vFile:open:',
    'vFile:open:zz,0,0',
    'vFile:open:2f,0',
    'vFile:open:2f0,0,0',
    'vFile:open:,0,0',
    'vFile:open:2f00,0,0',
    'vFile:pread:0',
    'vFile:pread:0,1',
    'vFile:pread:x,1,1',
    'vFile:close:',
    'vFile:close:0,0',
    'vFile:pwrite:0,0',
    'vFile:setfs:-1',
    'vFile:stat:',
  ])
    expect([packet, self.ask(packet)]).toEqual([packet, 'F-1,16']);
  expect(self.ask('vFile:nothing:0')).toBe('');
  expect(self.ask('vFile:')).toBe('');
});

test('a reply never exceeds the packet size, whatever must be escaped', () => {
  const big = Buffer.alloc(PACKET_SIZE + 1000, '#');
  expect(open(file('big', big))).toBe('F0');
  const data = attachment(self.all(`vFile:pread:0,${big.length.toString(16)},0`)[0]!);
  expect(2 * data.length).toBeLessThanOrEqual(PACKET_SIZE - 10);
  expect(data.length).toBeGreaterThan(500_000);
  expect(data.equals(big.subarray(0, data.length))).toBe(true);
});

test('a large file arrives whole, piece by piece', () => {
  const big = Buffer.alloc(9_000_000);
  for (let i = 0; i < big.length; i++) big[i] = (i * 2654435761) >>> 13;
  expect(open(file('big', big))).toBe('F0');
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const piece = Buffer.from(
      attachment(self.all(`vFile:pread:0,${PACKET_SIZE.toString(16)},${at.toString(16)}`)[0]!),
    );
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
  }
  expect(pieces.length).toBe(9);
  expect(Buffer.concat(pieces).equals(big)).toBe(true);
});

test('memory of a process at addresses of 47 bits', () => {
  const data = Buffer.from('memory read through a file');
  const addr = native.addressOf(data);
  expect(open(`/proc/${process.pid}/mem`)).toBe('F0');
  const read = self.all(`vFile:pread:0,${data.length.toString(16)},${addr.toString(16)}`)[0]!;
  expect(attachment(read)).toEqual(data);
  expect(self.ask('vFile:pread:0,1,ffffffffff600000')).toBe('F-1,16');
});

test('numbers are of a table of the session and end with it', () => {
  const before = descriptors();
  expect(self.ask('vFile:fstat:1')).toBe('F-1,9'); // not the server's standard output
  expect([open('/'), open('/'), open('/')]).toEqual(['F0', 'F1', 'F2']);
  expect(self.ask('vFile:close:1')).toBe('F0');
  expect(open('/')).toBe('F1');
  expect(descriptors()).toBe(before + 3);
  self.session.close();
  expect(descriptors()).toBe(before);
});

test('too many open files', () => {
  for (let i = 0; i < 1024; i++) expect(open('/dev/null')).toBe(`F${i.toString(16)}`);
  expect(open('/dev/null')).toBe('F-1,18');
});

test('LLDB sets flags of its own', () => {
  expect(open('/dev/null', 0x40000000)).toBe('F-1,16');
  self.session.lldb = true;
  expect(open('/dev/null', 0x40000000)).toBe('F0');
});

test('a FIFO nobody writes does not block the server', async () => {
  const fifo = path.join(scratch, 'fifo');
  const made = spawn('mkfifo', [fifo]);
  await new Promise((done) => made.once('exit', done));
  expect(open(fifo)).toBe('F0');
});

test('setfs: names mean what the process sees', async () => {
  const name = file('seen', 'seen by both');
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await new Promise((done) => child.once('spawn', done));
  try {
    expect(self.ask(`vFile:setfs:${child.pid!.toString(16)}`)).toBe('F0');
    expect(open(name)).toBe('F0');
    expect(open(`/proc/${child.pid}/exe`)).toBe('F1');
    expect(self.ask('vFile:setfs:3fffffff')).toBe('F0');
    expect(open(name)).toBe('F-1,2'); // no such process
    expect(self.ask('vFile:setfs:0')).toBe('F0');
    expect(open(name)).toBe('F2');
  } finally {
    child.kill();
  }
});

const rootTest = testIf(root());
rootTest('setfs: another root directory', async () => {
  const root = path.join(scratch, 'root');
  fs.mkdirSync(path.join(root, 'bin'), { recursive: true });
  fs.symlinkSync('/bin/inside', path.join(root, 'absolute'));
  fs.writeFileSync(path.join(root, 'bin/inside'), 'below the root');
  // it says so once its root is changed, and waits
  const script =
    'import os,sys; os.chroot(sys.argv[1]); os.chdir("/"); print("up", flush=True); sys.stdin.read()';
  const jailed = spawn('python3', ['-c', script, root], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await new Promise((done) => jailed.stdout.once('data', done));
    expect(self.ask(`vFile:setfs:${jailed.pid!.toString(16)}`)).toBe('F0');
    expect(open('/absolute')).toBe('F0');
    expect(attachment(self.all('vFile:pread:0,100,0')[0]!).toString()).toBe('below the root');
    expect(open('/../../etc/passwd')).toBe('F-1,2');
    const size = attachment(self.all(`vFile:stat:${hex('/bin/inside')}`)[0]!);
    expect(size.readBigUInt64BE(28)).toBe(14n);
    const link = attachment(self.all(`vFile:lstat:${hex('/absolute')}`)[0]!);
    expect(link.readUInt32BE(8) & 0o170000).toBe(0o120000);
    expect(attachment(self.all(`vFile:readlink:${hex('/absolute')}`)[0]!).toString()).toBe(
      '/bin/inside',
    );
    expect(self.ask(`vFile:unlink:${hex('/bin/inside')}`)).toBe('F0');
    expect(fs.existsSync(path.join(root, 'bin/inside'))).toBe(false);
  } finally {
    jailed.kill();
  }
});
