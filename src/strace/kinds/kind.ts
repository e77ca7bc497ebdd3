import type { Call } from '../call';

/** Answered at the entry: this and what follows is to be shown when the call returns. */
export const LATER: unique symbol = Symbol('later');

/** Shows the argument at index i; undefined: this call does not have it. */
export type Kind = (c: Call, i: number) => string | undefined | typeof LATER;

/** Kinds of one family by name; param: what stands behind the name's colon in a signature. */
export type Kinds = Record<string, (param: string) => Kind>;

/** An argument by its number in a parameter, or the result of the call: "2", "ret". */
export function amount(c: Call, param: string): number {
  if (param === 'ret') return Number(c.result);
  return Number(c.ulong(Number(param)));
}
