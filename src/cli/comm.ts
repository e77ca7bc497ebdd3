import net from 'node:net';

/** Where clients come from: gdbserver's COMM argument, read. */
export type Comm =
  | { kind: 'stdio' }
  | { kind: 'tty'; path: string }
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number };

/** A COMM that cannot be served; the message is gdbserver's where it has one. */
export class CommError extends Error {}

const PREFIXES: Record<string, 0 | 4 | 6> = { 'tcp:': 0, 'tcp4:': 4, 'tcp6:': 6 };

/**
 * "-", "stdio", unix:PATH, a path, or [tcp:|tcp4:|tcp6:]HOST:PORT, [::1]:PORT, ::1:PORT, :PORT. An
 * empty HOST, and "localhost", are the loopback address. Throws CommError.
 */
export function parseComm(text: string): Comm {
  if (text === '-' || text === 'stdio') return { kind: 'stdio' };
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '') throw new CommError('unix: needs the path of the socket, as in unix:/run/x');
    return { kind: 'unix', path };
  }
  if (!text.includes(':')) return { kind: 'tty', path: text };

  const prefix = Object.keys(PREFIXES).find((candidate) => text.startsWith(candidate)) ?? '';
  const family = PREFIXES[prefix] ?? 0;
  const { host, port } = splitHost(text.slice(prefix.length), family);
  if (!/^\d+$/.test(port) || Number(port) > 65535)
    throw new CommError(
      port === ''
        ? "Can't determine port: give one after the last colon, 0 for any free one."
        : `${text}: cannot resolve name: Servname not supported for ai_socktype`,
    );
  if (host !== '' && host !== 'localhost') {
    const literal = net.isIP(host);
    if (literal === 0 && !/^[A-Za-z0-9_.-]+(%\w+)?$/.test(host))
      throw new CommError(`${text}: cannot resolve name: Name or service not known`);
    if (literal !== 0 && family !== 0 && literal !== family)
      throw new CommError(
        `${text}: cannot resolve name: Address family for hostname not supported`,
      );
    return { kind: 'tcp', host, port: Number(port) };
  }
  return { kind: 'tcp', host: family === 6 ? '::1' : '127.0.0.1', port: Number(port) };
}

function splitHost(spec: string, family: 0 | 4 | 6): { host: string; port: string } {
  const colons = spec.split(':').length - 1;
  const ipv6 = family === 6 || (family === 0 && (spec.startsWith('[') || colons > 1));
  if (ipv6 && spec.startsWith('[')) {
    const close = spec.indexOf(']');
    if (close < 0) throw new CommError(`Missing close bracket in hostname '${spec}'`);
    const rest = spec.slice(close + 1);
    if (rest !== '' && !rest.startsWith(':'))
      throw new CommError(`Invalid cruft after close bracket in '${spec}'`);
    return { host: spec.slice(1, close), port: rest.slice(1) };
  }
  if (ipv6 && spec.includes(']')) throw new CommError(`Missing open bracket in hostname '${spec}'`);
  const colon = spec.lastIndexOf(':');
  return { host: spec.slice(0, Math.max(colon, 0)), port: spec.slice(colon + 1) };
}

/** Reachable from this machine alone. A name counts as not: nobody knows what it resolves to. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || (net.isIPv4(host) && host.startsWith('127.'));
}
