import type { BreakpointStats, BreakType } from '../engine/engine';
import { table } from './table';

const KINDS: Readonly<Record<BreakType, string>> = {
  0: 'breakpoint',
  1: 'hardware breakpoint',
  2: 'watchpoint',
  3: 'read watchpoint',
  4: 'access watchpoint',
};
const HEAD = ['hits', 'evaluated', 'true', 'false', 'errors', 'in program', 'mean cost'];
const NUMBERS = [2, 3, 4, 5, 6, 7, 8];
/** Rows shown. */
const SHOWN = 40;

const count = (value: bigint): string => value.toLocaleString('en-US');

/** Of the hits that were decided in the server: those of the program itself are not timed. */
function cost({ costNs, hits, native, conditional, actions }: BreakpointStats): string {
  if (hits === native || (!conditional && actions === 0)) return '-';
  return `${count(costNs / (hits - native))} ns`;
}

/**
 * What breakpoints have counted, the most hit first; nothing where none was ever hit. "removed":
 * gdb takes its breakpoints out at every stop, and may insert it again.
 */
export function breakpointTable(all: readonly BreakpointStats[]): string {
  const rows = all
    .filter((s) => s.hits > 0n || s.conditional || s.actions > 0)
    .sort((a, b) => (a.hits === b.hits ? 0 : a.hits > b.hits ? -1 : 1))
    .map((s) => [
      `${s.pid} 0x${s.addr.toString(16)}`,
      `${KINDS[s.type]}${s.inserted ? '' : ' (removed)'}`,
      ...[s.hits, s.evaluated, s.trueHits, s.falseHits, s.errors, s.native].map(count),
      cost(s),
    ]);
  if (rows.length === 0) return '';
  const head = ['process, place', 'kind', ...HEAD];
  const rest = rows.length > SHOWN ? `and ${rows.length - SHOWN} more\n` : '';
  return `\n${table([head, ...rows.slice(0, SHOWN)], NUMBERS)}${rest}`;
}
