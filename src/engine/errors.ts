import { native } from '../native';

/** What the reply to a client needs: errno, and a text that names the cause and the remedy. */
export class EngineError extends Error {
  constructor(
    /** Positive errno, "ESRCH" in .code. */
    readonly errno: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'EngineError';
  }
}

/** Linux numbers the engine layer itself decides by; asm-generic/errno.h. */
export const Errno = {
  EPERM: 1,
  ESRCH: 3,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ENODATA: 61,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EOPNOTSUPP: 95,
} as const;

const REMEDIES = new Map<number, string>([
  [Errno.ESRCH, 'it is gone, or not attached'],
  [Errno.EBUSY, 'it runs, or another engine holds it: stop it first'],
  [Errno.ESTALE, 'the thread ran since: read its present stop first'],
  [Errno.EOPNOTSUPP, 'this provider cannot do that: ntrace doctor says which one can'],
]);

/** What an observer is told that wants to change something. */
export function observing(what: string): EngineError {
  const text = `cannot ${what}: this client only observes, and changes nothing`;
  return new EngineError(Errno.EROFS, 'EROFS', text);
}

/** "cannot WHAT: TEXT (REMEDY)". errno may be negative, as calls return it. */
export function failure(errno: number, what: string): EngineError {
  const number = Math.abs(errno);
  if (number === Errno.EROFS) return observing(what);
  const remedy = REMEDIES.get(number);
  const text = `cannot ${what}: ${native.errnoText(number)}${remedy ? ` (${remedy})` : ''}`;
  return new EngineError(number, native.errnoName(number), text);
}
