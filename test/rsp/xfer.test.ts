import fs from 'node:fs';
import { native } from '../../src/native';
import { PACKET_SIZE } from '../../src/rsp/session';
import { hex, SelfSession } from './self-session';

const NT_PRSTATUS = 1;
const NT_SIGINFO = 0x53494749;
const FS_BASE = 21 * 8; // in user_regs_struct

let self: SelfSession;
beforeEach(() => {
  self = new SelfSession();
});

/** The whole document in pieces of so many bytes. */
function read(object: string, annex = '', size = 0x10000): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const reply = self.all(
      `qXfer:${object}:read:${annex}:${at.toString(16)},${size.toString(16)}`,
    )[0]!;
    const piece = reply.subarray(1);
    expect(piece.length).toBeLessThanOrEqual(size);
    pieces.push(piece);
    at += piece.length;
    if (reply[0] === 0x6c) return Buffer.concat(pieces);
    expect(String.fromCharCode(reply[0]!)).toBe('m');
    expect(piece.length).toBeGreaterThan(0);
  }
}

test('auxv is the one of the kernel, in pieces of any size', () => {
  const real = fs.readFileSync('/proc/self/auxv');
  expect(read('auxv')).toEqual(real);
  expect(read('auxv', '', 7)).toEqual(real);
  expect(self.ask('qXfer:auxv:read:x:0,100')).toBe('E00');
});

test('the executable of this process, of another, of none', () => {
  const node = fs.readlinkSync('/proc/self/exe');
  expect(read('exec-file').toString()).toBe(node);
  expect(read('exec-file', process.pid.toString(16)).toString()).toBe(node);
  expect(self.ask('qXfer:exec-file:read:zz:0,100')).toBe('E00');
  expect(self.ask('qXfer:exec-file:read:3fffffff:0,100')).toBe('E03');
  self.session.client.add('error-message+');
  expect(self.ask('qXfer:exec-file:read:3fffffff:0,100')).toMatch(/^E\.process 1073741823 runs no/);
});

test('the target description', () => {
  expect(read('features', 'target.xml').toString()).toBe(self.inferior.arch.targetXml);
  expect(self.ask('qXfer:features:read:other.xml:0,100')).toBe('E00');
  expect(self.ask('qXfer:features:read::0,100')).toBe('E00');
});

test('shared libraries are those the process has mapped', () => {
  const text = read('libraries-svr4').toString();
  expect(text).toMatch(/^<library-list-svr4 version="1.0" main-lm="0x[0-9a-f]+">.*<\/library-list/);
  const maps = fs.readFileSync('/proc/self/maps', 'utf8');
  const names = [...text.matchAll(/name="([^"]*)"/g)].map((match) => match[1]!);
  expect(names.some((name) => name.includes('libc.so'))).toBe(true);
  for (const name of names.filter((path) => path.startsWith('/')))
    expect(maps).toContain(fs.realpathSync(name));
  // one link map named by the annex
  const lm = /lm="0x([0-9a-f]+)"/.exec(text.slice(text.indexOf('<library ')))![1]!;
  const prev = /main-lm="0x([0-9a-f]+)"/.exec(text)![1]!;
  const part = read('libraries-svr4', `start=${lm};prev=${prev};`).toString();
  expect(part).toContain(`lm="0x${lm}"`);
});

test('threads: id, core, name and pthread_t', () => {
  const pid = process.pid.toString(16);
  const before = fs.readFileSync('/proc/self/comm', 'latin1').trim();
  try {
    fs.writeFileSync('/proc/self/comm', 'a<"&\'>');
    expect(read('threads').toString()).toBe(
      `<threads>\n<thread id="${pid}" core="3" name="a&lt;&quot;&amp;&apos;&gt;"/>\n</threads>\n`,
    );
  } finally {
    fs.writeFileSync('/proc/self/comm', before);
  }
  // the thread pointer leads to a word that holds its own address
  const control = Buffer.alloc(64);
  const pointer = native.addressOf(control);
  control.writeBigUInt64LE(pointer);
  const registers = Buffer.alloc(216);
  registers.writeBigUInt64LE(pointer, FS_BASE);
  self.state.regsets.set(NT_PRSTATUS, registers);
  self.session.multiprocess = true;
  expect(read('threads').toString()).toMatch(
    new RegExp(`<thread id="p${pid}.${pid}" core="3" name=".*" handle="${hex64(pointer)}"/>`),
  );
  control.writeBigUInt64LE(1n);
  expect(read('threads').toString()).not.toContain('handle');
  self.inferiors.clear();
  expect(read('threads').toString()).toBe('<threads>\n</threads>\n');
});

function hex64(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}

test('pieces of a document are of one moment', () => {
  const before = fs.readFileSync('/proc/self/comm', 'latin1').trim();
  try {
    fs.writeFileSync('/proc/self/comm', 'first');
    const head = self.ask('qXfer:threads:read::0,8');
    expect(head).toBe('m<threads');
    fs.writeFileSync('/proc/self/comm', 'second');
    expect(self.ask('qXfer:threads:read::8,1000')).toContain('name="first"');
    expect(self.session.documents.size).toBe(0);
    expect(read('threads').toString()).toContain('name="second"');
  } finally {
    fs.writeFileSync('/proc/self/comm', before);
  }
});

