import type { Abi } from '../strace/abi';
import type { Constants } from '../strace/constants';
import { Filter } from '../strace/filter';
import type { Options, Status } from '../strace/options';
import { isSortOrder } from '../strace/summary';

/** A command line that cannot be obeyed; or one that only asks: code 0, text for standard output. */
export class Usage extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

const WITH_VALUE = 'abeEoOpPsSuUXI';
const PLAIN = 'ACcdDfFhinqrtTvVwxyzZ';
/** Long names of strace and of ours: the letter they stand for. */
const LONG: Record<string, string> = {
  attach: 'p',
  columns: 'a',
  'decode-fds': 'y',
  'detach-on': 'b',
  env: 'E',
  'follow-forks': 'f',
  help: 'h',
  'instruction-pointer': 'i',
  output: 'o',
  'output-append-mode': 'A',
  quiet: 'q',
  'relative-timestamps': 'r',
  'string-limit': 's',
  summary: 'C',
  'summary-only': 'c',
  'summary-sort-by': 'S',
  'summary-wall-clock': 'w',
  'successful-only': 'z',
  'failed-only': 'Z',
  'syscall-number': 'n',
  'syscall-times': 'T',
  user: 'u',
  version: 'V',
};
const QUALIFIERS = new Set([
  'trace',
  't',
  'signal',
  'signals',
  's',
  'status',
  'abbrev',
  'a',
  'verbose',
  'v',
  'quiet',
  'silent',
  'silence',
  'q',
  'decode-fds',
]);
const STATUSES: readonly Status[] = [
  'successful',
  'failed',
  'unfinished',
  'unavailable',
  'detached',
];

/** strace's own grammar; options end at the first word that is none. */
export class Parser {
  readonly options: Options;

  constructor(abis: readonly Abi[], constants: Constants) {
    this.options = {
      provider: 'auto',
      program: [],
      pids: [],
      follow: false,
      separate: false,
      output: undefined,
      append: false,
      filter: new Filter(abis, constants),
      statuses: undefined,
      summary: 'no',
      sort: 'time',
      timestamps: 0,
      relative: false,
      durations: false,
      quiet: 0,
      pointer: false,
      numbers: false,
      column: 40,
      user: undefined,
      environment: [],
      detachOnExec: false,
      record: false,
      style: { strings: 32, verbose: false, hex: 0, descriptors: 0 },
    };
  }

  parse(argv: readonly string[]): Options {
    const words = [...argv];
    for (;;) {
      const word = words[0];
      if (word === undefined || !word.startsWith('-') || word === '-') break;
      words.shift();
      if (word === '--') break;
      if (word.startsWith('--')) this.long(word.slice(2), words);
      else this.short(word.slice(1), words);
    }
    this.options.program = words;
    return this.check();
  }

