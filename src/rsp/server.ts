import {
  native,
  READY_DRAINED,
  READY_HANGUP,
  READY_READ,
  READY_SIGNAL,
  type SourceId,
} from '../native';
import { archOfPid } from '../engine/arch';
import { openChannel } from '../engine/channel/open';
import { openEngine, type Engine } from '../engine/engine';
import type { Inferior } from '../engine/inferior';
import { releaseHolds } from '../engine/who-release';
import { publish, type Publication } from '../engine/who-service';
import type { DebugSwitches } from './debug-switches';
import { clientLabel } from './client-label';
import { Dispatcher } from './dispatch';
import { gdbSignal, gdbSignalName } from './gdb-signals';
import type { Log, PacketSink } from './log';
import { allPackets } from './packets';
import { Session, type Transport } from './session';
import { ObserverTarget } from './target-observer';
import { Target, type ProgramOptions } from './target';
import { TierUp } from './tier-up';

/** While so many bytes wait to be sent to a client, nothing of it is read or worked off. */
const BACKLOG = 16 << 20;

export interface ServerOptions {
  engine: 'kernel' | 'embedded' | 'auto';
  program: ProgramOptions;
  /** Exit after the first connection. */
  once: boolean;
  /** Stay without an inferior (extended-remote). */
  multi: boolean;
  /** An engine per client instead of one for all. */
  perClient: boolean;
  /** Clients look and never disturb. */
  observe?: boolean;
  /** Of many threads resumed the one that stopped last runs ahead; true unless told. */
  grace?: boolean;
  /** Processors are kept from sleep while packets come and go; true unless told. */
  awake?: boolean;
  /** With many threads to debug the server runs before whatever computes; true unless told. */
  priority?: boolean;
  disabledPackets: ReadonlySet<string>;
  /** One line per packet. */
  logPackets?: PacketSink;
  /** Changed by monitor commands; whoever writes debugging output looks at it. */
  switches?: DebugSwitches;
  log?: Log;
  /** gdbserver's own messages, on standard error. */
  say: (line: string) => void;
}

/** Debugged threads among which a server would wait long for its turn. */
const CROWD = 16;

/** One connected client. */
interface Connection {
  readonly source: SourceId;
  readonly session: Session;
  /** More than BACKLOG waits to be sent. */
  choked: boolean;
  /** Nothing is read, as it is choked. */
  paused: boolean;
}

/**
 * Listens, gives each client a Session on a Target, and turns the reactor's readiness into work.
 * Everything happens on one thread, one turn at a time.
 */
export class Server {
  onExit: (code: number) => void = () => undefined;
  readonly reactor = new native.Reactor();
  private readonly dispatcher = new Dispatcher(allPackets());
  private readonly listeners = new Set<SourceId>();
  /** What is said of each listener. */
  private readonly listensOn = new Map<SourceId, string>();
  private readonly connections = new Map<SourceId, Connection>();
  private readonly engines = new Map<SourceId, Target>();
  private shared: Target | undefined;
  private publication: Publication | undefined;
  private readonly announcements: string[] = [];
  private running = false;
  private stdio = false;
  private finished = false;
  private served = 0;
  private first = false;
  private readonly tierUp = new TierUp();

  constructor(readonly options: ServerOptions) {
    if (options.awake === false) this.reactor.letSleep();
    if (!options.perClient) this.shared = this.makeTarget('gdbserver', options.observe ?? false);
  }

  // ---- set-up -------------------------------------------------------------------------------

