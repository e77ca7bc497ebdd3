import v8 from 'node:v8';

/** A client that has sent so many packets has said hello, and goes on to send those that count. */
const HELLO = 48;

/**
 * V8 makes the best code of a function when it has run for long. Early, that is a loss: what runs
 * while a server starts and is attached to runs once, and the compiler takes a processor from the
 * program. A session's packets come by thousands, each waited for: for them, tens of calls are long.
 */
export class TierUp {
  private left = HELLO;

  packet(): void {
    if (--this.left !== 0) return;
    v8.setFlagsFromString('--interrupt-budget=2000');
    v8.setFlagsFromString('--minimum-invocations-after-ic-update=10');
    // Less to compile at once: the best code of a path that is just met comes sooner.
    v8.setFlagsFromString('--max-inlined-bytecode-size-cumulative=200');
  }
}
