import fs from 'node:fs';
import type { GdbConsole } from '../../../src/cli/demo/gdb-console';
import { PATIENCE } from '../../support/patience';

/**
 * Starts a continue; the server, which logs its packets, has it on return, so that a ^C can only
 * come behind it. What gdb says of it, it says before.
 */
export async function goesOn(gdb: GdbConsole, packets: string): Promise<void> {
  const resumes = (): number => fs.readFileSync(packets, 'utf8').split('-> vCont;c').length;
  const before = resumes();
  gdb.begin('continue');
  for (const limit = Date.now() + 20_000 * PATIENCE; resumes() === before;) {
    if (Date.now() > limit) throw new Error('no continue arrived');
    await new Promise((done) => setTimeout(done, 5));
  }
}
