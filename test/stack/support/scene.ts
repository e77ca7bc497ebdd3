import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole } from '../../../src/cli/demo/gdb-console';
import { goesOn } from '../../gdb/support/resumes';
import { ServerProcess } from '../../gdb/support/server-process';
import { repositoryRoot } from '../../support/root';
import { program, Victim } from './programs';

export const NTRACE = path.join(repositoryRoot, 'bin/ntrace');
/** The provider under test; a guest with the module sets another one. */
export const PROVIDER = process.env.NTRACE_TEST_ENGINE ?? 'embedded';

/** One server on TCP and a Unix socket, its gdbs and their victims; end() leaves nothing behind. */
export class Stack {
  private readonly gdbs: GdbConsole[] = [];
  private readonly victims: Victim[] = [];

  private constructor(
    readonly server: ServerProcess,
    readonly port: number,
    readonly directory: string,
  ) {}

  static async start(...options: string[]): Promise<Stack> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-stack-'));
    const server = ServerProcess.start(
      [
        ...['serve', '--engine', PROVIDER, '-l', ':0', '-u', path.join(directory, 's')],
        ...['--log-packets', path.join(directory, 'packets'), ...options],
      ],
      // published where only this test looks
      { executable: NTRACE, env: { ...process.env, XDG_RUNTIME_DIR: directory } },
    );
    const port = await server.port();
    await server.says(/unix socket/);
    return new Stack(server, port, directory);
  }
  get socket(): string {
    return path.join(this.directory, 's');
  }
  async victim(name: string, ...args: string[]): Promise<Victim> {
    const victim = await Victim.start(name, ...args);
    this.victims.push(victim);
    return victim;
  }
  /** One that somebody else started: gone at the end, too. */
  adopt(victim: Victim): Victim {
    this.victims.push(victim);
    return victim;
  }
  /** A gdb connected through TCP or the Unix socket. */
  async gdb(over: 'tcp' | 'unix' = 'tcp', name = 'kitchen'): Promise<GdbConsole> {
    const gdb = await GdbConsole.start(program(name));
    this.gdbs.push(gdb);
    await gdb.send(`target extended-remote ${over === 'tcp' ? `:${this.port}` : this.socket}`);
    return gdb;
  }
  async attached(victim: Victim, over: 'tcp' | 'unix' = 'tcp'): Promise<GdbConsole> {
    const gdb = await this.gdb(over);
    const text = await gdb.send(`attach ${victim.pid}`);
    if (!/Attaching to program/.test(text)) throw new Error(`not attached:\n${text}`);
    return gdb;
  }
  /** Starts a continue; the server has it on return, so that a ^C can only come behind it. */
  async goes(gdb: GdbConsole): Promise<void> {
    await goesOn(gdb, path.join(this.directory, 'packets'));
  }
  async end(): Promise<void> {
    for (const gdb of this.gdbs) await gdb.vanish();
    await this.server.stop();
    for (const victim of this.victims) victim.kill();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
