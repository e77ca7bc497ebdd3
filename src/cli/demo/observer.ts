import fs from 'node:fs';
import { EventType, type EngineEvent } from '../../engine/channel/event';
import { openChannel } from '../../engine/channel/open';
import { openEngine, type Engine } from '../../engine/engine';
import { resultText, syscallName, syscallText } from './syscall-text';

/** A system call seen from its entry to its return. */
export interface Call {
  thread: string;
  name: string;
  /** With arguments, and its result once it is there. */
  text: string;
}

/**
 * A second engine on the program that gdb debugs: it never stops anything, it only takes notes of
 * the system calls. Its entries carry arguments; strings are read from the program's memory.
 */
export class Observer {
  /** Calls noted, by name. */
  readonly counts = new Map<string, number>();
  private readonly engine: Engine;
  private readonly open = new Map<number, Call>();
  private readonly names = new Map<number, string>();

  constructor(private readonly pid: number) {
    this.engine = openEngine(openChannel('embedded'), { label: 'observer', observer: true });
    this.engine.set(0, { entryNote: 'all', exitNote: 'all' });
    this.engine.attach(pid, { stop: false });
  }

  /** The calls that ended (or never return) since the last time. */
  take(): Call[] {
    return this.engine.events().flatMap((event) => this.call(event) ?? []);
  }

  /** Labels of every engine on the program, ours included. */
  attached(): string[] {
    const holders = this.engine.who(this.pid);
    return [...new Map(holders.map(({ engineId, label }) => [engineId, label])).values()];
  }

  close(): void {
    this.engine.close();
  }

  private call(event: EngineEvent): Call | undefined {
    const { tid, nr, args } = event;
    if (event.type === EventType.SyscallEntry) {
      const name = syscallName(nr);
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      const text = syscallText(nr, args, (addr, length) => this.read(addr, length));
      this.open.set(tid, { thread: this.nameOf(tid), name, text });
      return /^exit/.test(name) ? this.finish(tid, '') : undefined;
    }
    if (event.type === EventType.SyscallExit)
      return this.finish(tid, ` = ${resultText(args[0] ?? 0n)}`);
    return undefined;
  }

  private finish(tid: number, result: string): Call | undefined {
    const call = this.open.get(tid);
    this.open.delete(tid);
    return call && { ...call, text: call.text + result };
  }

  private read(addr: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    try {
      return bytes.subarray(0, this.engine.readMemory(this.pid, addr, bytes, 0, length));
    } catch {
      return Buffer.from('?'); // it went on and its memory changed, or it is gone
    }
  }

  // threads name themselves, so a name is final only once it is not the program's own
  private nameOf(tid: number): string {
    try {
      this.names.set(tid, fs.readFileSync(`/proc/${this.pid}/task/${tid}/comm`, 'utf8').trim());
    } catch {
      // it ended: what we knew last
    }
    return this.names.get(tid) ?? String(tid);
  }
}
