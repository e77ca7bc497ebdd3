import fs from 'node:fs';
import net from 'node:net';
import type { Engine } from './engine-api';
import { ownDirectory, publishedIn, socketPath } from './who-directory';
import { reportEngines, type EngineReport } from './who-report';

const OWNER_ONLY = 0o600;
const REQUEST_LIMIT = 4096; // bytes of one line
const PATIENCE_MS = 5000;

/** One line of JSON each way. */
export type WhoRequest = { ask: 'who' } | { ask: 'release'; engine: string; tid: number };
export type WhoReply = { engines: EngineReport[] } | { released: number } | { error: string };

/** What a process with engines of the embedded provider answers with. */
export interface WhoSource {
  engines(): Iterable<Engine>;
  /** Lets an engine's holds go (tid 0: all); how many. Throws Error with the reason. */
  release(engine: string, tid: number): number;
}

/** A socket in the user's runtime directory by which others ask what our engines hold. */
export interface Publication {
  close(): void;
}

function answer(source: WhoSource, line: string): WhoReply {
  try {
    const request = JSON.parse(line) as Partial<WhoRequest>;
    if (request.ask === 'who') return { engines: reportEngines(source.engines()) };
    if (request.ask === 'release' && typeof request.engine === 'string')
      return { released: source.release(request.engine, Number(request.tid ?? 0)) };
    return { error: 'asked neither who nor release' };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function serve(source: WhoSource, client: net.Socket): void {
  let text = '';
  client.setTimeout(PATIENCE_MS, () => client.destroy());
  client.on('error', () => client.destroy());
  client.setEncoding('utf8').on('data', (data: string) => {
    text += data;
    const end = text.indexOf('\n');
    if (end >= 0) client.end(`${JSON.stringify(answer(source, text.slice(0, end)))}\n`);
    else if (text.length > REQUEST_LIMIT) client.destroy();
  });
}

function removeStale(directory: string): void {
  for (const { pid, socket } of publishedIn(directory))
    if (pid === process.pid || !fs.existsSync(`/proc/${pid}`)) fs.rmSync(socket, { force: true });
}

/**
 * Publishes this process's engines until close(). Who may connect is who may enter the directory:
 * this user and root. undefined, with a word to `warn`, where there is no place for it.
 */
export function publish(
  source: WhoSource,
  warn: (text: string) => void = () => undefined,
): Publication | undefined {
  const directory = ownDirectory();
  if (directory === undefined) {
    warn('not listed by ntrace ps: no runtime directory (XDG_RUNTIME_DIR, /run/user, /tmp)');
    return undefined;
  }
  removeStale(directory);
  const socket = socketPath(directory, process.pid);
  const server = net.createServer((client) => serve(source, client));
  server.on('error', (error) => warn(`not listed by ntrace ps: ${error.message}`));
  server.listen(socket).unref();
  try {
    fs.chmodSync(socket, OWNER_ONLY);
  } catch {
    // it could not be made: the server says why
  }
  return { close: () => void server.close() };
}
