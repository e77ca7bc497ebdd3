import { address, type Call } from '../call';
import { quote } from '../quote';
import { signalName } from '../signals';
import { integer } from '../struct';
import { amount, LATER, type Kinds } from './kind';
import { device, permissions } from './files';

const hex = (n: bigint | number): string => (n === 0n || n === 0 ? '0' : `0x${n.toString(16)}`);
const DEVICES = 0o060000; // S_IFBLK; S_IFCHR is one of its bits

/** "[{iov_base=0x.., iov_len=4}]" of another process's memory. */
function remoteVectors(c: Call, addr: bigint, count: number): string {
  const { word } = c.abi;
  const bytes = count > 64 ? undefined : c.env.memory.exactly(c.pid, addr, count * 2 * word);
  if (bytes === undefined) return address(addr);
  const long = (n: number): bigint => integer(bytes, n * word, word, false);
  const parts = Array.from(
    { length: count },
    (_, n) => `{iov_base=${address(long(2 * n))}, iov_len=${long(2 * n + 1)}}`,
  );
  return `[${parts.join(', ')}]`;
}

export const MISC: Kinds = {
  /** Part of a value that was shown already. */
  skip: () => () => undefined,
  umask: () => (c, i) => `0${c.uint(i).toString(8).padStart(2, '0')}`,
  /** hexbuf:N: random bytes, always in hexadecimal. */
  hexbuf: (param) => (c, i) => {
    const addr = c.ulong(i);
    if (c.failed) return address(addr);
    const length = amount(c, param);
    const shown = Math.min(length, c.env.style.strings);
    const bytes = c.bytes(addr, shown);
    if (bytes === undefined) return address(addr);
    return `${quote(bytes, 0, shown, 2)}${length > shown ? '...' : ''}`;
  },
  /** What membarrier can do. */
  membarrier: () => (c) => {
    if (!c.exiting) return LATER;
    if (!c.failed && c.uint(0) === 0) {
      c.resultText = hex(c.result);
      c.remark = c.flags('membarrier', c.result);
    }
    return undefined;
  },
  /** mincore: a byte for each page. */
  pages: () => (c, i) => {
    const addr = c.ulong(i);
    const count = Number((c.ulong(1) + 4095n) / 4096n);
    const shown = Math.min(count, c.env.style.strings);
    const bytes = c.bytes(addr, shown);
    if (bytes === undefined) return address(addr);
    const list = [...bytes].map((byte) => String(byte & 1));
    return `[${[...list, ...(shown < count ? ['...'] : [])].join(', ')}]`;
  },
  /** The signal that a wait returned. */
  signaled: () => (c) => {
    if (!c.exiting) return LATER;
    if (!c.failed) c.remark = signalName(c.env.constants, Number(c.result));
    return undefined;
  },
  mknoddev: (param) => (c, i) => {
    const type = c.uint(Number(param)) & DEVICES;
    return type === 0o020000 || type === DEVICES ? device(c.uint(i)) : undefined;
  },
  mountdata: () => (c, i) => c.string(c.ulong(i)),
  rseqflags: () => (c, i) => (c.uint(i) === 0 ? '0' : c.flags('rseq', c.uint(i))),
  vmiov: (param) => (c, i) => remoteVectors(c, c.ulong(i), Number(c.ulong(Number(param)))),
  resuming: () => (c) => `<... resuming interrupted ${c.interrupted} ...>`,
  schedresult: () => (c) => {
    if (!c.exiting) return LATER;
    if (!c.failed) {
      c.resultText = hex(c.result);
      c.remark = c.choice('sched', c.result);
    }
    return undefined;
  },
  ipckey: () => (c, i) => (c.uint(i) === 0 ? 'IPC_PRIVATE' : hex(c.uint(i))),
  ipcget: () => (c, i) => {
    const value = c.uint(i);
    const bits = c.env.constants.set('ipc_bits').split(BigInt((value & ~0o777) >>> 0));
    if (bits.rest !== 0n) bits.names.push(hex(bits.rest));
    return [...bits.names, permissions(value & 0o777)].join('|');
  },
  ipccmd: () => (c, i) => {
    const value = c.uint(i);
    const name = c.choice('ipc_cmd', value & ~0x100);
    return (value & 0x100) !== 0 ? `IPC_64|${name}` : name;
  },
  /** Two registers, the high half first. */
  hilo: (param) => (c) => {
    const n = Number(param);
    return String(BigInt.asIntN(64, (BigInt(c.uint(n)) << 32n) | BigInt(c.uint(n + 1))));
  },
  /** Where ipc's shmat attached: behind its last argument. */
  shmaddress: () => (c, i) => {
    if (!c.exiting) return LATER;
    const bytes = c.bytes(c.ulong(i), 4);
    if (bytes !== undefined) c.resultText = address(BigInt(bytes.readUInt32LE(0)));
    return undefined;
  },
  /** The entry of set_thread_area that the kernel chose. */
  chosenentry: () => (c) => {
    if (!c.exiting) return LATER;
    const bytes = c.bytes(c.ulong(0), 4);
    if (bytes !== undefined) c.remark = `entry_number=${bytes.readInt32LE(0)}`;
    return undefined;
  },
  /** struct user_desc of asm/ldt.h. */
  userdesc: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 16);
    if (bytes === undefined) return address(addr);
    const bits = bytes.readUInt32LE(12);
    const bit = (n: number, width = 1): number => (bits >>> n) & ((1 << width) - 1);
    return (
      `{entry_number=${bytes.readInt32LE(0)}, base_addr=${address(BigInt(bytes.readUInt32LE(4)))}, ` +
      `limit=0x${bytes.readUInt32LE(8).toString(16).padStart(5, '0')}, seg_32bit=${bit(0)}, contents=${bit(1, 2)}, ` +
      `read_exec_only=${bit(3)}, limit_in_pages=${bit(4)}, seg_not_present=${bit(5)}, useable=${bit(6)}}`
    );
  },
};
