import type { Inferior } from '../../engine/inferior';
import { packet, WRITTEN, DEFERRED, type Packet, type Reply } from '../packet';
import { argumentLine, locate, refusalWords } from '../program';
import { ReplyError } from '../reply';
import type { Session } from '../session';
import type { Stop } from '../stop';

const ESRCH = 3;
const EINVAL = 22;

function process(session: Session, pid: number): Inferior {
  const inferior = pid > 0 ? session.engine.inferiors.get(pid) : session.inferior();
  if (!inferior) throw new ReplyError(ESRCH, `process ${pid} is not being debugged`);
  return inferior;
}

function chosen(session: Session, inferior: Inferior): Stop & { kind: 'thread' } {
  const stop = session.target.firstStop(inferior);
  session.general = session.control = { pid: inferior.pid, tid: stop.tid };
  session.target.last = stop;
  return stop;
}

/** The reply to vRun: the stop itself, in non-stop mode too. */
function started(session: Session, inferior: Inferior): Reply {
  session.tell(chosen(session, inferior));
  return WRITTEN;
}

/** The reply to vAttach: in non-stop mode OK, and the stops of all threads by notification. */
function attached(session: Session, inferior: Inferior): Reply {
  const stop = chosen(session, inferior);
  if (!session.nonStop) {
    session.tell(stop);
    return WRITTEN;
  }
  session.reply('OK');
  for (const { tid } of inferior.threads.values())
    session.target.queue.push(
      tid === stop.tid && stop.event ? stop : { ...stop, tid, signo: 0, event: undefined },
    );
  session.notify.announce();
  return DEFERRED;
}

/** A program to start; one string of arguments is left to the server's shell to read. */
function choose({ client, options }: Session, file: string, words: string[]): void {
  const one = client.has('single-inf-arg+');
  if (one && words.length > 1) throw new ReplyError(EINVAL, 'single-inf-arg: want one argument');
  options.program = one ? [file] : [file, ...words];
  options.line = one ? (words[0] ?? '') : undefined;
}

const ON_OFF = (text: string): boolean => {
  if (text !== '0' && text !== '1') throw new ReplyError(EINVAL, 'want 0 or 1');
  return text === '1';
};

