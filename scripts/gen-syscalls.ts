// Writes build/syscalls.json: system call numbers and the values of every constant that
// src/strace/vocabulary.ts names, as the headers of this machine have them. gcc preprocesses the
// headers for the names and compiles one table of the values.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { IOCTLS, namedOnes, wanted } from '../src/strace/vocabulary';

const OUTPUT = path.resolve(__dirname, '../syscalls.json');
const NUMBERS = { x86_64: 'asm/unistd_64.h', i386: 'asm/unistd_32.h' };

// The kernel's own (linux-libc-dev). Each is left out where it is missing.
const KERNEL =
  'asm/fcntl.h asm/ioctls.h asm/mman.h asm/poll.h asm/prctl.h asm/signal.h asm/siginfo.h asm/socket.h ' +
  'asm/stat.h asm/termbits.h linux/capability.h linux/close_range.h linux/eventfd.h ' +
  'linux/eventpoll.h linux/falloc.h linux/fcntl.h linux/fs.h linux/futex.h linux/in.h linux/in6.h linux/inotify.h ' +
  'linux/kcmp.h linux/kd.h linux/limits.h linux/loop.h linux/magic.h linux/membarrier.h linux/memfd.h ' +
  'linux/mempolicy.h linux/mman.h linux/mount.h linux/netlink.h linux/nsfs.h linux/openat2.h linux/perf_event.h ' +
  'linux/personality.h linux/pidfd.h linux/prctl.h linux/random.h linux/reboot.h linux/resource.h linux/rseq.h linux/rtc.h ' +
  'linux/sched.h linux/seccomp.h linux/signalfd.h linux/sockios.h linux/stat.h linux/tcp.h linux/time.h ' +
  'linux/if_tun.h linux/timerfd.h linux/udp.h linux/userfaultfd.h linux/vt.h linux/wait.h linux/xattr.h linux/ipc.h ' +
  'linux/shm.h';
// What the kernel's headers leave to the C library.
const LIBRARY =
  'fcntl.h dirent.h sched.h unistd.h netinet/in.h netinet/tcp.h sys/file.h sys/mount.h sys/resource.h sys/socket.h ' +
  'sys/eventfd.h sys/statvfs.h sys/wait.h sys/timerfd.h signal.h';

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function gcc(args: string[], input: string): Run {
  const env = { ...process.env, LC_ALL: 'C' };
  const run = spawnSync('gcc', args, { input, encoding: 'utf8', env, maxBuffer: 1 << 26 });
  if (run.error) throw new Error(`gcc is needed to read the headers: ${run.error.message}`);
  return run;
}

function includes(headers: string): string {
  return headers
    .split(' ')
    .map((header) => `#if __has_include(<${header}>)\n#include <${header}>\n#endif\n`)
    .join('');
}

/** Object-like macros with a body. */
function macros(source: string): [name: string, body: string][] {
  const run = gcc(['-E', '-dM', '-D_GNU_SOURCE', '-x', 'c', '-'], source);
  if (run.status !== 0) throw new Error(`gcc -E: ${run.stderr}`);
  return run.stdout.split('\n').flatMap((line) => {
    const [, name, body] = /^#define (\w+) (.+)$/.exec(line) ?? [];
    return name === undefined || body === undefined ? [] : [[name, body]];
  });
}

function syscalls(header: string): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [name, body] of macros(`#include <${header}>\n`)) {
    const [, call] = /^__NR_(\w+)$/.exec(name) ?? [];
    if (call !== undefined && /^\d+$/.test(body)) numbers[call] = Number(body);
  }
  return numbers;
}

/** Values of those names that are integer constants; the compiler says which are not. */
function values(source: string, names: string[], dir: string): Record<string, number> {
  const file = path.join(dir, 'values.c');
  const program = path.join(dir, 'values');
  let left = names;
  while (left.length > 0) {
    const rows = left.map(
      (name, i) => `#line ${i + 1} "row"\n{ "${name}", (long long)(${name}) },`,
    );
    fs.writeFileSync(
      file,
      `int printf(const char *, ...);\n${source}\nstatic const struct { const char *name; long long value; } table[] = {\n` +
        `${rows.join('\n')}\n};\n#line 1 "main"\nint main(void) {\n` +
        'for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)\n' +
        'printf("%s %lld\\n", table[i].name, table[i].value);\nreturn 0; }\n',
    );
    const run = gcc(['-D_GNU_SOURCE', '-w', '-fmax-errors=0', '-o', program, file], '');
    if (run.status === 0) break;
    const bad = new Set(
      [...run.stderr.matchAll(/^row:(\d+):\d+: error/gm)].map(([, n]) => Number(n)),
    );
    if (bad.size === 0) throw new Error(`gcc: ${run.stderr.split('\n').slice(0, 20).join('\n')}`);
    left = left.filter((_, i) => !bad.has(i + 1));
  }
  const found: Record<string, number> = {};
  if (left.length === 0) return found;
  const out = spawnSync(program, { encoding: 'utf8' });
  for (const line of out.stdout.trim().split('\n')) {
    const [name = '', value] = line.split(' ');
    found[name] = Number(value);
  }
  return found;
}

/** aliases: filled with the names that only stand for another name. */
function constants(dir: string, aliases: Set<string>): Record<string, number> {
  const isWanted = wanted();
  const all: Record<string, number> = {};
  for (const headers of [LIBRARY, KERNEL]) {
    const source = includes(headers);
    const names = macros(source).flatMap(([name, body]) => {
      if (/^[A-Za-z_]\w*$/.test(body)) aliases.add(name);
      return isWanted(name) ? [name] : [];
    });
    const asked = [...new Set([...names, ...namedOnes()])];
    Object.assign(all, values(source, asked, dir)); // the kernel's word is the last
  }
  return all;
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gen-syscalls-'));
try {
  const aliases = new Set<string>();
  const known = constants(dir, aliases);
  const ioctls = Object.keys(known).filter((name) => IOCTLS.test(name) && !aliases.has(name));
  const tables = {
    syscalls: Object.fromEntries(
      Object.entries(NUMBERS).map(([abi, header]) => [abi, syscalls(header)]),
    ),
    constants: known,
    ioctls: Object.fromEntries(ioctls.map((name) => [name, (known[name] ?? 0) >>> 0])),
  };
  fs.writeFileSync(OUTPUT, `${JSON.stringify(tables)}\n`);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
