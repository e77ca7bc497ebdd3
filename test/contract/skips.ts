import { multilib } from '../gdb/support/needs';
import type { ProviderName } from '../support/scene';

/** A row that says nothing about this provider, and why. */
export interface Skip {
  provider: ProviderName;
  /** "family: name" */
  row: string;
  reason: string;
}

// The rows that need threads, clones or files as only a real process has them.
const onlyReal = (...rows: string[]): Skip[] =>
  rows.map((row) => ({ provider: 'fake', row, reason: 'the fake has no such processes' }));

/** The row of a 32-bit program, where none can be compiled. */
function without32(): Skip[] {
  const reason = multilib();
  if (reason === '') return [];
  return (['embedded', 'kernel'] as const).map((provider) => ({
    ...{ provider, row: 'breakpoints: a 32-bit program', reason },
  }));
}

/** A row of tracepoints. */
const untraced = (row: string): Skip => ({
  provider: 'fake',
  row,
  reason: 'it has no tracepoints, and its feature bit says so',
});

export const SKIPS: readonly Skip[] = [
  ...without32(),
  {
    provider: 'fake',
    row: "release: another engine's holds are let go; its breakpoints stay",
    reason: 'it cannot release, and its feature bit says so',
  },
  {
    provider: 'embedded',
    row: 'malformed: pointers to nowhere are EFAULT',
    reason: 'it shares our address space: a wild pointer is the crash of the caller',
  },
  {
    provider: 'kernel',
    row: 'attach: what strace traces is refused with its pid',
    reason: 'the module attaches beside a ptracer: there is nothing to refuse',
  },
  {
    provider: 'kernel',
    row: 'breakpoints: a program with a system call filter: nothing is called in it',
    reason: 'the module maps its memory by no call of the program: nothing is to be filtered',
  },
  {
    provider: 'kernel',
    row: 'watch: an instruction that touches two watched words tells both',
    reason: 'its guests are emulated, and QEMU tells of the first word alone',
  },
  {
    provider: 'kernel',
    row: 'watch: a step over an instruction that touches two watched words tells both',
    reason: 'its guests are emulated, and QEMU hangs at a step over a watched write',
  },
  {
    provider: 'embedded',
    row: 'watch: a system call that fills two watched words tells both',
    reason: 'ptrace does not tell what the kernel writes for a program',
  },
  {
    provider: 'fake',
    row: 'watch: a system call that fills two watched words tells both',
    reason: 'its system calls write no memory',
  },
  ...[
    'only the hit for which the condition holds is told',
    'any true condition stops, false ones are counted',
    'a hardware breakpoint: only the hit for which it holds is told, steps go past',
    'registers are read where the trap happened',
    'one that cannot be decided stops',
    'two engines at one place: each is told by its own condition',
    'bytecode that is not sound is refused with its offset',
    'four threads in a storm of signals: every hit is counted once',
    'a thousand signals wait in front of an instruction: its hit is counted once',
  ].map((row): Skip => ({
    provider: 'fake',
    row: `conditions: ${row}`,
    reason: 'the fake runs no bytecode, and its feature bit says so',
  })),
  ...[
    'a hit collects registers and memory and runs on',
    'nothing of it is left in memory, and nothing is collected, after a stop',
    'only hits whose condition holds are collected',
    'memory that is not there is left out, the rest is collected',
    'a pass count stops tracing',
    'a linear buffer that is full stops tracing, with whole frames in it',
    'a circular buffer keeps the newest frames',
    'while-stepping collects after each instruction',
    'state variables are set, read and collected; the clock runs',
    'an expression that fails stops tracing with the reason',
    'a breakpoint at the same place: both see every hit',
    'defined, disabled and enabled while tracing runs',
    'two engines trace one place, each for itself',
    'eight threads at one place: every hit and every step is collected',
    'what is not sound is refused',
  ].map((row) => untraced(`tracepoints: ${row}`)),
  untraced('conditions: state variables are read and set'),
  ...[
    'a whole experiment',
    'a file that cannot be written is an error, one that can is a trace file',
    'packets that say nothing sound are refused, and change nothing',
    'damaged packets in any order',
  ].map((row) => untraced(`trace packets: ${row}`)),
  ...[
    'hits, conditions, actions and errors are counted',
    'actions that print are no conditions',
    'a persistent action goes on without its engine',
    'a process that leaves a persistent action behind ends, and so does the action',
  ].map((row): Skip => ({
    provider: 'fake',
    row: `stats: ${row}`,
    reason: 'the fake runs no bytecode, and its feature bit says so',
  })),
  ...onlyReal(
    'syscalls: asked for at a fork: the end of that call is told',
    'syscalls: asked for at the end of a vfork: the end of that call is told',
    'memory: much that is written over breakpoints is there, and so are they',
    'attach: threads that are born at that moment are not missed',
    'life: whoever reads of a stop reads of every thread that was born before it',
    'breakpoints: where the memory is gone removal says so, and another one does not',
    'breakpoints: our memory in the program is there while it is needed, and goes with us',
    'breakpoints: steps and stops between: the program is never seen elsewhere',
    'breakpoints: code that is written anew is run anew',
    'breakpoints: a program that unmaps our memory',
    'breakpoints: a program with a system call filter',
    'breakpoints: a program with a system call filter: nothing is called in it',
    'breakpoints: a 32-bit program',
    'breakpoints: children of a program with our memory',
    'breakpoints: children that are followed have breakpoints of their own',
    'grace: a thread that waits for another one by spinning is not left alone',
    'grace: others get on although one stops again at once, every time',
    'grace: who waits is as good as running: can be stopped, read, and let go',
    'grace: they run when the first one is held and nobody holds them',
    'grace: a kill finds them, and so does the end of the engine',
    'range: a million rounds are one step, and all of them are made',
    'range: other threads pass where it would be left, and nobody hears of it',
    'range: a breakpoint of another engine inside is hit, and the step goes on',
    'range: a signal in the middle is told',
    'range: a stop in the middle, and the rest afterwards',
    'range: a quiet stop in the middle is no end of it, wherever it comes',
    'range: an engine that goes in the middle leaves nothing behind',
    'attach: a kernel thread is refused with the reason',
    'attach: ourselves are refused with the reason',
    'attach: what strace traces is refused with its pid',
    'attach: a zombie is refused with the reason',
    'attach: another user’s process is refused with the reason',
    'attach: a thread id is refused with the reason',
    'launch: a directory that is not there is an error with the step',
    'launch: through a shell: the second exec is the program',
    'launch: a shell that ends before the program is an error',
    'breakpoints: the image on disk and in memory are the same after detach',
    'breakpoints: eight threads on one site, with a second engine that comes and goes',
    'breakpoints: inserted and removed again and again under running threads',
    'attach: release mode stop leaves it in a job-control stop',
    'launch: what was launched dies with the process that owns it',
    'stop: asked for while the process exits',
    'step: of one thread of eight: the others stay where they are',
    'signals: the signal that is delivered carries a changed siginfo',
    'signals: a sleeping thread is not disturbed by a stop and a resume',
    'life: an exec by a thread that is not the leader leaves one thread, the leader',
    'life: a new thread is held before its first instruction',
    'life: threads that come during a stop are held too',
    'life: a job-control stop is told, and outlives a detach',
    'life: a death with many threads is told once',
    'watch: every write in every thread, the ones born later too',
    'watch: the fifth debug register is refused with the holder',
    'many: random stops and resumes of 32 threads',
    'many: a thousand threads: attach, stop, resume, detach',
    'many: threads that are born and die while they are stopped again and again',
  ),
];
