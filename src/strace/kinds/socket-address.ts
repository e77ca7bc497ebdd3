import type { Call } from '../call';
import { quote } from '../quote';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;

/** The canonical text of an IPv6 address (RFC 5952). */
export function inet6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n));
  const mapped = groups.slice(0, 5).every((g) => g === 0);
  if (mapped && groups[5] === 0xffff) return `::ffff:${bytes.subarray(12, 16).join('.')}`;
  if (mapped && groups[5] === 0 && groups[6] !== 0) return `::${bytes.subarray(12, 16).join('.')}`;
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]): string => part.map((g) => g.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

function unix(c: Call, bytes: Buffer): string {
  if (bytes.length <= 2) return '{sa_family=AF_UNIX}';
  const { hex } = c.env.style;
  if (bytes[2] === 0) {
    const text = bytes.length > 3 ? `@${quote(bytes, 3, bytes.length, hex)}` : '""';
    return `{sa_family=AF_UNIX, sun_path=${text}}`;
  }
  const end = bytes.indexOf(0, 2);
  return `{sa_family=AF_UNIX, sun_path=${quote(bytes, 2, end < 0 ? bytes.length : end, hex)}}`;
}

/** "{sa_family=AF_INET, sin_port=htons(80), ...}" of a sockaddr of at least two bytes. */
export function socketAddress(c: Call, bytes: Buffer): string {
  const family = bytes.readUInt16LE(0);
  const name = c.choice('af', family);
  if (family === AF_UNIX) return unix(c, bytes);
  if (family === AF_INET && bytes.length >= 8) {
    const port = bytes.readUInt16BE(2);
    return `{sa_family=${name}, sin_port=htons(${port}), sin_addr=inet_addr("${bytes.subarray(4, 8).join('.')}")}`;
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    const parts = [
      `sa_family=${name}`,
      `sin6_port=htons(${bytes.readUInt16BE(2)})`,
      `sin6_flowinfo=htonl(${bytes.readUInt32BE(4)})`,
      `inet_pton(AF_INET6, "${inet6(bytes.subarray(8, 24))}", &sin6_addr)`,
    ];
    if (bytes.length >= 28) parts.push(`sin6_scope_id=${bytes.readUInt32LE(24)}`);
    return `{${parts.join(', ')}}`;
  }
  if (family === AF_NETLINK && bytes.length >= 12) {
    const groups = bytes.readUInt32LE(8).toString(16).padStart(8, '0');
    return `{sa_family=${name}, nl_pid=${bytes.readInt32LE(4)}, nl_groups=${groups}}`;
  }
  if (family === AF_PACKET && bytes.length >= 12) {
    return `{sa_family=${name}, sll_protocol=htons(0x${bytes.readUInt16BE(2).toString(16)}), sll_ifindex=${bytes.readInt32LE(4)}}`;
  }
  const rest =
    bytes.length > 2 ? `, sa_data=${quote(bytes, 2, bytes.length, c.env.style.hex)}` : '';
  return `{sa_family=${name}${rest}}`;
}
