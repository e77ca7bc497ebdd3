import { address, type Call } from '../call';
import { signalSet } from '../signals';
import { structureAt } from '../struct';
import { LATER, type Kinds } from './kind';

const POLLFD = 8; // bytes of struct pollfd
const EPOLL_EVENT = 12; // packed
const MOST = 1024;

/** "[{fd=3, events=POLLIN}]", or with results those that have any. */
function pollfds(c: Call, addr: bigint, count: number, results: boolean): string {
  if (addr === 0n) return 'NULL';
  if (count === 0) return '[]';
  const read = Math.min(count, MOST);
  const bytes = c.env.memory.exactly(c.pid, addr, read * POLLFD);
  if (bytes === undefined) return address(addr);
  const limit = c.env.style.verbose ? read : c.env.style.strings;
  const parts: string[] = [];
  for (let n = 0; n < read; n++) {
    const fd = bytes.readInt32LE(n * POLLFD);
    const revents = bytes.readUInt16LE(n * POLLFD + 6);
    if (results && revents === 0) continue;
    if (parts.length >= limit) {
      parts.push('...');
      break;
    }
    const name = fd < 0 ? String(fd) : c.descriptor(fd);
    if (results) parts.push(`{fd=${name}, revents=${c.flags('poll', revents)}}`);
    else if (fd < 0) parts.push(`{fd=${name}}`);
    else {
      const events = bytes.readUInt16LE(n * POLLFD + 4);
      parts.push(`{fd=${name}, events=${c.flags('poll', events)}}`);
    }
  }
  return `[${parts.join(', ')}]`;
}

function pollResult(c: Call, timespec: string | undefined): void {
  if (c.failed) return;
  if (c.result === 0n) {
    c.remark = 'Timeout';
    return;
  }
  const parts = [pollfds(c, c.ulong(0), c.uint(1), true)];
  if (timespec !== undefined && c.ulong(2) !== 0n) {
    parts.push(`left ${structureAt(c, timespec, c.ulong(2))}`);
  }
  c.remark = parts.join(', ');
}

/** "[0 3]": the descriptors of a set. */
function fdset(c: Call, addr: bigint, count: number): string | undefined {
  const { word } = c.abi;
  const length = Math.ceil(Math.max(0, Math.min(count, 65536)) / (8 * word)) * word;
  const bytes = length === 0 ? undefined : c.env.memory.exactly(c.pid, addr, length);
  if (bytes === undefined) return undefined;
  const list: string[] = [];
  for (let fd = 0; fd < count; fd++) {
    if ((bytes[fd >> 3]! >> (fd & 7)) & 1) list.push(c.descriptor(fd));
  }
  return `[${list.join(' ')}]`;
}

function selectResult(c: Call, timeout: string): void {
  if (c.failed) return;
  if (c.result === 0n) {
    c.remark = 'Timeout';
    return;
  }
  const parts: string[] = [];
  ['in', 'out', 'except'].forEach((name, n) => {
    const addr = c.ulong(n + 1);
    const text = addr === 0n ? undefined : fdset(c, addr, c.int(0));
    if (text !== undefined && text !== '[]') parts.push(`${name} ${text}`);
  });
  if (c.ulong(4) !== 0n) parts.push(`left ${structureAt(c, timeout, c.ulong(4))}`);
  c.remark = parts.join(', ');
}

function epollEvent(c: Call, bytes: Buffer, at: number): string {
  const data = bytes.readBigUInt64LE(at + 4);
  return `{events=${c.flags('epoll', bytes.readUInt32LE(at))}, data={u32=${bytes.readUInt32LE(at + 4)}, u64=${data}}}`;
}

export const POLLS: Kinds = {
  pollfds: () => (c, i) => pollfds(c, c.ulong(i), c.uint(1), false),
  pollresult: (timespec) => (c) => {
    if (!c.exiting) return LATER;
    pollResult(c, timespec || undefined);
    return undefined;
  },
  fdset: () => (c, i) => {
    const addr = c.ulong(i);
    return (addr === 0n ? undefined : fdset(c, addr, c.int(0))) ?? address(addr);
  },
  selectresult: (timeout) => (c) => {
    if (!c.exiting) return LATER;
    selectResult(c, timeout);
    return undefined;
  },
  /** pselect6's last: a mask and its size behind a pointer. */
  maskpair: () => (c, i) => {
    const addr = c.ulong(i);
    const { word } = c.abi;
    const bytes = c.bytes(addr, 2 * word);
    if (bytes === undefined) return address(addr);
    const [mask, size] =
      word === 8
        ? [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)]
        : [BigInt(bytes.readUInt32LE(0)), BigInt(bytes.readUInt32LE(4))];
    const set = mask === 0n ? undefined : c.bytes(mask, 8);
    const text =
      set === undefined ? address(mask) : signalSet(c.env.constants, set.readBigUInt64LE(0));
    return `{sigmask=${text}, sigsetsize=${size}}`;
  },
  epollevent: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, EPOLL_EVENT);
    return bytes === undefined ? address(addr) : epollEvent(c, bytes, 0);
  },
  epollevents: () => (c, i) => {
    const addr = c.ulong(i);
    if (c.failed) return address(addr);
    const count = Number(c.result);
    if (count === 0) return '[]';
    const bytes = c.bytes(addr, count * EPOLL_EVENT);
    if (bytes === undefined) return address(addr);
    const limit = c.env.style.verbose ? count : Math.min(count, c.env.style.strings);
    const parts = Array.from({ length: limit }, (_, n) => epollEvent(c, bytes, n * EPOLL_EVENT));
    if (limit < count) parts.push('...');
    return `[${parts.join(', ')}]`;
  },
};
