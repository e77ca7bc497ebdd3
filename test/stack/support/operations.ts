import type { GdbConsole } from '../../../src/cli/demo/gdb-console';
import type { Victim } from './programs';
import type { Stack } from './scene';

/** What one gdb does while another tool is on the same process. */
export interface Operation {
  name: string;
  /** Done by `gdb`, which stands stopped; throws or fails an expectation if it does not work. */
  run(gdb: GdbConsole, victim: Victim, stack: Stack): Promise<void>;
  /** The process is gone afterwards. */
  ends?: true;
  /** The gdb is gone afterwards. */
  leaves?: true;
}

async function handled(gdb: GdbConsole): Promise<number> {
  return Number(/= (\d+)/.exec(await gdb.send('print handled'))?.[1]);
}

/** A whole turn of the program's loop. */
async function turn(gdb: GdbConsole): Promise<void> {
  await gdb.send('tbreak act');
  expect(await gdb.send('continue')).toMatch(/Temporary breakpoint \d+, act/);
}

async function signal(gdb: GdbConsole, victim: Victim, pass: boolean): Promise<void> {
  await gdb.send(`handle SIGUSR1 stop print ${pass ? 'pass' : 'nopass'}`);
  const before = await handled(gdb);
  victim.signal('SIGUSR1');
  expect(await gdb.send('continue')).toMatch(/received signal SIGUSR1/);
  await turn(gdb);
  expect(await handled(gdb)).toBe(before + (pass ? 1 : 0));
}

export const OPERATIONS: readonly Operation[] = [
  { name: 'breakpoint', run: turn },
  {
    name: 'step',
    async run(gdb: GdbConsole): Promise<void> {
      await turn(gdb);
      const pc = await gdb.send('print $pc');
      await gdb.send('stepi');
      expect(await gdb.send('print $pc')).not.toBe(pc);
    },
  },
  {
    name: 'signal delivered',
    run: (gdb: GdbConsole, victim: Victim): Promise<void> => signal(gdb, victim, true),
  },
  {
    name: 'signal discarded',
    run: (gdb: GdbConsole, victim: Victim): Promise<void> => signal(gdb, victim, false),
  },
  {
    name: 'system call',
    async run(gdb: GdbConsole): Promise<void> {
      await gdb.send('catch syscall getppid');
      expect(await gdb.send('continue')).toMatch(/call to syscall getppid/);
      expect(await gdb.send('continue')).toMatch(/returned from syscall getppid/);
    },
  },
  {
    name: 'fork',
    async run(gdb: GdbConsole): Promise<void> {
      await gdb.send('catch fork');
      await gdb.send('set variable want = 1');
      expect(await gdb.send('continue')).toMatch(/forked process \d+/);
      await gdb.send('delete');
      await turn(gdb);
    },
  },
  {
    name: 'exec',
    async run(gdb: GdbConsole): Promise<void> {
      await gdb.send('catch exec');
      await gdb.send('set variable want = 2');
      expect(await gdb.send('continue')).toMatch(/exec'd .*actor/);
      await gdb.send('delete');
      await turn(gdb);
    },
  },
  {
    name: 'detach',
    leaves: true,
    async run(gdb: GdbConsole, victim: Victim): Promise<void> {
      await gdb.send('break act');
      expect(await gdb.send('detach')).toMatch(/detached/);
      expect(victim.running).toBe(true);
    },
  },
  {
    name: 'kill -9 of the client',
    leaves: true,
    async run(gdb: GdbConsole): Promise<void> {
      await gdb.send('break act');
      await gdb.vanish();
    },
  },
  {
    name: 'exit',
    ends: true,
    async run(gdb: GdbConsole, victim: Victim): Promise<void> {
      await gdb.send('set variable want = 3');
      expect(await gdb.send('continue')).toMatch(/exited with code 011/);
      expect(await victim.end()).toBe(9);
    },
  },
];
