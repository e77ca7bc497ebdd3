import { readlinkSync } from 'node:fs';
import { EventType, touchedAddresses, type EngineEvent } from '../engine/channel/event';
import type { Inferior } from '../engine/inferior';
import { gdbSignal } from './gdb-signals';
import { readOne } from './glimpse';
import type { Session } from './session';
import type { Stop } from './stop';

const hex = (n: number): string => n.toString(16);
const hex2 = (n: number): string => (n & 0xff).toString(16).padStart(2, '0');

/** What was touched: all of it to who takes several such pairs in one packet, else the first. */
function watched({ client, target }: Session, event: EngineEvent): string {
  const all = touchedAddresses(event);
  return (client.has('multi-wp-addr+') ? all : all.slice(0, 1))
    .map((addr) => `${target.placed.watchKind(event.pid, addr)}:${addr.toString(16)};`)
    .join('');
}

/** The T packet's reason pairs (GDB manual, "Stop Reply Packets"). */
function reason(session: Session, event: EngineEvent, clone: number | undefined): string {
  const { client } = session;
  if (clone !== undefined) return `clone:${session.threadId(event.pid, clone)};`;
  switch (event.type) {
    case EventType.Break:
      return client.has('swbreak+') ? 'swbreak:;' : '';
    case EventType.HwBreak:
      return client.has('hwbreak+') ? 'hwbreak:;' : '';
    case EventType.Watch:
      return watched(session, event);
    case EventType.SyscallEntry:
      return `syscall_entry:${event.nr.toString(16)};`;
    case EventType.SyscallExit:
      return `syscall_return:${event.nr.toString(16)};`;
    case EventType.Fork:
      return `fork:${session.threadId(event.child, event.child)};`;
    case EventType.Vfork:
      return `vfork:${session.threadId(event.child, event.child)};`;
    case EventType.VforkDone:
      return 'vforkdone:;';
    case EventType.Exec: {
      let path = '';
      try {
        path = readlinkSync(`/proc/${event.pid}/exe`);
      } catch {
        // gone meanwhile: its death is the next stop
      }
      return `exec:${Buffer.from(path).toString('hex')};`;
    }
    case EventType.NewThread:
      return 'create:;';
    default:
      return '';
  }
}

/** Registers every client wants at once: they save it a round trip. */
function expedited(session: Session, inferior: Inferior, stop: Stop & { kind: 'thread' }): void {
  const { out } = session;
  const { arch } = inferior;
  const thread = inferior.threads.get(stop.tid);
  const event = stop.event;
  for (const { num, from } of arch.expedited) {
    const spec = arch.byNumber.get(num)!;
    if (event && event.pc !== 0n) {
      out.ascii(`${hex2(num)}:`);
      out.littleEndian(event[from], spec.size);
      out.ascii(';');
    } else if (thread && (thread.state === 'held' || session.engine.observer)) {
      const value = readOne(session.engine, thread, inferior, spec);
      if (value) out.ascii(`${hex2(num)}:${value.toString('hex')};`);
    }
  }
}

/** Appends one stop to the frame that was begun. */
export function writeStop(session: Session, stop: Stop): void {
  const { out, disabled } = session;
  const process = (pid: number): string => (session.multiprocess ? `;process:${hex(pid)}` : '');
  switch (stop.kind) {
    case 'exited':
      out.ascii(`W${hex2(stop.code)}${process(stop.pid)}`);
      return;
    case 'signaled':
      out.ascii(`X${hex2(gdbSignal(stop.signo))}${process(stop.pid)}`);
      return;
    case 'thread-exited':
      out.ascii(`w${hex2(stop.code)};${session.threadId(stop.pid, stop.tid)}`);
      return;
    case 'no-resumed':
      out.ascii('N');
      return;
    case 'thread':
  }
  if (disabled.has('T')) {
    out.ascii(`S${hex2(gdbSignal(stop.signo))}`);
    return;
  }
  out.ascii(`T${hex2(gdbSignal(stop.signo))}`);
  if (stop.event) out.ascii(reason(session, stop.event, stop.clone));
  const inferior = session.engine.inferiors.get(stop.pid);
  // a notification of an attach overtakes the description that gdb would need to read registers
  const early = session.nonStop && stop.event === undefined;
  if (inferior && !early) expedited(session, inferior, stop);
  if (!disabled.has('Tthread')) out.ascii(`thread:${session.threadId(stop.pid, stop.tid)};`);
  if (stop.event && stop.event.core >= 0) out.ascii(`core:${hex(stop.event.core)};`);
}
