import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { osdata } from '../../src/engine/linux/osdata';
import { timeText } from '../../src/engine/linux/osdata-ipc';
import { addressText } from '../../src/engine/linux/osdata-sockets';
import { escapeXml } from '../../src/engine/linux/xml';
import { skipped } from '../support/skip';
import { askGdbserver, Workshop } from './program';

const PROGRAM = `
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void)
{
  int shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
  int sem = semget(IPC_PRIVATE, 3, IPC_CREAT | 0640);
  int msg = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  struct { long type; char text[10]; } m = { 1, "hello" };
  msgsnd(msg, &m, sizeof m.text, 0);
  printf("%d %d %d\\n", shm, sem, msg);
  puts("ready");
  fflush(stdout);
  getchar();
  shmctl(shm, IPC_RMID, 0);
  semctl(sem, 0, IPC_RMID);
  msgctl(msg, IPC_RMID, 0);
  return 0;
}`;

let shop: Workshop;
beforeAll(() => {
  shop = new Workshop();
});
afterAll(() => shop.close());

type Row = Record<string, string>;
function rows(annex: string): Row[] {
  const text = osdata(annex);
  expect(text).toMatch(/^<osdata type="[^"]+">\n(<item>.*<\/item>)?<\/osdata>\n$/s);
  return [...text.matchAll(/<item>(.*?)<\/item>/gs)].map(([, item]) =>
    Object.fromEntries(
      [...item!.matchAll(/<column name="([^"]*)">(.*?)<\/column>/gs)].map((m) => [m[1], m[2]]),
    ),
  ) as Row[];
}
function one(annex: string, match: Row): Row {
  const found = rows(annex).filter((row) => Object.entries(match).every(([k, v]) => row[k] === v));
  expect(found).toHaveLength(1);
  return found[0]!;
}

test('the table of tables is gdbserver’s, plus nothing', async () => {
  const run = await shop.start(shop.compile('types', PROGRAM));
  expect(osdata('types')).toBe(osdata(''));
  for (const { Type } of rows('')) expect(Object.keys(rows(Type!)[0] ?? {})).not.toContain('');
  expect(osdata('nonsense')).toBe('');
  const theirs = askGdbserver(run.pid, 'osdata:read:');
  if (theirs === undefined) skipped('it is not compared: no gdbserver here');
  else expect(osdata('')).toBe(theirs);
  await run.stop();
});

test('processes, groups, threads and files', async () => {
  const file = shop.compile('os <&> data', PROGRAM);
  const run = await shop.start(file, 'with "args"');
  const pid = String(run.pid);
  const command = 'os &lt;&amp;&gt; data';
  expect(one('processes', { pid })).toEqual({
    pid,
    user: execFileSync('id', ['-un'], { encoding: 'utf8' }).trim(),
    command: `${shop.dir}/${command} with &quot;args&quot;`,
    cores: expect.stringMatching(/^\d+$/) as string,
  });
  expect(one('procgroups', { pid })).toMatchObject({
    'command line': expect.stringContaining(command) as string,
    pgid: expect.stringMatching(/^\d+$/) as string,
  });
  expect(one('threads', { pid })).toMatchObject({ command, tid: pid });
  expect(one('files', { pid, 'file descriptor': '2' })).toMatchObject({
    command,
    name: escapeXml(fs.readlinkSync(`/proc/${pid}/fd/2`)),
  });
  await run.stop();
});

test('System V objects', async () => {
  const run = await shop.start(shop.compile('ipc', PROGRAM));
  const [shmid, semid, msqid] = run.lines[0]!.split(' ') as [string, string, string];
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  expect(one('shm', { shmid })).toMatchObject({
    permissions: '666',
    size: '4096',
    'creator command': 'ipc',
    'last shmat() time': '',
    user,
  });
  expect(one('semaphores', { semid })).toMatchObject({ permissions: '640', 'num semaphores': '3' });
  expect(one('msg', { msqid })).toMatchObject({
    permissions: '600',
    'num used bytes': '10',
    'num messages': '1',
    'last msgsnd() command': 'ipc',
    'creator user': user,
  });
  await run.stop();
});

test('sockets', async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  expect(one('sockets', { 'local port': String(port), state: 'LISTEN' })).toMatchObject({
    'local address': '127.0.0.1',
    'remote address': '0.0.0.0',
    'remote port': '0',
    family: 'INET',
    protocol: 'STREAM',
  });
  await new Promise((resolve) => server.close(resolve));
  expect(addressText('00000000000000000000000001000000')).toBe('::1');
  expect(addressText('B80D01200000000067452301EFCDAB89')).toBe('2001:db8::123:4567:89ab:cdef');
});

test('processors', () => {
  const count = fs.readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm)!.length;
  expect(rows('cpus')).toHaveLength(count);
  expect(rows('cpus')[0]).toMatchObject({ processor: '0' });
});

test('times are those of ctime', () => {
  const { stdout } = spawnSync('date', ['-d', '@1700000003', '+%c'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  expect(timeText(1700000003)).toBe(stdout.trim());
  expect(timeText(0)).toBe('');
});

test('what XML forbids is replaced', () => {
  expect(escapeXml('a\u0001<b>\t&"\'')).toBe('a\ufffd&lt;b&gt;\t&amp;&quot;&apos;');
});
