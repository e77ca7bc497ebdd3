import type { Abi } from './abi';
import { address } from './call';
import type { Constants } from './constants';
import { signalName } from './signals';
import { integer } from './struct';

const TICKS = 100; // a second, to programs (USER_HZ)

const BY_SIGNAL: Record<string, string> = {
  SIGILL: 'si_ill',
  SIGFPE: 'si_fpe',
  SIGSEGV: 'si_segv',
  SIGBUS: 'si_bus',
  SIGTRAP: 'si_trap',
  SIGCHLD: 'si_cld',
  SIGIO: 'si_poll',
  SIGSYS: 'si_sys',
};
const FAULTS = new Set(['SIGILL', 'SIGFPE', 'SIGSEGV', 'SIGBUS', 'SIGTRAP']);
const SI_USER = 0;
const SI_TKILL = -6;
const SI_TIMER = -2;
const CLD_EXITED = 1;

/** A number of ticks, with the seconds they are. */
function ticks(count: bigint): string {
  return count === 0n ? '0' : `${count} /* ${(Number(count) / TICKS).toFixed(2)} s */`;
}

function codeName(constants: Constants, name: string, code: number): string {
  const set = BY_SIGNAL[name];
  const own = set === undefined ? undefined : constants.set(set).name(BigInt(code));
  if (own !== undefined) return own;
  return (
    constants.set('si_code').name(BigInt.asUintN(64, BigInt(code))) ??
    (code < 0 ? String(code) : `0x${code.toString(16)}`)
  );
}

/**
 * "{si_signo=SIGCHLD, si_code=CLD_EXITED, ...}" of a siginfo_t; asm-generic/siginfo.h. word: of the
 * program whose memory it is from; what the kernel tells a tracer is native.
 */
export function siginfo(constants: Constants, bytes: Buffer, abi: Abi, word: 4 | 8 = 8): string {
  const signo = bytes.readInt32LE(0);
  const error = bytes.readInt32LE(4);
  const code = bytes.readInt32LE(8);
  const name = signalName(constants, signo);
  const parts = [`si_signo=${name}`, `si_code=${codeName(constants, name, code)}`];
  if (error !== 0) parts.push(`si_errno=${error}`);
  parts.push(...rest(constants, bytes, abi, name, code, word));
  return `{${parts.join(', ')}}`;
}

function rest(
  constants: Constants,
  bytes: Buffer,
  abi: Abi,
  name: string,
  code: number,
  word: 4 | 8,
): string[] {
  const union = word === 8 ? 16 : 12; // where it begins
  const i32 = (at: number): number => bytes.readInt32LE(union + at);
  const u32 = (at: number): number => bytes.readUInt32LE(union + at);
  const long = (at: number): bigint => integer(bytes, union + at, word, true);
  const pointer = (at: number): string => address(integer(bytes, union + at, word, false));
  const sender = [`si_pid=${i32(0)}`, `si_uid=${u32(4)}`];
  const value = [`si_int=${i32(8)}`, `si_ptr=${pointer(8)}`];
  if (code === SI_USER || code === SI_TKILL) return sender;
  if (code === SI_TIMER) {
    const id = u32(0);
    return [
      `si_timerid=${id === 0 ? '0' : `0x${id.toString(16)}`}`,
      `si_overrun=${i32(4)}`,
      ...value,
    ];
  }
  if (code < 0) return [...sender, ...value];
  if (name === 'SIGCHLD') {
    const status = code === CLD_EXITED ? String(i32(8)) : signalName(constants, i32(8));
    const times = word === 8 ? 16 : 12;
    return [
      ...sender,
      `si_status=${status}`,
      `si_utime=${ticks(long(times))}`,
      `si_stime=${ticks(long(times + word))}`,
    ];
  }
  if (FAULTS.has(name)) return [`si_addr=${pointer(0)}`];
  if (name === 'SIGIO') return [`si_band=${long(0)}`, `si_fd=${i32(word)}`];
  if (name === 'SIGSYS') {
    const call = abi.names.get(i32(word));
    return [
      `si_call_addr=${pointer(0)}`,
      `si_syscall=${call === undefined ? i32(word) : `__NR_${call}`}`,
      `si_arch=0x${u32(word + 4).toString(16)}`,
    ];
  }
  return i32(0) === 0 && u32(4) === 0 ? [] : sender;
}
