import type { Log, PacketSink } from '../rsp/log';
import type { GdbserverOptions } from './gdbserver-options';
import { LogFile } from './log-file';
import type { Messages } from './stderr';

/** Where --debug, --remote-debug and --log-packets send their lines. */
export interface DebugOutput {
  logPackets?: PacketSink;
  log?: Log;
}

/** Throws an Error with .code when --log-packets cannot be opened. */
export function debugOutput(options: GdbserverOptions, messages: Messages): DebugOutput {
  const file = options.logPackets === undefined ? undefined : new LogFile(options.logPackets);
  const debug = debugLines(options, messages);
  // looked up at each line: monitor commands switch them while the server runs
  return {
    logPackets: {
      get active(): boolean {
        return file !== undefined || options.debug.has('remote');
      },
      line(text): void {
        file?.line(text);
        if (options.debug.has('remote')) debug(`[remote] ${text}`);
      },
    },
    log: (level, text): void => {
      if (options.debug.has('threads')) debug(`[threads] ${level}: ${text}`);
    },
  };
}

function debugLines(options: GdbserverOptions, messages: Messages): (line: string) => void {
  const stamp = (line: string): string =>
    options.timestamps ? `${(Date.now() / 1000).toFixed(6)} ${line}` : line;
  if (options.debugFile !== undefined) {
    try {
      const file = new LogFile(options.debugFile);
      return (line) => file.line(stamp(line));
    } catch (error) {
      const [, first = '', rest = ''] = /^\w+: (.)([^,]*)/.exec((error as Error).message) ?? [];
      const reason = first.toUpperCase() + rest;
      messages.say(`Cannot open ${options.debugFile} for writing. ${reason}. Switching to stderr.`);
    }
  }
  return (line) => messages.say(stamp(line));
}
