import fs from 'node:fs';
import { native } from '../native';
import { Refusal } from './channel/enums';
import { EngineError } from './errors';

const CAP_SYS_PTRACE = 19n; // linux/capability.h

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function statusField(pid: number | 'self', field: string): string {
  const found = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readText(`/proc/${pid}/status`));
  return found?.[1] ?? '';
}

/** "bash (pid 12)", or "pid 12" where nobody says its name. */
function named(pid: number): string {
  const name = readText(`/proc/${pid}/comm`);
  return name ? `${name} (pid ${pid})` : `pid ${pid}`;
}

function hasPtraceCapability(): boolean {
  const effective = statusField('self', 'CapEff');
  return effective !== '' && ((BigInt(`0x${effective}`) >> CAP_SYS_PTRACE) & 1n) === 1n;
}

function tracedBy(pid: number, holder: number): string {
  const tracer = holder > 0 ? holder : Number(statusField(pid, 'TracerPid'));
  const who = tracer > 0 ? named(tracer) : 'a tracer in another pid namespace';
  return `${who} traces it already; end that, or use the ntrace kernel module, where tracers stack`;
}

function credentials(pid: number): string {
  const theirs = statusField(pid, 'Uid').split('\t')[0] ?? '';
  const ours = String(process.geteuid?.() ?? '');
  if (theirs !== '' && theirs !== ours) {
    return `it belongs to user ${theirs} and we are user ${ours}; run as that user, as root, or with CAP_SYS_PTRACE`;
  }
  return 'it is not dumpable (set-id program, file capabilities or PR_SET_DUMPABLE); run as root or with CAP_SYS_PTRACE';
}

function yama(): string {
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope') || '1';
  if (scope === '3') {
    return 'kernel.yama.ptrace_scope is 3: nobody may attach until the next boot with another value';
  }
  const rule = scope === '2' ? 'only CAP_SYS_PTRACE may attach' : 'only descendants may be traced';
  return `kernel.yama.ptrace_scope is ${scope}: ${rule}; run as root, start the program under ntrace, or: sysctl kernel.yama.ptrace_scope=0`;
}

function securityModule(): string {
  const container = fs.existsSync('/.dockerenv') || fs.existsSync('/run/.containerenv');
  const filtered = Number(statusField('self', 'Seccomp')) > 0;
  if (container || filtered) {
    const where = container ? 'this container' : 'our seccomp filter';
    const capability = hasPtraceCapability() ? '' : ' --cap-add=SYS_PTRACE';
    return `${where} does not allow ptrace; start it with${capability} --security-opt seccomp=unconfined`;
  }
  const label = readText(`/proc/self/attr/current`);
  return `a security module forbids it${label ? ` (we run as ${label})` : ''}; its log names the rule (journalctl -k, ausearch -m avc)`;
}

function reason(pid: number, refusal: number, holder: number, errno: number): string {
  switch (refusal) {
    case Refusal.Gone:
      return 'there is no such process';
    case Refusal.Zombie:
      return `it is dead and waits for its parent, ${named(Number(statusField(pid, 'PPid')))}`;
    case Refusal.Kernel:
      return 'it is a kernel thread, which has no program to debug';
    case Refusal.Self:
      return 'it is this server itself; start a second one to debug it';
    case Refusal.Traced:
      return tracedBy(pid, holder);
    case Refusal.Creds:
      return credentials(pid);
    case Refusal.Yama:
      return yama();
    case Refusal.Lsm:
      return securityModule();
    case Refusal.Attached:
      return 'it is attached already';
    case Refusal.NotLeader:
      return `it is a thread of process ${statusField(pid, 'Tgid')}; attach that one`;
    case Refusal.Exec:
      return 'it is in the middle of an exec, which waits for a thread that somebody holds: let that go first (ntrace ps)';
    default:
      return native.errnoText(errno);
  }
}

/** Why an attach was refused, and what to do about it. errno: positive. */
export function attachRefused(
  pid: number,
  errno: number,
  refusal: number,
  holder: number,
): EngineError {
  const name = readText(`/proc/${pid}/comm`);
  const subject = `process ${pid}${name ? ` (${name})` : ''}`;
  return new EngineError(
    errno,
    native.errnoName(errno),
    `cannot attach to ${subject}: ${reason(pid, refusal, holder, errno)}`,
  );
}
