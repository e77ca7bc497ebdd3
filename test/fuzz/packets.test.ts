// Packets of all kinds, good and bad, into framer, session and dispatcher on the fake machine.
// NTRACE_FUZZ_COUNT packets of NTRACE_FUZZ_SEED; a failure names its seed and its packet.
// NTRACE_TEST_EFFORT=10 sends ten times as many as usual.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Dispatcher } from '../../src/rsp/dispatch';
import { allPackets } from '../../src/rsp/packets';
import { EFFORT } from '../support/effort';
import { damaged, frame } from './damage';
import { fence, type Fence } from './fence';
import { Grammar } from './grammar';
import { Random } from './random';
import { World } from './world';

const COUNT = Number(process.env.NTRACE_FUZZ_COUNT ?? 300_000 * EFFORT);
const SEED = Number(process.env.NTRACE_FUZZ_SEED ?? Date.now() % 0x7fffffff);
/** Packets one session gets. */
const PER_WORLD = 5000;
const PROBE_EVERY = 64;
const LIMIT_MS = 250;
const GROWTH = 32 << 20;
const PEAK = 512 << 20;

const PROBES: readonly (readonly [Buffer, RegExp])[] = [
  [frame(Buffer.from('qSupported:multiprocess+;swbreak+;error-message+')), /^\$PacketSize=/],
  [frame(Buffer.from('?')), /^\$(T|S|W|X|N|OK)/],
  [frame(Buffer.from('qAttached')), /^\$([01]#|E)/],
  [frame(Buffer.from('g')), /^\$([0-9a-fx]|E)/],
];
/** Ends what a cut-off packet left open. */
const END = Buffer.from('#00');
const BETWEEN = ['+', '-', '\x03', '++-', '%', '\x03\x03'].map((text) => Buffer.from(text));

let directory: string;
let around: Fence;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-fuzz-'));
  around = fence(directory);
});
afterAll(() => {
  around.end();
  fs.rmSync(directory, { recursive: true });
});

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;
async function used(): Promise<number> {
  // buffers whose finalizers have run belong to nobody a turn later
  for (let turn = 0; turn < 3; turn++) {
    collect();
    await new Promise(setImmediate);
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Feeds packets, watching the clock, and asks between them whether the session is well. */
class Run {
  done = 0;
  asked = 0;
  slowest = 0;
  private cpu = process.cpuUsage();

  constructor(
    private readonly random: Random,
    private readonly world: World,
  ) {}

  packet(bytes: Buffer): void {
    const { random } = this;
    if (random.oneIn(2000)) {
      this.everySplit(bytes);
      return;
    }
    const cut = random.oneIn(4) ? random.below(bytes.length + 1) : 0;
    if (cut > 0) this.timed(bytes, 0, cut);
    this.timed(bytes, cut, bytes.length);
    this.done++;
    if (random.oneIn(50)) this.world.feed(random.pick(BETWEEN));
  }
  private everySplit(bytes: Buffer): void {
    for (let at = 1; at < bytes.length && at < 200; at++) {
      this.timed(bytes, 0, at);
      this.timed(bytes, at, bytes.length);
      this.done++;
    }
  }
  /** Time that others took from us does not count. */
  private timed(bytes: Buffer, from: number, to: number): void {
    this.cpu = process.cpuUsage();
    const began = performance.now();
    try {
      this.world.feed(bytes, from, to);
    } catch (error) {
      throw new Error(`thrown at ${shown(bytes)}: ${(error as Error).stack}`);
    }
    let took = performance.now() - began;
    if (took >= LIMIT_MS) took = process.cpuUsage(this.cpu).user / 1000;
    if (took >= LIMIT_MS) throw new Error(`${took} ms for ${shown(bytes)}`);
    this.slowest = Math.max(this.slowest, took);
  }
  /** A good packet after bad ones: where it is refused it is sent again, as every client does. */
  probe(): void {
    const { world } = this;
    if (this.random.oneIn(2)) world.feed(END);
    const [bytes, wanted] = PROBES[this.asked++ % PROBES.length]!;
    for (let tries = 0; tries < 2; tries++) {
      world.reply = '';
      world.feed(bytes);
      if (wanted.test(world.reply)) return;
    }
    throw new Error(`${shown(bytes)} was answered with "${world.reply}"`);
  }
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, 300));
}

test(
  `${COUNT} packets, NTRACE_FUZZ_SEED=${SEED}`,
  async () => {
    const random = new Random(SEED);
    const dispatcher = new Dispatcher(allPackets());
    const internal = new Set<string>();
    const began = process.memoryUsage.rss();
    let peak = began;
    let done = 0;
    let asked = 0;
    let slowest = 0;
    let early = 0;

    while (done < COUNT) {
      const world = new World(dispatcher, directory, random.next());
      const grammar = new Grammar(dispatcher.packets, random, world);
      const run = new Run(random, world);
      const wanted = Math.min(PER_WORLD, COUNT - done);
      for (let next = PROBE_EVERY; run.done < wanted;) {
        const content = Buffer.from(grammar.packet(), 'latin1');
        run.packet(random.oneIn(2) ? frame(content) : damaged(content, random));
        if (run.done < next) continue;
        next = run.done + PROBE_EVERY;
        run.probe();
      }
      run.probe();
      done += run.done;
      asked += run.asked;
      slowest = Math.max(slowest, run.slowest);
      for (const text of world.internal) internal.add(text);
      world.close();
      // what weak references saw lives until the end of a turn
      await new Promise(setImmediate);
      peak = Math.max(peak, process.memoryUsage.rss());
      if (early === 0 && done >= COUNT / 10) early = await used();
    }
    expect([...internal]).toEqual([]);
    expect(around.tried).toEqual([]);
    expect((await used()) - early).toBeLessThan(GROWTH);
    expect(peak - began).toBeLessThan(PEAK);
    console.log(`${done} packets, ${asked} probes, slowest ${slowest.toFixed(1)} ms`);
  },
  600_000 * EFFORT,
);
