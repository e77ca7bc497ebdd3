import type { Engine } from '../engine/engine';
import type { MemoryReader } from '../engine/linux/memory';

/** A process' memory for the engine's readers of Linux structures. */
export function memoryReader(engine: Engine, pid: number): MemoryReader {
  return {
    read(addr, length) {
      const out = Buffer.allocUnsafe(length);
      return out.subarray(0, engine.readMemory(pid, addr, out, 0, length));
    },
  };
}
