// The records of kernel/uapi/ntrace.h as data. test/records compares them with the compiler's view.
import { layout, type Layout } from './layout';

export const ABI_VERSION = 1;
export const CONTROL_PATH = '/proc/ntrace/control';
export const LABEL_LEN = 32;
export const COMM_LEN = 16;
export const SYSCALL_WORDS = 8;

export const HELLO = layout('hello', [
  ['abi_version', 'u32'],
  ['flags', 'u32'],
  ['label', 'char', LABEL_LEN],
  ['features', 'u64', 4],
  ['provider', 'char', 16],
  ['engine_id', 'u64'],
  ['machine', 'u32'],
  ['page_size', 'u32'],
  ['event_size', 'u32'],
  ['thread_size', 'u32'],
  ['max_batch', 'u32'],
  ['event_capacity', 'u32'],
  ['hw_breaks', 'u32'],
  ['hw_watches', 'u32'],
  ['hw_watch_len', 'u32'],
  ['reserved', 'u32'],
]);

export const ATTACH = layout('attach', [
  ['pid', 's32'],
  ['flags', 'u32'],
  ['release', 'u32'],
  ['threads', 'u32'],
  ['cookie', 'u64'],
  ['reason', 'u32'],
  ['holder_pid', 's32'],
]);

export const DETACH = layout('detach', [
  ['pid', 's32'],
  ['release', 'u32'],
  ['signo', 's32'],
  ['tid', 's32'],
]);

export const THREAD = layout('thread', [
  ['tid', 's32'],
  ['tgid', 's32'],
  ['cookie', 'u64'],
  ['stop_id', 'u64'],
  ['state', 'u32'],
  ['flags', 'u32'],
  ['core', 's32'],
  ['reserved', 'u32'],
  ['comm', 'char', COMM_LEN],
]);

export const THREADS = layout('threads', [
  ['pid', 's32'],
  ['flags', 'u32'],
  ['buf', 'u64'],
  ['capacity', 'u32'],
  ['count', 'u32'],
]);

export const RESUME_ENTRY = layout('resume_entry', [
  ['pid', 's32'],
  ['tid', 's32'],
  ['action', 'u32'],
  ['signo', 's32'],
  ['stop_id', 'u64'],
  ['lo', 'u64'],
  ['hi', 'u64'],
  ['error', 's32'],
  ['held', 'u32'],
]);

export const RESUME = layout('resume', [
  ['entries', 'u64'],
  ['count', 'u32'],
  ['flags', 'u32'],
  ['wait_us', 'u32'],
  ['done', 'u32'],
  ['events', 'u32'],
  ['resumed', 'u32'],
]);

export const STOP_ENTRY = layout('stop_entry', [
  ['pid', 's32'],
  ['tid', 's32'],
  ['error', 's32'],
  ['reserved', 'u32'],
]);

export const STOP = layout('stop', [
  ['entries', 'u64'],
  ['count', 'u32'],
  ['flags', 'u32'],
  ['timeout_us', 'u32'],
  ['done', 'u32'],
  ['stopped', 'u32'],
  ['pending', 'u32'],
]);

export const REGSET = layout('regset', [
  ['tid', 's32'],
  ['note', 'u32'],
  ['stop_id', 'u64'],
  ['buf', 'u64'],
  ['len', 'u32'],
  ['got', 'u32'],
  ['error', 's32'],
  ['reserved', 'u32'],
]);

export const REGS = layout('regs', [
  ['entries', 'u64'],
  ['count', 'u32'],
  ['done', 'u32'],
]);

export const MEMVEC = layout('memvec', [
  ['addr', 'u64'],
  ['len', 'u64'],
  ['buf', 'u64'],
  ['done', 'u64'],
  ['error', 's32'],
  ['reserved', 'u32'],
]);

export const MEM = layout('mem', [
  ['pid', 's32'],
  ['flags', 'u32'],
  ['vecs', 'u64'],
  ['count', 'u32'],
  ['done', 'u32'],
]);

export const CODE = layout('code', [
  ['bytes', 'u64'],
  ['len', 'u32'],
  ['error_at', 'u32'],
]);

export const BREAK = layout('break', [
  ['pid', 's32'],
  ['type', 'u32'],
  ['addr', 'u64'],
  ['len', 'u32'],
  ['flags', 'u32'],
  ['conditions', 'u64'],
  ['actions', 'u64'],
  ['nconditions', 'u32'],
  ['nactions', 'u32'],
  ['id', 'u32'],
  ['owners', 'u32'],
]);

export const UNBREAK = layout('unbreak', [
  ['id', 'u32'],
  ['reserved', 'u32'],
]);

export const BREAK_STATS = layout('break_stats', [
  ['id', 'u32'],
  ['owners', 'u32'],
  ['hits', 'u64'],
  ['evaluated', 'u64'],
  ['true_hits', 'u64'],
  ['false_hits', 'u64'],
  ['errors', 'u64'],
  ['cost_ns', 'u64'],
  ['native', 'u64'],
]);

