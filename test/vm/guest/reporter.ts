// jest's reporter in the guest: a line for every test as soon as it ends, and a mark in the
// kernel's log where it begins, so that a complaint of the kernel names the test.
import fs from 'node:fs';
import type { Reporter, Test, TestCaseResult } from '@jest/reporters';

const KERNEL_LOG = '/dev/kmsg';

export default class GuestReporter implements Pick<Reporter, 'onTestCaseStart'> {
  private readonly sum = { passed: 0, failed: 0, skipped: 0 };

  onTestCaseStart(_test: Test, { fullName }: { fullName: string }): void {
    fs.writeFileSync(KERNEL_LOG, `ntrace-test: ${fullName}\n`);
  }

  onTestCaseResult(_test: Test, result: TestCaseResult): void {
    const { status, fullName, duration, failureMessages } = result;
    if (status === 'passed') {
      this.sum.passed++;
      console.log(`PASS ${fullName} (${duration ?? 0} ms)`);
    } else if (status === 'failed') {
      this.sum.failed++;
      console.log(`FAIL ${fullName} (${duration ?? 0} ms)\n${failureMessages.join('\n')}`);
    }
  }

  onRunComplete(_contexts: unknown, results: Results): void {
    for (const { testExecError, testResults } of results.testResults) {
      if (testExecError) console.log(`FAIL to run at all: ${testExecError.message}`);
      for (const { status, fullName } of testResults)
        if (status !== 'passed' && status !== 'failed') {
          this.sum.skipped++;
          console.log(`SKIP ${fullName}`);
        }
    }
    const { passed, failed, skipped } = this.sum;
    const broken = failed + results.numRuntimeErrorTestSuites;
    console.log(`${passed} passed, ${broken} failed, ${skipped} skipped`);
  }
}

interface Results {
  numRuntimeErrorTestSuites: number;
  testResults: {
    testExecError?: { message: string } | undefined;
    testResults: { status: string; fullName: string }[];
  }[];
}
