import type { NativeEngine, SpawnedChild, SpawnSpec } from '../../native';

/**
 * A provider as the engine layer sees it: records of kernel/uapi/ntrace.h in, results out, events
 * readable. Everything is synchronous; readiness comes from the reactor (kernel, embedded) or by
 * calling wait(). Which provider it is never matters: ask the handshake's feature bits.
 */
export interface Channel {
  /** request: a member of Call; record is changed in place. 0 or -errno. */
  call(request: number, record: Uint8Array): number;
  /** Event records into buf; returns bytes, 0 when there are none, or -errno. */
  readEvents(buf: Uint8Array): number;
  /** Waits up to ms (negative: for ever) until readEvents() would give something. */
  wait(ms: number): boolean;
  /** Events are taken from the provider at once and kept, up to that many bytes. 0 or -errno. */
  readAhead(bytes: number): number;
  /** What a record's pointer to buf must hold; valid while buf is referenced. */
  addressOf(buf: Uint8Array): bigint;
  /** Starts a process that waits before its exec; the fake has programs of its own. */
  spawn(spec: SpawnSpec): SpawnedChild;
  /** For Reactor.addEngine; undefined for the fake, which is polled by wait(). */
  readonly native: NativeEngine | undefined;
  /** Idempotent; the only teardown. */
  close(): void;
}
