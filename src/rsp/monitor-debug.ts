import { DEFAULT_SEARCH } from '../engine/linux/thread-library';
import type { DebugComponent, DebugSwitches } from './debug-switches';
import { MonitorUsageError, type MonitorCommand } from './monitor-command';
import { ReplyError } from './reply';
import type { Session } from './session';

const ENOTSUP = 95;
const ON = ['1', 'on'];
const VALUES = [...ON, '0', 'off'];

function switches(session: Session): DebugSwitches {
  const found = session.settings.switches;
  if (!found) throw new ReplyError(ENOTSUP, 'this server was started without debugging output');
  return found;
}

const NAMED: ReadonlyMap<string, readonly DebugComponent[]> = new Map([
  ['threads', ['threads']],
  ['remote', ['remote']],
  ['event-loop', ['event-loop']],
  ['all', ['threads', 'remote', 'event-loop']],
]);

function put(session: Session, components: readonly DebugComponent[], on: boolean): string {
  const { debug } = switches(session);
  for (const component of components)
    if (on) debug.add(component);
    else debug.delete(component);
  return on ? 'enabled' : 'disabled';
}

/** "set debug [component] value" as newer gdbservers (14 and later) spell and answer it. */
function setDebug(session: Session, [, text = '']: RegExpExecArray): string {
  const words = text.split(/ +/);
  const component = NAMED.has(words[0]!) ? words.shift()! : undefined;
  const [value, ...junk] = words;
  const before = ['set debug', component].filter((word) => word !== undefined).join(' ');
  const known = value !== undefined && VALUES.includes(value);
  if (value === undefined || (component === undefined && !known && junk.length === 0)) {
    const command = component === undefined ? `${before} ${text}` : before;
    throw new MonitorUsageError(`Missing value for '${command}' command.\n`);
  }
  if (!known) throw new MonitorUsageError(`Invalid value '${value}' for '${before}'.\n`);
  if (junk.length > 0) {
    const command = `${before} ${value}`;
    throw new MonitorUsageError(`Junk '${junk.join(' ')}' found at end of '${command}' command.\n`);
  }
  const on = ON.includes(value);
  if (component !== undefined) {
    const state = put(session, NAMED.get(component)!, on);
    return `Debug output for '${component}' ${state}.\n`;
  }
  put(session, on ? ['threads'] : NAMED.get('all')!, on);
  return on ? 'General debug output enabled.\n' : 'All debug output disabled.\n';
}

/** Turns components on or off and says so in gdbserver's words. */
function turn(components: readonly DebugComponent[], name: string): MonitorCommand['run'] {
  return (session, match) => {
    return `${name} ${put(session, components, ON.includes(match[1]!))}.\n`;
  };
}

function setFormat(session: Session, match: RegExpExecArray): string {
  const settings = switches(session);
  let text = '';
  settings.timestamps = false;
  for (const option of match[1]!.split(',')) {
    if (option === '') continue;
    if (option === 'all' || option === 'none') {
      settings.timestamps = option === 'all';
      const state = option === 'all' ? 'enabled' : 'disabled';
      text += `All extra debug format options ${state}.\n`;
    } else if (option === 'timestamp') {
      settings.timestamps = true;
      text += 'Timestamps will be added to debug output.\n';
    } else throw new MonitorUsageError(`${text}Unknown debug-format argument: "${option}"\n`);
  }
  return text;
}

function setGrace({ engine }: Session, [, state]: RegExpExecArray): string {
  engine.grace = state === 'on';
  return `Grace ${state}.\n`;
}

function setThreadLibraries({ target }: Session, [, path]: RegExpExecArray): string {
  target.threadLibraries = path === undefined || path === '' ? DEFAULT_SEARCH : path;
  return `libthread-db-search-path set to \`${target.threadLibraries}'\n`;
}

/**
 * gdbserver's switches with its usage lines and answers, which gdb's testsuite and other tools
 * match, and the spellings of its newer versions.
 */
export const debugCommands: readonly MonitorCommand[] = [
  {
    pattern: /^set debug (0|1)$/,
    usage: 'set debug <0|1>',
    help: ['Enable general debugging messages'],
    run: turn(['threads'], 'Debug output'),
  },
  {
    pattern: /^set debug ((?!-).*)$/,
    usage: 'set debug [threads|remote|event-loop|all] <on|off>',
    help: ['Enable debugging messages of a component'],
    run: setDebug,
  },
  {
    pattern: /^set debug-hw-points (0|1)$/,
    usage: 'set debug-hw-points <0|1>',
    help: ['Enable h/w breakpoint/watchpoint debugging messages'],
    run: turn(['threads'], 'H/W point debugging output'),
  },
  {
    pattern: /^set remote-debug (0|1)$/,
    usage: 'set remote-debug <0|1>',
    help: ['Enable remote protocol debugging messages'],
    run: turn(['remote'], 'Protocol debug output'),
  },
  {
    pattern: /^set event-loop-debug (0|1)$/,
    usage: 'set event-loop-debug <0|1>',
    help: ['Enable event loop debugging messages'],
    run: turn(['event-loop'], 'Event loop debug output'),
  },
  {
    pattern: /^set libthread-db-search-path ?(.*)$/,
    usage: 'set libthread-db-search-path [PATH]',
    help: ['Thread-local variables are found only where a folder of PATH has libthread_db'],
    run: setThreadLibraries,
  },
  {
    pattern: /^set grace (on|off)$/,
    usage: 'set grace <on|off>',
    help: ['Let the thread that stopped last run half a millisecond ahead of many others'],
    run: setGrace,
  },
  {
    pattern: /^set debug-format (.*)$/,
    usage: 'set debug-format option1[,option2,...]',
    help: ['Add additional information to debugging messages', 'Options: all, none, timestamp'],
    run: setFormat,
  },
];
