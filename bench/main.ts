// Measures our server against gdbserver, and lldb-server where there is one, in interleaved rounds.
import fs from 'node:fs';
import path from 'node:path';
import yargs from 'yargs';
import { build, measure } from './measure';
import { plot } from './plot';
import { lines, markdown, type Rounds } from './report';
import { rowsFor, THREADS } from './rows';
import { providerKinds, serverKinds } from './servers';

const DOCS = path.resolve(__dirname, '../../docs');

async function main(argv: string[]): Promise<void> {
  const args = await yargs(argv)
    .scriptName('scripts/bench')
    .option('rounds', { type: 'number', default: 5 })
    .option('only', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe:
        'trips step breakpoint interrupt condition range memory attach start; nothing is written then',
    })
    .option('threads', { type: 'number', array: true, default: [...THREADS] })
    .option('providers', {
      type: 'boolean',
      default: false,
      describe:
        'our server with each provider, where the module is loaded; nothing is written then',
    })
    .strict().argv;
  const kinds = args.providers ? providerKinds() : serverKinds();
  const names = kinds.map(({ name }) => name);
  const [base = '', ...others] = names;
  build();
  const rounds: Rounds = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < args.rounds; round++) {
    console.log(`round ${round + 1} of ${args.rounds}`);
    // who comes first changes, so that a slow drift of the machine favours nobody
    for (const kind of round % 2 ? [...kinds].reverse() : kinds)
      rounds.get(kind.name)?.push(await measure(kind, args.only, args.threads));
  }
  const all = lines(rounds, base, rowsFor(args.threads));
  const text = markdown(all, names, args.rounds);
  console.log(text.slice(text.indexOf('| what')));
  if (args.only.length > 0 || args.providers) return;
  fs.writeFileSync(path.join(DOCS, 'performance.md'), text);
  fs.writeFileSync(path.join(DOCS, 'performance.svg'), plot(all, base, others));
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
