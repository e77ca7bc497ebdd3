// A short run of the fuzzer of decoder and planner with gcc's sanitizers; NTRACE_FUZZ_SECONDS
// makes it longer, NTRACE_FUZZ_SEED repeats one.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { coreProgram } from '../../core/insn/build';

const SECONDS = Number(process.env['NTRACE_FUZZ_SECONDS'] ?? 5);
const SEED = Number(process.env['NTRACE_FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

test(
  `any bytes can be decoded and planned (seed ${SEED})`,
  async () => {
    const files = ['fuzz/insn/fuzz.c', 'fuzz/insn/driver.c'];
    const program = coreProgram('fuzz', files, SANITIZERS);
    const { stdout } = await promisify(execFile)(program, [String(SECONDS), String(SEED)]);
    expect(Number(stdout)).toBeGreaterThan(10_000);
  },
  60_000 + 1000 * SECONDS,
);
