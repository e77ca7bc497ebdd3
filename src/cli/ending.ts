import type { Server } from '../rsp/server';
import type { Messages } from './stderr';

const FATAL_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * The ways a serving process ends, each with everything cleaned up first: as the server says, by the
 * signal that asked for it, or by a mistake of ours, in one line.
 */
export function endProperly(server: Server, messages: Messages): void {
  server.onExit = (code): void => {
    messages.flush();
    process.exit(code);
  };
  process.once('uncaughtException', (error) => {
    server.options.log?.('error', error.stack ?? error.message);
    messages.say(`Internal error: ${error.message}. --debug shows where.`);
    server.shutdown();
    messages.flush();
    process.exit(1);
  });
  for (const signal of FATAL_SIGNALS)
    process.once(signal, () => {
      letGo(server);
      server.shutdown();
      messages.flush();
      process.kill(process.pid, signal); // the handler is gone: this is the default action
    });
}

// as gdbserver: a program nobody has connected to yet outlives the server
function letGo(server: Server): void {
  if (server.options.perClient || server.hadClient) return;
  for (const pid of [...server.engine.inferiors.keys()])
    try {
      server.engine.detach(pid, { release: 'resume' });
    } catch {
      // it died meanwhile
    }
}
