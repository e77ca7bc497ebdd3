import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { ElfFile } from '../../src/engine/linux/elf';
import { librariesSvr4 } from '../../src/engine/linux/libraries';
import { Memory } from '../../src/engine/linux/memory';
import { THREAD_SYMBOLS } from '../../src/engine/linux/thread-layout';
import { tlsAddressIn } from '../../src/engine/linux/tls';
import { compiler, describeEach } from '../gdb/support/needs';
import { skipped } from '../support/skip';
import type { Running } from './program';
import { procMemory, Workshop } from './program';

// The program tells each thread's pointer and where its variables really are.

const PLUGIN = `
__thread char plugin_fill[60000]; // too much for what is left of the static block
__thread int plugin_variable = 7;
int *plugin_address(void) { return &plugin_variable; }`;
const EXTERN = `
__thread int shared_fill[3];
__thread int shared_variable = 5;
int *shared_address(void) { return &shared_variable; }`;
const PROGRAM = `
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#ifdef DYNAMIC
#include <dlfcn.h>
extern __thread int shared_variable;
#endif
__thread int fill[5] = {1};
__thread _Alignas(ALIGN) int main_variable = 3;
static int *(*plugin)(void);
static pthread_barrier_t barrier;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static void tell(const char *who, int touch)
{
  unsigned long tp;
#ifdef __x86_64__
  asm("mov %%fs:0,%0" : "=r"(tp));
#else
  asm("mov %%gs:0,%0" : "=r"(tp));
#endif
  pthread_mutex_lock(&turn);
  printf("%s tp %lx\\n%s main_variable %lx\\n", who, tp, who, (unsigned long) &main_variable);
#ifdef DYNAMIC
  printf("%s shared_variable %lx\\n", who, (unsigned long) &shared_variable);
#endif
  if (plugin && touch) printf("%s plugin_variable %lx\\n", who, (unsigned long) plugin());
  pthread_mutex_unlock(&turn);
}
static void *thread(void *touch)
{
  tell(touch ? "toucher" : "idler", touch != 0);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return 0;
}
int main(int argc, char **argv)
{
  pthread_t a, b;
  pthread_barrier_init(&barrier, 0, 3);
#ifdef DYNAMIC
  pthread_create(&a, 0, thread, 0); // older than the module
  void *h = dlopen(argv[1], RTLD_NOW);
  if (!h) { puts(dlerror()); return 1; }
  plugin = (int *(*)(void)) dlsym(h, "plugin_address");
#else
  pthread_create(&a, 0, thread, 0);
#endif
  pthread_create(&b, 0, thread, argv);
  tell("leader", 1);
  pthread_barrier_wait(&barrier);
  puts("ready");
  fflush(stdout);
  getchar();
  pthread_barrier_wait(&barrier);
  pthread_join(a, 0);
  pthread_join(b, 0);
  return 0;
}`;

let shop: Workshop;
beforeAll(() => {
  shop = new Workshop();
});
afterAll(() => shop.close());

function told(run: Running, who: string, what: string): bigint {
  const line = run.lines.find((text) => text.startsWith(`${who} ${what} `));
  return BigInt(`0x${line!.split(' ')[2]!}`);
}

function offsetIn(file: string, variable: string): bigint {
  const elf = ElfFile.open(file)!;
  const symbol = elf.symbol(variable)!;
  elf.close();
  expect(symbol.type).toBe(6); // STT_TLS
  return symbol.value;
}

function found(
  run: Running,
  wordSize: 4 | 8,
  who: string,
  linkMap: bigint,
  offset: bigint,
): bigint {
  const memory = new Memory(procMemory(run.pid), wordSize);
  return tlsAddressIn(run.pid, memory, { threadPointer: told(run, who, 'tp'), linkMap, offset });
}

describeEach(
  [
    ['64-bit', 8, []],
    ['32-bit', 4, ['-m32']],
  ] as const,
  ([, , flags]) => compiler(flags),
  ([label, wordSize, flags]) => {
    test('variables of the program, a library and a plugin in three threads', async () => {
      const plugin = shop.compile(`plugin-${label}.so`, PLUGIN, '-shared', '-fPIC', ...flags);
      const shared = shop.compile(`shared-${label}.so`, EXTERN, '-shared', '-fPIC', ...flags);
      const options = ['-DDYNAMIC', '-DALIGN=64', '-pthread', shared, ...flags];
      const program = shop.compile(`dynamic-${label}`, PROGRAM, ...options);
      const run = await shop.start(program, plugin);
      const list = librariesSvr4(run.pid, wordSize, procMemory(run.pid))!;
      const lm = (name: string): bigint =>
        BigInt(new RegExp(`name="${name}" lm="(0x[0-9a-f]+)"`).exec(list)![1]!);
      const main = BigInt(/main-lm="(0x[0-9a-f]+)"/.exec(list)![1]!);
      const modules = [
        ['main_variable', main, program],
        ['shared_variable', lm(shared), shared],
        ['plugin_variable', lm(plugin), plugin],
      ] as const;
      for (const who of ['leader', 'toucher', 'idler']) {
        for (const [variable, map, file] of modules) {
          const address = (): bigint => found(run, wordSize, who, map, offsetIn(file, variable));
          if (who === 'idler' && variable === 'plugin_variable') {
            expect(address).toThrow(/not allocated yet/);
          } else {
            expect([who, variable, address()]).toEqual([who, variable, told(run, who, variable)]);
          }
        }
      }
      const memory = procMemory(run.pid);
      const value = memory.read(
        found(run, wordSize, 'toucher', lm(plugin), offsetIn(plugin, 'plugin_variable')),
        4,
      );
      expect(value.readInt32LE(0)).toBe(7);

      const ld = lm('[^"]*/ld-linux[^"]*');
      expect(() => found(run, wordSize, 'leader', ld, 0n)).toThrow(/no thread-local storage/);
      expect(() =>
        tlsAddressIn(run.pid, new Memory(memory, wordSize), {
          threadPointer: 0n,
          linkMap: main,
          offset: 0n,
        }),
      ).toThrow(/not allocated yet/);
      await run.stop();
    });

    test.each([
      ['static', ['-static'], false],
      ['static-pie', ['-static-pie'], false],
      ['stripped', ['-static'], true],
    ] as const)('%s', async (kind, link, strip) => {
      for (const align of [4, 64, 256]) {
        const name = `${kind}-${label}-${align}`;
        const program = shop.compile(
          name,
          PROGRAM,
          `-DALIGN=${align}`,
          '-pthread',
          ...link,
          ...flags,
        );
        const offset = offsetIn(program, 'main_variable');
        if (strip) execFileSync('strip', [program]);
        const run = await shop.start(program);
        for (const who of ['leader', 'toucher', 'idler']) {
          expect(found(run, wordSize, who, 0n, offset)).toBe(told(run, who, 'main_variable'));
        }
        await run.stop();
      }
    });
  },
);

test('every name asked for is one that glibc has', () => {
  const libc = ElfFile.open(fs.realpathSync('/lib/x86_64-linux-gnu/libc.so.6'));
  const ld = ElfFile.open('/lib64/ld-linux-x86-64.so.2')!;
  if (!libc?.symbol('_thread_db_pthread_dtvp'))
    return skipped('another C library, or older than 2.34');
  const staticOnly = ['_thread_db__dl_tls_dtv_slotinfo_list', '_dl_tls_dtv_slotinfo_list'];
  const missing = THREAD_SYMBOLS.filter((name) => !libc.symbol(name) && !ld.symbol(name));
  expect(missing).toEqual(staticOnly);
  libc.close();
  ld.close();
});
