import type { Engine } from '../../src/engine/engine';

const NT_PRSTATUS = 1;
const PC = 128; // rip in struct user_regs_struct

/** Where the leader of a process, which the engine holds, goes on. */
export function setPc(engine: Engine, pid: number, pc: bigint): void {
  const thread = engine.inferiors.get(pid)?.threads.get(pid);
  if (thread === undefined) throw new Error('the leader is gone');
  const regs = engine.regset(thread, NT_PRSTATUS);
  if (regs === undefined) throw new Error('there are no general registers');
  regs.writeBigUInt64LE(pc, PC);
  engine.putRegset(thread, NT_PRSTATUS, regs);
}
