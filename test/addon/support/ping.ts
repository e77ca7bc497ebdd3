// A program: sends 16 bytes to 127.0.0.1:PORT and waits for 16 back, COUNT times, with a reactor of
// its own; prints the 5th, 50th and 95th percentile of the round trips in microseconds.
import { native } from '../../../src/native';

const [port = '', count = ''] = process.argv.slice(2);
const reactor = new native.Reactor();
const id = reactor.connectTcp('127.0.0.1', Number(port));
const message = new Uint8Array(16).fill(0x78);
const buf = new Uint8Array(64);
const trips: number[] = [];

for (let i = 0; i < Number(count); i++) {
  const began = process.hrtime.bigint();
  reactor.write(id, message, 0, message.length);
  let got = 0;
  while (got < message.length) {
    if (reactor.turn(60_000) === 0) throw new Error('no answer in a minute');
    const n = reactor.read(id, buf, 0, buf.length);
    if (n === 0) throw new Error('the peer is gone');
    got += Math.max(n, 0);
  }
  trips.push(Number(process.hrtime.bigint() - began) / 1000);
}
reactor.close(id);
trips.sort((a, b) => a - b);
const at = (part: number): string => (trips[Math.floor(trips.length * part)] ?? 0).toFixed(1);
console.log(`p5 ${at(0.05)} p50 ${at(0.5)} p95 ${at(0.95)} us`);
