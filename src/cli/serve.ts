import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes, Options } from 'yargs';
import { parseComm } from './comm';
import { openEndpoint } from './endpoint';
import type { EngineChoice } from './gdbserver-options';
import { endProperly } from './ending';
import { LOG_LEVELS, operationalLog, type LogLevel } from './operational-log';
import { LogFile } from './log-file';
import { Messages } from './stderr';

const OPTIONS = {
  listen: {
    alias: 'l',
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'HOST:PORT; without HOST loopback only (default :2345 unless --unix is given)',
  },
  unix: {
    alias: 'u',
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'path of a Unix socket, for this user alone',
  },
  engine: {
    choices: ['auto', 'kernel', 'embedded'] as const,
    default: 'auto' as EngineChoice,
    describe: 'who traces',
  },
  observe: {
    type: 'boolean',
    default: false,
    describe: 'clients look and never disturb: nothing is stopped, every change is refused',
  },
  awake: {
    type: 'boolean',
    default: true,
    describe: 'keep processors from sleep while packets come and go (root only)',
  },
  priority: {
    type: 'boolean',
    default: true,
    describe: 'run before whatever computes (root only)',
  },
  'log-packets': { type: 'string', describe: 'append one line per packet to this file' },
  'log-level': { choices: LOG_LEVELS, default: 'warn' as LogLevel, describe: 'least severe' },
  'log-file': { type: 'string', describe: 'operational log; standard error without it' },
} satisfies Record<string, Options>;

type ServeArgs = InferredOptionTypes<typeof OPTIONS>;

async function handler(args: ArgumentsCamelCase<ServeArgs>): Promise<void> {
  const messages = new Messages();
  const say = (line: string): void => messages.say(line);
  const specs = [...args.listen, ...args.unix.map((path) => `unix:${path}`)];
  if (specs.length === 0) specs.push(':2345');
  const comms = specs.map((spec) => ({ spec, comm: parseComm(spec) }));
  const odd = comms.find(({ comm }) => comm.kind !== 'tcp' && comm.kind !== 'unix');
  if (odd) throw new Error(`--listen takes HOST:PORT, not "${odd.spec}"`);

  const { Server } = await import('../rsp/server.js');
  const log = await operationalLog(args.logLevel, args.logFile);
  const file = args.logPackets === undefined ? undefined : new LogFile(args.logPackets);
  const server = new Server({
    engine: args.engine,
    program: {
      program: [],
      wrapper: [],
      noRandomize: true,
      startupWithShell: true,
      cwd: undefined,
      environment: new Map(),
    },
    once: false,
    multi: true,
    perClient: true,
    observe: args.observe,
    awake: args.awake,
    priority: args.priority,
    disabledPackets: new Set(),
    log,
    say,
    ...(file ? { logPackets: { active: true, line: (text): void => file.line(text) } } : {}),
  });
  endProperly(server, messages);
  for (const { spec, comm } of comms) openEndpoint(server, comm, spec);
  server.run();
}

export const command: CommandModule<object, ServeArgs> = {
  command: 'serve',
  describe: 'serve several clients at once, an engine for each',
  builder: OPTIONS,
  handler,
};
