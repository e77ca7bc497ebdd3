import fs from 'node:fs';
import type { ArchDescriptor } from './descriptor';
import { native } from '../../native';
import { describeI386 } from './i386';
import { describeX86_64 } from './x86-64';

export type { ArchDescriptor, RegisterSpec, RegsetReader } from './descriptor';

const EM_386 = 3;
const ELFCLASS32 = 1;
const HEADER = 20; // bytes of an ELF header up to e_machine

/** A constant computed when it is first asked for: it needs the addon and the machine. */
function lazily<T>(compute: () => T): () => T {
  let value: { is: T } | undefined;
  return () => (value ??= { is: compute() }).is;
}

/** x86-64 on this machine. */
export const x86_64: () => ArchDescriptor = lazily(() => describeX86_64(native.xsaveLayout()));
/** i386 on this machine. */
export const i386: () => ArchDescriptor = lazily(() => describeI386(native.xsaveLayout()));

/** The architecture an executable's first bytes name; native for whatever is not i386. */
export function archOfElfHeader(header: Uint8Array): ArchDescriptor {
  const is32 =
    header.length >= HEADER &&
    Buffer.from(header.buffer, header.byteOffset, 4).toString('latin1') === '\x7fELF' &&
    header[4] === ELFCLASS32 &&
    (header[18]! | (header[19]! << 8)) === EM_386;
  return is32 ? i386() : x86_64();
}

/** What a process runs, by the header of /proc/PID/exe. Never throws: native when it is unreadable. */
export function archOfPid(pid: number): ArchDescriptor {
  const header = Buffer.alloc(HEADER);
  let fd: number | undefined;
  try {
    fd = fs.openSync(`/proc/${pid}/exe`, 'r');
    const got = fs.readSync(fd, header, 0, HEADER, 0);
    return archOfElfHeader(header.subarray(0, got));
  } catch {
    return x86_64(); // a kernel thread, another user's, or gone
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
