// jest's reporter for the runner of all levels: see lines.ts.
import fs from 'node:fs';
import path from 'node:path';
import type { Reporter, Test, TestCaseResult, TestResult } from '@jest/reporters';
import { REPORT, type Line } from './lines';

export default class LineReporter implements Pick<Reporter, 'onTestResult'> {
  private readonly file = process.env[REPORT] ?? '/dev/null';

  onTestCaseStart(_test: Test, { fullName }: { fullName: string }): void {
    this.tell({ kind: 'start', name: fullName });
  }

  onTestCaseResult(_test: Test, result: TestCaseResult): void {
    const { status, fullName, duration, failureMessages } = result;
    if (status !== 'passed' && status !== 'failed') return;
    const message = failureMessages.join('\n');
    this.tell({
      kind: 'test',
      name: fullName,
      passed: status === 'passed',
      ms: duration ?? 0,
      message,
    });
  }

  onTestResult(test: Test, result: TestResult): void {
    const skipped = result.testResults.filter(({ status }) => !/^(passed|failed)$/.test(status));
    const { start, end } = result.perfStats;
    const { testExecError: broken } = result;
    this.tell({
      kind: 'file',
      file: path.relative(test.context.config.rootDir, test.path),
      ms: end - start,
      skipped: skipped.map(({ fullName }) => fullName),
      error: broken ? ([broken.message, broken.stack].find(Boolean) ?? 'it could not be run') : '',
    });
  }

  onRunComplete(): void {
    this.tell({ kind: 'end' });
  }

  private tell(line: Line): void {
    fs.appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}
