import type { NativeEngine, SpawnedChild, SpawnSpec } from '../../../native';
import { splitRequest } from '../calls';
import type { Channel } from '../channel';
import { FEATURES, HELLO_OBSERVER, type Feature } from '../enums';
import { ABI_VERSION, EVENT, HELLO, LABEL_LEN, LAYOUTS, THREAD } from '../records';
import * as breaks from './break-calls';
import { Errno, FakeContext, MAX_BATCH } from './context';
import * as data from './data-calls';
import { EVENT_CAPACITY, FakeEngine, MAX_EVENTS } from './fake-engine';
import type { FakeMachine } from './machine';
import * as threads from './thread-calls';

type Handler = (context: FakeContext, record: Buffer) => number;

const EM_X86_64 = 62;
const ABSENT: readonly Feature[] = [
  'watch_read',
  'conditions',
  'actions',
  'tracepoints',
  'yield',
  'release',
  'leave_stopped',
  'attach_thread',
  'syscall_change',
];

const unsupported: Handler = () => -Errno.EOPNOTSUPP;

// By request number; the names are those of LAYOUTS.
const HANDLERS: readonly { record: string; run: Handler }[] = [
  { record: 'hello', run: hello },
  { record: 'attach', run: threads.attach },
  { record: 'detach', run: threads.detach },
  { record: 'threads', run: threads.listThreads },
  { record: 'resume', run: threads.resume },
  { record: 'stop', run: threads.stop },
  { record: 'regs', run: (context, record) => data.registers(context, record, false) },
  { record: 'regs', run: (context, record) => data.registers(context, record, true) },
  { record: 'mem', run: (context, record) => data.memory(context, record, false) },
  { record: 'mem', run: (context, record) => data.memory(context, record, true) },
  { record: 'break', run: breaks.insert },
  { record: 'unbreak', run: breaks.remove },
  { record: 'break_stats', run: breaks.statistics },
  { record: 'sets', run: breaks.changeSets },
  { record: 'signal', run: breaks.sendSignal },
  { record: 'who', run: breaks.who },
  { record: 'release_hold', run: unsupported },
  { record: 'tracepoint', run: unsupported },
  { record: 'trace_control', run: unsupported },
  { record: 'tracepoint', run: unsupported },
  { record: 'trace_read', run: unsupported },
  { record: 'variable', run: unsupported },
];

const SIZES = new Map(LAYOUTS.map((record) => [record.name, record.size]));

function hello(context: FakeContext, record: Buffer): number {
  const { engine } = context;
  const flags = record.readUInt32LE(HELLO.at.flags);
  const version = record.readUInt32LE(HELLO.at.abi_version);
  if (version === 0 || (flags & ~HELLO_OBSERVER) !== 0) return -Errno.EINVAL;
  engine.observer = flags === HELLO_OBSERVER;
  engine.abi = ABI_VERSION;
  const label = record.subarray(HELLO.at.label, HELLO.at.label + LABEL_LEN - 1);
  engine.label = label.toString('utf8').replace(/\0.*$/s, '');
  record.writeUInt32LE(ABI_VERSION, HELLO.at.abi_version);
  let features = 0n;
  FEATURES.forEach((name, bit) => {
    if (!ABSENT.includes(name)) features |= 1n << BigInt(bit);
  });
  record.writeBigUInt64LE(features, HELLO.at.features);
  record.write('fake\0', HELLO.at.provider);
  record.writeBigUInt64LE(engine.id, HELLO.at.engine_id);
  record.writeUInt32LE(EM_X86_64, HELLO.at.machine);
  record.writeUInt32LE(4096, HELLO.at.page_size);
  record.writeUInt32LE(EVENT.size, HELLO.at.event_size);
  record.writeUInt32LE(THREAD.size, HELLO.at.thread_size);
  record.writeUInt32LE(MAX_BATCH, HELLO.at.max_batch);
  const asked = record.readUInt32LE(HELLO.at.event_capacity);
  engine.capacity = Math.min(Math.max(asked, EVENT_CAPACITY), MAX_EVENTS);
  record.writeUInt32LE(engine.capacity, HELLO.at.event_capacity);
  record.writeUInt32LE(breaks.DEBUG_REGISTERS, HELLO.at.hw_breaks);
  record.writeUInt32LE(breaks.DEBUG_REGISTERS, HELLO.at.hw_watches);
  record.writeUInt32LE(8, HELLO.at.hw_watch_len);
  return 0;
}

