// Five seconds (times NTRACE_TEST_EFFORT) of random agent expressions through verifier and interpreter, and the corpus.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { EFFORT } from '../../support/effort';
import { repositoryRoot } from '../../support/root';

const HERE = path.join(repositoryRoot, 'test/fuzz/agent');
const OUTPUT = path.join(repositoryRoot, 'build/fuzz');
const SECONDS = 5 * EFFORT;

test('what the verifier accepts runs within its bounds', () => {
  execFileSync(path.join(HERE, 'build.sh'), [OUTPUT, 'gcc']);
  const corpus = path.join(HERE, 'corpus');
  const inputs = fs.readdirSync(corpus).map((file) => path.join(corpus, file));
  expect(inputs.length).toBeGreaterThan(50);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { status, stdout, stderr } = spawnSync(
    path.join(OUTPUT, 'agent-random'),
    [`${SECONDS}`, `${seed}`, ...inputs],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, `seed ${seed}\n`]);
  const [, runs, accepted] = /^(\d+) runs, (\d+) accepted$/m.exec(stdout) ?? [];
  expect(Number(runs)).toBeGreaterThan(1000);
  expect(Number(accepted)).toBeGreaterThan(Number(runs) / 4);
});
