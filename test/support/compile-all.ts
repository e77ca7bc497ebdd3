// Compiles the programs that several levels share, so that no level does beside another.
import fs from 'node:fs';
import path from 'node:path';
import { build as buildBench } from '../../bench/measure';
import { multilib } from '../gdb/support/needs';
import { program as gdbProgram } from '../gdb/support/program';
import { program as stackProgram } from '../stack/support/programs';
import { program as contractProgram } from './programs';
import { repositoryRoot } from './root';

export function compileAll(): void {
  const narrow = multilib() === '';
  for (const [folder, compile] of [
    ['test/support/programs', contractProgram],
    ['test/gdb/programs', gdbProgram],
    ['test/stack/programs', stackProgram],
  ] as const)
    for (const file of fs.readdirSync(path.join(repositoryRoot, folder))) {
      const name = path.basename(file, '.c');
      if (file.endsWith('.c') && (narrow || !name.endsWith('32'))) compile(name);
    }
  stackProgram('leaky', '-fsanitize=leak');
  buildBench(); // or nobody would see that it does not compile any more
}

if (require.main === module) compileAll();
