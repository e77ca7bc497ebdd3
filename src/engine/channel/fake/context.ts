import type { FakeEngine } from './fake-engine';
import type { FakeMachine } from './machine';
import type { Attachment } from './process';

/** asm-generic/errno.h */
export const Errno = {
  ESRCH: 3,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EROFS: 30,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ENOTCONN: 107,
  EALREADY: 114,
  ESTALE: 116,
} as const;

export const MAX_BATCH = 4096; // entries

/** What a call works on. */
export class FakeContext {
  constructor(
    readonly machine: FakeMachine,
    readonly engine: FakeEngine,
  ) {}

  /** The caller's bytes; undefined: EFAULT. */
  bytes(address: bigint, length: number): Buffer | undefined {
    return this.machine.heap.bytes(address, length);
  }

  tooMany(count: number): boolean {
    return count > MAX_BATCH;
  }

  /** pid -1: all of them. */
  named(pid: number): Attachment[] {
    const { attachments } = this.engine;
    if (pid === -1) return [...attachments.values()];
    const own = attachments.get(pid);
    return own === undefined ? [] : [own];
  }
}
