// Runs in the guest: levels of tests, or some of their files, as one file of jest's, because loading
// everything anew for each file is what would take longest there. NTRACE_VM_LEVELS chooses, in this
// order: contract,gdb or contract/step,gdb/stacking. NTRACE_TEST_OFF=step,exec: the rows of the contract
// with each of these features switched off in turn, of the module in NTRACE_TEST_MODULE.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type * as Contract from '../../contract/contract';
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

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

const off = process.env['NTRACE_TEST_OFF'];
if (off !== undefined) {
  const { defineWithout } = jest.requireActual<typeof Contract>('../../contract/contract');
  for (const feature of off.split(','))
    defineWithout(feature, () => {
      run('rmmod', 'ntrace');
      run('insmod', process.env['NTRACE_TEST_MODULE'] ?? '', `off=${feature}`);
    });
}
