import { address, type Call } from '../call';
import { siginfo } from '../siginfo';
import { signalName, signalSet } from '../signals';
import { LATER, type Kinds } from './kind';

const SA_RESTORER = 0x04000000n;
const HANDLERS: Record<string, string> = { '0': 'SIG_DFL', '1': 'SIG_IGN' };
const SIGINFO_SIZE = 128;
const OLD_MASK_AT = 80n;
/** Offset of uc_sigmask behind the stack pointer of rt_sigreturn; asm/ucontext.h. */
const MASK_AT: Record<4 | 8, number> = { 8: 296, 4: 248 };

function maskAt(c: Call, addr: bigint): string {
  const bytes = addr === 0n ? undefined : c.env.memory.exactly(c.pid, addr, 8);
  return bytes === undefined ? address(addr) : signalSet(c.env.constants, bytes.readBigUInt64LE(0));
}

/** The kernel's struct sigaction for rt_sigaction: handler, flags, restorer, mask. */
function action(c: Call, addr: bigint): string {
  const { word } = c.abi;
  const bytes = c.bytes(addr, 3 * word + 8);
  if (bytes === undefined) return address(addr);
  const long = (n: number): bigint =>
    word === 8 ? bytes.readBigUInt64LE(8 * n) : BigInt(bytes.readUInt32LE(4 * n));
  const handler = long(0);
  const flags = long(1);
  const parts = [
    `sa_handler=${HANDLERS[String(handler)] ?? address(handler)}`,
    `sa_mask=${signalSet(c.env.constants, bytes.readBigUInt64LE(3 * word))}`,
    `sa_flags=${c.flags('sa_flags', flags)}`,
  ];
  if ((flags & SA_RESTORER) !== 0n) parts.push(`sa_restorer=${address(long(2))}`);
  return `{${parts.join(', ')}}`;
}

export const SIGNALS: Kinds = {
  sig: () => (c, i) => signalName(c.env.constants, c.int(i)),
  sigaction: () => (c, i) => action(c, c.ulong(i)),
  sigset: () => (c, i) => {
    const addr = c.ulong(i);
    return c.exiting && c.failed ? address(addr) : maskAt(c, addr);
  },
  /** What rt_sigreturn restores, from the frame that the stack pointer is at. */
  frame: () => (c) => {
    return `{mask=${maskAt(c, c.sp + BigInt(MASK_AT[c.abi.word]))}}`;
  },
  /** As an i386's sigreturn has it: the first 32 signals in struct sigcontext. */
  oldframe: () => (c) => {
    const bytes = c.env.memory.exactly(c.pid, c.sp + OLD_MASK_AT, 4);
    if (bytes === undefined) return undefined;
    return `{mask=${signalSet(c.env.constants, BigInt(bytes.readUInt32LE(0)))}}`;
  },
  siginfo: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, SIGINFO_SIZE);
    return bytes === undefined ? address(addr) : siginfo(c.env.constants, bytes, c.abi, c.abi.word);
  },
  altstack: () => (c, i) => {
    const addr = c.ulong(i);
    const { word } = c.abi;
    const bytes = c.bytes(addr, 3 * word);
    if (bytes === undefined) return address(addr);
    const [sp, size] =
      word === 8
        ? [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(16)]
        : [BigInt(bytes.readUInt32LE(0)), BigInt(bytes.readUInt32LE(8))];
    const flags = c.flags('sigaltstack', bytes.readUInt32LE(word));
    return `{ss_sp=${address(sp)}, ss_flags=${flags}, ss_size=${size}}`;
  },
  /** signalfd's descriptor: -1 makes a new one. */
  newfd: () => (c, i) => c.descriptor(c.int(i)),
  /** What a wait for signals left, only where it was interrupted. */
  later: () => (c) => (c.exiting ? undefined : LATER),
};
