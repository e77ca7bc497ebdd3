import type { BreakType } from '../../engine/engine';
import type { Args } from '../args';
import { packet, type Packet } from '../packet';
import type { Session } from '../session';

interface Where {
  addr: bigint;
  kind: number;
  code: { conditions: Buffer[]; actions: Buffer[]; persist: boolean };
  /** Something follows that was not offered. */
  more: boolean;
}
const CODE_MAX = 4096;
const KIND_MAX = 0xffffffff;
/** "X<len>,<bytecode>" again and again; each may have a semicolon before it. */
const expressions = (a: Args): Buffer[] => {
  const codes: Buffer[] = [];
  a.take(';');
  while (a.take('X')) {
    const length = a.num(CODE_MAX);
    const code = a.lit(',').hexBytes();
    if (code.length !== length) a.fail(`${length} bytes of bytecode`);
    codes.push(code);
    a.take(';');
  }
  return codes;
};
const where = (a: Args): Where => {
  const addr = a.lit(',').big();
  const kind = a.lit(',').num(KIND_MAX);
  const code: Where['code'] = { conditions: expressions(a), actions: [], persist: false };
  if (a.take('c')) {
    code.persist = a.lit('mds:').num(1) === 1;
    code.actions = expressions(a.lit(','));
  }
  return { addr, kind, code, more: !a.done };
};

/** What each digit is called, and the capability it needs. */
const TYPES: readonly { type: BreakType; name: string; capability: string }[] = [
  { type: 0, name: 'software breakpoint', capability: 'break' },
  { type: 1, name: 'hardware breakpoint', capability: 'hwbreak' },
  { type: 2, name: 'write watchpoint', capability: 'watch' },
  { type: 3, name: 'read watchpoint', capability: 'watch_read' },
  { type: 4, name: 'access watchpoint', capability: 'watch' },
];

const CODE = '[;Xlength,bytecode]...[;cmds:persist,Xlength,bytecode...]';

const insert = (session: Session, type: BreakType, place: Where): string => {
  const { addr, kind, code, more } = place;
  // commands that were not offered: a client that sends them must not be told they run
  if (more || (code.actions.length > 0 && !session.engine.has('actions'))) return '';
  session.target.insertBreakpoint(session.inferior().pid, type, addr, kind, code);
  return 'OK';
};

const offered = ({ engine }: Session): string | undefined => {
  const features: string[] = [];
  if (engine.has('conditions')) features.push('ConditionalBreakpoints+');
  if (engine.has('actions')) features.push('BreakpointCommands+');
  return features.length > 0 ? features.join(';') : undefined;
};

/** Z and z: inserting and removing, both idempotent. */
export const breakpoints: Packet[] = TYPES.flatMap(({ type, name, capability }) => [
  packet({
    match: `Z${type}`,
    syntax: `Z${type},addr,kind` + (type < 2 ? CODE : ''),
    summary: `Inserts a ${name}.`,
    ...(type === 0 ? { feature: offered } : {}),
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
