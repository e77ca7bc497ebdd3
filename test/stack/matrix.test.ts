// Tool beside tool, operation by operation. NTRACE_TEST_ENGINE=kernel runs it on the module, where
// strangers that the embedded provider keeps out are expected to work.
import fs from 'node:fs';
import path from 'node:path';
import type { GdbConsole } from '../../src/cli/demo/gdb-console';
import { command, testIf } from '../gdb/support/needs';
import { PATIENCE } from '../support/patience';
import { repositoryRoot } from '../support/root';
import { COMPANIONS, engineBeside, matrixTables, strangerBeside } from './matrix';
import { OPERATIONS } from './support/operations';
import type { Victim } from './support/programs';
import { PROVIDER, Stack } from './support/scene';
import { Running, STRANGERS } from './support/strangers';

jest.setTimeout(120_000 * PATIENCE);

let stack: Stack;
let victim: Victim;
const others: { end(): Promise<void> }[] = [];
beforeEach(async () => {
  stack = await Stack.start();
  victim = await stack.victim('actor', 1);
});
afterEach(async () => {
  for (const other of others.splice(0)) await other.end();
  await stack.end();
});

async function attach(): Promise<GdbConsole> {
  const gdb = await stack.gdb('tcp', 'actor');
  expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
  return gdb;
}

describe.each(COMPANIONS)('a gdb of ntrace beside a %s', (companion) => {
  test.each(OPERATIONS)('$name', async ({ run, ends, leaves }) => {
    const a = await attach();
    const b = await attach();
    // the signal is a's business alone
    await b.send('handle SIGUSR1 nostop noprint pass');
    if (companion === 'gdb that observes') await b.send('monitor observe on');
    await stack.goes(b);
    await run(a, victim, stack);
    if (ends) {
      expect(await b.prompt()).toMatch(/exited with code 011/);
      return;
    }
    if (!leaves) await a.send('detach');
    const text = await b.interrupt();
    expect(text).toMatch(/received signal SIGINT/);
    expect(text).not.toMatch(/Breakpoint|Catchpoint|SIGUSR1|SIGTRAP/);
    await b.send('detach');
    // nothing of either is left in it
    expect(victim.running).toBe(true);
    const last = await attach();
    await last.send('set variable want = 3');
    expect(await last.send('continue')).toMatch(/exited with code 011/);
  });
});

for (const stranger of STRANGERS) {
  testIf(command(stranger.command))(`a gdb of ntrace, then ${stranger.name}`, async () => {
    const gdb = await attach();
    const other = await Running.start(stranger, victim.pid);
    others.push(other);
    expect(other.attached).toBe(strangerBeside(PROVIDER) === 'works');
    // whom it was refused, or who came beside it, is no worse off
    if (other.attached) await other.end();
    await gdb.send('tbreak act');
    expect(await gdb.send('continue')).toMatch(/Temporary breakpoint 1, act/);
  });

  testIf(command(stranger.command))(`${stranger.name}, then a gdb of ntrace`, async () => {
    const other = await Running.start(stranger, victim.pid);
    others.push(other);
    expect(other.attached).toBe(true);
    const gdb = await stack.gdb('tcp', 'actor');
    const text = await gdb.send(`attach ${victim.pid}`);
    if (engineBeside(PROVIDER) === 'works') {
      expect(text).toMatch(/Attaching to program/);
      return;
    }
    const tracer = `${stranger.command} (pid ${other.pid}) traces it already`;
    expect(await gdb.send('monitor why')).toContain(tracer);
    expect(stack.server.stderr).toContain(tracer);
    await other.end();
    expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
  });
}

test('a gdb of ntrace, then one of a second ntrace server', async () => {
  await attach();
  const second = await Stack.start();
  others.push(second);
  const gdb = await second.gdb('tcp', 'actor');
  await gdb.send(`attach ${victim.pid}`);
  const why = await gdb.send('monitor why');
  if (engineBeside(PROVIDER) === 'works') expect(why).toMatch(/Nothing was refused/);
  else expect(why).toMatch(new RegExp(`\\(pid ${stack.server.pid}\\) traces it already`));
});

test('docs/stacking.md shows these tables', () => {
  const text = fs.readFileSync(path.join(repositoryRoot, 'docs/stacking.md'), 'utf8');
  const squeeze = (table: string): string => table.replace(/ +/g, ' ').replace(/-+/g, '-');
  expect(squeeze(text)).toContain(squeeze(matrixTables()));
});
