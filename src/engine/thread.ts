import type { EngineEvent } from './channel/event';

/** One thread of an inferior, as this engine knows it. */
export class Thread {
  /** held: this engine keeps it stopped. gone: dead or detached; the object is only history. */
  state: 'running' | 'held' | 'gone' = 'running';
  /** Of the present hold; 0n while running. */
  stopId = 0n;
  /** The last event that stopped it for us; undefined when merely quiesced, or running. */
  stop: EngineEvent | undefined;
  /** Raw regsets read during the present stop, by note; emptied when it runs. */
  readonly regsets = new Map<number, Buffer>();

  constructor(
    readonly pid: number,
    readonly tid: number,
  ) {}
}
