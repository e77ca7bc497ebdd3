import { native } from '../../native';
import type { ArchDescriptor, RegisterSpec } from '../../engine/arch/descriptor';
import { observing } from '../../engine/errors';
import type { Inferior } from '../../engine/inferior';
import type { Thread } from '../../engine/thread';
import { readAll, readOne } from '../glimpse';
import { packet, WRITTEN, type Packet } from '../packet';
import { ReplyError } from '../reply';
import type { Session } from '../session';
import { frameG, frameRegister } from '../trace-frame';

const EINVAL = 22;
const UNAVAILABLE = 'x';

/** The selected thread and its process, stopped. */
function held(session: Session): { thread: Thread; inferior: Inferior } {
  const thread = session.thread();
  session.target.takeBack([thread]);
  return { thread, inferior: session.engine.inferiors.get(thread.pid)! };
}

/** Observers write nothing, and a frame of a trace cannot be written to. */
function writable(session: Session): void {
  if (session.engine.observer) throw observing('write registers');
  if (session.target.trace.frame)
    throw new ReplyError(EINVAL, 'a trace frame is selected: tfind none goes back to the process');
}

/** Sends a g reply; what is unavailable as x. */
function sendAll(
  session: Session,
  arch: ArchDescriptor,
  g: Buffer,
  available: readonly boolean[],
): typeof WRITTEN {
  const { out } = session;
  const size = gSizeFor(session, arch);
  out.begin();
  if (available.every(Boolean)) out.hex(g, 0, size);
  else
    arch.registers.forEach((r, i) => {
      if (r.gOffset >= size) return;
      if (available[i]) out.hex(g, r.gOffset, r.size);
      else out.ascii(UNAVAILABLE.repeat(2 * r.size));
    });
  out.end();
  return WRITTEN;
}

function spec(inferior: Inferior, num: number): RegisterSpec {
  const found = inferior.arch.byNumber.get(num);
  if (!found) throw new ReplyError(EINVAL, `no register ${num} in ${inferior.arch.name}`);
  return found;
}

/** Bytes of a g reply: gdb presumes fewer registers when it is told not to read descriptions. */
export function gSizeFor(session: Session, arch: ArchDescriptor): number {
  const told = [...session.client].find((feature) => feature.startsWith('xmlRegisters='));
  const reads = session.client.size === 0 || told?.slice(13).split(',').includes('i386');
  return reads ? arch.gSize : arch.plainGSize;
}

function liveRegister(session: Session, register: RegisterSpec): Buffer | undefined {
  const { thread, inferior } = held(session);
  return readOne(session.engine, thread, inferior, register);
}

function writeAll(session: Session, hex: Buffer, start: number, digits: number): string {
  writable(session);
  const { thread, inferior } = held(session);
  const { arch } = inferior;
  const g = Buffer.alloc(Math.max(arch.gSize, digits >> 1));
  const regset = (note: number): Buffer | undefined => session.engine.regset(thread, note);
  // what the packet does not carry stays as it is
  arch.toG(regset, g, 0);
  if (native.hexDecode(g, 0, hex, start, digits) < 0)
    throw new ReplyError(EINVAL, 'not hex digits');
  for (const note of arch.fromG(g.subarray(0, arch.gSize), regset))
    session.engine.putRegset(thread, note, regset(note)!);
  return 'OK';
}

/** g G p P: registers as the target description orders them. */
export const registers: Packet[] = [
  packet({
    match: 'g',
    syntax: 'g',
    summary: 'All registers of the general thread; x where one is unavailable.',
    when: 'inferior',
    run(session) {
      const { frame } = session.target.trace;
      const { arch } = session.inferior();
      const g = Buffer.allocUnsafe(arch.gSize);
      if (frame) return sendAll(session, arch, g, frameG(frame, arch, g));
      const { thread, inferior } = held(session);
      const available = readAll(session.engine, thread, inferior, g);
      return sendAll(session, arch, g, available);
    },
  }),
  packet({
    match: 'G',
    syntax: 'G XX...',
    summary: 'Writes all registers of the general thread.',
    when: 'inferior',
    args: (a) => ({ buf: a.buf, at: a.at, digits: a.left }),
    run: (session, { buf, at, digits }) => writeAll(session, buf, at, digits),
  }),
  packet({
    match: 'p',
    syntax: 'p n',
    summary: 'One register.',
    when: 'inferior',
    args: (a) => a.num(),
    run(session, num) {
      const { frame } = session.target.trace;
      const inferior = session.inferior();
      const register = spec(inferior, num);
      const value = frame
        ? frameRegister(frame, inferior.arch, num)
        : liveRegister(session, register);
      if (!value) return UNAVAILABLE.repeat(2 * register.size);
      session.out.begin().hex(value).end();
      return WRITTEN;
    },
  }),
  packet({
    match: 'P',
    syntax: 'P n=r...',
    summary: 'Writes one register.',
    when: 'inferior',
    args: (a) => {
      const num = a.num();
      return { num, value: a.lit('=').hexBytes() };
    },
    run(session, { num, value }) {
      writable(session);
      const { thread, inferior } = held(session);
      const register = spec(inferior, num);
      if (value.length !== register.size)
        throw new ReplyError(
          EINVAL,
          `${register.name} has ${register.size} bytes, not ${value.length}`,
        );
      const regset = (note: number): Buffer | undefined => session.engine.regset(thread, note);
      for (const note of inferior.arch.setRegister(register, value, regset))
        session.engine.putRegset(thread, note, regset(note)!);
      return 'OK';
    },
  }),
];
