import type { Constants } from './constants';

const FIRST_REALTIME = 32;
const LAST = 64;

/** "SIGINT", "SIGRTMIN", "SIGRT_1", or the number. */
export function signalName(constants: Constants, signo: number): string {
  const name = constants.set('signals').name(BigInt(signo >>> 0));
  if (name !== undefined) return name;
  if (signo === FIRST_REALTIME) return 'SIGRTMIN';
  if (signo > FIRST_REALTIME && signo <= LAST) return `SIGRT_${signo - FIRST_REALTIME}`;
  return String(signo);
}

/** The number of "SIGINT", "int", "15" or "RT_1"; undefined if there is none. */
export function signalNumber(constants: Constants, text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG');
  for (let signo = 1; signo <= LAST; signo++) {
    if (signalName(constants, signo) === name) return signo;
  }
  return undefined;
}

/** "[INT CHLD]", or "~[KILL STOP]" where nearly all are in it. */
export function signalSet(constants: Constants, mask: bigint): string {
  const present: number[] = [];
  const absent: number[] = [];
  for (let signo = 1; signo <= LAST; signo++) {
    ((mask >> BigInt(signo - 1)) & 1n ? present : absent).push(signo);
  }
  const names = (list: number[]): string =>
    list.map((signo) => signalName(constants, signo).slice(3)).join(' ');
  return present.length >= (LAST * 2) / 3 ? `~[${names(absent)}]` : `[${names(present)}]`;
}
