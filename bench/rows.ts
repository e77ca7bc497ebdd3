/** One line of the report. */
export interface Row {
  /** What the client prints it as, with "/THREADS" where threads matter. */
  id: string;
  label: string;
  unit: 'us' | 'ms' | 'MB/s' | 'MB';
  /** MB/s: more is better; else less is. */
  more?: true;
}

const threads = (id: string, label: string, counts: readonly number[]): Row[] =>
  counts.map((count) => ({
    id: `${id}/${count}`,
    label: `${label}, ${count} thread${count === 1 ? '' : 's'}`,
    unit: 'us',
  }));

/** Threads that compute, where that matters. */
export const BUSY = 200;

export const THREADS: readonly number[] = [1, 100, 1000];

export const rowsFor = (counts: readonly number[]): readonly Row[] => [
  { id: 'qC', label: 'round trip: qC', unit: 'us' },
  { id: 'g', label: 'round trip: all registers (g)', unit: 'us' },
  { id: 'm8', label: 'round trip: 8 bytes of memory', unit: 'us' },
  ...threads('step', 'single step', counts),
  ...threads('cycle', 'breakpoint cycle (z, s, Z, c)', counts),
  ...threads('interrupt', '^C, 2 ms after a continue', counts),
  { id: `stop-busy/${BUSY}`, label: `^C, ${BUSY} threads that compute`, unit: 'us' },
  { id: `cycle-busy/${BUSY}`, label: `continue and ^C, ${BUSY} threads that compute`, unit: 'us' },
  { id: 'condition-O0', label: 'false condition, per hit of 12,345, -O0', unit: 'us' },
  { id: 'condition-O2', label: 'false condition, per hit of 12,345, -O2', unit: 'us' },
  { id: 'condition-O0-long', label: 'false condition, per hit in a second, -O0', unit: 'us' },
  { id: 'condition-O2-long', label: 'false condition, per hit in a second, -O2', unit: 'us' },
  { id: 'range', label: 'step over a line of 10,000 instructions', unit: 'us' },
  { id: 'read-hex', label: 'read 1 MiB by m', unit: 'MB/s', more: true },
  { id: 'read-binary', label: 'read 1 MiB by x', unit: 'MB/s', more: true },
  { id: 'write-hex', label: 'write 1 MiB by M', unit: 'MB/s', more: true },
  { id: 'write-binary', label: 'write 1 MiB by X', unit: 'MB/s', more: true },
  ...threads('attach', 'attach', counts),
  ...threads('threads', 'list of threads', counts),
  { id: 'start', label: 'start: until it listens', unit: 'ms' },
  { id: 'resident', label: 'resident memory after a session', unit: 'MB' },
];

/** Values of one server in one round, by row id. */
export type Values = Map<string, number>;

/** How many times better than the base: above 1 is better. */
export function ratio(row: Row, base: number, ours: number): number {
  return row.more ? ours / base : base / ours;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 ? high : (low + high) / 2;
}
