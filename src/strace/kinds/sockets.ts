import { address, type Call } from '../call';
import { quote } from '../quote';
import { structureAt } from '../struct';
import { vectors } from './files';
import { LATER, type Kinds } from './kind';
import { socketAddress } from './socket-address';

function addressAt(c: Call, addr: bigint, length: number): string {
  if (addr === 0n) return 'NULL';
  const size = Math.min(length, 128);
  if (size < 2) return address(addr);
  const bytes = c.env.memory.exactly(c.pid, addr, size);
  return bytes === undefined ? address(addr) : socketAddress(c, bytes);
}

function lengthAt(c: Call, addr: bigint): number | undefined {
  const bytes = addr === 0n ? undefined : c.env.memory.some(c.pid, addr, 4);
  return bytes === undefined || bytes.length < 4 ? undefined : bytes.readInt32LE(0);
}

const PROTOCOLS: Record<string, string> = {
  AF_INET: 'ipproto',
  AF_INET6: 'ipproto',
  AF_NETLINK: 'netlink_family',
};
const LEVELS: Record<string, string> = {
  SOL_SOCKET: 'so_socket',
  SOL_IP: 'so_ip',
  SOL_IPV6: 'so_ipv6',
  SOL_TCP: 'so_tcp',
  SOL_NETLINK: 'so_netlink',
};
const STRINGS = new Set(['SO_BINDTODEVICE', 'TCP_CONGESTION', 'TCP_ULP']);

function levelName(c: Call, level: number): string {
  return c.env.constants.set('sol').name(BigInt(level)) ?? String(level);
}

function optionName(c: Call, level: number, option: number): string {
  const set = LEVELS[levelName(c, level)];
  return (set && c.env.constants.set(set).name(BigInt(option))) ?? `0x${option.toString(16)}`;
}

function optionValue(c: Call, addr: bigint, length: number): string {
  const name = optionName(c, c.int(1), c.int(2));
  if (addr === 0n) return 'NULL';
  if (name === 'SO_LINGER' && length === 8) return structureAt(c, 'linger', addr);
  if (name === 'SO_PEERCRED' && length === 12) return structureAt(c, 'ucred', addr);
  if (STRINGS.has(name)) return c.buffer(addr, length);
  if (length === 4) {
    const bytes = c.bytes(addr, 4);
    if (bytes === undefined) return address(addr);
    const value = bytes.readInt32LE(0);
    return `[${value}]`;
  }
  return c.buffer(addr, length);
}

/** struct msghdr; total: bytes that were really moved. */
function message(c: Call, addr: bigint, total: number): string {
  const { word } = c.abi;
  const bytes = c.bytes(addr, word === 8 ? 56 : 28);
  if (bytes === undefined) return address(addr);
  const long = (n: number): bigint =>
    word === 8 ? bytes.readBigUInt64LE(8 * n) : BigInt(bytes.readUInt32LE(4 * n));
  const nameLength = bytes.readInt32LE(word);
  const count = Number(long(3));
  const controlLength = Number(long(5));
  const parts = [
    `msg_name=${long(0) === 0n ? 'NULL' : addressAt(c, long(0), nameLength)}`,
    `msg_namelen=${nameLength}`,
    `msg_iov=${vectors(c, long(2), count, total)}`,
    `msg_iovlen=${count}`,
  ];
  if (controlLength > 0) parts.push(`msg_control=${controlMessages(c, long(4), controlLength)}`);
  parts.push(`msg_controllen=${controlLength}`);
  parts.push(`msg_flags=${c.flags('msg', bytes.readUInt32LE(6 * word))}`);
  return `{${parts.join(', ')}}`;
}

