import type { Server } from '../rsp/server';
import type { Messages } from './stderr';

const FATAL_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Ends the process as the server says, and by the signal that asked for it, cleaned up first. */
export function endWithSignals(server: Server, messages: Messages): void {
  server.onExit = (code): void => {
    messages.flush();
    process.exit(code);
  };
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
