// A short run of the fuzzer of decoder and planner with gcc's sanitizers; NTRACE_FUZZ_SECONDS
// makes it longer, NTRACE_FUZZ_SEED repeats one. With clang, from the repository:
//   clang -fsanitize=fuzzer,address,undefined -Ikernel/core test/fuzz/insn/fuzz.c \
//     kernel/core/insn*.c kernel/core/ool*.c -o fuzz && ./fuzz -max_len=40 test/fuzz/insn/corpus
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { coreProgram } from '../../core/insn/build';
import { EFFORT } from '../../support/effort';
import { repositoryRoot } from '../../support/root';

const SECONDS = Number(process.env['NTRACE_FUZZ_SECONDS'] ?? 5 * EFFORT);
const SEED = Number(process.env['NTRACE_FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
const CORPUS = path.join(repositoryRoot, 'test/fuzz/insn/corpus');
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

test(
  `any bytes can be decoded and planned (seed ${SEED})`,
  async () => {
    const files = ['fuzz/insn/fuzz.c', 'fuzz/insn/driver.c'];
    const program = coreProgram('fuzz', files, SANITIZERS);
    const corpus = fs.readdirSync(CORPUS).map((name) => path.join(CORPUS, name));
    expect(corpus.length).toBeGreaterThan(0);
    const args = [String(SECONDS), String(SEED), ...corpus];
    const { stdout } = await promisify(execFile)(program, args);
    expect(Number(stdout)).toBeGreaterThan(10_000);
  },
  300_000 + 1000 * SECONDS,
);
