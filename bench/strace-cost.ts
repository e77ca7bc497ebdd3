// What tracing costs a program that makes system calls and nothing else: dd with one-byte blocks,
// plain, under strace, under ntrace strace with the module, recorded, and recorded with a filter that
// matches none of its calls. Run where the module is loaded (npm run bench:strace boots a guest).
// dd's own clock counts: the tracers' start does not, and is given time to be over. What is quick is
// done by several dd's one after the other under one tracer.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import yargs from 'yargs';

const NTRACE = path.resolve(__dirname, '../../bin/ntrace');
const OURS = [NTRACE, 'strace', '--engine=kernel'];
const NULL = ['-f', '-o', '/dev/null'];
const SEVERAL = 9;
const START_SECONDS = 5;

interface Way {
  name: string;
  /** How many dd's. */
  count: number;
  argv: string[];
}

const WAYS: readonly Way[] = [
  { name: 'plain', count: SEVERAL, argv: [] },
  { name: 'strace', count: 1, argv: ['strace', ...NULL] },
  { name: 'ntrace strace', count: 1, argv: [...OURS, ...NULL] },
  { name: 'ntrace strace --record', count: 1, argv: [...OURS, '--record', ...NULL] },
  {
    name: 'recorder, no match',
    count: SEVERAL,
    argv: [...OURS, '--record', '-e', 'trace=swapoff', ...NULL],
  },
];

interface Run {
  seconds: number[];
  lost: number;
}

function run(way: Way, blocks: number): Run {
  const dd = `dd if=/dev/zero of=/dev/null bs=1 count=${blocks}`;
  const loop = `sleep ${START_SECONDS}; for i in $(seq ${way.count}); do ${dd} || exit; done`;
  const [command = '', ...args] = [...way.argv, 'sh', '-c', loop];
  const { stderr, status } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const seconds = [...stderr.matchAll(/copied, ([\d.e-]+) s/g)].map(([, text]) => Number(text));
  if (status !== 0 || seconds.length !== way.count) throw new Error(`${way.name}: ${stderr}`);
  const lost = [...stderr.matchAll(/(\d+) events were lost/g)];
  return { seconds, lost: lost.reduce((sum, [, n]) => sum + Number(n), 0) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

async function main(argv: string[]): Promise<void> {
  const { rounds, blocks, only } = await yargs(argv)
    .scriptName('bench/strace-cost')
    .option('rounds', { type: 'number', default: 5 })
    .option('blocks', { type: 'number', default: 200_000 })
    .option('only', { type: 'string', array: true, default: [] as string[] })
    .strict().argv;
  const ways = WAYS.filter(({ name }) => only.length === 0 || ['plain', ...only].includes(name));
  const runs = new Map<string, Run[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    // who comes first changes, so that a slow drift of the machine favours nobody
    for (const way of round % 2 ? [...ways].reverse() : ways) {
      const one = run(way, blocks);
      runs.get(way.name)?.push(one);
      console.log(`round ${round + 1}: ${way.name}: ${one.seconds.join(' ')} s, ${one.lost} lost`);
    }
  const of = (name: string): number => median((runs.get(name) ?? []).flatMap((one) => one.seconds));
  const plain = of('plain');
  const strace = of('strace') - plain;
  console.log(`\n| dd, ${blocks} one-byte blocks, median of ${rounds} | seconds | times plain |`);
  console.log('| --- | --- | --- |');
  for (const { name } of ways) {
    const seconds = of(name);
    console.log(`| ${name} | ${seconds.toFixed(3)} | ${(seconds / plain).toFixed(2)} |`);
  }
  for (const { name } of Number.isFinite(strace) ? ways.slice(2) : []) {
    const ratio = (strace / Math.max(of(name) - plain, 1e-9)).toFixed(1);
    console.log(`${name}: ${ratio} times less overhead than strace`);
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