  private short(letters: string, words: string[]): void {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i]!;
      if (WITH_VALUE.includes(letter)) {
        const value = letters.slice(i + 1) || words.shift();
        if (value === undefined) throw new Usage(`option requires an argument -- '${letter}'`);
        this.valued(letter, value);
        return;
      }
      if (!PLAIN.includes(letter)) throw new Usage(`invalid option -- '${letter}'`);
      this.plain(letter);
    }
  }

  private long(text: string, words: string[]): void {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? undefined : text.slice(at + 1);
    const need = (): string => {
      const given = value ?? words.shift();
      if (given === undefined) throw new Usage(`option '--${name}' requires an argument`);
      return given;
    };
    if (name === 'engine') this.engine(need());
    else if (name === 'record') this.options.record = true;
    else if (name === 'output-separately') this.options.separate = true;
    else if (name === 'timestamps' || name === 'absolute-timestamps') this.timestamps(value);
    else if (name === 'strings-in-hex')
      this.options.style.hex = value === undefined || value === 'all' ? 2 : 1;
    else if (name === 'no-abbrev') this.options.style.verbose = true;
    else if (name === 'trace' || name === 'signal' || name === 'status')
      this.qualifier(name, need());
    else {
      const letter = LONG[name];
      if (letter === undefined) throw new Usage(`unrecognized option '--${name}'`);
      if (WITH_VALUE.includes(letter)) this.valued(letter, need());
      else this.plain(letter);
    }
  }

  private plain(letter: string): void {
    const { options } = this;
    switch (letter) {
      case 'A':
        options.append = true;
        break;
      case 'c':
        options.summary = 'only';
        break;
      case 'C':
        options.summary = 'also';
        break;
      case 'f':
      case 'F':
        options.separate ||= options.follow;
        options.follow = true;
        break;
      case 'h':
        throw new Usage(usage(), 0);
      case 'V':
        throw new Usage('', 0);
      case 'i':
        options.pointer = true;
        break;
      case 'n':
        options.numbers = true;
        break;
      case 'q':
        options.quiet++;
        break;
      case 'r':
        options.relative = true;
        break;
      case 't':
        options.timestamps = Math.min(3, options.timestamps + 1) as 1 | 2 | 3;
        break;
      case 'T':
        options.durations = true;
        break;
      case 'v':
        options.style.verbose = true;
        break;
      case 'x':
        options.style.hex = options.style.hex === 0 ? 1 : 2;
        break;
      case 'y':
        options.style.descriptors = options.style.descriptors === 0 ? 1 : 2;
        break;
      case 'z':
        options.statuses = new Set(['successful']);
        break;
      case 'Z':
        options.statuses = new Set(['failed']);
        break;
      case 'w': // times are always wall-clock times
        break;
      default:
        throw new Usage(`-${letter} is not supported here`);
    }
  }

  private valued(letter: string, value: string): void {
    const { options } = this;
    switch (letter) {
      case 'a':
        options.column = count('a', value);
        break;
      case 'b':
        if (value !== 'execve') throw new Usage(`syscall '${value}' for -b isn't supported`);
        options.detachOnExec = true;
        break;
      case 'e':
        this.expression(value);
        break;
      case 'E':
        options.environment.push(value);
        break;
      case 'o':
        options.output = value;
        break;
      case 'p':
        for (const pid of value.split(/[\s,]+/).filter(Boolean)) options.pids.push(count('p', pid));
        break;
      case 's':
        options.style.strings = count('s', value);
        break;
      case 'S':
        if (!isSortOrder(value)) throw new Usage(`invalid sortby: '${value}'`);
        options.sort = value;
        break;
      case 'u':
        options.user = value;
        break;
      case 'I': // signals are never blocked longer than a decoding takes
        break;
      default:
        throw new Usage(`-${letter} is not supported here`);
    }
  }

  private expression(text: string): void {
    const at = text.indexOf('=');
    const name = at < 0 ? '' : text.slice(0, at);
    if (at >= 0 && /^(inject|fault|raw|read|write|r|w|kvm|x|f)$/.test(name)) {
      throw new Usage(`-e ${name}= is not supported here`);
    }
    if (at < 0 || !QUALIFIERS.has(name)) this.qualifier('trace', text);
    else this.qualifier(name, text.slice(at + 1));
  }

  private qualifier(name: string, value: string): void {
    const { options } = this;
    try {
      switch (name) {
        case 'trace':
        case 't':
          options.filter.trace(value);
          break;
        case 'signal':
        case 'signals':
        case 's':
          options.filter.signal(value);
          break;
        case 'status':
          options.statuses = statuses(value);
          break;
        case 'abbrev':
        case 'a':
          options.style.verbose = value === 'none';
          break;
        case 'decode-fds':
          options.style.descriptors = value === 'all' ? 2 : value === 'none' ? 0 : 1;
          break;
        case 'quiet':
        case 'silent':
        case 'silence':
        case 'q':
          options.quiet =
            value === 'all' ? 3 : Math.max(options.quiet, value.includes('exit') ? 2 : 1);
          break;
        default: // verbose: everything is
      }
    } catch (error) {
      throw new Usage((error as Error).message);
    }
  }

  private timestamps(value: string | undefined): void {
    const { options } = this;
    const words = (value ?? 'time').split(',');
    if (words.includes('unix')) options.timestamps = 3;
    else options.timestamps = words.some((word) => /^(us|format:time,us|ns)$/.test(word)) ? 2 : 1;
  }

  private engine(value: string): void {
    if (value !== 'auto' && value !== 'kernel' && value !== 'embedded') {
      throw new Usage(`--engine is auto, kernel or embedded, not "${value}"`);
    }
    this.options.provider = value;
  }

  private check(): Options {
    const { options } = this;
    if (options.program.length === 0 && options.pids.length === 0) {
      throw new Usage('must have PROG [ARGS] or -p PID');
    }
    if (options.separate && options.output === undefined) options.separate = false;
    if (options.summary === 'only' && options.separate) {
      throw new Usage('(-c or -C) and -ff are mutually exclusive');
    }
    if (options.user !== undefined && options.program.length === 0) {
      throw new Usage('-u is only for a program that is started');
    }
    const direct = options.output !== undefined && options.program.length > 0;
    if (direct && options.pids.length === 0 && options.quiet === 0) options.quiet = 1;
    return options;
  }
}

function count(letter: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Usage(`invalid -${letter} argument: '${value}'`);
  return Number(value);
}

function statuses(text: string): ReadonlySet<Status> {
  const negated = text.startsWith('!');
  const words = (negated ? text.slice(1) : text).split(',');
  const wrong = words.find(
    (word) => word !== 'all' && word !== 'none' && !STATUSES.includes(word as Status),
  );
  if (wrong !== undefined) throw new Usage(`invalid status '${wrong}'`);
  const named = words.includes('all')
    ? STATUSES
    : words.includes('none')
      ? []
      : (words as Status[]);
  return new Set(negated ? STATUSES.filter((status) => !named.includes(status)) : named);
}

export function usage(): string {
  return `Usage: ntrace strace [-fF] [-o FILE] [-e EXPR]... [OPTIONS] (-p PID | PROG [ARGS])

  -p PID              trace this process; may be given several times
  -f, -ff             follow children and threads; with -o FILE: a FILE.PID for each
  -b execve           let go of a process that executes a program
  -u USER             run PROG as this user
  -E VAR=VAL, -E VAR  set or remove a variable of PROG
  -o FILE, -o '|CMD'  where to write; -A appends
  -e trace=SET        names, %file %process %network %signal %ipc %desc %memory ..., /REGEX, !SET
  -e signal=SET       signals to print
  -e status=SET       successful, failed, unfinished, detached; -z and -Z: the first two
  -s N                most characters of a string (32);  -v  nothing abbreviated
  -x, -xx             strings in hexadecimal;  -y, -yy  what descriptors stand for
  -t, -tt, -ttt       time of day, with microseconds, as seconds of the epoch
  -r, -T              time since the line before; time in the call
  -i, -n              instruction pointer; number of the call
  -c, -C, -S ORDER    a summary instead, as well, sorted by time, calls, errors, name
  -q, -qq             no messages about attaching; none about exits
  --engine NAME       auto, kernel or embedded
  --record            stop nobody: text behind pointers is read a moment later
  -h, -V              this help, the version
`;
}