  /** The one engine of a server whose clients share it. */
  get engine(): Engine {
    return this.target.engine;
  }
  private get target(): Target {
    if (!this.shared) throw new Error('each client of this server has an engine of its own');
    return this.shared;
  }
  private makeTarget(label: string, observer: boolean): Target {
    const engine = openEngine(openChannel(this.options.engine), { label, observer });
    engine.grace = this.options.grace ?? true;
    const Kind = observer ? ObserverTarget : Target;
    const target = new Kind(engine, { ...this.options.program }, this.options.say);
    target.label = label;
    target.shutdown = () => this.finish(0);
    target.onDeath = (stop) => {
      if (this.stdio) return; // the client says so itself, in the same terminal
      this.options.say(
        stop.kind === 'exited'
          ? `\nChild exited with status ${stop.code}`
          : `\nChild terminated with signal = 0x${gdbSignal(stop.signo).toString(16)} (${gdbSignalName(stop.signo)})`,
      );
    };
    if (engine.channel.native)
      this.engines.set(this.reactor.addEngine(engine.channel.native), target);
    return target;
  }
  /** Throws EngineError. */
  launch(argv: string[]): void {
    this.target.options.program = argv;
    this.target.last = this.target.firstStop(this.target.launch());
  }
  attach(pid: number): void {
    this.target.last = this.target.firstStop(this.target.attach(pid));
  }
  /** Returns the port it really has; throws an Error with .code. */
  listenTcp(host: string, port: number): number {
    const source = this.reactor.listenTcp(host, port);
    const real = this.reactor.port(source);
    this.listening(source, `Listening on port ${real}`);
    return real;
  }
  listenUnix(path: string, mode: number): void {
    const source = this.reactor.listenUnix(path, mode);
    this.listening(source, `Listening on unix socket ${path}`);
  }
  openTty(path: string, baud: number): void {
    this.connect(this.reactor.openTty(path, baud), path, true);
    this.announce(`Remote debugging using ${path}`);
  }
  useStdio(): void {
    this.stdio = true;
    this.options.program.redirected = true;
    if (this.shared) this.shared.options.redirected = true;
    this.connect(this.reactor.openStdio(), 'stdio', false);
    this.announce('Remote debugging using stdio');
  }
  private listening(source: SourceId, line: string): void {
    this.listeners.add(source);
    this.listensOn.set(source, line);
    this.announce(line);
  }
  /** Said by run(): who reads that we listen may connect, and finds the program there. */
  announce(line: string): void {
    if (this.running) this.options.say(line);
    else this.announcements.push(line);
  }
  run(): void {
    // made on first use: better now than while a client waits for its attach
    archOfPid(process.pid);
    this.publish();
    for (const line of this.announcements.splice(0)) this.options.say(line);
    this.running = true;
    this.reactor.start((pairs) => this.turn(pairs));
  }
  /** For `ntrace ps` and `ntrace release`; the module tells of its engines by itself. */
  private publish(): void {
    const engines = (): Engine[] => [...this.engines.values()].map(({ engine }) => engine);
    this.publication = publish({ engines, release: (id, tid) => this.release(id, tid) }, (text) =>
      this.options.log?.('warn', text),
    );
  }
  /** Lets what a client's engine holds go, though its client did not ask. Throws Error. */
  private release(id: string, tid: number): number {
    const target = [...this.engines.values()].find(({ engine }) => String(engine.engineId) === id);
    if (!target) throw new Error(`there is no engine ${id} here`);
    const { engine } = target;
    const provider = engine.provider === 'kernel' ? 'kernel' : 'embedded';
    const released = releaseHolds(provider, engine.engineId, engine.inferiors.keys(), tid);
    engine.resync();
    this.options.log?.('warn', `${released} threads of engine ${id} let go on demand`);
    return released;
  }
  /** Lets everything go: kills what was launched, detaches what was attached. */
  shutdown(): void {
    this.publication?.close();
    for (const connection of [...this.connections.values()]) this.drop(connection);
    const inferiors = [...this.engines.values()].flatMap((t) => [...t.engine.inferiors.values()]);
    this.sayOf(
      'Killing',
      inferiors.filter(({ launched }) => launched),
    );
    this.sayOf(
      'Detaching',
      inferiors.filter(({ launched }) => !launched),
    );
    for (const target of this.engines.values()) target.engine.close();
    this.engines.clear();
    for (const source of this.listeners) this.reactor.close(source);
    this.listeners.clear();
    this.reactor.stop();
  }
  private sayOf(what: string, inferiors: readonly Inferior[]): void {
    const pids = inferiors.map(({ pid }) => pid).join(' ');
    if (pids !== '') this.options.say(`${what} process(es): ${pids}`);
  }
  private finish(code: number): void {
    if (this.finished) return;
    this.finished = true;
    this.shutdown();
    this.onExit(code);
  }

