import type { Abi } from './abi';
import { address } from './call';
import type { Constants } from './constants';
import { signalName } from './signals';

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

function codeName(constants: Constants, name: string, code: number): string {
  const set = BY_SIGNAL[name];
  const own = set === undefined ? undefined : constants.set(set).name(BigInt(code));
  if (own !== undefined) return own;
  return (
    constants.set('si_code').name(BigInt.asUintN(64, BigInt(code))) ??
    (code < 0 ? String(code) : `0x${code.toString(16)}`)
  );
}

/** "{si_signo=SIGCHLD, si_code=CLD_EXITED, ...}" of a native siginfo_t; asm-generic/siginfo.h. */
export function siginfo(constants: Constants, bytes: Buffer, abi: Abi): string {
  const signo = bytes.readInt32LE(0);
  const error = bytes.readInt32LE(4);
  const code = bytes.readInt32LE(8);
  const name = signalName(constants, signo);
  const parts = [`si_signo=${name}`, `si_code=${codeName(constants, name, code)}`];
  if (error !== 0) parts.push(`si_errno=${error}`);
  parts.push(...rest(constants, bytes, abi, name, code));
  return `{${parts.join(', ')}}`;
}

function rest(constants: Constants, bytes: Buffer, abi: Abi, name: string, code: number): string[] {
  const i32 = (at: number): number => bytes.readInt32LE(at);
  const u32 = (at: number): number => bytes.readUInt32LE(at);
  const sender = [`si_pid=${i32(16)}`, `si_uid=${u32(20)}`];
  const value = (at: number): string[] => [
    `si_int=${i32(at)}`,
    `si_ptr=${address(bytes.readBigUInt64LE(at))}`,
  ];
  if (code === SI_USER || code === SI_TKILL) return sender;
  if (code === SI_TIMER) {
    return [
      `si_timerid=${address(BigInt(u32(16)))}`.replace('NULL', '0'),
      `si_overrun=${i32(20)}`,
      ...value(24),
    ];
  }
  if (code < 0) return [...sender, ...value(24)];
  if (name === 'SIGCHLD') {
    const status = code === CLD_EXITED ? String(i32(24)) : signalName(constants, i32(24));
    return [
      ...sender,
      `si_status=${status}`,
      `si_utime=${bytes.readBigInt64LE(32)}`,
      `si_stime=${bytes.readBigInt64LE(40)}`,
    ];
  }
  if (FAULTS.has(name)) return [`si_addr=${address(bytes.readBigUInt64LE(16))}`];
  if (name === 'SIGIO') return [`si_band=${bytes.readBigInt64LE(16)}`, `si_fd=${i32(24)}`];
  if (name === 'SIGSYS') {
    const call = abi.names.get(i32(24));
    return [
      `si_call_addr=${address(bytes.readBigUInt64LE(16))}`,
      `si_syscall=${call === undefined ? i32(24) : `__NR_${call}`}`,
      `si_arch=0x${u32(28).toString(16)}`,
    ];
  }
  return i32(16) === 0 && u32(20) === 0 ? [] : sender;
}
