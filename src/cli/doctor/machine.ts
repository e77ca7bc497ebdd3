import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { fail, ok, warn, type Finding } from './finding';
import { capabilities, read, status } from './proc';

const WANTED_CAPABILITIES = ['sys_ptrace', 'sys_module', 'perfmon', 'sys_admin'];
const YAMA: Record<string, string> = {
  '0': 'any process of the same user may be attached',
  '1': 'only own descendants may be attached',
  '2': 'only CAP_SYS_PTRACE may attach',
  '3': 'nobody may attach',
};

export function node(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 20
    ? ok('node', process.version)
    : fail('node', process.version, 'install Node 20 or newer');
}

export function kernel(): Finding {
  const text = `${os.type()} ${os.release()} ${os.machine()}`;
  return os.machine() === 'x86_64'
    ? ok('kernel', text)
    : fail('kernel', text, 'only x86-64 machines are supported');
}

export function yama(): Finding {
  const scope = read('/proc/sys/kernel/yama/ptrace_scope');
  if (scope === undefined) return ok('yama', 'not in this kernel: no restriction on attach');
  const text = `ptrace_scope ${scope}: ${YAMA[scope] ?? 'unknown value'}`;
  const exempt = scope !== '3' && held().includes('sys_ptrace');
  if (scope === '0' || exempt) return ok('yama', exempt ? `${text}; we have CAP_SYS_PTRACE` : text);
  return warn(
    'yama',
    text,
    scope === '3'
      ? 'start programs under ntrace; the value can only be changed at boot'
      : 'start programs under ntrace, run it as root, or: sysctl kernel.yama.ptrace_scope=0',
  );
}

export function privileges(): Finding {
  const have = held();
  const shown = WANTED_CAPABILITIES.map((name) => `${have.includes(name) ? '+' : '-'}${name}`);
  const text = `uid ${process.getuid?.()}, ${have.length} capabilities: ${shown.join(' ')}`;
  return have.includes('sys_ptrace')
    ? ok('privileges', text)
    : warn('privileges', text, "to debug other users' processes, run as root");
}

/** ptraceWorks: then confinement is worth knowing, not worth a warning. */
export function confinement(ptraceWorks: boolean): Finding {
  const parts: string[] = [];
  const container = ['/.dockerenv', '/run/.containerenv'].find((file) => fs.existsSync(file));
  if (container !== undefined || read('/proc/1/environ')?.includes('container='))
    parts.push('in a container');
  if (status('Seccomp') !== '0') parts.push(`seccomp mode ${status('Seccomp')}`);
  if (status('NoNewPrivs') === '1') parts.push('no_new_privs');
  if (parts.length === 0) return ok('confinement', 'none: no container, no seccomp filter');
  if (ptraceWorks) return ok('confinement', `${parts.join(', ')}; it does not forbid ptrace`);
  return warn(
    'confinement',
    parts.join(', '),
    'if attaching fails, start the container with --cap-add=SYS_PTRACE ' +
      '--security-opt seccomp=unconfined',
  );
}

export function gdb(): Finding {
  try {
    const [first = ''] = execFileSync('gdb', ['--version'], { encoding: 'utf8' }).split('\n');
    return ok('gdb', first);
  } catch {
    return warn('gdb', 'not found', 'apt-get install gdb, or use any client of the protocol');
  }
}

function held(): string[] {
  return capabilities(status('CapEff') ?? '0');
}
