import fs from 'node:fs';
import {
  commandLine,
  environment,
  isAlive,
  processGroup,
  processStatus,
  startTime,
  threadCore,
  threadIds,
  threadName,
} from '../../src/engine/linux/process';
import { parseMaps } from '../../src/engine/linux/maps';
import { asleep, Workshop } from './program';

const PROGRAM = `
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/prctl.h>
static pthread_barrier_t barrier;
static void *thread(void *arg)
{
  pthread_setname_np(pthread_self(), "wo) R (rker");
  printf("%d\\n", gettid());
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return arg;
}
int main(void)
{
  pthread_t t;
  pthread_barrier_init(&barrier, 0, 2);
  pthread_create(&t, 0, thread, 0);
  pthread_barrier_wait(&barrier);
  puts("ready");
  fflush(stdout);
  getchar();
  pthread_barrier_wait(&barrier);
  pthread_join(t, 0);
  return 0;
}`;

let shop: Workshop;
beforeAll(() => {
  shop = new Workshop();
});
afterAll(() => shop.close());

test('a process and its threads', async () => {
  const file = shop.compile('a) Z (b', PROGRAM, '-pthread');
  const run = await shop.start(file, 'one', '', 'three 3');
  const { pid } = run;
  const tid = Number(run.lines[0]);
  await asleep(pid); // it waits for its input, but for the moment it may still be on its way there
  expect(processStatus(pid)).toMatchObject({
    name: 'a) Z (b',
    state: 'S',
    tgid: pid,
    ppid: process.pid,
    tracerPid: 0,
    uid: process.getuid!(),
    egid: process.getegid!(),
    threads: 2,
  });
  expect(processStatus(pid)!.nsPid.at(-1)).toBeGreaterThan(0);
  expect(processStatus(pid, tid)).toMatchObject({ name: 'wo) R (rker', tgid: pid });
  expect(threadName(pid, tid)).toBe('wo) R (rker');
  expect(threadIds(pid)).toEqual([pid, tid]);
  expect(threadCore(pid, tid)).toBeGreaterThanOrEqual(0);
  expect(commandLine(pid)).toEqual([file, 'one', '', 'three 3']);
  expect(environment(pid)).toContain(`PATH=${process.env['PATH']}`);
  expect(processGroup(pid)).toBe(processGroup(process.pid));
  expect(isAlive(pid)).toBe(true);
  expect(startTime(pid)).toBeGreaterThanOrEqual(startTime(process.pid)!);
  await run.stop();
  expect(isAlive(pid)).toBe(false);
  expect([processStatus(pid), commandLine(pid), threadName(pid, tid)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(threadIds(pid)).toEqual([]);
});

test('mappings', () => {
  const line = (text: string): string => `${text}\n`;
  const maps = parseMaps(
    line('55d0c0a00000-55d0c0a01000 r-xp 00002000 fe:00 1234                       /a b\\012c') +
      line('7ffd0000-7ffe0000 rw-s 00000000 00:00 0') +
      line('ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]') +
      line('garbage'),
  );
  expect(maps).toEqual([
    {
      start: 0x55d0c0a00000n,
      end: 0x55d0c0a01000n,
      readable: true,
      writable: false,
      executable: true,
      shared: false,
      offset: 0x2000n,
      inode: 1234n,
      name: '/a b\nc',
    },
    expect.objectContaining({ shared: true, writable: true, name: '' }),
    expect.objectContaining({ readable: false, end: 0xffffffffff601000n, name: '[vsyscall]' }),
  ]);
  const ours = fs.readFileSync('/proc/self/maps', 'utf8'); // another one at each look
  expect(parseMaps(ours)).toHaveLength(ours.trim().split('\n').length);
});
