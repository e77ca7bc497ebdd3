// Records that come faster than they are printed.
import type { Channel } from '../../src/engine/channel/channel';
import { EVENT } from '../../src/engine/channel/records';
import { Records } from '../../src/strace/records';

/** Keeps so many records, and drops what comes beyond. */
const RING = 2048;

/** A provider with a ring, and a program that makes records whenever one was printed. */
class Recorder {
  made = 0;
  private ring: number[] = [];
  lost = 0;

  make(count: number): void {
    for (let i = 0; i < count; i++, this.made++)
      if (this.ring.length < RING) this.ring.push(this.made);
      else this.lost++;
  }
  readonly channel = {
    readEvents: (into: Uint8Array): number => {
      const out = Buffer.from(into.buffer, into.byteOffset, into.length);
      const taken = this.ring.splice(0, Math.floor(into.length / EVENT.size));
      for (const [i, number] of taken.entries()) {
        out.writeUInt32LE(EVENT.size, i * EVENT.size);
        out.writeBigUInt64LE(BigInt(number), i * EVENT.size + EVENT.at.addr);
      }
      return taken.length * EVENT.size;
    },
  } as unknown as Channel;
}

/** Prints everything; 20 records are made while one is printed, until there are enough. */
function print(readAhead: boolean): { recorder: Recorder; printed: bigint[] } {
  const recorder = new Recorder();
  const records = new Records(recorder.channel, readAhead);
  const printed: bigint[] = [];
  recorder.make(1);
  while (records.fill())
    while (records.next()) {
      printed.push(records.addr);
      if (recorder.made < 100_000) recorder.make(20);
    }
  return { recorder, printed };
}

test('read ahead, every one is printed, in order', () => {
  const { recorder, printed } = print(true);
  expect(recorder.lost).toBe(0);
  expect(printed).toHaveLength(recorder.made);
  expect(printed.every((number, i) => number === BigInt(i))).toBe(true);
});

test('without that the ring runs over', () => {
  const { recorder, printed } = print(false);
  expect(recorder.lost).toBeGreaterThan(0);
  expect(printed).toHaveLength(recorder.made - recorder.lost);
});
