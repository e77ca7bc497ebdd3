import { openEngine, type Engine } from '../../src/engine/engine';
import { openFake } from '../../src/engine/channel/fake/fake';
import { FakeMachine } from '../../src/engine/channel/fake/machine';
import type { Dispatcher } from '../../src/rsp/dispatch';
import { defaultProgram } from '../../src/rsp/program';
import { Session } from '../../src/rsp/session';
import { Target } from '../../src/rsp/target';
import { fakePrograms } from '../support/fake-programs';
import type { Surroundings } from './grammar';

const DOLLAR = 0x24;
/** Instructions the machine runs after each packet. */
const PACE = 10;

/** A server's inside on a machine of its own: bytes in, frames out, and programs that run. */
export class World implements Surroundings {
  readonly programs: readonly string[];
  readonly session: Session;
  readonly target: Target;
  /** The last packet that was sent ('$', content, '#', sum); notifications and acks are not. */
  reply = '';
  /** Failures that are nobody's but the server's own. */
  readonly internal = new Set<string>();
  private readonly machine: FakeMachine;
  private readonly engine: Engine;
  private readonly bystander: number;
  private readonly symbols: readonly bigint[];

  constructor(
    dispatcher: Dispatcher,
    readonly directory: string,
    program: number,
  ) {
    const programs = fakePrograms();
    const machine = (this.machine = new FakeMachine(programs));
    this.programs = programs.map(({ name }) => name);
    this.engine = openEngine(openFake(machine), { label: 'fuzz' });
    this.target = new Target(this.engine, defaultProgram());
    const chosen = programs[program % programs.length]!;
    this.symbols = [...chosen.symbols.values(), 0x7ffd_0000_0000n, 0x403ff0n, 0n, ~0n];
    this.bystander = machine.start(programs[0]!).pid;
    this.target.options.program = [chosen.name];
    this.target.last = this.target.firstStop(this.target.launch());
    this.session = new Session(
      this.target,
      {
        send: (buf, offset, length) => {
          if (buf[offset] === DOLLAR)
            this.reply = buf.toString('latin1', offset, offset + Math.min(length, 64));
        },
        choked: false,
        slow: program % 3 === 0,
        peer: 'fuzz',
      },
      dispatcher,
      {
        disabled: new Set(),
        onEnd: () => undefined,
        say: () => undefined,
        switches: { debug: new Set(), timestamps: false },
        log: (level, text) => {
          if (level === 'error') this.internal.add(text.split('\n    at ').slice(0, 4).join(' < '));
        },
      },
    );
  }

  feed(bytes: Buffer, from = 0, to = bytes.length): void {
    const { framer } = this.session;
    while (from < to) {
      const at = framer.space();
      const taken = bytes.copy(framer.buf, at, from, to);
      framer.filled(taken);
      from += taken;
      this.session.process();
      this.settle();
    }
  }
  /** Lets the programs run a little; who waits for a stop after that interrupts. */
  private settle(): void {
    const { target, session } = this;
    if (!session.nonStop && !target.waiting) return;
    this.run();
    for (let tries = 0; target.waiting && !session.nonStop; tries++) {
      if (tries > 100) throw new Error('it waits for a stop and no ^C brings one');
      target.interrupt();
      session.process();
      if (target.waiting) this.run();
    }
  }
  private run(): void {
    this.machine.run(PACE, () => false);
    this.target.pump();
  }

  threads(): readonly string[] {
    const ids: string[] = [];
    for (const { pid, threads } of this.engine.inferiors.values())
      for (const tid of threads.keys())
        ids.push(`p${pid.toString(16)}.${tid.toString(16)}`, tid.toString(16));
    return ids;
  }
  pids(): readonly number[] {
    return [...this.engine.inferiors.keys(), this.bystander];
  }
  addresses(): readonly bigint[] {
    return this.symbols;
  }
  close(): void {
    this.session.close();
    this.engine.close();
  }
}
