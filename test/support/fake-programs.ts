// What the fake machine runs; test/support/programs/*.c are the same programs for real.
import { Assembler, type FakeProgram } from '../../src/engine/channel/fake/program';
import type { FakeThread } from '../../src/engine/channel/fake/process';
import type { Kernel } from '../../src/engine/channel/fake/program';

const THREADS = 8;
const GETPPID = 110;

/** Counts for ever. */
function spin(): FakeProgram {
  const asm = new Assembler('spin').variable('counter');
  asm.label('main').label('loop').add('counter', 1n).label('site').nop(4).jump('loop');
  return asm.build();
}

/** Stores two neighbouring words by one instruction, for ever. */
function wide(): FakeProgram {
  const asm = new Assembler('wide').variable('counter').variable('words').variable('second');
  asm.label('main').label('loop').add('counter', 1n);
  asm.label('store').op(7, (thread, kernel) => {
    const count = kernel.load(thread, asm.address('counter'));
    kernel.store(thread, asm.address('words'), count, count);
  });
  return asm.label('site').nop(2).jump('loop').build();
}

/** Calls function() for ever and counts the calls. */
function calls(): FakeProgram {
  const asm = new Assembler('calls').variable('counter');
  asm.label('main').call('function').add('counter', 1n).jump('main');
  asm.label('function').nop(3).ret();
  return asm.build();
}

/** Threads that each call function() 100 times, then the process exits with 7. */
function hammer(): FakeProgram {
  const asm = new Assembler('hammer').variable('counter').variable('finished');
  for (let i = 0; i < THREADS; i++) asm.variable(`count${i}`);
  asm.label('main');
  for (let i = 0; i < THREADS; i++) {
    asm.op(5, (thread: FakeThread, kernel: Kernel) => {
      kernel.clone(thread, asm.address(`worker${i}`));
    });
  }
  asm.label('wait').until('finished', BigInt(THREADS), 'wait').exit(7);
  for (let i = 0; i < THREADS; i++) {
    asm.label(`worker${i}`).call('function').add('counter', 1n).add(`count${i}`, 1n);
    asm.until(`count${i}`, 100n, `worker${i}`).add('finished', 1n);
    asm.syscall(60, (thread, kernel) => kernel.exitThread(thread, 0));
  }
  asm.label('function').nop(2).ret();
  return asm.build();
}

/** Asks for its parent's pid for ever. */
function syscalls(): FakeProgram {
  const asm = new Assembler('syscalls').variable('counter');
  asm.label('main').syscall(GETPPID, () => 1n);
  asm.add('counter', 1n).jump('main');
  return asm.build();
}

/** Exits at once with 3. */
function exit3(): FakeProgram {
  return new Assembler('exit3').label('main').nop(2).exit(3).build();
}

/** Forks; the child calls function() and exits with 5, the parent counts for ever. */
function forker(vfork: boolean): FakeProgram {
  const asm = new Assembler(vfork ? 'vforker' : 'forker').variable('counter');
  asm.label('main').syscall(vfork ? 58 : 57, (t, kernel) => BigInt(kernel.fork(t, vfork)));
  asm.op(3, (thread) => {
    if (thread.regs.readBigUInt64LE(80) === 0n) thread.pc = asm.address('child');
  });
  asm.label('parent').add('counter', 1n).jump('parent');
  asm.label('child').call('function').exit(5);
  asm.label('function').nop(2).ret();
  return asm.build();
}

/** Counts signals: SIGUSR1 has a handler, SIGUSR2 ends it. */
function signals(): FakeProgram {
  const asm = new Assembler('signals').variable('counter').variable('handled');
  asm.label('main').op(2, (thread) => {
    thread.process.handlers.set(10, asm.address('handler'));
    thread.process.handlers.set(12, asm.address('handler2'));
  });
  asm.label('loop').add('counter', 1n).jump('loop');
  asm.variable('handled2');
  const back = (thread: FakeThread): void => {
    thread.pc = thread.frames.pop() ?? asm.address('loop');
  };
  asm.label('handler').add('handled', 1n).op(1, back);
  asm.label('handler2').add('handled2', 1n).op(1, back);
  return asm.build();
}

/** Stores through a null pointer. */
function fault(): FakeProgram {
  const asm = new Assembler('fault').label('main').nop(1);
  asm.label('bad').op(3, (thread, kernel) => kernel.store(thread, 0x10n, 1n));
  return asm.exit(0).build();
}

/** Executes spin. */
function execer(): FakeProgram {
  const asm = new Assembler('execer').label('main').nop(2);
  asm.syscall(59, (thread, kernel) => kernel.exec(thread, spin()));
  return asm.exit(1).build();
}

export function fakePrograms(): FakeProgram[] {
  return [
    spin(),
    wide(),
    calls(),
    hammer(),
    syscalls(),
    exit3(),
    forker(false),
    forker(true),
    signals(),
    fault(),
    execer(),
  ];
}
