import yargs from 'yargs';
import * as connect from './connect';
import * as demo from './demo/command';
import * as doctor from './doctor/command';
import { main as gdbserver } from './gdbserver';
import * as ps from './ps';
import * as release from './release';
import * as serve from './serve';
import { main as strace } from './strace';
import { version } from '../rsp/version';

const HELP = `Debugging over the GDB remote protocol, with engines that stack on one process.

Usage: $0 COMMAND [OPTIONS]`;

/** `ntrace`: never throws, ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] === 'gdbserver') return gdbserver(argv.slice(1)); // its grammar is gdbserver's own
  if (argv[0] === 'strace') return strace(argv.slice(1)); // as does strace
  try {
    await yargs([...argv])
      .scriptName('ntrace')
      .usage(HELP)
      .command('gdbserver', "a drop-in for gdbserver: gdbserver's options, messages, exit codes")
      .command('strace', "a system call and signal tracer: strace's options and output")
      .command(serve.command)
      .command(ps.command)
      .command(release.command)
      .command(doctor.command)
      .command(connect.command)
      .command(demo.command)
      .example('$0 gdbserver :2345 ./program', 'then, in gdb: target remote :2345')
      .example('$0 serve --unix /run/user/1000/ntrace', 'many clients, an engine for each')
      .example('$0 doctor', 'what works on this machine, and why the rest does not')
      .demandCommand(1, 'Name a command.')
      .strict()
      .version(version())
      .alias('help', 'h')
      .wrap(Math.min(100, process.stdout.columns || 100))
      .fail((message, error) => {
        throw error ?? new Error(`${message.replace(/\.$/, '')}. See ntrace --help.`);
      })
      .parseAsync();
  } catch (error) {
    process.stderr.write(`ntrace: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
