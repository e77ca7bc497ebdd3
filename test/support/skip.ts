import fs from 'node:fs';
import { REPORT, type Line } from '../../scripts/tests/lines';

/** The test that calls this, and returns, says nothing here, for this reason. */
export function skipped(reason: string): void {
  const name = expect.getState().currentTestName ?? '';
  const file = process.env[REPORT];
  const line: Line = { kind: 'skip', name, reason };
  if (file === undefined) console.log(`SKIP ${name} [${reason}]`);
  else fs.appendFileSync(file, `${JSON.stringify(line)}\n`);
}
