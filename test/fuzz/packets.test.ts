import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { native } from '../../src/native';
import { Dispatcher } from '../../src/rsp/dispatch';
import { allPackets } from '../../src/rsp/packets';
import { damaged, frame } from './damage';
import { Grammar } from './grammar';
import { Random } from './random';
import { World } from './world';

// NTRACE_FUZZ_COUNT packets of NTRACE_FUZZ_SEED; a failure names its seed
const COUNT = Number(process.env.NTRACE_FUZZ_COUNT ?? 1_000_000);
const SEED = Number(process.env.NTRACE_FUZZ_SEED ?? Date.now() % 0x7fffffff);
const PER_WORLD = 5000;
const PROBE_EVERY = 64;
const LIMIT_MS = 250;
const GROWTH = 48 << 20;
const EACCES = 13;

const PROBES: readonly (readonly [string, RegExp])[] = [
  ['qSupported:multiprocess+;swbreak+;error-message+', /^\$PacketSize=/],
  ['?', /^\$(T|S|W|X|N|OK)/],
  ['qAttached', /^\$([01]#|E)/],
  ['g', /^\$([0-9a-fx]|E)/],
];

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-fuzz-'));
});
afterAll(() => {
  fs.rmSync(directory, { recursive: true });
});

/**
 * No packet may come to the real machine but to files in our directory; tells what was tried. The
 * functions are replaced by hand: a mock would remember a million calls.
 */
function fence(): { tried: string[]; end: () => void } {
  const { openInRoot, unlinkInRoot, readlinkInRoot, kill, spawn, openEmbedded } = native;
  const tried: string[] = [];
  const inside = (file: string): boolean =>
    path.resolve(file).startsWith(directory + path.sep) && !file.includes('..');
  const forbid = (what: string) => (): never => {
    tried.push(what);
    throw new Error(`a packet came to ${what}`);
  };
  Object.assign(native, {
    openInRoot: (_pid: number, file: string, flags: number, mode: number) =>
      inside(file) ? openInRoot(0, file, flags, mode) : -EACCES,
    unlinkInRoot: (_pid: number, file: string) => (inside(file) ? unlinkInRoot(0, file) : -EACCES),
    readlinkInRoot: (_pid: number, file: string) =>
      inside(file) ? readlinkInRoot(0, file) : -EACCES,
    kill: forbid('kill'),
    spawn: forbid('spawn'),
    openEmbedded: forbid('openEmbedded'),
  });
  const end = (): void =>
    void Object.assign(native, {
      openInRoot,
      unlinkInRoot,
      readlinkInRoot,
      kill,
      spawn,
      openEmbedded,
    });
  return { tried, end };
}

const collect = ((): (() => void) => {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
})();
function used(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`${COUNT} packets, NTRACE_FUZZ_SEED=${SEED}`, () => {
  const { tried, end: unfence } = fence();
  const random = new Random(SEED);
  const dispatcher = new Dispatcher(allPackets());
  const probes = PROBES.map(([text, reply]) => [frame(Buffer.from(text)), reply] as const);
  const dead = Buffer.from('#00');
  let slowest = 0;
  let asked = 0;
  let answered = 0;
  let done = 0;
  let early = 0;
  let cpu = process.cpuUsage();
  const internal = new Set<string>();

  /** The good packet after bad ones: when it is refused it is sent again, as every client does. */
  const probe = (world: World): void => {
    const [bytes, wanted] = probes[asked++ % probes.length]!;
    for (let tries = 0; tries < 2; tries++) {
      world.reply = undefined;
      world.feed(bytes);
      if (world.reply && wanted.test((world.reply as Buffer).toString('latin1'))) {
        answered++;
        return;
      }
    }
  };
  /** Feeds, and watches the clock; time others took from us does not count. */
  const timed = (world: World, bytes: Buffer, from: number, to: number): void => {
    const began = performance.now();
    world.feed(bytes, from, to);
    const took = performance.now() - began;
    if (took < LIMIT_MS) slowest = Math.max(slowest, took);
    else slowest = Math.max(slowest, process.cpuUsage(cpu).user / 1000);
    if (slowest >= LIMIT_MS)
      throw new Error(`${slowest} ms for ${bytes.toString('latin1', 0, 200)}`);
  };
  const everySplit = (world: World, bytes: Buffer): void => {
    for (let at = 1; at < bytes.length && at < 200; at++) {
      timed(world, bytes, 0, at);
      timed(world, bytes, at, bytes.length);
      done++;
    }
  };

  while (done < COUNT) {
    const world = new World(dispatcher, directory, random.next());
    const grammar = new Grammar(dispatcher.packets, random, world);
    const end = Math.min(done + PER_WORLD, COUNT);
    let next = done + PROBE_EVERY;
    while (done < end) {
      const content = Buffer.from(grammar.packet(), 'latin1');
      const bytes = random.oneIn(2) ? frame(content) : damaged(content, random);
      if (random.oneIn(2000)) everySplit(world, bytes);
      else {
        const cut = random.oneIn(4) ? random.below(bytes.length + 1) : 0;
        if (cut > 0) timed(world, bytes, 0, cut);
        timed(world, bytes, cut, bytes.length);
        done++;
      }
      if (random.oneIn(50)) world.feed(Buffer.from(random.pick(['+', '-', '\x03', '++-', '%'])));
      if (done < next) continue;
      next = done + PROBE_EVERY;
      cpu = process.cpuUsage();
      if (random.oneIn(2)) world.feed(dead);
      probe(world);
      if (answered < asked)
        throw new Error(`no answer to a good packet after ${done} packets: ${world.reply}`);
    }
    for (const text of world.internal) internal.add(text);
    world.close();
    if (early === 0 && done >= COUNT / 10) early = used();
  }
  expect([...internal]).toEqual([]);
  expect(tried).toEqual([]);
  unfence();
  expect(used() - early).toBeLessThan(GROWTH);
  console.log(`${done} packets, ${asked} probes, slowest ${slowest.toFixed(1)} ms`);
}, 600_000);
