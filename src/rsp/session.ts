import type { Engine } from '../engine/engine';
import { oldestFirst, type Inferior } from '../engine/inferior';
import type { Thread } from '../engine/thread';
import type { ThreadSpec } from './args';
import { BlockedNotice } from './blocked';
import type { DebugSwitches } from './debug-switches';
import type { Dispatcher } from './dispatch';
import { HostFiles } from './host-files';
import type { Log, PacketSink } from './log';
import { NotifyQueue } from './notify';
import { NoProcess, ReplyError } from './reply';
import type { Stop } from './stop';
import { writeStop } from './stop-reply';
import type { ProgramOptions } from './program';
import type { StopListener, Target } from './target';
import { untoldChildren, untoldClones } from './untold';
import { Framer } from './wire/framer';
import { PacketWriter } from './wire/writer';

const ESRCH = 3;
/** Longest packet in either direction, told to the client in qSupported. */
export const PACKET_SIZE = 0x400000;

/** Most bytes of console text in one packet. */
const CONSOLE_PIECE = 4096;

/** The byte stream below a session. */
export interface Transport {
  /** Takes the bytes at once (copying what it cannot send now). */
  send(buf: Buffer, offset: number, length: number): void;
  /** So much waits to be sent that no packet is worked off until it is. */
  readonly choked: boolean;
  /** A slow line: replies are run-length encoded. */
  readonly slow: boolean;
  /** For messages: "127.0.0.1:4242". */
  readonly peer: string;
}

export interface SessionOptions {
  /** Packets switched off by name (gdbserver's --disable-packet). */
  disabled: ReadonlySet<string>;
  log?: Log | undefined;
  logPackets?: PacketSink | undefined;
  /** The server's own messages, a line each. */
  say?: ((line: string) => void) | undefined;
  /** What `monitor set debug` and its like change. */
  switches?: DebugSwitches | undefined;
  /** Threads it let go are held by other engines. */
  onBlocked?: (() => void) | undefined;
  /** Makes the client an observer, or no longer one. Throws EngineError. */
  onObserve?: ((on: boolean) => void) | undefined;
  /** Extended mode ends no server: --multi, or the client said '!'. */
  onEnd: (why: 'killed' | 'detached' | 'exited') => void;
}

/**
 * One client connection: the phase it is in, what it announced, what it selected. The inferiors and
 * their stops live in the Target, which outlives a connection.
 */
export class Session implements StopListener {
  readonly framer = new Framer(PACKET_SIZE);
  readonly out: PacketWriter;
  readonly files = new HostFiles();
  readonly notify: NotifyQueue;
  private readonly blocked = new BlockedNotice(this);
  /** Features of the client's last qSupported, with their sign: "multiprocess+", "xmlRegisters=i386". */
  readonly client = new Set<string>();
  readonly disabled: ReadonlySet<string>;
  readonly log: Log | undefined;
  multiprocess = false;
  extended = false;
  nonStop = false;
  noAck = false;
  /** The client speaks LLDB's dialect (it asked for thread suffixes). */
  lldb = false;
  /** Hg and Hc; tid 0: any, -1: all. */
  general: ThreadSpec = { pid: 0, tid: 0 };
  control: ThreadSpec = { pid: 0, tid: 0 };
  /** Thread ids not told yet of a qfThreadInfo conversation. */
  threadList: string[] = [];
  /** Documents of qXfer reads in progress, by object and annex. */
  readonly documents = new Map<string, Buffer>();
  /** Texts of the latest error reply to each kind of packet, the newest last. */
  readonly refusals = new Map<string, string>();
  /** Called when a console line may be sent now. */
  private mayConsole = false;

  constructor(
    /** What the client debugs; another one when it becomes an observer. */
    public target: Target,
    private readonly transport: Transport,
    private readonly dispatcher: Dispatcher,
    readonly settings: SessionOptions,
  ) {
    this.disabled = settings.disabled;
    this.log = settings.log;
    this.notify = new NotifyQueue(this);
    this.out = new PacketWriter((buf, offset, length) => {
      this.logBytes('<-', buf, offset, length);
      transport.send(buf, offset, length);
    });
    this.out.runLength = transport.slow;
    target.listener = this;
  }

