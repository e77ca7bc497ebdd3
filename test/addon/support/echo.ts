// A program: echoes what it reads. Arguments: "tcp", "unix PATH" or "stdio". Prints the port of tcp,
// "ready" for unix; SIGTERM ends it through the reactor. Ends when the stream of stdio ends.
import { native, READY_READ, READY_SIGNAL } from '../../../src/native';

const SIGTERM = 15;
const [kind = '', where = ''] = process.argv.slice(2);
const reactor = new native.Reactor();
const buf = new Uint8Array(1 << 16);
let listener = 0;

reactor.watchSignals([SIGTERM]);

if (kind === 'tcp') {
  listener = reactor.listenTcp('127.0.0.1', 0);
  console.log(reactor.port(listener));
} else if (kind === 'unix') {
  listener = reactor.listenUnix(where, 0o600);
  console.log('ready');
} else {
  reactor.openStdio();
}

function end(): void {
  if (listener) reactor.close(listener);
  reactor.stop();
}

function serve(id: number): void {
  const got = reactor.read(id, buf, 0, buf.length);
  if (got > 0) reactor.write(id, buf, 0, got);
  if (got !== 0) return;
  reactor.close(id);
  if (kind === 'stdio') end();
}

reactor.start((pairs) => {
  for (let i = 0; i < pairs; i++) {
    const [id = 0, bits = 0] = reactor.ready.subarray(2 * i, 2 * i + 2);
    if (bits & READY_SIGNAL && reactor.takeSignal() === SIGTERM) end();
    else if (id === listener) while (reactor.accept(id)) continue;
    else if (bits & READY_READ) serve(id);
  }
});
