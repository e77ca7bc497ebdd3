interface Row {
  name: string;
  /** Nanoseconds between entry and return. */
  time: number;
  calls: number;
  errors: number;
  min: number;
  max: number;
}

const SORTS: Record<string, (a: Row, b: Row) => number> = {
  time: (a, b) => b.time - a.time || b.calls - a.calls || compare(a.name, b.name),
  calls: (a, b) => b.calls - a.calls || compare(a.name, b.name),
  count: (a, b) => b.calls - a.calls || compare(a.name, b.name),
  errors: (a, b) => b.errors - a.errors || b.calls - a.calls || compare(a.name, b.name),
  name: (a, b) => compare(a.name, b.name),
  'avg-time': (a, b) => b.time / b.calls - a.time / a.calls,
  'min-time': (a, b) => b.min - a.min,
  'max-time': (a, b) => b.max - a.max,
  nothing: () => 0,
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Names of sort orders that mean the same. */
const ALIASES: Record<string, string> = {
  time_total: 'time',
  'total-time': 'time',
  total_time: 'time',
  error: 'errors',
  syscall: 'name',
  'syscall-name': 'name',
  none: 'nothing',
};

export function isSortOrder(order: string): boolean {
  return (ALIASES[order] ?? order) in SORTS;
}

/** Counts calls by name: -c and -C. */
export class Summary {
  private readonly rows = new Map<string, Row>();

  /** nanos: how long it took. */
  add(name: string, nanos: number, failed: boolean): void {
    let row = this.rows.get(name);
    if (row === undefined) {
      row = { name, time: 0, calls: 0, errors: 0, min: Infinity, max: 0 };
      this.rows.set(name, row);
    }
    row.time += nanos;
    row.calls++;
    if (failed) row.errors++;
    row.min = Math.min(row.min, nanos);
    row.max = Math.max(row.max, nanos);
  }

  /** The table, as strace prints it. */
  table(order: string): string {
    const rows = [...this.rows.values()].sort(SORTS[ALIASES[order] ?? order] ?? SORTS.time);
    const total = rows.reduce((sum, row) => sum + row.time, 0);
    const calls = rows.reduce((sum, row) => sum + row.calls, 0);
    const errors = rows.reduce((sum, row) => sum + row.errors, 0);
    const seconds = (nanos: number): string => (nanos / 1e9).toFixed(6).padStart(11);
    const line = (
      share: number,
      time: number,
      each: number,
      count: number,
      failed: number,
      name: string,
    ): string =>
      `${share.toFixed(2).padStart(6)} ${seconds(time)} ${String(Math.round(each / 1000)).padStart(11)} ` +
      `${String(count).padStart(9)} ${String(failed === 0 ? '' : failed).padStart(9)} ${name}\n`;
    const rule = '------ ----------- ----------- --------- --------- ----------------\n';
    return (
      '% time     seconds  usecs/call     calls    errors syscall\n' +
      rule +
      rows
        .map((row) =>
          line(
            total === 0 ? 0 : (100 * row.time) / total,
            row.time,
            row.time / row.calls,
            row.calls,
            row.errors,
            row.name,
          ),
        )
        .join('') +
      rule +
      line(100, total, calls === 0 ? 0 : total / calls, calls, errors, 'total')
    );
  }
}