export const SETS = layout('sets', [
  ['pid', 's32'],
  ['tid', 's32'],
  ['valid', 'u32'],
  ['follow', 'u32'],
  ['signal_stop', 'u64'],
  ['signal_note', 'u64'],
  ['fault_stop', 'u64'],
  ['life_stop', 'u64'],
  ['life_note', 'u64'],
  ['entry_stop', 'u64', SYSCALL_WORDS],
  ['exit_stop', 'u64', SYSCALL_WORDS],
  ['entry_note', 'u64', SYSCALL_WORDS],
  ['exit_note', 'u64', SYSCALL_WORDS],
  ['signal_step', 'u64'],
]);

export const SIGNAL = layout('signal', [
  ['pid', 's32'],
  ['tid', 's32'],
  ['signo', 's32'],
  ['reserved', 'u32'],
]);

export const HOLDER = layout('holder', [
  ['engine_id', 'u64'],
  ['since_ns', 'u64'],
  ['pid', 's32'],
  ['uid', 'u32'],
  ['tid', 's32'],
  ['why', 'u32'],
  ['label', 'char', LABEL_LEN],
]);

export const WHO = layout('who', [
  ['pid', 's32'],
  ['tid', 's32'],
  ['buf', 'u64'],
  ['capacity', 'u32'],
  ['count', 'u32'],
]);

export const RELEASE_HOLD = layout('release_hold', [
  ['engine_id', 'u64'],
  ['tid', 's32'],
  ['released', 'u32'],
]);

export const COLLECT = layout('collect', [
  ['type', 'u32'],
  ['flags', 'u32'],
  ['note', 'u32'],
  ['reg', 'u32'],
  ['addr', 'u64'],
  ['len', 'u64'],
  ['bytes', 'u64'],
  ['code_len', 'u32'],
  ['error_at', 'u32'],
]);

export const TRACEPOINT = layout('tracepoint', [
  ['pid', 's32'],
  ['number', 'u32'],
  ['addr', 'u64'],
  ['flags', 'u32'],
  ['step', 'u32'],
  ['pass', 'u64'],
  ['condition', 'u64'],
  ['actions', 'u64'],
  ['nactions', 'u32'],
  ['reserved', 'u32'],
  ['hits', 'u64'],
  ['usage', 'u64'],
]);

export const TRACE_CONTROL = layout('trace_control', [
  ['command', 'u32'],
  ['flags', 'u32'],
  ['size', 'u64'],
  ['free', 'u64'],
  ['frames', 'u64'],
  ['created', 'u64'],
  ['used', 'u64'],
  ['start_ns', 'u64'],
  ['stop_ns', 'u64'],
  ['running', 'u32'],
  ['reason', 'u32'],
  ['number', 'u32'],
  ['error', 'u32'],
]);

export const FRAME = layout('frame', [
  ['size', 'u32'],
  ['number', 'u32'],
  ['addr', 'u64'],
  ['pc', 'u64'],
  ['time_ns', 'u64'],
  ['pid', 's32'],
  ['tid', 's32'],
  ['step', 'u32'],
  ['reserved', 'u32'],
]);

export const BLOCK = layout('block', [
  ['type', 'u32'],
  ['name', 'u32'],
  ['addr', 'u64'],
  ['len', 'u32'],
  ['reserved', 'u32'],
]);

export const TRACE_READ = layout('trace_read', [
  ['frame', 'u64'],
  ['offset', 'u64'],
  ['buf', 'u64'],
  ['len', 'u32'],
  ['got', 'u32'],
]);

export const VARIABLE = layout('variable', [
  ['number', 'u32'],
  ['flags', 'u32'],
  ['value', 's64'],
]);

export const EVENT = layout('event', [
  ['size', 'u32'],
  ['type', 'u16'],
  ['flags', 'u16'],
  ['seq', 'u64'],
  ['time_ns', 'u64'],
  ['cookie', 'u64'],
  ['tid', 's32'],
  ['tgid', 's32'],
  ['stop_id', 'u64'],
  ['signo', 's32'],
  ['code', 's32'],
  ['child', 's32'],
  ['core', 's32'],
  ['pc', 'u64'],
  ['sp', 'u64'],
  ['fp', 'u64'],
  ['addr', 'u64'],
  ['break_id', 'u32'],
  ['original', 'u32'],
  ['nr', 'u64'],
  ['args', 'u64', 6],
]);

/** Every struct of the header. */
export const LAYOUTS: readonly Layout[] = [
  HELLO,
  ATTACH,
  DETACH,
  THREAD,
  THREADS,
  RESUME_ENTRY,
  RESUME,
  STOP_ENTRY,
  STOP,
  REGSET,
  REGS,
  MEMVEC,
  MEM,
  CODE,
  BREAK,
  UNBREAK,
  BREAK_STATS,
  SETS,
  SIGNAL,
  HOLDER,
  WHO,
  RELEASE_HOLD,
  COLLECT,
  TRACEPOINT,
  TRACE_CONTROL,
  FRAME,
  BLOCK,
  TRACE_READ,
  VARIABLE,
  EVENT,
];
