import type { Log } from '../rsp/log';
import type { GdbserverOptions } from './gdbserver-options';
import { PacketLog } from './packet-log';
import type { Messages } from './stderr';

/** Where --debug, --remote-debug and --log-packets send their lines. */
export interface DebugOutput {
  logPackets?: (line: string) => void;
  log?: Log;
}

/** Throws an Error with .code when --log-packets cannot be opened. */
export function debugOutput(options: GdbserverOptions, messages: Messages): DebugOutput {
  const file = options.logPackets === undefined ? undefined : new PacketLog(options.logPackets);
  const debug = debugLines(options, messages);
  const remote = options.debug.has('remote');
  return {
    ...(file || remote
      ? {
          logPackets: (line: string): void => {
            file?.line(line);
            if (remote) debug(`[remote] ${line}`);
          },
        }
      : {}),
    ...(options.debug.has('threads')
      ? { log: (level, text): void => debug(`[threads] ${level}: ${text}`) }
      : {}),
  };
}

function debugLines(options: GdbserverOptions, messages: Messages): (line: string) => void {
  const stamp = (line: string): string =>
    options.timestamps ? `${(Date.now() / 1000).toFixed(6)} ${line}` : line;
  if (options.debugFile !== undefined) {
    try {
      const file = new PacketLog(options.debugFile);
      return (line) => file.line(stamp(line));
    } catch (error) {
      const reason = (error as Error).message.replace(/^\w+: ([^,]*),.*/, '$1');
      messages.say(`Cannot open ${options.debugFile} for writing. ${reason}. Switching to stderr.`);
    }
  }
  return (line) => messages.say(stamp(line));
}
