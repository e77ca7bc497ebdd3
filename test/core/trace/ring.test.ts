// The ring of trace frames against a model, under the sanitizers.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

const core = path.join(repositoryRoot, 'kernel/core');
const ROUNDS = 300;

function ring(): string {
  const binary = path.join(repositoryRoot, 'build/programs/trace-ring');
  fs.mkdirSync(path.dirname(binary), { recursive: true });
  execFileSync('gcc', [
    ...['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', `-I${core}`],
    ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-o', binary],
    path.join(repositoryRoot, 'test/core/trace/ring.c'),
    path.join(core, 'trace_buffer.c'),
  ]);
  return binary;
}

test('every byte of every frame, whatever the sizes', () => {
  const binary = ring();
  for (const seed of ['1', '7', '0xfeed'])
    expect(execFileSync(binary, [seed, String(ROUNDS)], { encoding: 'utf8' })).toBe('same\n');
});
