import { GdbConsole as Gdb } from '../../../src/cli/demo/gdb-console';
import { ServerProcess } from './server-process';

/** A gdb connected to a server of ours that started a program. */
export interface GdbSession {
  gdb: Gdb;
  server: ServerProcess;
  /** What `target remote` printed. */
  greeting: string;
}

const open: GdbSession[] = [];

/** gdb and ntrace-gdbserver on one program, as `target remote :PORT`. */
export async function debug(
  binary: string,
  options: { args?: string[]; server?: string[]; extended?: boolean } = {},
): Promise<GdbSession> {
  const server = ServerProcess.start([
    ...(options.server ?? ['--once']),
    '127.0.0.1:0',
    binary,
    ...(options.args ?? []),
  ]);
  return connect(server, binary, options.extended ?? false);
}

/** gdb on a server that runs already. */
export async function connect(
  server: ServerProcess,
  binary: string | undefined,
  extended = false,
): Promise<GdbSession> {
  const port = await server.port();
  const gdb = await Gdb.start(...(binary === undefined ? [] : [binary]));
  const greeting = await gdb.send(`target ${extended ? 'extended-remote' : 'remote'} :${port}`);
  const session = { gdb, server, greeting };
  open.push(session);
  return session;
}

/** For afterEach: ends whatever a test left behind, also one that failed. */
export async function endAll(): Promise<void> {
  for (const { gdb, server } of open.splice(0)) {
    await gdb.quit().catch(() => gdb.vanish());
    await server.stop();
  }
}
