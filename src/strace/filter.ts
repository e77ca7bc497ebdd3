import type { Abi } from './abi';
import { CLASSES, DESC_KINDS, FILE_KINDS } from './classes';
import type { Constants } from './constants';
import { MULTIPLEXED } from './multiplexed';
import { signalNumber } from './signals';
import { signatureText } from './signature';

const OBSOLETE_CLASSES = new Set(['file', 'process', 'network', 'signal', 'ipc', 'desc', 'memory']);

/** One set of system calls, as "-e trace=" writes it. */
class CallSet {
  private readonly items: ((name: string, nr: number, abi: Abi) => boolean)[];
  private readonly negated: boolean;

  constructor(text: string, abis: readonly Abi[]) {
    this.negated = text.startsWith('!');
    const list = this.negated ? text.slice(1) : text;
    this.items =
      list === 'all'
        ? [(): boolean => true]
        : list === 'none'
          ? []
          : list.split(',').map((item) => this.item(item, abis));
  }

  has(name: string, nr: number, abi: Abi): boolean {
    return this.items.some((item) => item(name, nr, abi)) !== this.negated;
  }

  private item(
    text: string,
    abis: readonly Abi[],
  ): (name: string, nr: number, abi: Abi) => boolean {
    const optional = text.startsWith('?');
    const word = optional ? text.slice(1) : text;
    if (word.startsWith('/')) {
      const pattern = new RegExp(word.slice(1));
      return (name) => pattern.test(name);
    }
    const [bare = '', only] = word.split('@');
    const suits = (abi: Abi): boolean => only === undefined || (only === '64') === (abi.word === 8);
    if (/^\d+$/.test(bare)) return (_, nr, abi) => nr === Number(bare) && suits(abi);
    if (bare.startsWith('%') || OBSOLETE_CLASSES.has(bare)) {
      const inClass = classOf(bare.replace(/^%/, ''));
      if (inClass === undefined) throw new Error(`invalid system call class '${text}'`);
      return (name, _, abi) => inClass(name, abi) && suits(abi);
    }
    const known = abis.some((abi) => bare in abi.numbers);
    if (!known && !optional) throw new Error(`invalid system call '${text}'`);
    return (name, _, abi) => name === bare && suits(abi);
  }
}

function classOf(name: string): ((call: string, abi: Abi) => boolean) | undefined {
  if (name === 'file') return (call, abi) => FILE_KINDS.test(signatureText(call, abi));
  if (name === 'desc') return (call, abi) => DESC_KINDS.test(signatureText(call, abi));
  const list = CLASSES[name];
  if (list === undefined) return undefined;
  const names = new Set(list.split(' '));
  return (call) => names.has(call);
}

/** What is to be seen: system calls and signals. */
export class Filter {
  private calls: CallSet[] = [];
  private readonly cache = new Map<Abi, number[] | 'all'>();
  private readonly wantedNumbers = new Map<Abi, Set<number>>();
  /** Bit N: signal N + 1. */
  signals = (1n << 64n) - 1n;

  constructor(
    private readonly abis: readonly Abi[],
    private readonly constants: Constants,
  ) {}

  /** -e trace=SET; several add up. */
  trace(set: string): void {
    this.calls.push(new CallSet(set, this.abis));
  }

  /** -e signal=SET */
  signal(text: string): void {
    const negated = text.startsWith('!');
    const list = negated ? text.slice(1) : text;
    const all = (1n << 64n) - 1n;
    let set = list === 'all' ? all : 0n;
    for (const name of list === 'all' || list === 'none' ? [] : list.split(',')) {
      const signo = signalNumber(this.constants, name);
      if (signo === undefined) throw new Error(`invalid signal '${name}'`);
      set |= 1n << BigInt(signo - 1);
    }
    this.signals = negated ? all & ~set : set;
  }

  wantsSignal(signo: number): boolean {
    return ((this.signals >> BigInt(signo - 1)) & 1n) === 1n;
  }

  get wantsAllCalls(): boolean {
    return this.calls.length === 0;
  }

  /** Whether one call is wanted: the provider asks first, this is for interfaces it cannot tell apart. */
  wants(nr: number, abi: Abi, name: string): boolean {
    if (name !== abi.names.get(nr)) return this.calls.some((set) => set.has(name, nr, abi));
    let known = this.wantedNumbers.get(abi);
    if (known === undefined) {
      const numbers = this.numbers(abi);
      known = numbers === 'all' ? undefined : new Set(numbers);
      if (known === undefined) return true;
      this.wantedNumbers.set(abi, known);
    }
    return known.has(nr);
  }

  /** Numbers of the wanted calls of one interface. */
  numbers(abi: Abi): number[] | 'all' {
    let found = this.cache.get(abi);
    if (found === undefined) {
      found = this.wantsAllCalls ? 'all' : this.choose(abi);
      this.cache.set(abi, found);
    }
    return found;
  }

  private choose(abi: Abi): number[] {
    return [...abi.names].flatMap(([nr, name]) => {
      const names = MULTIPLEXED[abi.word === 4 ? name : ''] ?? [name];
      return this.calls.some((set) => names.some((one) => set.has(one, nr, abi))) ? [nr] : [];
    });
  }
}
