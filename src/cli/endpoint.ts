import type { Server } from '../rsp/server';
import { CommError, isLoopback, type Comm } from './comm';

const SOCKET_MODE = 0o600; // whoever can connect controls the process
const REASONS: Record<string, string> = {
  EADDRINUSE: "Can't bind address: Address already in use.",
  EADDRNOTAVAIL: "Can't bind address: Cannot assign requested address.",
  EACCES: "Can't bind address: Permission denied.",
};

/**
 * Opens what clients connect through, and warns where others than this machine's users can.
 * `spec` is the COMM as it was written. Throws CommError in gdbserver's words.
 */
export function openEndpoint(server: Server, comm: Comm, spec: string): void {
  try {
    switch (comm.kind) {
      case 'stdio':
        server.useStdio();
        break;
      case 'tty':
        server.openTty(comm.path, 0);
        break;
      case 'unix':
        server.listenUnix(comm.path, SOCKET_MODE);
        break;
      case 'tcp':
        if (!isLoopback(comm.host)) server.announce(exposed(comm.host));
        server.listenTcp(comm.host, comm.port);
    }
  } catch (error) {
    throw new CommError(explain(error as NodeJS.ErrnoException, comm, spec));
  }
}

function explain(error: NodeJS.ErrnoException, comm: Comm, spec: string): string {
  if (comm.kind === 'tty')
    return `Could not open remote device: ${error.message}. Use HOST:PORT, unix:PATH or a terminal.`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return `${spec}: cannot resolve name: Name or service not known`;
  if (comm.kind === 'tcp' && error.code !== undefined && REASONS[error.code] !== undefined)
    return REASONS[error.code] as string;
  return `${spec}: ${error.message}`;
}

function exposed(host: string): string {
  return (
    `Warning: listening on ${host}: whoever can connect controls every process this user may ` +
    'trace. Without an address only this machine can; an SSH tunnel or unix:PATH is safer.'
  );
}
