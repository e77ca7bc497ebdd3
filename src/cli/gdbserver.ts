import type { Server } from '../rsp/server';
import { CommError, parseComm } from './comm';
import { debugOutput } from './debug-output';
import { openEndpoint } from './endpoint';
import { Leave, parseGdbserver, type GdbserverOptions } from './gdbserver-options';
import { endProperly } from './ending';
import { Messages } from './stderr';
import { version } from '../rsp/version';

/** The whole of ntrace-gdbserver, and of `ntrace gdbserver`: never throws, ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const messages = new Messages();
  try {
    const request = parseGdbserver(argv);
    if (request.kind === 'version') leave(0, versionText());
    else if (request.kind === 'selftest') {
      const { selftest } = await import('./selftest.js');
      leave(selftest((line) => process.stdout.write(`${line}\n`)) ? 0 : 1, '');
    } else await serve(request.options, messages);
  } catch (error) {
    if (error instanceof Leave) {
      messages.write(error.stderr);
      leave(error.code, error.stdout);
    } else {
      const { message } = error as Error;
      const quoted = error instanceof CommError; // begins with what the user wrote
      messages.say(quoted ? message : message.charAt(0).toUpperCase() + message.slice(1));
      messages.say('Exiting');
      messages.flush();
      leave(1, '');
    }
  }
}

async function serve(options: GdbserverOptions, messages: Messages): Promise<void> {
  const say = (line: string): void => messages.say(line);
  const comm = parseComm(options.comm);
  if (comm.kind === 'stdio') messages.say('stdin/stdout redirected');
  const { Server } = await import('../rsp/server.js');
  const server = new Server({
    engine: options.engine,
    program: {
      program: options.program,
      line: options.escapeArgs ? undefined : options.program.slice(1).join(' '),
      wrapper: options.wrapper,
      noRandomize: options.noRandomize,
      startupWithShell: options.startupWithShell,
      cwd: undefined,
      environment: new Map(),
    },
    once: options.once,
    multi: options.multi,
    perClient: false,
    observe: options.observe,
    grace: options.grace,
    awake: options.awake,
    priority: options.priority,
    disabledPackets: options.disabledPackets,
    switches: options,
    say,
    ...debugOutput(options, messages),
  });
  endProperly(server, messages);
  try {
    openEndpoint(server, comm, options.comm);
    if (options.attachPid !== undefined) server.attach(options.attachPid);
    else if (options.program.length > 0) await launch(server, options.program, messages);
  } catch (error) {
    server.shutdown();
    throw error;
  }
  server.run();
}

/** gdbserver's words for a program that cannot be started; its testsuite waits for them. */
async function launch(server: Server, program: string[], messages: Messages): Promise<void> {
  const { EndedEarly } = await import('../engine/launch.js');
  const { refusalWords } = await import('../rsp/program.js');
  try {
    server.launch(program);
  } catch (error) {
    if (error instanceof EndedEarly) throw new Error(startUp(error.waitStatus));
    const shell = server.options.program.startupWithShell;
    const words = refusalWords(error as Error, { ...server.options.program, program });
    for (const line of words) messages.say(shell ? line : `gdbserver: ${line}`);
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(startUp((!shell || missing ? 127 : 126) << 8));
  }
}

function startUp(status: number): string {
  return (status & 0x7f) === 0
    ? `During startup program exited with code ${status >> 8}.`
    : `During startup program terminated with signal ${status & 0x7f}.`;
}

function leave(code: number, text: string): void {
  process.exitCode = code;
  process.stdout.write(text, () => process.exit(code));
}

function versionText(): string {
  return (
    `ntrace-gdbserver ${version()}, compatible with GNU gdbserver 13.1\n` +
    'License GPL-2.0; there is no warranty.\n' +
    `This gdbserver was configured as "${process.arch === 'x64' ? 'x86_64' : process.arch}-linux-gnu"\n`
  );
}
