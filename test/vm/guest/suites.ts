// Runs in the guest: whole levels of tests as one file of jest's, because loading everything anew
// for each file is what would take longest there. NTRACE_VM_LEVELS=contract,gdb chooses.
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

for (const level of (process.env['NTRACE_VM_LEVELS'] ?? '').split(',')) {
  const folder = path.join(repositoryRoot, 'build/test', level);
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.test.js')))
    describe(path.basename(file, '.test.js'), () => {
      jest.requireActual(path.join(folder, file));
    });
}
