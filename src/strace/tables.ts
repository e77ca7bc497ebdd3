import fs from 'node:fs';
import path from 'node:path';

/** The two system call interfaces of an x86-64 kernel. */
export type AbiName = 'x86_64' | 'i386';

/** What scripts/gen-syscalls.ts found in the headers of the machine we were built on. */
export interface Tables {
  /** Numbers by name. */
  syscalls: Record<AbiName, Record<string, number>>;
  /** Values of macros and enumerators. */
  constants: Record<string, number>;
  /** Requests of ioctl() by name. */
  ioctls: Record<string, number>;
}

const FILE = path.resolve(__dirname, '../../syscalls.json');

/** Throws with the remedy where the build is incomplete. */
export function loadTables(): Tables {
  try {
    return JSON.parse(fs.readFileSync(FILE, 'utf8')) as Tables;
  } catch (error) {
    throw new Error(
      `the table of system calls is missing (${(error as Error).message}); build it with: npm run build`,
    );
  }
}
