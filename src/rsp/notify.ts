import type { Session } from './session';
import type { Stop } from './stop';
import { writeStop } from './stop-reply';

/** The %Stop notification and its vStopped conversation (GDB manual, "Notification Packets"). */
export class NotifyQueue {
  /** Told by %Stop or vStopped, not acknowledged yet. */
  inFlight: Stop | undefined;

  constructor(private readonly session: Session) {}

  /** Something was queued: begins a conversation unless one is going on. */
  announce(): void {
    if (this.inFlight) return;
    const stop = this.take();
    if (!stop) return;
    this.inFlight = stop;
    const out = this.session.out.begin(true).ascii('Stop:');
    writeStop(this.session, stop);
    out.end();
  }
  /** vStopped: acknowledges, and answers with the next stop; false: there is none. */
  next(): boolean {
    const told = this.inFlight;
    this.inFlight = this.take();
    if (told) this.session.target.last = told;
    if (this.inFlight) {
      this.session.out.begin();
      writeStop(this.session, this.inFlight);
      this.session.out.end();
    }
    return this.inFlight !== undefined;
  }
  private take(): Stop | undefined {
    const stop = this.session.target.queue.shift();
    if (stop) this.session.target.awaitChild(stop);
    return stop;
  }
  /** '?': starts over with these stops as the conversation's content; false: there are none. */
  restart(stops: Stop[]): boolean {
    this.inFlight = undefined;
    this.session.target.queue.splice(0, Infinity, ...stops);
    return this.next();
  }
}
