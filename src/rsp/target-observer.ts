import type { ResumeAction, ThreadRef } from '../engine/engine';
import { observing } from '../engine/errors';
import type { Inferior } from '../engine/inferior';
import { visibleThread } from './glimpse';
import type { Stop } from './stop';
import { Target } from './target';

const SIGINT = 2;

/**
 * What an observer's client sees: processes that are looked at and never disturbed. A protocol that
 * knows only stopped programs is told of a stop where there is none: at an attach, and at ^C. To
 * continue means to look away until the process ends, or until ^C.
 */
export class ObserverTarget extends Target {
  override launch(): Inferior {
    throw observing('start a program');
  }
  override attach(pid: number): Inferior {
    const inferior = this.engine.attach(pid);
    this.say(`Observing; pid = ${pid}`);
    return inferior;
  }
  override kill(pid: number): void {
    throw observing(`kill process ${pid}`);
  }
  /** 'k' has no reply: who kills without leave only goes away. */
  override killAll(): void {
    for (const inferior of [...this.engine.inferiors.values()]) this.detach(inferior);
  }
  override detach({ pid }: Inferior): void {
    this.say(`Detaching from process ${pid}`);
    this.engine.detach(pid);
    this.forget(pid);
  }
  override firstStop(inferior: Inferior): Stop & { kind: 'thread' } {
    const tid = visibleThread(this.engine, inferior);
    return { kind: 'thread', pid: inferior.pid, tid, signo: 0, event: undefined };
  }

  override resume(actions: readonly ResumeAction[]): void {
    for (const { kind, signo } of actions) {
      if (kind === 'step' || kind === 'range') throw observing('step');
      if (signo) throw observing(`deliver signal ${signo}`);
    }
    this.waiting = !this.listener?.nonStop;
    this.pump();
  }
  override interrupt(): void {
    if (this.waiting) this.pump();
    const [inferior] = this.engine.inferiors.values();
    if (!this.waiting || !inferior) return;
    this.queue.push({ ...this.firstStop(inferior), signo: SIGINT });
    this.pump();
  }
  /** Non-stop: the client may look at them as at stopped ones. */
  override stopThreads(refs: readonly ThreadRef[]): void {
    for (const { pid, tid } of refs)
      for (const inferior of this.engine.inferiors.values())
        if (pid === -1 || pid === inferior.pid)
          for (const thread of inferior.threads.values())
            if (tid === -1 || tid === thread.tid)
              this.queue.push({ ...this.firstStop(inferior), tid: thread.tid });
    this.listener?.onNotify();
  }
  /** Nobody is stopped for it. */
  override quiesce(): boolean {
    return true;
  }
}
