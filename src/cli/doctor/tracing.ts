import fs from 'node:fs';
import path from 'node:path';
import type { Engine } from '../../engine/engine';
import { PACKAGE_ROOT } from '../package-root';
import { fail, ok, warn, type Finding } from './finding';
import { read } from './proc';

const CONTROL = '/proc/ntrace/control';
const SPARE_ADDRESS = 0x10000n; // any user address does: the breakpoint is never reached

/** Loads the addon; the rest of this file needs it. */
export function addon(): Finding {
  const file = path.join(PACKAGE_ROOT, 'addon/build/Release/ntrace.node');
  if (!fs.existsSync(file)) return fail('addon', 'not built', 'run scripts/setup');
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require('../../native');
    return ok('addon', 'loaded');
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n');
    return fail('addon', reason, 'build it again: rm -r addon/build && scripts/setup');
  }
}

/** Really starts a program and puts breakpoints into it. */
export async function embedded(): Promise<Finding[]> {
  const { openEngine } = await import('../../engine/engine.js');
  const { openChannel } = await import('../../engine/channel/open.js');
  let engine: Engine | undefined;
  try {
    engine = openEngine(openChannel('embedded'), { label: 'doctor' });
    const { pid } = engine.launch({ file: '/bin/true', args: ['/bin/true'] });
    const findings = [
      ok('ptrace', 'a program was started, held and read'),
      debugRegister(engine, pid),
    ];
    engine.kill(pid);
    return findings;
  } catch (error) {
    return [
      fail(
        'ptrace',
        (error as Error).message,
        'something forbids ptrace: see confinement and yama in this list',
      ),
    ];
  } finally {
    engine?.close();
  }
}

function debugRegister(engine: Engine, pid: number): Finding {
  const name = 'debug registers';
  try {
    engine.insertBreakpoint(pid, 1, SPARE_ADDRESS, 1);
    engine.removeBreakpoint(pid, 1, SPARE_ADDRESS, 1);
    return ok(name, 'hardware breakpoints and watchpoints work');
  } catch (error) {
    return warn(
      name,
      (error as Error).message,
      'software breakpoints work; hardware ones need a machine (or hypervisor) that has them free',
    );
  }
}

/** The kernel provider: many tracers on one thread, for which a module is needed. */
export function module(): Finding {
  const name = 'kernel provider';
  if (!fs.existsSync(CONTROL)) {
    const loaded = (read('/proc/modules') ?? '').split('\n').some((l) => l.startsWith('ntrace '));
    return ok(
      name,
      `absent (${loaded ? 'module loaded, but no control file here' : 'no module loaded'}): ` +
        'the embedded one is used, and other ptracers stay out',
    );
  }
  try {
    fs.accessSync(CONTROL, fs.constants.R_OK | fs.constants.W_OK);
    return ok(name, `${CONTROL} can be opened`);
  } catch (error) {
    return warn(
      name,
      (error as Error).message,
      `run as root, or allow this user to open ${CONTROL}`,
    );
  }
}
