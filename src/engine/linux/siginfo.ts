// siginfo_t of a 64-bit kernel and of its 32-bit processes, 128 bytes each. Which member of the
// union is in use follows from si_signo and si_code (<asm-generic/siginfo.h>, kernel/signal.c).

export const SIGINFO_SIZE = 128;

const SIGILL = 4;
const SIGBUS = 7;
const SIGFPE = 8;
const SIGSEGV = 11;
const SIGCHLD = 17;
const SIGPOLL = 29;
const SIGSYS = 31;

const SI_USER = 0;
const SI_TIMER = -2;
const SI_SIGIO = -5;
const SEGV_BNDERR = 3;
const SEGV_PKUERR = 4;
const BUS_MCEERR_AR = 4;
const BUS_MCEERR_AO = 5;

const HEAD = 12; // si_signo, si_errno, si_code: the same in both

/** A field: offset and size in the native and in the 32-bit layout. */
type Field = readonly [from: number, fromSize: 2 | 4 | 8, to: number, toSize: 2 | 4];

const PID: Field = [16, 4, 12, 4];
const UID: Field = [20, 4, 16, 4];
const RT_VALUE: Field = [24, 8, 20, 4];
const TIMER: readonly Field[] = [PID, UID, RT_VALUE]; // id, overrun, value lie where these do
const QUEUED: readonly Field[] = [PID, UID, RT_VALUE];
const KILL: readonly Field[] = [PID, UID];
const CHILD: readonly Field[] = [
  PID,
  UID,
  [24, 4, 20, 4], // si_status
  [32, 8, 24, 4], // si_utime
  [40, 8, 28, 4], // si_stime
];
const ADDR: Field = [16, 8, 12, 4];
const FAULT: readonly Field[] = [ADDR];
const MEMORY_FAILURE: readonly Field[] = [ADDR, [24, 2, 16, 2]]; // si_addr_lsb
const BOUNDS: readonly Field[] = [ADDR, [32, 8, 20, 4], [40, 8, 24, 4]];
const PKEY: readonly Field[] = [ADDR, [32, 4, 20, 4]];
const POLL: readonly Field[] = [
  [16, 8, 12, 4], // si_band
  [24, 4, 16, 4], // si_fd
];
const SYS: readonly Field[] = [
  [16, 8, 12, 4], // si_call_addr
  [24, 4, 16, 4], // si_syscall
  [28, 4, 20, 4], // si_arch
];

function fieldsOf(signo: number, code: number): readonly Field[] {
  if (code === SI_TIMER) return TIMER;
  if (code === SI_USER) return KILL;
  if (code === SI_SIGIO) return POLL;
  if (code < 0) return QUEUED;
  switch (signo) {
    case SIGCHLD:
      return CHILD;
    case SIGSEGV:
      if (code === SEGV_BNDERR) return BOUNDS;
      return code === SEGV_PKUERR ? PKEY : FAULT;
    case SIGBUS:
      return code === BUS_MCEERR_AR || code === BUS_MCEERR_AO ? MEMORY_FAILURE : FAULT;
    case SIGILL:
    case SIGFPE:
      return FAULT;
    case SIGPOLL:
      return POLL;
    case SIGSYS:
      return SYS;
    default:
      return QUEUED;
  }
}

function get(raw: Buffer, offset: number, size: number): bigint {
  if (size === 8) return raw.readBigInt64LE(offset);
  return BigInt(size === 4 ? raw.readInt32LE(offset) : raw.readInt16LE(offset));
}

function put(raw: Buffer, offset: number, size: number, value: bigint): void {
  const unsigned = BigInt.asUintN(8 * size, value);
  if (size === 8) raw.writeBigUInt64LE(unsigned, offset);
  else raw.writeUIntLE(Number(unsigned), offset, size);
}

/** Addresses and values are unsigned when they grow; clock ticks and bands are not negative. */
function widen(raw: Buffer, offset: number, size: number): bigint {
  return BigInt.asUintN(8 * size, get(raw, offset, size));
}

/** What the kernel gave, as a 32-bit program would see it. Short input throws a RangeError. */
export function toCompatSiginfo(native: Buffer): Buffer {
  const compat = Buffer.alloc(SIGINFO_SIZE);
  sized(native).copy(compat, 0, 0, HEAD);
  for (const [n, nSize, c, cSize] of fieldsOf(native.readInt32LE(0), native.readInt32LE(8))) {
    put(compat, c, cSize, get(native, n, nSize));
  }
  return compat;
}

/**
 * What a client wrote for a 32-bit program, as the kernel takes it. native: what the kernel gave;
 * a field the client left alone keeps the bits that a 32-bit program does not see.
 */
export function fromCompatSiginfo(compat: Buffer, native?: Buffer): Buffer {
  const to = Buffer.alloc(SIGINFO_SIZE);
  sized(compat).copy(to, 0, 0, HEAD);
  const before = native && toCompatSiginfo(native);
  const sameUnion = before?.compare(compat, 0, HEAD, 0, HEAD) === 0;
  for (const [n, nSize, c, cSize] of fieldsOf(compat.readInt32LE(0), compat.readInt32LE(8))) {
    const value = widen(compat, c, cSize);
    const kept = sameUnion && widen(before, c, cSize) === value;
    put(to, n, nSize, kept ? get(native!, n, nSize) : value);
  }
  return to;
}

function sized(raw: Buffer): Buffer {
  if (raw.length < SIGINFO_SIZE) {
    throw new RangeError(`siginfo has ${SIGINFO_SIZE} bytes, not ${raw.length}`);
  }
  return raw;
}