  // ---- turns --------------------------------------------------------------------------------

  private turn(pairs: number): void {
    const { ready } = this.reactor;
    for (let i = 0; i < pairs && !this.finished; i++) {
      const source = ready[2 * i]!;
      const bits = ready[2 * i + 1]!;
      const target = this.engines.get(source);
      if (target) this.pump(target);
      else if (this.listeners.has(source)) this.accept(source);
      else if (bits & READY_SIGNAL) this.signalled();
      else {
        const connection = this.connections.get(source);
        if (connection) this.transfer(connection, bits);
      }
    }
    const { crowded } = this;
    if (crowded !== this.first && !this.finished) this.reactor.goFirst((this.first = crowded));
  }
  private get crowded(): boolean {
    if (this.options.priority === false) return false;
    let threads = 0;
    for (const { engine } of this.engines.values())
      for (const inferior of engine.inferiors.values()) threads += inferior.threads.size;
    return threads >= CROWD;
  }
  /** Signals the command line watches; it decides what they mean. */
  onSignal: (signo: number) => void = () => undefined;
  private signalled(): void {
    for (let signo; (signo = this.reactor.takeSignal()) !== 0;) this.onSignal(signo);
  }
  private pump(target: Target): void {
    const { listener, waiting } = target;
    target.pump();
    if (waiting && !target.waiting) this.stopped(target);
    // a stop was told: packets that waited for it can be worked off
    if (!(listener instanceof Session)) return;
    listener.process();
    for (const connection of this.connections.values())
      if (connection.session === listener) this.regulate(connection);
  }
  /** Clients that wait for the same process now wait for this one. */
  private stopped(target: Target): void {
    for (const { session } of this.connections.values()) {
      const other = session.target;
      if (other === target || !other.waiting || !sharesProcess(other, target)) continue;
      other.reclaim();
      session.onBlocked();
    }
  }
  /** Lets clients that step one thread each, and keep those of the others, have their steps. */
  private untangle(): void {
    const targets = [...this.engines.values()];
    for (const target of targets) {
      const { wanted } = target;
      if (wanted) for (const other of targets) if (other !== target) other.lend(wanted);
    }
  }
  private transfer(connection: Connection, bits: number): void {
    const { source, session } = connection;
    const { framer } = session;
    if (bits & READY_DRAINED) {
      connection.choked = false;
      session.process();
    }
    // who hung up after such a flood wants no answer to it
    if (bits & READY_HANGUP && framer.crowded) this.disconnected(connection);
    else if (bits & (READY_READ | READY_HANGUP) && !framer.crowded) {
      const at = framer.space();
      const got = this.reactor.read(source, framer.buf, at, framer.buf.length - at);
      if (got > 0) {
        this.tierUp.packet();
        framer.filled(got);
        session.process();
      } else if (got === 0) this.disconnected(connection);
    }
    this.regulate(connection);
  }
  /** No client sends so much while it waits for a stop: its end could not be seen behind it. */
  private tooMuch(connection: Connection): void {
    this.options.say(
      `A client sent more than ${connection.session.framer.limit} bytes while it waited for a stop; its connection is closed.`,
    );
    this.disconnected(connection);
  }
  /** Reads of a client while there is room for what it is sent. */
  private regulate(connection: Connection): void {
    const { source, session } = connection;
    if (this.connections.get(source) !== connection) return;
    const paused = connection.choked;
    if (!paused && session.framer.crowded) this.tooMuch(connection);
    else if (paused !== connection.paused) {
      connection.paused = paused;
      this.reactor.pause(source, paused);
    }
  }

  // ---- clients ------------------------------------------------------------------------------