/** Starting, attaching, letting go and ending programs, and how they are started. */
export const processes: Packet[] = [
  packet({
    match: 'vAttach;',
    syntax: 'vAttach;pid',
    summary: 'Attaches to a process and stops it.',
    when: 'always',
    command: true,
    capability: 'attach',
    stopReply: true,
    args: (a) => a.pid(),
    run: (session, pid) => attached(session, session.target.attach(pid)),
  }),
  packet({
    match: 'vRun',
    syntax: 'vRun;[filename][;argument...]',
    summary:
      'Starts a program and stops it at its first instruction; without a name the last one. With ' +
      'single-inf-arg its arguments are one string, which a shell reads.',
    when: 'always',
    command: true,
    stopReply: true,
    args: (a) => {
      const words: string[] = [];
      while (a.take(';')) words.push(a.hexText());
      a.close();
      return words;
    },
    run(session, words) {
      const [name = '', ...rest] = words;
      const file = name === '' ? session.options.program[0] : name;
      if (file === undefined)
        throw new ReplyError(EINVAL, 'no program to run: set remote exec-file names one');
      choose(session, file, rest);
      try {
        return started(session, session.target.launch());
      } catch (error) {
        for (const line of refusalWords(error as Error, session.options))
          session.settings.say?.(line);
        throw error;
      }
    },
  }),
  packet({
    match: 'qExecAndArgs',
    exact: true,
    syntax: 'qExecAndArgs',
    summary: 'The program that is or would be started, and its arguments; U: there is none.',
    when: 'always',
    run({ options }) {
      const [name] = options.program;
      if (name === undefined) return 'U';
      const hex = (text: string): string => Buffer.from(text).toString('hex');
      return `S;${hex(locate(name))};${hex(argumentLine(options))};`;
    },
  }),
  packet({
    match: 'vKill;',
    syntax: 'vKill;pid',
    summary: 'Kills a process.',
    when: 'always',
    command: true,
    args: (a) => a.pid(),
    run(session, pid) {
      session.target.kill(process(session, pid).pid);
      session.reply('OK');
      session.endIfAlone('killed');
      return DEFERRED;
    },
  }),
  packet({
    match: 'k',
    syntax: 'k',
    summary: 'Kills everything; there is no reply.',
    when: 'always',
    run(session) {
      session.target.killAll();
      session.endIfAlone('killed');
      return DEFERRED;
    },
  }),
  packet({
    match: 'R',
    syntax: 'R XX',
    summary: 'Restarts the program (extended mode); there is no reply.',
    when: 'always',
    run(session) {
      if (session.options.program.length === 0) return '';
      const stop = session.target.restart();
      session.general = session.control = { pid: stop.pid, tid: stop.tid };
      session.target.last = stop;
      return DEFERRED;
    },
  }),
  packet({
    match: 'D',
    syntax: 'D[;pid]',
    summary: 'Detaches; what was stopped runs on.',
    when: 'always',
    command: true,
    args: (a) => (a.take(';') ? a.pid() : 0),
    run(session, pid) {
      if (session.target.leaveTracing()) return 'OK';
      // one whose death is not told yet is let go as well as any
      if (!session.target.diedUntold(pid)) session.target.detach(process(session, pid));
      session.reply('OK');
      session.endIfAlone('detached');
      return DEFERRED;
    },
  }),
  packet({
    match: 'qAttached',
    syntax: 'qAttached[:pid]',
    summary: '1 for a process that was attached to, 0 for one that was started here.',
    when: 'always',
    args: (a) => (a.take(':') ? a.pid() : 0),
    run: (session, pid) => (process(session, pid).launched ? '0' : '1'),
  }),
  packet({
    match: 'QDisableRandomization:',
    syntax: 'QDisableRandomization:0|1',
    summary: 'Address space randomization of programs started from now on.',
    when: 'always',
    feature: 'QDisableRandomization+',
    args: (a) => a.rest(),
    run(session, value) {
      session.options.noRandomize = ON_OFF(value);
      return 'OK';
    },
  }),
  packet({
    match: 'QStartupWithShell:',
    syntax: 'QStartupWithShell:0|1',
    summary: 'Whether a shell starts programs.',
    when: 'always',
    feature: 'QStartupWithShell+',
    args: (a) => a.rest(),
    run(session, value) {
      session.options.startupWithShell = ON_OFF(value);
      return 'OK';
    },
  }),
  packet({
    match: 'QEnvironmentHexEncoded:',
    syntax: 'QEnvironmentHexEncoded:NAME=value',
    summary: 'Sets a variable for programs started from now on.',
    when: 'always',
    feature: 'QEnvironmentHexEncoded+',
    args: (a) => a.hexText(),
    run(session, text) {
      const equals = text.indexOf('=');
      if (equals < 1) throw new ReplyError(EINVAL, 'want NAME=value');
      session.options.environment.set(text.slice(0, equals), text.slice(equals + 1));
      return 'OK';
    },
  }),
  packet({
    match: 'QEnvironmentUnset:',
    syntax: 'QEnvironmentUnset:NAME',
    summary: 'Removes a variable for programs started from now on.',
    when: 'always',
    feature: 'QEnvironmentUnset+',
    args: (a) => a.hexText(),
    run(session, name) {
      session.options.environment.set(name, undefined);
      return 'OK';
    },
  }),
  packet({
    match: 'QEnvironmentReset',
    exact: true,
    syntax: 'QEnvironmentReset',
    summary: "Back to the server's own environment.",
    when: 'always',
    feature: 'QEnvironmentReset+',
    run(session) {
      session.options.environment.clear();
      return 'OK';
    },
  }),
  packet({
    match: 'QSetWorkingDir:',
    syntax: 'QSetWorkingDir:[directory]',
    summary: "Where programs are started; empty: the server's own directory.",
    when: 'always',
    command: true,
    feature: 'QSetWorkingDir+',
    args: (a) => a.hexText(),
    run(session, directory) {
      session.options.cwd = directory === '' ? undefined : directory;
      return 'OK';
    },
  }),
];
