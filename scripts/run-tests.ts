// Runs the linters and every level of tests, and sums them in one closing line.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface Sum {
  passed: number;
  failed: number;
  skipped: number;
}

interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

const ROOT = path.resolve(__dirname, '../..');
const LIMIT_MS = 30 * 60_000;
// guests are slow, and each test in them has a limit of its own
const VM_LIMIT_MS = 4 * 60 * 60_000;
// they drive other processes and measure time: one file after the other
const SERIAL_LEVELS = ['addon', 'contract', 'cli', 'gdb', 'stack', 'fuzz', 'hostile', 'strace'];
const VM_LEVEL = 'vm';
const CHECKS: [name: string, command: string, args: string[]][] = [
  ['eslint', 'node_modules/.bin/eslint', ['.']],
  ['prettier', 'node_modules/.bin/prettier', ['--check', '--log-level', 'warn', '.']],
  ['clang-format', 'scripts/clang-format-check', []],
];

function levels(): string[] {
  return fs
    .readdirSync(path.join(ROOT, 'build/test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'support')
    .map((entry) => entry.name);
}

function lint(): Sum {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, command, args] of CHECKS) {
    const { status } = spawnSync(path.join(ROOT, command), args, { cwd: ROOT, stdio: 'inherit' });
    console.log(`${status === 0 ? 'PASS' : 'FAIL'} ${name}`);
    if (status === 0) sum.passed++;
    else sum.failed++;
  }
  return sum;
}

function jest(
  chosen: string[],
  serial: boolean,
  limitMs: number = LIMIT_MS,
  env: NodeJS.ProcessEnv = {},
): Sum {
  const present = levels().filter((level) => chosen.includes(level));
  if (present.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-test-'));
  const report = path.join(scratch, 'report.json');
  try {
    spawnSync(
      path.join(ROOT, 'node_modules/.bin/jest'),
      [
        ...(serial ? ['--runInBand', '--testTimeout=60000'] : ['--maxWorkers=2']),
        '--passWithNoTests',
        '--forceExit', // a test that leaves something open must not hang the rest
        '--json',
        `--outputFile=${report}`,
        ...present.map((level) => `build/test/${level}/`),
      ],
      {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: limitMs,
        env: { ...process.env, ...env },
      },
    );
    if (!fs.existsSync(report)) {
      console.log(`FAIL jest (${present.join(', ')}): it ended without a report`);
      return { passed: 0, failed: 1, skipped: 0 };
    }
    return sumUp(JSON.parse(fs.readFileSync(report, 'utf8')) as JestReport);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

// a skipped test carries its reason in its title
function sumUp(report: JestReport): Sum {
  for (const { assertionResults } of report.testResults)
    for (const { status, fullName } of assertionResults)
      if (status === 'pending' || status === 'todo') console.log(`SKIP ${fullName}`);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function main(chosen: string[]): number {
  const all = chosen.length === 0;
  const wanted = all ? levels() : chosen;
  const sums = [
    ...(all ? [lint()] : []),
    jest(
      wanted.filter((level) => ![...SERIAL_LEVELS, VM_LEVEL].includes(level)),
      false,
    ),
    jest(
      wanted.filter((level) => SERIAL_LEVELS.includes(level)),
      true,
    ),
    jest(
      wanted.filter((level) => level === VM_LEVEL),
      true,
      VM_LIMIT_MS,
      all ? { NTRACE_VM_SHORT: '1' } : {},
    ),
  ];
  const total = (key: keyof Sum): number => sums.reduce((sum, part) => sum + part[key], 0);
  console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
  return total('failed') === 0 && total('passed') > 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
