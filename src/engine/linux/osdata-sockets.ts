import { SocketAddress } from 'node:net';
import type { Accounts } from './accounts';
import type { Row } from './osdata-table';
import { procText } from './process';

// include/net/tcp_states.h
const STATES = [
  '(unknown)',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
] as const;

const SOURCES = [
  ['tcp', 'INET', 'STREAM'],
  ['udp', 'INET', 'DGRAM'],
  ['tcp6', 'INET6', 'STREAM'],
  ['udp6', 'INET6', 'DGRAM'],
] as const;

// "sl: local:port remote:port state tx:rx tr:when retransmits uid ..."
const LINE =
  /^ *\d+: ([0-9A-F]+):([0-9A-F]+) ([0-9A-F]+):([0-9A-F]+) ([0-9A-F]+) \S+ \S+ \S+ +(\d+)/;

/** The kernel prints addresses as 32-bit words of host (little-endian) order. */
export function addressText(digits: string): string {
  const bytes = Buffer.from(digits, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}

/** Sockets of the server's own network namespace. */
export function* sockets(accounts: Accounts): Iterable<Row> {
  for (const [file, family, protocol] of SOURCES) {
    for (const line of (procText(`/proc/net/${file}`) ?? '').split('\n')) {
      const match = LINE.exec(line);
      if (!match) continue;
      const [, local, localPort, remote, remotePort, state, uid] = match;
      yield [
        ['local address', addressText(local!)],
        ['local port', parseInt(localPort!, 16)],
        ['remote address', addressText(remote!)],
        ['remote port', parseInt(remotePort!, 16)],
        ['state', STATES[parseInt(state!, 16)] ?? STATES[0]],
        ['user', accounts.user(Number(uid))],
        ['family', family],
        ['protocol', protocol],
      ];
    }
  }
}
