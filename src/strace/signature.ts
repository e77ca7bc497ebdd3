import type { Abi } from './abi';
import { address, type Call } from './call';
import { BASIC } from './kinds/basic';
import { CONTROL } from './kinds/control';
import { FILES as FILE_KINDS } from './kinds/files';
import { IOCTL } from './kinds/ioctl';
import { LATER, type Kind, type Kinds } from './kinds/kind';
import { MISC } from './kinds/misc';
import { POLLS } from './kinds/polls';
import { PROCESS as PROCESS_KINDS } from './kinds/process';
import { SIGNALS } from './kinds/signals';
import { SOCKETS } from './kinds/sockets';
import { TIME } from './kinds/time';
import { FILES } from './signatures/files';
import { I386, NETWORK } from './signatures/network';
import { PROCESS } from './signatures/process';

const KINDS: Kinds = {
  ...BASIC,
  ...FILE_KINDS,
  ...PROCESS_KINDS,
  ...CONTROL,
  ...SIGNALS,
  ...TIME,
  ...POLLS,
  ...SOCKETS,
  ...IOCTL,
  ...MISC,
};
const COMMON: Record<string, string> = { ...FILES, ...PROCESS, ...NETWORK };
/** Kinds that stand for no argument of their own. */
const ASIDE = new Set([
  'remember',
  'fcntlresult',
  'pollresult',
  'selectresult',
  'personalityresult',
  'membarrier',
  'signaled',
  'movedoff',
  'chosenentry',
  'schedresult',
]);
/** Kinds that show nothing: they need no memory when the call returns. */
const WITHOUT_MEMORY = new Set(
  [
    'd u x ld lu lx wd wu a fd id f lf e dirfd open openmode mode access sig clock flock sched',
  ].flatMap((s) => s.split(' ')),
);
const UNKNOWN = 'lx lx lx lx lx lx';

interface Step {
  kind: Kind;
  index: number;
}

export type ResultForm = 'd' | 'x' | 'fd' | 'o' | 'none';

/** How one system call is printed. */
export class Signature {
  readonly result: ResultForm = 'd';
  /** Memory is read at the entry; at the return. */
  readonly readsAtEntry: boolean;
  readonly readsAtExit: boolean;
  private readonly steps: Step[] = [];
  private readonly late: number;

  constructor(
    readonly name: string,
    text: string,
  ) {
    let late = Infinity;
    let index = 0;
    let before = false;
    let after = false;
    for (const word of text.split(' ').filter(Boolean)) {
      if (word === '|') {
        late = this.steps.length;
        continue;
      }
      if (word.startsWith('=')) {
        this.result = word.slice(1) as ResultForm;
        continue;
      }
      const colon = word.indexOf(':');
      const [kind, param] = colon < 0 ? [word, ''] : [word.slice(0, colon), word.slice(colon + 1)];
      const make = KINDS[kind];
      if (make === undefined) throw new Error(`${name}: there is no kind of argument ${kind}`);
      const aside = ASIDE.has(kind);
      this.steps.push({ kind: make(param), index });
      if (!aside) index++;
      if (!WITHOUT_MEMORY.has(kind)) {
        if (late === Infinity) before = true;
        // what may wait for the return (LATER) reads there
        if (late !== Infinity || LATE.has(kind)) after = true;
      }
    }
    this.late = late;
    this.readsAtEntry = before;
    this.readsAtExit = after;
  }

  /** Appends what is known at the entry; returns where the exit goes on. */
  enter(c: Call): number {
    let n = 0;
    for (; n < this.steps.length && n < this.late; n++) {
      const { kind, index } = this.steps[n]!;
      const text = show(kind, c, index);
      if (text === LATER) return n;
      put(c, text);
    }
    if (n < this.steps.length && c.shown > 0) {
      c.text += ', ';
      c.comma = true;
    }
    return n;
  }

  /** Appends the rest. */
  exit(c: Call, from: number): void {
    for (let n = from; n < this.steps.length; n++) {
      const { kind, index } = this.steps[n]!;
      const text = show(kind, c, index);
      if (text !== LATER) put(c, text);
    }
  }
}

const LATE = new Set(
  'fcntl ioctl prctl arch pollresult selectresult clonetids clonesize movedoff membarrier signaled chosenentry shmaddress'.split(
    ' ',
  ),
);

// what a program passes may be anything: what cannot be shown is a number
function show(kind: Kind, c: Call, index: number): ReturnType<Kind> {
  try {
    return kind(c, index);
  } catch {
    return address(c.ulong(index));
  }
}

function put(c: Call, text: string | undefined): void {
  if (text === undefined) return;
  c.text += c.glue;
  c.glue = '';
  if (c.shown > 0 && !c.comma) c.text += ', ';
  c.comma = false;
  c.shown++;
  c.text += text;
}

/** The arguments of a call in the notation of the tables; those of an unknown one are numbers. */
export function signatureText(name: string, abi: Abi): string {
  return (abi.name === 'i386' ? I386[name] : undefined) ?? COMMON[name] ?? UNKNOWN;
}

/** The signatures of one interface, made when they are first asked for. */
export class Signatures {
  private readonly made = new Map<number, Signature>();
  private readonly byName = new Map<string, Signature>();

  constructor(private readonly abi: Abi) {}

  /** One that has no number of its own. */
  named(name: string): Signature {
    let found = this.byName.get(name);
    if (found === undefined) {
      found = new Signature(name, signatureText(name, this.abi));
      this.byName.set(name, found);
    }
    return found;
  }

  of(nr: number): Signature {
    let found = this.made.get(nr);
    if (found === undefined) {
      const name = this.abi.names.get(nr) ?? `syscall_0x${nr.toString(16)}`;
      found = new Signature(name, signatureText(name, this.abi));
      this.made.set(nr, found);
    }
    return found;
  }
}
