import { EventType } from '../engine/channel/event';
import type { ResumeAction } from '../engine/engine';
import type { Stop } from './stop';

/** Processes the client cannot know: the fork that made them waits to be told. */
export function untoldChildren(stops: readonly Stop[], parent?: number): number[] {
  const children: number[] = [];
  for (const stop of stops) {
    if (stop.kind !== 'thread' || (parent !== undefined && stop.pid !== parent)) continue;
    const { event } = stop;
    if (event?.type === EventType.Fork || event?.type === EventType.Vfork)
      children.push(event.child);
  }
  return children;
}

/** Threads the client cannot know: the clone that made them waits to be told. */
export function untoldClones(stops: readonly Stop[]): ReadonlySet<number> {
  const tids = new Set<number>();
  for (const stop of stops)
    if (stop.kind === 'thread' && stop.clone !== undefined) tids.add(stop.clone);
  return tids;
}

/**
 * What a resume means that crossed these stops on the way: it lets go of nobody the client would
 * not have meant, had it heard of them.
 */
export function crossed(
  actions: readonly ResumeAction[],
  stops: readonly Stop[],
): readonly ResumeAction[] {
  if (stops.length === 0) return actions;
  const shields: ResumeAction[] = untoldChildren(stops).map((pid) => ({
    pid,
    tid: -1,
    kind: 'stay',
  }));
  const stopped = new Set<number>();
  for (const stop of stops) {
    if (stop.kind !== 'thread') continue;
    stopped.add(stop.tid);
    if (stop.clone !== undefined) {
      stopped.add(stop.clone);
      shields.push({ pid: stop.pid, tid: stop.clone, kind: 'stay' });
    }
    shields.push({ pid: stop.pid, tid: stop.tid, kind: 'stay' });
  }
  const rest = actions.filter(({ tid }) => !stopped.has(tid));
  return rest.some(({ tid }) => tid <= 0) ? [...shields, ...rest] : rest;
}
