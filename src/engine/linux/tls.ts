import type { Engine } from '../engine';
import { EngineError } from '../errors';
import type { Inferior } from '../inferior';
import type { Thread } from '../thread';
import { readAuxv } from './auxv';
import { findRDebug, namespaces } from './link-map';
import type { MemoryReader } from './memory';
import { Memory } from './memory';
import { readProgram, tlsSegment, wrap } from './program';
import { threadSymbols } from './thread-symbols';
import { TlsError, tlsBlock } from './tls-block';

const ERRNO = {
  later: [11, 'EAGAIN'],
  none: [2, 'ENOENT'],
  unknown: [95, 'EOPNOTSUPP'],
} as const;

/** A process' memory through the engine: without anybody's breakpoints. */
export function engineReader(engine: Engine, pid: number): MemoryReader {
  return {
    read(addr, length) {
      const out = Buffer.alloc(length);
      return out.subarray(0, engine.readMemory(pid, addr, out, 0, length));
    },
  };
}

/**
 * Address of the thread-local variable at an offset of a module's block. linkMap: of the module,
 * 0n for the main program of a static executable. Throws EngineError: EAGAIN when the thread has
 * no block of that module yet, ENOENT when the module has no thread-local storage, EOPNOTSUPP when
 * the C library does not tell.
 */
export function tlsAddress(
  engine: Engine,
  inferior: Inferior,
  thread: Thread,
  linkMap: bigint,
  offset: bigint,
): bigint {
  const { arch, pid } = inferior;
  const threadPointer = arch.threadPointer((note) => engine.regset(thread, note));
  return tlsAddressIn(pid, new Memory(engineReader(engine, pid), arch.wordSize), {
    threadPointer: threadPointer ?? 0n,
    linkMap,
    offset,
  });
}

/** The same of a stopped process whose memory and thread pointer are known. */
export function tlsAddressIn(
  pid: number,
  memory: Memory,
  where: { threadPointer: bigint; linkMap: bigint; offset: bigint },
): bigint {
  const auxv = readAuxv(pid);
  const program = readProgram(memory, auxv);
  const rDebug = findRDebug(memory, auxv);
  const main = rDebug ? namespaces(memory, rDebug).next().value : undefined;
  const lookup = threadSymbols(pid, memory, rDebug, program?.bias ?? 0n);
  try {
    const block = tlsBlock(memory, lookup, {
      threadPointer: where.threadPointer,
      linkMap: where.linkMap,
      mainMap: main?.first,
      mainSegment: program && tlsSegment(program),
    });
    return wrap(block + where.offset, memory.wordSize);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const [errno, code] = ERRNO[error.reason];
    throw new EngineError(errno, code, error.message);
  }
}