  get engine(): Engine {
    return this.target.engine;
  }
  get options(): ProgramOptions {
    return this.target.options;
  }

  /** Another engine takes over the client's processes. */
  retarget(target: Target): void {
    this.blocked.cancel();
    this.target.listener = undefined;
    this.target = target;
    target.listener = this;
    target.interest.take(this.client);
    target.clientCame();
    const [inferior] = target.engine.inferiors.values();
    target.last = inferior && target.firstStop(inferior);
  }

  /** The client is gone: nothing of it stays. */
  close(): void {
    this.files.closeAll();
    this.blocked.cancel();
    if (this.target.listener === this) this.target.listener = undefined;
  }

  // ---- input --------------------------------------------------------------------------------

  /** Works off what was read into the framer, as far as the phase allows. */
  process(): void {
    while (!this.transport.choked) {
      if (this.target.waiting && !this.nonStop) {
        if (!this.framer.takeInterrupt()) return;
        this.logLine('-> ^C');
        this.target.interrupt();
        continue;
      }
      switch (this.framer.next(!this.noAck)) {
        case 'none':
          return;
        case 'ack':
          break;
        case 'nack':
          if (!this.noAck) this.out.again();
          break;
        case 'interrupt':
          this.logLine('-> ^C');
          if (this.nonStop) this.target.stopThreads([{ pid: -1, tid: -1 }]);
          else this.target.interrupt();
          break;
        case 'bad':
          this.logLine('-> (bad checksum)');
          if (this.noAck) this.reply('E01');
          else this.sendRaw('-');
          break;
        case 'packet': {
          const { buf, start, end } = this.framer;
          this.logBytes('->', buf, start, end - start);
          if (!this.noAck) this.sendRaw('+');
          this.dispatcher.run(this, buf, start, end);
        }
      }
    }
  }
  private logLine(text: string): void {
    const sink = this.settings.logPackets;
    if (sink?.active) sink.line(text);
  }
  private logBytes(direction: string, buf: Buffer, offset: number, length: number): void {
    const sink = this.settings.logPackets;
    if (sink?.active) sink.line(`${direction} ${printable(buf, offset, length)}`);
  }
  private sendRaw(text: string): void {
    const buf = Buffer.from(text, 'latin1');
    this.transport.send(buf, 0, buf.length);
  }

  // ---- output -------------------------------------------------------------------------------

