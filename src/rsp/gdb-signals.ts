import { constants } from 'node:os';

/** GDB's own signal numbers (include/gdb/signals.def) against Linux's on x86, arm and riscv. */
const GDB_BY_LINUX: readonly number[] = (() => {
  const table = [
    0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21, 22, 16, 24, 25,
    26, 27, 28, 23, 32, 12, 77,
  ];
  for (let signo = 33; signo <= 63; signo++) table[signo] = 45 + signo - 33;
  table[64] = 78;
  return table;
})();

const LINUX_BY_GDB: ReadonlyMap<number, number> = new Map(
  GDB_BY_LINUX.map((gdb, linux): [number, number] => [gdb, linux]).filter(([gdb]) => gdb !== 143),
);

const GDB_POLL = 33;
const SIGIO = 29;

/** 143 is GDB_SIGNAL_UNKNOWN. */
export function gdbSignal(linux: number): number {
  return GDB_BY_LINUX[linux] ?? 143;
}

/** As gdbserver names a signal: SIGSEGV, SIG34; "?" where gdb has no number for it. */
export function gdbSignalName(linux: number): string {
  if (gdbSignal(linux) === 143) return '?';
  if (linux === SIGIO) return 'SIGIO';
  const known = Object.entries(constants.signals).find(([, number]) => number === linux);
  return known?.[0] ?? `SIG${linux}`;
}

/** undefined where Linux has no such signal. GDB_SIGNAL_POLL is SIGIO here. */
export function linuxSignal(gdb: number): number | undefined {
  return gdb === GDB_POLL ? SIGIO : LINUX_BY_GDB.get(gdb);
}

/** "b;e;1f" as bits of Linux signals: bit N is signal N + 1. Unknown ones are left out. */
export function signalSet(list: string): bigint {
  let set = 0n;
  for (const item of list.split(';')) {
    // GDB_SIGNAL_POLL is no signal of its own here: what holds for SIGIO is said by its own number
    const number = /^[0-9a-f]+$/i.test(item) ? parseInt(item, 16) : 0;
    const linux = number === GDB_POLL ? undefined : linuxSignal(number);
    if (linux) set |= 1n << BigInt(linux - 1);
  }
  return set;
}