class FakeChannel implements Channel {
  readonly native: NativeEngine | undefined = undefined;
  private readonly engine: FakeEngine;
  private readonly context: FakeContext;
  private closed = false;

  constructor(private readonly machine: FakeMachine) {
    this.engine = new FakeEngine(machine.engineId(), () => machine.now());
    this.context = new FakeContext(machine, this.engine);
  }

  call(request: number, record: Uint8Array): number {
    if (this.closed) return -Errno.EBADF;
    const { nr, size, valid } = splitRequest(request);
    const handler = HANDLERS[nr];
    if (!valid || handler === undefined) return -Errno.ENOTTY;
    if (record.length < size) return -Errno.EINVAL;
    if (nr !== 0 && this.engine.abi === 0) return -Errno.ENOTCONN;
    if (nr === 0 && this.engine.abi !== 0) return -Errno.EALREADY;
    const own = SIZES.get(handler.record) ?? 0;
    const given = Buffer.from(record.buffer, record.byteOffset, size);
    if (size > own && given.subarray(own).some((byte) => byte !== 0)) return -Errno.E2BIG;
    const local = Buffer.alloc(own);
    given.copy(local);
    const result = handler.run(this.context, local);
    local.copy(given, 0, 0, Math.min(own, size));
    return result;
  }

  readEvents(buf: Uint8Array): number {
    if (this.closed) return -Errno.EBADF;
    if (this.engine.abi === 0) return -Errno.ENOTCONN;
    if (buf.length < EVENT.size) return -Errno.EMSGSIZE;
    return this.engine.read(Buffer.from(buf.buffer, buf.byteOffset, buf.length));
  }

  /** Lets the machine run: a thousand instructions a millisecond. */
  wait(ms: number): boolean {
    const budget = ms < 0 ? 1_000_000 : Math.max(1000, ms * 1000);
    if (!this.closed) this.machine.run(Math.min(budget, 1_000_000), () => this.engine.readable);
    return !this.closed && this.engine.readable;
  }

  /** Whoever reads makes the events. */
  readAhead(): number {
    return 0;
  }

  addressOf(buf: Uint8Array): bigint {
    return this.machine.heap.addressOf(buf);
  }

  /** spec.file names one of the machine's programs. */
  spawn(spec: SpawnSpec): SpawnedChild {
    const { machine } = this;
    const program = machine.programs.get(spec.file);
    const first = program ?? [...machine.programs.values()][0];
    if (first === undefined) throw new Error('a machine without programs runs nothing');
    const process = machine.start(first);
    const leader = process.threads.get(process.pid);
    const ENOENT = 2;
    const SIGKILL = 9;
    let gone = false;
    process.embryo = () => {
      process.embryo = undefined;
      gone = true;
      if (leader === undefined) return;
      if (program === undefined) machine.die(process, 127 << 8);
      else machine.exec(leader, program);
    };
    return {
      pid: process.pid,
      go: () => process.embryo?.(),
      failure: () =>
        gone && program === undefined ? { errno: ENOENT, step: 'exec' } : { errno: 0, step: '' },
      abort: () => machine.die(process, SIGKILL),
      // nobody waits for the programs of a machine that is given up
      reap: () => process.status ?? (this.closed ? -1 : undefined),
    };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const own of [...this.engine.attachments.values()]) {
      threads.letGo(this.context, own, own.release);
    }
  }
}

/** A new engine of the machine. Release mode "kill" and "resume" are those it knows. */
export function openFake(machine: FakeMachine): Channel {
  return new FakeChannel(machine);
}
