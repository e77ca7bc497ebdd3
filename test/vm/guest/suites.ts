// Runs in the guest: levels of tests, or some of their files, as one file of jest's, because loading
// everything anew for each file is what would take longest there. NTRACE_VM_LEVELS chooses, in this
// order: contract,gdb or contract/step,gdb/stacking.
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

const SUFFIX = '.test.js';

for (const entry of (process.env['NTRACE_VM_LEVELS'] ?? '').split(',')) {
  const [level = '', chosen] = entry.split('/');
  const folder = path.join(repositoryRoot, 'build/test', level);
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  for (const file of chosen === undefined ? files : [`${chosen}${SUFFIX}`])
    describe(path.basename(file, SUFFIX), () => {
      jest.requireActual(path.join(folder, file));
    });
}
