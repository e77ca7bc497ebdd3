// One provider, some engines on it, some programs under them; everything goes when the test ends.
import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import type { Channel } from '../../src/engine/channel/channel';
import { openEmbedded } from '../../src/engine/channel/embedded';
import { openFake } from '../../src/engine/channel/fake/fake';
import { FakeMachine } from '../../src/engine/channel/fake/machine';
import { openKernel } from '../../src/engine/channel/kernel';
import { openEngine, type Engine } from '../../src/engine/engine';
import type { Inferior } from '../../src/engine/inferior';
import { fakePrograms } from './fake-programs';
import { PATIENCE } from './patience';
import { program } from './programs';
import { FakeSubject, RealSubject, type Subject } from './subject';
import { IN_VAIN_MS, without } from './without';

export type ProviderName = 'fake' | 'embedded' | 'kernel';
const LIMIT_MS = 20_000 * PATIENCE;

/** Which providers to run: NTRACE_PROVIDERS=fake,embedded,kernel. */
export function chosenProviders(): ProviderName[] {
  const names = (process.env['NTRACE_PROVIDERS'] ?? 'fake,embedded').split(',');
  for (const name of names) {
    if (!['fake', 'embedded', 'kernel'].includes(name)) {
      throw new Error(`NTRACE_PROVIDERS: there is no provider "${name}"`);
    }
  }
  return names as ProviderName[];
}

export class Scene {
  private readonly machine: FakeMachine | undefined;
  private readonly engines: Engine[] = [];
  private readonly channels: Channel[] = [];
  private readonly subjects: Subject[] = [];

  constructor(readonly provider: ProviderName) {
    if (provider === 'fake') this.machine = new FakeMachine(fakePrograms());
  }

  get real(): boolean {
    return this.machine === undefined;
  }

  channel(): Channel {
    let channel: Channel;
    if (this.machine !== undefined) channel = openFake(this.machine);
    else if (this.provider === 'kernel') channel = openKernel();
    else channel = openEmbedded();
    this.channels.push(channel);
    return without()?.watch(channel) ?? channel;
  }

  engine(label = 'contract', observer = false): Engine {
    const engine = openEngine(this.channel(), { label, observer });
    this.engines.push(engine);
    return without()?.watchEngine(engine) ?? engine;
  }

  /** What SpawnSpec.file has to be for one of our programs. */
  file(name: string): string {
    return this.machine === undefined ? program(name) : name;
  }

  /** A program that runs already. ready: wait until this variable is not zero. */
  start(name: string, args: string[] = [], ready = 'counter'): Subject {
    let subject: Subject;
    if (this.machine === undefined) subject = RealSubject.start(name, args);
    else {
      const fake = this.machine.programs.get(name);
      if (fake === undefined) throw new Error(`the fake has no program ${name}`);
      subject = new FakeSubject(name, this.machine, this.machine.start(fake));
    }
    this.subjects.push(subject);
    if (ready !== '') this.until(`${name} is ready`, () => readable(subject, ready) > 0n, subject);
    return subject;
  }

  /** A launched program, held at its first instruction. */
  launch(engine: Engine, name: string, args: string[] = []): [Inferior, Subject] {
    const file = this.file(name);
    const inferior = engine.launch({ file, args: [file, ...args] });
    return [inferior, this.subject(name, inferior.pid)];
  }

  /** A process that somebody else started. */
  subject(name: string, pid: number): Subject {
    let subject: Subject;
    if (this.machine === undefined) subject = new RealSubject(name, pid);
    else {
      const process = this.machine.processes.get(pid);
      if (process === undefined) throw new Error(`the fake has no process ${pid}`);
      subject = new FakeSubject(name, this.machine, process);
    }
    this.subjects.push(subject);
    return subject;
  }

  /** Lets everything run until it is so; the provider works meanwhile. */
  until(what: string, condition: () => boolean, subject?: Subject): void {
    const began = Date.now();
    while (!condition()) {
      if (Date.now() > began + limit()) throw new Error(`it never came to pass that ${what}`);
      for (const engine of this.engines) engine.channel.wait(1);
      (subject ?? this.subjects[0])?.pause();
    }
  }

  /** Waits until a variable has grown; the thread that counts it runs. */
  grows(subject: Subject, symbol: string, index = 0): void {
    const before = subject.read(symbol, index);
    this.until(`${symbol} grows`, () => subject.read(symbol, index) > before, subject);
  }

  /** The next event that is wanted; others are dropped. */
  next(engine: Engine, wanted: EventType | ((event: EngineEvent) => boolean)): EngineEvent {
    const match = typeof wanted === 'function' ? wanted : (e: EngineEvent) => e.type === wanted;
    without()?.waitsFor(wanted);
    const began = Date.now();
    const waiting = this.waiting.get(engine) ?? [];
    this.waiting.set(engine, waiting);
    const seen: string[] = [];
    for (;;) {
      for (const event of engine.events()) waiting.push(event);
      while (waiting.length > 0) {
        const event = waiting.shift() as EngineEvent;
        if (match(event)) return event;
        seen.push(`${EventType[event.type]}(${event.tid})`);
      }
      if (Date.now() > began + limit()) {
        const name = typeof wanted === 'function' ? 'event that fits' : EventType[wanted];
        throw new Error(`no ${name} came, only: ${seen.join(' ') || 'nothing'}`);
      }
      for (const other of this.engines) if (other !== engine) other.channel.wait(0);
      engine.wait(20);
    }
  }
  private readonly waiting = new Map<Engine, EngineEvent[]>();

  /** Everything that came, without waiting, what next() left over first. */
  drain(engine: Engine): EngineEvent[] {
    engine.wait(0);
    const waiting = this.waiting.get(engine) ?? [];
    return [...waiting.splice(0), ...engine.events()];
  }

  close(): void {
    for (const channel of this.channels) channel.close();
    for (const engine of this.engines) engine.close();
    for (const subject of this.subjects) subject.end();
  }
}

/** How long is waited for what is to come. */
function limit(): number {
  return without()?.asked === true ? IN_VAIN_MS : LIMIT_MS;
}

function readable(subject: Subject, symbol: string): bigint {
  try {
    return subject.read(symbol);
  } catch {
    return 0n; // not executed yet
  }
}
