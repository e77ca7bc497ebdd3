import { DISABLEABLE, USAGE } from './gdbserver-usage';

export type EngineChoice = 'kernel' | 'embedded' | 'auto';

/** What gdbserver's command line asks for. */
export interface GdbserverOptions {
  /** HOST:PORT, a terminal, "-", "stdio" or unix:PATH; comm.ts reads it. */
  comm: string;
  /** argv of the program; empty with --multi or --attach. */
  program: string[];
  attachPid: number | undefined;
  once: boolean;
  multi: boolean;
  wrapper: string[];
  noRandomize: boolean;
  startupWithShell: boolean;
  /** Else the program's arguments are one line, which a shell reads. */
  escapeArgs: boolean;
  disabledPackets: Set<string>;
  debug: Set<DebugComponent>;
  debugFile: string | undefined;
  timestamps: boolean;
  engine: EngineChoice;
  observe: boolean;
  logPackets: string | undefined;
  /** Of many threads the one that stopped last runs ahead. */
  grace: boolean;
  /** Processors are kept from sleep while packets come and go. */
  awake: boolean;
  /** The server runs before whatever computes. */
  priority: boolean;
}

export type DebugComponent = 'threads' | 'event-loop' | 'remote';

/** Ends before serving anything: print these and exit. */
export class Leave extends Error {
  constructor(
    readonly code: number,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(stderr);
  }
}

/** What main() has to run instead of a server. */
export type Request =
  { kind: 'serve'; options: GdbserverOptions } | { kind: 'version' } | { kind: 'selftest' };

const DEBUG_COMPONENTS: readonly DebugComponent[] = ['threads', 'event-loop', 'remote'];
const DISABLEABLE_NAMES = ['vCont', 'vConts', 'Tthread', 'qC', 'qfThreadInfo', 'T'];
const THREAD_PACKETS = ['vCont', 'Tthread', 'qC', 'qfThreadInfo'];

const usage = (): Leave => new Leave(1, '', USAGE);
const fail = (line: string): Leave => new Leave(1, '', `${line}\n`);

/**
 * gdbserver's grammar: options stand before COMM, COMM ends them, whatever follows belongs to the
 * program; --attach may also follow COMM. Throws Leave where gdbserver would print and exit.
 */
export function parseGdbserver(argv: readonly string[]): Request {
  const options = defaults();
  let at = 0;
  let attach = false;
  let selftest = false;
  for (; argv[at]?.startsWith('-'); at++) {
    const word = argv[at] as string;
    const { name, value } = split(word);
    if (word === '-') break;
    else if (word === '--version') return { kind: 'version' };
    else if (word === '--help') throw new Leave(0, USAGE, '');
    else if (word === '--selftest' || name === '--selftest') selftest = true;
    else if (word === '--attach') attach = true;
    else if (word === '--wrapper') at = takeWrapper(argv, at, options);
    else if (word === '--disable-packet') throw new Leave(0, DISABLEABLE, '');
    else if (OWN_OPTIONS.has(name)) {
      const argument = value ?? argv[++at];
      if (argument === undefined) throw fail(`${name} needs a value`);
      takeOwn(name, argument, options);
    } else if (!takeFlag(word, options) && !takeValue(name, value, options))
      throw fail(`Unknown argument: ${word}`);
  }
  if (selftest) return { kind: 'selftest' };

  const comm = argv[at++];
  if (comm === undefined) throw usage();
  options.comm = comm;
  if (comm === '-' || comm === 'stdio') options.once = true; // its input ends only once
  if (!attach && !options.multi && argv[at] === undefined) throw usage();
  if (argv[at] === '--attach') {
    attach = true;
    at++;
  }
  if (attach) options.attachPid = takePid(argv.slice(at));
  else options.program = argv.slice(at);
  if (options.observe && options.program.length > 0)
    throw fail('--observe looks at what runs already: give --attach and a PID, or --multi');
  return { kind: 'serve', options };
}

function defaults(): GdbserverOptions {
  return {
    comm: '',
    program: [],
    attachPid: undefined,
    once: false,
    multi: false,
    wrapper: [],
    noRandomize: true,
    startupWithShell: true,
    escapeArgs: true,
    disabledPackets: new Set(),
    debug: new Set(),
    debugFile: undefined,
    timestamps: false,
    engine: 'auto',
    observe: false,
    logPackets: undefined,
    grace: true,
    awake: true,
    priority: true,
  };
}

