import type { SpawnedChild } from '../native';
import { processStatus } from './linux/process';

const EVERY_MS = 1000;

/**
 * Children of this server that were let go alive. Each would stay a zombie from its end to the
 * server's: its status is taken here, and thrown away.
 */
class LeftChildren {
  private children: SpawnedChild[] = [];
  private timer: NodeJS.Timeout | undefined;

  add(child: SpawnedChild): void {
    if (taken(child)) return;
    this.children.push(child);
    this.timer ??= setInterval(() => this.look(), EVERY_MS).unref();
  }

  private look(): void {
    this.children = this.children.filter((child) => !taken(child));
    if (this.children.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** Whoever traces it by ptrace here, another engine or one that came back, takes its status itself. */
function taken(child: SpawnedChild): boolean {
  if (processStatus(child.pid)?.tracerPid === process.pid) return false;
  return child.reap() !== undefined;
}

export const leftChildren = new LeftChildren();