function controlMessages(c: Call, addr: bigint, length: number): string {
  const { word } = c.abi;
  const head = word + 8;
  const bytes = length > 4096 ? undefined : c.bytes(addr, length);
  if (bytes === undefined) return address(addr);
  const parts: string[] = [];
  for (let at = 0; at + head <= length;) {
    const size = word === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at);
    const level = bytes.readInt32LE(at + word);
    const type = bytes.readInt32LE(at + word + 4);
    const levelText = levelName(c, level);
    const typeText =
      levelText === 'SOL_SOCKET'
        ? c.choice('scm', type)
        : (c.env.constants.set(LEVELS[levelText] ?? 'so_ip').name(BigInt(type)) ??
          `0x${type.toString(16)}`);
    const end = Math.min(at + size, length);
    const shown = [`cmsg_len=${size}`, `cmsg_level=${levelText}`, `cmsg_type=${typeText}`];
    if (end > at + head) {
      let data: string;
      if (typeText === 'SCM_RIGHTS') {
        const fds: string[] = [];
        for (let p = at + head; p + 4 <= end; p += 4) fds.push(c.descriptor(bytes.readInt32LE(p)));
        data = `[${fds.join(', ')}]`;
      } else if (typeText === 'SCM_CREDENTIALS' && end - at - head >= 12) {
        const p = at + head;
        data = `{pid=${bytes.readInt32LE(p)}, uid=${bytes.readUInt32LE(p + 4)}, gid=${bytes.readUInt32LE(p + 8)}}`;
      } else {
        data = quote(bytes, at + head, end, c.env.style.hex);
      }
      shown.push(`cmsg_data=${data}`);
    }
    parts.push(`{${shown.join(', ')}}`);
    if (size < head) break;
    at += Math.ceil(size / word) * word;
  }
  return `[${parts.join(', ')}]`;
}

export const SOCKETS: Kinds = {
  af: () => (c, i) => c.choice('af', c.uint(i)),
  socktype: () => (c, i) => {
    const value = c.uint(i);
    const type = c.choice('sock_type', value & 0xf);
    const bits = (value & ~0xf) >>> 0;
    return bits === 0 ? type : `${type}|${c.flags('sock_bits', bits)}`;
  },
  protocol: () => (c, i) => {
    const set = PROTOCOLS[c.choice('af', c.uint(0))];
    return set === undefined ? String(c.uint(i)) : c.choice(set, c.uint(i));
  },
  /** sockaddr:N: its length is argument N. */
  sockaddr: (param) => (c, i) => addressAt(c, c.ulong(i), c.int(Number(param))),
  /** What the kernel fills in; sockaddrout:N: argument N points to its length. */
  sockaddrout: (param) => (c, i) => {
    const pointer = Number(param);
    if (!c.exiting) return LATER;
    const addr = c.ulong(i);
    const after = lengthAt(c, c.ulong(pointer));
    if (c.failed || addr === 0n || after === undefined) return address(addr);
    const room = (c.saved as number | undefined) ?? after;
    return addressAt(c, addr, Math.min(after, room));
  },
  /** "[128 => 16]" */
  socklen: () => (c, i) => {
    const addr = c.ulong(i);
    const after = lengthAt(c, addr);
    if (after === undefined) return address(addr);
    const before = c.saved as number | undefined;
    if (c.failed) return before === undefined ? address(addr) : `[${before}]`;
    return before === undefined || before === after ? `[${after}]` : `[${before} => ${after}]`;
  },
  /** Shows nothing: remembers what argument N points to before the kernel changes it. */
  remember: (param) => (c) => {
    if (!c.exiting) c.saved = lengthAt(c, c.ulong(Number(param)));
    return undefined;
  },
  level: () => (c, i) => levelName(c, c.int(i)),
  option: () => (c, i) => optionName(c, c.int(1), c.int(i)),
  /** setsockopt's value */
  optval: () => (c, i) => optionValue(c, c.ulong(i), c.int(4)),
  /** getsockopt's value */
  optout: () => (c, i) => {
    const length = lengthAt(c, c.ulong(4));
    if (c.failed || length === undefined) return address(c.ulong(i));
    return optionValue(c, c.ulong(i), length);
  },
  message: () => (c, i) => message(c, c.ulong(i), Infinity),
  messageout: () => (c, i) =>
    c.failed ? failedMessage(c, c.ulong(i)) : message(c, c.ulong(i), Number(c.result)),
};

// of a receive that failed only what the caller said of its own is shown
function failedMessage(c: Call, addr: bigint): string {
  const bytes = addr === 0n ? undefined : c.env.memory.exactly(c.pid, addr, c.abi.word + 4);
  if (bytes === undefined) return address(addr);
  return `{msg_namelen=${bytes.readInt32LE(c.abi.word)}}`;
}