  private accept(listener: SourceId): void {
    const client = this.reactor.accept(listener);
    if (!client) return;
    this.options.say(
      client.host === ''
        ? `Remote debugging using ${client.peer}`
        : `Remote debugging from host ${client.host}, port ${client.port}`,
    );
    if (!this.connect(client.id, client.peer, false)) return;
    if (this.options.perClient) return;
    // one client at a time: the next one waits in the backlog
    for (const source of this.listeners)
      if (this.options.once) this.reactor.close(source);
      else this.reactor.pause(source, true);
    if (this.options.once) this.listeners.clear();
  }
  /** False: there is no engine for it, and it was hung up on. */
  private connect(source: SourceId, peer: string, slow: boolean): boolean {
    let target: Target;
    try {
      target = this.shared ?? this.makeTarget(clientLabel(peer), this.options.observe ?? false);
    } catch (error) {
      this.options.say(`Client ${peer} is turned away: ${(error as Error).message}`);
      this.reactor.close(source);
      return false;
    }
    target.clientCame();
    const connection: Connection = {
      source,
      choked: false,
      paused: false,
      session: new Session(target, this.transport(source, peer, slow), this.dispatcher, {
        disabled: this.options.disabledPackets,
        log: this.options.log,
        logPackets: this.options.logPackets,
        say: (line) =>
          this.options.say(`${this.options.perClient ? 'ntrace' : 'gdbserver'}: ${line}`),
        switches: this.options.switches,
        onBlocked: () => this.untangle(),
        onObserve: (on) => this.observe(connection, on),
        onEnd: (why) => this.ended(why),
      }),
    };
    this.connections.set(source, connection);
    this.served++;
    this.options.log?.('info', `client ${peer} connected, engine ${target.engine.engineId}`);
    return true;
  }
  private transport(source: SourceId, peer: string, slow: boolean): Transport {
    const { reactor, connections } = this;
    return {
      slow,
      peer,
      get choked() {
        return connections.get(source)?.choked ?? false;
      },
      send(buf, offset, length) {
        const queued = reactor.write(source, buf, offset, length);
        const connection = connections.get(source);
        if (queued > BACKLOG && connection) connection.choked = true;
      },
    };
  }
  /** Plain remote mode is over. */
  private ended(why: 'killed' | 'detached' | 'exited'): void {
    if (this.options.perClient || this.options.multi) return;
    // after an exit the client reads its stop reply and hangs up by itself
    if (why !== 'exited') this.finish(0);
  }
  private drop(connection: Connection): void {
    this.connections.delete(connection.source);
    connection.session.close();
    this.reactor.close(connection.source);
  }
  private closeTarget(target: Target): void {
    for (const [source, other] of this.engines)
      if (other === target) {
        this.reactor.close(source);
        this.engines.delete(source);
      }
    target.engine.close();
  }
  /** Gives a client an engine that only observes, or an ordinary one again. */
  private observe({ session }: Connection, on: boolean): void {
    const before = session.target;
    if (before.engine.observer === on) return;
    const pids = [...before.engine.inferiors.keys()];
    const after = this.makeTarget(before.label, on);
    try {
      // there first, so that the process is never without one of the two
      for (const pid of pids) after.engine.attach(pid, { stop: !on });
    } catch (error) {
      this.closeTarget(after);
      throw error;
    }
    before.removeAllBreakpoints();
    for (const pid of pids) before.engine.detach(pid, { release: 'resume' });
    session.retarget(after);
    if (this.shared === before) this.shared = after;
    this.closeTarget(before);
  }
  private disconnected(connection: Connection): void {
    const { session } = connection;
    const { target } = session;
    this.options.log?.('info', 'client disconnected');
    this.drop(connection);
    if (this.options.perClient) {
      this.closeTarget(target);
      return;
    }
    const over = target.engine.inferiors.size === 0 && !session.extended && !this.options.multi;
    if (this.options.once || this.stdio || over || this.listeners.size === 0) {
      this.finish(0);
      return;
    }
    target.clientLeft();
    this.options.say(
      'Remote side has terminated connection.  GDBserver will reopen the connection.',
    );
    for (const source of this.listeners) {
      this.reactor.pause(source, false);
      this.options.say(this.listensOn.get(source)!);
    }
  }
  /** Has any client ever connected? */
  get hadClient(): boolean {
    return this.served > 0;
  }
}

function sharesProcess(a: Target, b: Target): boolean {
  for (const pid of a.engine.inferiors.keys()) if (b.engine.inferiors.has(pid)) return true;
  return false;
}