function split(word: string): { name: string; value: string | undefined } {
  const equals = word.indexOf('=');
  return equals < 0
    ? { name: word, value: undefined }
    : { name: word.slice(0, equals), value: word.slice(equals + 1) };
}

function takeWrapper(argv: readonly string[], at: number, options: GdbserverOptions): number {
  const end = argv.indexOf('--', at + 1);
  if (end <= at + 1) throw usage();
  options.wrapper = argv.slice(at + 1, end);
  return end;
}

function takeFlag(word: string, options: GdbserverOptions): boolean {
  switch (word) {
    case '--multi':
      options.multi = true;
      return true;
    case '--once':
      options.once = true;
      return true;
    case '--disable-randomization':
    case '--no-disable-randomization':
      options.noRandomize = word === '--disable-randomization';
      return true;
    case '--startup-with-shell':
    case '--no-startup-with-shell':
      options.startupWithShell = word === '--startup-with-shell';
      return true;
    case '--escape-args':
    case '--no-escape-args':
      options.escapeArgs = word === '--escape-args';
      return true;
    case '--observe':
      options.observe = true;
      return true;
    case '--grace':
    case '--no-grace':
      options.grace = word === '--grace';
      return true;
    case '--awake':
    case '--no-awake':
      options.awake = word === '--awake';
      return true;
    case '--priority':
    case '--no-priority':
      options.priority = word === '--priority';
      return true;
    case '--debug':
      options.debug.add('threads');
      return true;
    case '--remote-debug':
      options.debug.add('remote');
      return true;
    case '--event-loop-debug':
      options.debug.add('event-loop');
      return true;
    default:
      return false;
  }
}

function takeValue(name: string, value: string | undefined, options: GdbserverOptions): boolean {
  if (value === undefined) return false;
  if (name === '--debug') takeDebug(value, options);
  else if (name === '--debug-file') options.debugFile = value;
  else if (name === '--debug-format') takeFormat(value, options);
  else if (name === '--disable-packet') takeDisabled(value, options);
  else return false;
  return true;
}

function takeDebug(list: string, options: GdbserverOptions): void {
  if (list === '') options.debug.add('threads');
  for (const word of list.split(',').filter(Boolean)) {
    const off = word.startsWith('-');
    const name = off ? word.slice(1) : word;
    const chosen = DEBUG_COMPONENTS.filter((component) => name === 'all' || component === name);
    if (chosen.length === 0) throw fail(`gdbserver: Unknown debug option '${word}'`);
    for (const component of chosen)
      if (off) options.debug.delete(component);
      else options.debug.add(component);
  }
}

function takeFormat(list: string, options: GdbserverOptions): void {
  options.timestamps = false;
  for (const word of list.split(',').filter(Boolean)) {
    if (word === 'none') options.timestamps = false;
    else if (word === 'all' || word === 'timestamp') options.timestamps = true;
    else throw fail(`Unknown debug-format argument: "${word}"`);
  }
}

function takeDisabled(list: string, options: GdbserverOptions): void {
  for (const word of list.split(',').filter(Boolean)) {
    const names = word === 'threads' ? THREAD_PACKETS : [word];
    if (word !== 'threads' && !DISABLEABLE_NAMES.includes(word))
      throw new Leave(1, '', `Don't know how to disable "${word}".\n\n${DISABLEABLE}`);
    for (const name of names) options.disabledPackets.add(name);
  }
}

const OWN_OPTIONS: ReadonlySet<string> = new Set(['--engine', '--log-packets']);

function takeOwn(name: string, value: string, options: GdbserverOptions): void {
  if (name === '--log-packets') {
    options.logPackets = value;
    return;
  }
  if (value !== 'kernel' && value !== 'embedded' && value !== 'auto')
    throw fail(`--engine is kernel, embedded or auto, not "${value}"`);
  options.engine = value;
}

// strtoul(text, &end, 0): decimal, 0x and leading-0 octal
function takePid(rest: readonly string[]): number {
  const [text, surplus] = rest;
  if (text === undefined || surplus !== undefined) throw usage();
  const octal = /^0[0-7]+$/.test(text);
  if (!octal && !/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) throw usage();
  const pid = octal ? parseInt(text, 8) : Number(text);
  if (pid === 0) throw usage();
  return pid;
}