test('a piece never exceeds the packet size, whatever must be escaped', () => {
  const huge = '#'.repeat(3 * PACKET_SIZE);
  self.inferior.arch = { ...self.inferior.arch, targetXml: huge };
  const reply = self.all(`qXfer:features:read:target.xml:0,${huge.length.toString(16)}`)[0]!;
  expect(2 * reply.length).toBeLessThanOrEqual(PACKET_SIZE);
  expect(read('features', 'target.xml', huge.length).equals(Buffer.from(huge))).toBe(true);
});

test('reads that are never finished do not pile up', () => {
  for (let i = 0; i < 100; i++) self.ask(`qXfer:libraries-svr4:read:x${i}=1:0,1`);
  expect(self.session.documents.size).toBeLessThanOrEqual(8);
});

test('siginfo is read, and changed in part', () => {
  expect(self.ask('qXfer:siginfo:read::0,100')).toBe('E3d');
  const info = Buffer.alloc(128);
  info.writeInt32LE(11, 0);
  info.writeInt32LE(1, 8);
  info.writeBigUInt64LE(0xdeadbeefn, 16);
  self.state.regsets.set(NT_SIGINFO, info);
  expect(read('siginfo')).toEqual(info);
  expect(self.ask('qXfer:siginfo:write::10:\x01}#*')).toBe('4');
  const changed = self.state.regsets.get(NT_SIGINFO)!;
  expect(changed.subarray(16, 24)).toEqual(Buffer.from('017d232a00000000', 'hex'));
  expect(changed.readInt32LE(0)).toBe(11);
  expect(self.ask('qXfer:siginfo:write::7f:ab')).toBe('E16');
  expect(self.ask('qXfer:siginfo:write::ffffffff:a')).toBe('E16');
  expect(self.ask('qXfer:siginfo:write:x:0:a')).toBe('E01');
  expect(self.ask('qXfer:siginfo:write::0')).toBe('E01');
});

test('tables of the operating system', () => {
  expect(read('osdata').toString()).toMatch(/^<osdata type="types">/);
  const processes = read('osdata', 'processes').toString();
  expect(processes).toContain(`<column name="pid">${process.pid}</column>`);
});

test('offsets past the end end the conversation, malformed reads are refused', () => {
  for (const object of ['auxv', 'threads', 'osdata'])
    expect(self.ask(`qXfer:${object}:read::fffffff,1000`)).toBe('l');
  expect(self.ask('qXfer:features:read:target.xml:ffffff,1000')).toBe('l');
  expect(self.ask('qXfer:auxv:read::0,0')).toBe('m');
  for (const packet of [
    'qXfer:auxv:read',
    'qXfer:auxv:read:',
    'qXfer:auxv:read::',
    'qXfer:auxv:read::0',
    'qXfer:auxv:read::0,',
    'qXfer:auxv:read::0,1,2',
    'qXfer:auxv:read::-1,1',
    'qXfer:auxv:read::ffffffffffffffffff,1',
  ])
    expect(self.ask(packet)).toMatch(/^(E01|)$/);
});

test('what is not there is unknown, and not announced', () => {
  for (const packet of [
    'qXfer:nothing:read::0,100',
    'qXfer:auxv:write::0:a',
    'qXfer:btrace:read:all:0,100',
    'qXfer:memory-map:read::0,100',
    'qXfer:uib:read::0,100',
  ])
    expect(self.ask(packet)).toBe('');
  const said = self.ask('qSupported:multiprocess+').split(';');
  for (const object of ['auxv', 'exec-file', 'features', 'libraries-svr4', 'osdata', 'threads'])
    expect(said).toContain(`qXfer:${object}:read+`);
  expect(said).toContain('augmented-libraries-svr4-read+');
  expect(said).toContain('qXfer:siginfo:read+');
  expect(said).toContain('qXfer:siginfo:write+');
  expect(said.filter((item) => item.startsWith('qXfer')).length).toBe(8);
});

test('without a process', () => {
  self.inferiors.clear();
  for (const packet of [
    'qXfer:auxv:read::0,100',
    'qXfer:exec-file:read::0,100',
    'qXfer:features:read:target.xml:0,100',
    'qXfer:libraries-svr4:read::0,100',
    'qXfer:siginfo:read::0,100',
    'qGetTLSAddr:1,0,0',
  ])
    expect([packet, self.ask(packet)]).toEqual([packet, 'E03']);
  expect(self.ask('qXfer:osdata:read:processes:0,1000')).toMatch(/^[ml]<osdata type="processes">/);
});

test('symbols are never asked for; TLS of nobody is refused', () => {
  expect(self.ask('qSymbol::')).toBe('OK');
  expect(self.ask(`qSymbol:1234:${hex('main')}`)).toBe('OK');
  expect(self.ask('qGetTLSAddr:zz')).toBe('E01');
  expect(self.ask('qGetTLSAddr:1')).toBe('E01');
  expect(self.ask('qGetTLSAddr:7fffffff,0,0')).toBe('E03');
});
