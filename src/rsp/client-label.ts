import { procText } from '../engine/linux/process';

/**
 * What other engines and people are shown of a client: "gdb 127.0.0.1:5123"; of one on this machine
 * whose process is known, its name: "gdb (pid 4242)". peer: as Reactor.accept tells it.
 */
export function clientLabel(peer: string): string {
  const local = /^unix:pid=(\d+)/.exec(peer);
  if (!local) return `gdb ${peer}`;
  const name = procText(`/proc/${local[1]}/comm`)?.trim() ?? 'gdb';
  return `${name} (pid ${local[1]})`;
}
