import { MonitorUsageError, type MonitorCommand } from '../monitor-command';
import { debugCommands } from '../monitor-debug';
import { reportCommands } from '../monitor-report';
import { packet, WRITTEN, type Packet, type Reply } from '../packet';
import { ReplyError } from '../reply';
import type { Session } from '../session';

const ENOTSUP = 95;

const commands: readonly MonitorCommand[] = [
  { pattern: /^help$/, run: help },
  ...debugCommands,
  ...reportCommands,
  {
    pattern: /^observe (on|off)$/,
    usage: 'observe <on|off>',
    help: ['Only look from now on: nothing is stopped and nothing can be changed; or no longer'],
    run: observe,
  },
  {
    pattern: /^exit$/,
    usage: 'exit',
    // gdb's testsuite, and not only it, knows a gdbserver by these words
    help: ['Quit GDBserver'],
    run: () => '',
    then: ({ target }) => target.shutdown(),
  },
];

function observe(session: Session, [, word]: RegExpExecArray): string {
  const { onObserve } = session.settings;
  if (!onObserve) throw new ReplyError(ENOTSUP, 'this server cannot change what a client may do');
  const on = word === 'on';
  onObserve(on);
  return on
    ? 'This client observes: nothing is stopped for it, and it changes nothing.\n'
    : 'This client may change things again; its processes are stopped for it.\n';
}

function help(): string {
  let text = 'The following monitor commands are supported:\n';
  for (const { usage, help: lines } of commands) {
    if (usage === undefined) continue;
    text += `  ${usage}\n`;
    for (const line of lines ?? []) text += `    ${line}\n`;
  }
  return text;
}

function execute(session: Session, line: string): Reply {
  for (const command of commands) {
    const match = command.pattern.exec(line);
    if (!match) continue;
    try {
      const text = command.run(session, match);
      if (text !== '') session.console(text);
      session.reply('OK');
      command.then?.(session);
      return WRITTEN;
    } catch (error) {
      if (!(error instanceof MonitorUsageError)) throw error;
      session.console(error.message + help());
      return 'E01';
    }
  }
  session.console(`Unknown monitor command.\n\n${help()}`);
  return 'E01';
}

/** Commands of the server's own (gdb: monitor). */
export const monitor: Packet[] = [
  packet<string>({
    match: 'qRcmd,',
    syntax: 'qRcmd,COMMAND',
    summary: 'Runs a monitor command, hex; its output comes as O packets before the reply.',
    when: 'stopped',
    args: (args) => {
      const line = args.hexText();
      args.close();
      return line;
    },
    run: (session, line) => session.withConsole(() => execute(session, line.trim())),
  }),
];
