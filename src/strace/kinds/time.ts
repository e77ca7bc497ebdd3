import { address, type Call } from '../call';
import { sizeOf, structure, structureAt } from '../struct';
import { type Kinds } from './kind';

const ERESTART_RESTARTBLOCK = -516n;
const ERESTARTSYS = -512n;

/** "{it_interval={...}, it_value={...}}" of two timevals or timespecs. */
function interval(c: Call, addr: bigint, of: string): string {
  const size = sizeOf(c, of);
  const bytes = c.bytes(addr, 2 * size);
  if (bytes === undefined) return address(addr);
  return `{it_interval=${structure(c, of, bytes, 0)}, it_value=${structure(c, of, bytes, size)}}`;
}

function clockName(c: Call, id: number): string {
  if (id >= 0) return c.choice('clock', id);
  // linux/posix-timers.h: the complement of a pid and two bits
  const kind = id & 7;
  const pid = ~(id >> 3);
  if (kind === 3) return `FD_TO_CLOCKID(${pid})`;
  const what = ['CPUCLOCK_PROF', 'CPUCLOCK_VIRT', 'CPUCLOCK_SCHED'][id & 3] ?? String(id & 3);
  return `MAKE_${(id & 4) !== 0 ? 'THREAD' : 'PROCESS'}_CPUCLOCK(${pid}, ${what})`;
}

export const TIME: Kinds = {
  itimerval: () => (c, i) => interval(c, c.ulong(i), 'timeval'),
  itimerspec: (wide) => (c, i) =>
    interval(c, c.ulong(i), wide === '64' ? 'timespec64' : 'timespec'),
  clock: () => (c, i) => clockName(c, c.int(i)),
  /** What is left of a sleep: only an interrupted one fills it in. */
  left: (of) => (c, i) => {
    const addr = c.ulong(i);
    const interrupted = c.errno === ERESTART_RESTARTBLOCK || c.errno === ERESTARTSYS;
    if (!interrupted || addr === 0n) return address(addr);
    const bytes = c.env.memory.exactly(c.pid, addr, sizeOf(c, of || 'timespec'));
    return bytes === undefined ? address(addr) : structure(c, of || 'timespec', bytes);
  },
  sigevent: () => (c, i) => {
    const addr = c.ulong(i);
    const { word } = c.abi;
    const bytes = c.bytes(addr, 64);
    if (bytes === undefined) return address(addr);
    const value = word === 8 ? bytes.readBigUInt64LE(0) : BigInt(bytes.readUInt32LE(0));
    const signo = bytes.readInt32LE(word);
    const notify = bytes.readUInt32LE(word + 4);
    const name = c.choice('sigev', notify);
    const parts = [
      `sigev_signo=${c.env.constants.set('signals').name(BigInt(signo)) ?? signo}`,
      `sigev_notify=${name}`,
    ];
    if (value !== 0n) {
      parts.unshift(`sigev_value={sival_int=${bytes.readInt32LE(0)}, sival_ptr=${address(value)}}`);
    }
    if (name === 'SIGEV_THREAD_ID')
      parts.push(`sigev_notify_thread_id=${bytes.readInt32LE(word + 8)}`);
    return `{${parts.join(', ')}}`;
  },
  time: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, c.abi.word);
    if (bytes === undefined) return address(addr);
    return `[${c.abi.word === 8 ? bytes.readBigInt64LE(0) : bytes.readInt32LE(0)}]`;
  },
  /** sched_rr_get_interval and the like. */
  spec: () => (c, i) => structureAt(c, 'timespec', c.ulong(i)),
};
