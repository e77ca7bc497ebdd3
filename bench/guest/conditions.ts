// Run in a guest: what a hit with a false condition costs, through gdb with each provider and with
// gdbserver, and by a plain uprobe of the kernel with the same check at the same instruction.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { GdbConsole } from '../../src/cli/demo/gdb-console';
import { conditionProgram, hitCost } from '../condition';
import { median } from '../rows';
import { providerKinds, type ServerKind } from '../servers';
import { end, endWith, freePort, serve } from '../serving';

const ROUNDS = Number(process.argv[2] ?? 3);
/** The module of bench/guest/uprobe. */
const UPROBE = process.argv[3];
/** So many hits are enough to know how many more to make. */
const FEW = 50;
const PARAMETERS = '/sys/module/uprobe/parameters';
const UPROBE_MS = 2000;

/** Where gdb breaks at f: its offset in the program's file; and its argument's in the frame. */
interface Place {
  offset: bigint;
  frame: number;
}

/** The place of an address in the file it is mapped from. */
function offsetOf(pid: number, addr: bigint): bigint {
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, start = '0', to = '0', offset = '0'] =
      /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+)/.exec(line) ?? [];
    if (addr >= BigInt(`0x${start}`) && addr < BigInt(`0x${to}`))
      return addr - BigInt(`0x${start}`) + BigInt(`0x${offset}`);
  }
  throw new Error(`0x${addr.toString(16)} is not mapped`);
}

async function placeOf(gdb: GdbConsole): Promise<Place> {
  const number = async (what: string): Promise<string> =>
    /= (\S+)/.exec(await gdb.send(`print/d ${what}`))?.[1] ?? '';
  const [, pid = '0'] = /process (\d+)/.exec(await gdb.send('info inferiors')) ?? [];
  return {
    offset: offsetOf(Number(pid), BigInt(await number('(long) $pc'))),
    frame: Number(await number('(long) &x - (long) $rbp')),
  };
}

/** Hits a second, and the place. */
async function throughGdb(kind: ServerKind, program: string): Promise<[number, Place]> {
  const port = await freePort();
  const server = await serve(kind.launch(port, program, []), port);
  const gdb = await GdbConsole.start(program);
  try {
    await gdb.send(`target remote 127.0.0.1:${port}`);
    // else gdb might decide itself, and each hit would be told
    const answer = await gdb.send('set breakpoint condition-evaluation target');
    if (answer.trim() !== '') throw new Error(`${kind.name}: ${answer}`);
    const { long } = await hitCost(gdb, FEW);
    return [1e6 / long, await placeOf(gdb)];
  } finally {
    await gdb.vanish();
    await endWith(server.child, program);
  }
}

async function byUprobe(module: string, program: string, place: Place): Promise<number> {
  const child = spawn(program, { stdio: 'ignore' });
  const hits = (): number => Number(fs.readFileSync(`${PARAMETERS}/hits`, 'utf8'));
  try {
    await once(child, 'spawn');
    const { offset, frame } = place;
    execFileSync('insmod', [module, `path=${program}`, `offset=${offset}`, `frame=${frame}`]);
    const [before, begun] = [hits(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, UPROBE_MS));
    const [after, ended] = [hits(), performance.now()];
    execFileSync('rmmod', ['uprobe']);
    return ((after - before) * 1000) / (ended - begun);
  } finally {
    await end(child);
  }
}

async function main(): Promise<void> {
  // uprobes want a file of a plain file system
  const program = '/run/ntrace-condition';
  fs.copyFileSync(conditionProgram('O0'), program);
  const rates = new Map<string, number[]>();
  const add = (name: string, rate: number): void => {
    rates.set(name, [...(rates.get(name) ?? []), rate]);
    console.log(`  ${name}: ${Math.round(rate)} hits/s`);
  };
  for (let round = 1; round <= ROUNDS; round++) {
    console.log(`round ${round} of ${ROUNDS}, Linux ${os.release()}`);
    let place: Place | undefined;
    for (const kind of providerKinds()) {
      const [rate, at] = await throughGdb(kind, program);
      add(kind.name, rate);
      place = at;
    }
    if (UPROBE !== undefined && place) add('uprobe', await byUprobe(UPROBE, program, place));
  }
  const compare = (name: string, base: string): void => {
    const theirs = rates.get(base);
    if (!theirs) return;
    const ratios = (rates.get(name) ?? []).map((rate, round) => rate / (theirs[round] ?? NaN));
    console.log(`${name} / ${base}: x${median(ratios).toPrecision(3)}`);
  };
  for (const name of ['kernel', 'embedded'])
    for (const base of ['gdbserver', 'uprobe']) compare(name, base);
}

main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
