import type { CommandModule } from 'yargs';
import { paint } from '../paint';
import type { Finding } from './finding';
import * as machine from './machine';
import * as tracing from './tracing';

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** Everything looked at, in the order a person would. */
export async function examine(): Promise<Finding[]> {
  const addon = tracing.addon();
  const embedded = addon.level === 'ok' ? await tracing.embedded() : [];
  const works = embedded.length > 0 && embedded.every(({ level }) => level !== 'fail');
  return [
    machine.kernel(),
    machine.node(),
    addon,
    machine.privileges(),
    machine.confinement(works),
    machine.yama(),
    ...embedded,
    tracing.module(),
    machine.gdb(),
  ];
}

async function handler(): Promise<void> {
  const findings = await examine();
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, level, text, remedy } of findings) {
    console.log(`${paint(level.padEnd(4), COLORS[level])} ${name.padEnd(width)}  ${text}`);
    if (remedy !== undefined)
      console.log(`${' '.repeat(width + 7)}${paint('->', 'dim')} ${remedy}`);
  }
  const failed = findings.some(({ level }) => level === 'fail');
  console.log(failed ? 'Embedded debugging does not work here.' : 'Embedded debugging works here.');
  process.exitCode = failed ? 1 : 0;
}

export const command: CommandModule = {
  command: 'doctor',
  describe: 'say what works on this machine, and why the rest does not',
  handler,
};
