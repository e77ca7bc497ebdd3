import type { BreakType } from '../../engine/engine';
import type { Args } from '../args';
import { packet, type Packet } from '../packet';
import type { Session } from '../session';

interface Where {
  addr: bigint;
  kind: number;
  /** Conditions or commands follow. */
  more: boolean;
}
const KIND_MAX = 0xffffffff;
const where = (a: Args): Where => {
  const addr = a.lit(',').big();
  const kind = a.lit(',').num(KIND_MAX);
  return { addr, kind, more: !a.done };
};

/** What each digit is called, and the capability it needs. */
const TYPES: readonly { type: BreakType; name: string; capability: string }[] = [
  { type: 0, name: 'software breakpoint', capability: 'break' },
  { type: 1, name: 'hardware breakpoint', capability: 'hwbreak' },
  { type: 2, name: 'write watchpoint', capability: 'watch' },
  { type: 3, name: 'read watchpoint', capability: 'watch_read' },
  { type: 4, name: 'access watchpoint', capability: 'watch' },
];

const insert = (session: Session, type: BreakType, { addr, kind, more }: Where): string => {
  // conditions were not offered: a client that sends them anyway must not be told they hold
  if (more) return '';
  session.target.insertBreakpoint(session.inferior().pid, type, addr, kind);
  return 'OK';
};

/** Z and z: inserting and removing, both idempotent. */
export const breakpoints: Packet[] = TYPES.flatMap(({ type, name, capability }) => [
  packet({
    match: `Z${type}`,
    syntax: `Z${type},addr,kind`,
    summary: `Inserts a ${name}.`,
    when: 'inferior',
    capability,
    args: where,
    run: (session, place) => insert(session, type, place),
  }),
  packet({
    match: `z${type}`,
    syntax: `z${type},addr,kind`,
    summary: `Removes a ${name}.`,
    when: 'inferior',
    capability,
    args: where,
    run(session, { addr, kind }) {
      session.target.removeBreakpoint(session.inferior().pid, type, addr, kind);
      return 'OK';
    },
  }),
]);
