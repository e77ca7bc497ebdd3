// jest's environment in the guest: what is not begun after so many seconds of the guest's life
// (NTRACE_VM_SECONDS) is skipped, and says so in its name.
import os from 'node:os';
import { TestEnvironment } from 'jest-environment-node';
import { LATE } from './late';

interface Event {
  name: string;
  test?: { name: string; mode?: string | null | undefined };
}

export default class GuestEnvironment extends TestEnvironment {
  private readonly seconds = Number(process.env['NTRACE_VM_SECONDS'] ?? Infinity);

  /** Called before each test. */
  handleTestEvent({ name, test }: Event): void {
    if (name !== 'test_start' || test === undefined || os.uptime() < this.seconds) return;
    if (test.mode === 'skip' || test.mode === 'todo') return;
    test.mode = 'skip';
    test.name += LATE;
  }
}
