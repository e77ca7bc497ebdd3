import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole as Gdb } from '../../../src/cli/demo/gdb-console';
import { goesOn } from './resumes';
import { ServerProcess } from './server-process';

/** A gdb connected to a server of ours that started a program. */
export interface GdbSession {
  gdb: Gdb;
  server: ServerProcess;
  /** What `target remote` printed. */
  greeting: string;
  /** A continue that the server has on return; where the session is logged. */
  goes(): Promise<void>;
}

const NOT_LOGGED = '/dev/null';

const open: GdbSession[] = [];
const folders: string[] = [];

/** gdb and ntrace-gdbserver on one program, as `target remote :PORT`. */
export async function debug(
  binary: string,
  options: { args?: string[]; server?: string[]; extended?: boolean; logged?: boolean } = {},
): Promise<GdbSession> {
  const folder = options.logged ? fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-gdb-')) : '';
  const packets = folder === '' ? NOT_LOGGED : path.join(folder, 'packets');
  if (folder !== '') folders.push(folder);
  const server = ServerProcess.start([
    ...(options.server ?? ['--once']),
    ...(folder === '' ? [] : [`--log-packets=${packets}`]),
    '127.0.0.1:0',
    binary,
    ...(options.args ?? []),
  ]);
  return connect(server, binary, options.extended ?? false, packets);
}

/** gdb on a server that runs already. */
export async function connect(
  server: ServerProcess,
  binary: string | undefined,
  extended = false,
  packets = NOT_LOGGED,
): Promise<GdbSession> {
  const port = await server.port();
  const gdb = await Gdb.start(...(binary === undefined ? [] : [binary]));
  const greeting = await gdb.send(`target ${extended ? 'extended-remote' : 'remote'} :${port}`);
  const session = { gdb, server, greeting, goes: () => goesOn(gdb, packets) };
  open.push(session);
  return session;
}

/** For afterEach: ends whatever a test left behind, also one that failed. */
export async function endAll(): Promise<void> {
  for (const { gdb, server } of open.splice(0)) {
    await gdb.quit().catch(() => gdb.vanish());
    await server.stop();
  }
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
}