  /** Sends one reply; text and bytes are escaped as needed. */
  reply(content: string | Buffer): void {
    this.out.begin();
    if (typeof content !== 'string') this.out.binary(content);
    else if (/[#$}*\u0080-\uffff]/.test(content)) this.out.binary(Buffer.from(content, 'utf8'));
    else this.out.ascii(content);
    this.out.end();
  }
  /** Sends a stop reply and selects its thread. */
  tell(stop: Stop): void {
    if (stop.kind === 'thread') this.general = this.control = { pid: stop.pid, tid: stop.tid };
    this.out.begin();
    writeStop(this, stop);
    this.out.end();
  }
  onBlocked(): void {
    this.blocked.arm();
    this.settings.onBlocked?.();
  }
  onStop(stop: Stop): void {
    this.blocked.cancel();
    this.tell(stop);
    this.ended(stop);
  }
  onNotify(): void {
    this.notify.announce();
  }
  /** Plain remote mode is over when the last inferior is. */
  ended(stop: Stop): void {
    if (stop.kind === 'exited' || stop.kind === 'signaled') {
      if (this.general.pid === stop.pid) this.general = this.control = { pid: 0, tid: 0 };
      this.endIfAlone('exited');
    }
  }
  endIfAlone(why: 'killed' | 'detached' | 'exited'): void {
    if (!this.extended && this.engine.inferiors.size === 0) this.settings.onEnd(why);
  }

  /** Keeps the text of an error reply for `monitor why`. */
  refused(match: string, text: string): void {
    this.refusals.delete(match);
    this.refusals.set(match, text);
  }

  /** While run() is active, console text goes to the user at once; otherwise it is lost. */
  withConsole<T>(run: () => T): T {
    this.mayConsole = true;
    try {
      return run();
    } finally {
      this.mayConsole = false;
    }
  }
  /** Console text for the user, as O packets (GDB manual, "qRcmd"). */
  console(text: string): void {
    if (this.mayConsole) this.writeConsole(text);
  }
  /** The same while an all-stop client is owed a stop reply; lost at any other time. */
  consoleWhileWaiting(text: string): void {
    if (this.target.waiting && !this.nonStop) this.writeConsole(text);
  }
  private writeConsole(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += CONSOLE_PIECE)
      this.out
        .begin()
        .ascii('O')
        .hex(bytes, at, Math.min(CONSOLE_PIECE, bytes.length - at))
        .end();
  }

  // ---- what is selected ---------------------------------------------------------------------

  /** "pPID.TID" for multiprocess clients, else "TID"; hex. */
  threadId(pid: number, tid: number): string {
    return this.multiprocess ? `p${pid.toString(16)}.${tid.toString(16)}` : tid.toString(16);
  }
  /** Inferiors the client can know of: the others come with the fork that waits to be told. */
  known(): Inferior[] {
    const untold = untoldChildren(this.target.queue);
    return [...this.engine.inferiors.values()].filter(({ pid }) => !untold.includes(pid));
  }
  /** Their threads, the oldest first. */
  knownThreads(inferior: Inferior): Thread[] {
    const untold = untoldClones(this.target.queue);
    return oldestFirst(inferior).filter(({ tid }) => !untold.has(tid));
  }
  get telling(): Stop | undefined {
    return this.notify.inFlight;
  }
  /** Finds a thread by a packet's id (pid 0: any process; tid 0 or -1: any thread). */
  find(spec: ThreadSpec): Thread | undefined {
    const { inferiors } = this.engine;
    if (spec.pid > 0) {
      const inferior = inferiors.get(spec.pid);
      return spec.tid > 0 ? inferior?.threads.get(spec.tid) : inferior && first(inferior);
    }
    if (spec.tid > 0) {
      for (const inferior of inferiors.values()) {
        const thread = inferior.threads.get(spec.tid);
        if (thread) return thread;
      }
      return undefined;
    }
    const last = this.target.last;
    if (last?.kind === 'thread') {
      const thread = inferiors.get(last.pid)?.threads.get(last.tid);
      if (thread) return thread;
    }
    for (const inferior of inferiors.values()) return first(inferior);
    return undefined;
  }
  private buffer = Buffer.allocUnsafeSlow(16384);
  /** A buffer for one packet's payload; overwritten by the next. */
  scratch(length: number): Buffer {
    if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(length);
    return this.buffer;
  }
  /** The general thread (Hg), for registers and memory. */
  thread(): Thread {
    const thread = this.find(this.general);
    if (!thread) throw this.noThread();
    return thread;
  }
  private noThread(): ReplyError {
    if (this.engine.inferiors.size === 0) return new NoProcess();
    const { pid, tid } = this.general;
    return new ReplyError(ESRCH, `thread ${tid} of process ${pid} is gone`);
  }
  /** The general thread's process, even when that thread is gone. */
  current(): Inferior | undefined {
    const { inferiors } = this.engine;
    if (this.general.pid > 0) return inferiors.get(this.general.pid);
    const thread = this.find(this.general);
    return thread && inferiors.get(thread.pid);
  }
  inferior(): Inferior {
    const inferior = this.current();
    if (!inferior) throw this.noThread();
    return inferior;
  }
}

function first(inferior: Inferior): Thread | undefined {
  for (const thread of inferior.threads.values()) return thread;
  return undefined;
}

/** For the packet log: bytes that are not text as \xNN, long packets shortened. */
function printable(buf: Buffer, offset: number, length: number): string {
  const shown = Math.min(length, 512);
  const text = buf
    .toString('latin1', offset, offset + shown)
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return shown < length ? `${text}... (${length} bytes)` : text;
}
