import type { Packet } from '../../src/rsp/packet';
import { hex } from '../rsp/client';
import type { Random } from './random';
import { compile, type Maker } from './syntax';

/** What packets may name so that they mean something now. */
export interface Surroundings {
  /** "p3e8.3e8", "3e8" */
  threads(): readonly string[];
  pids(): readonly number[];
  addresses(): readonly bigint[];
  readonly programs: readonly string[];
  readonly directory: string;
}

const EDGES =
  '0 1 2 7f 80 ff 100 fff 1000 ffff 10000 3fffff 400000 7fffffff 80000000 ffffffff 100000000 ' +
  '1fffffffffffff 20000000000000 7fffffffffffffff 8000000000000000 ffffffffffffffff ' +
  '10000000000000000 ffffffffffffffffffffffffffffffffffffffff 00000000000000000000001 -1 -0 g';
const FEATURES =
  'multiprocess+ swbreak+ hwbreak+ fork-events+ vfork-events+ exec-events+ vContSupported+ ' +
  'QThreadEvents+ no-resumed+ error-message+ multi-wp-addr+ xmlRegisters=i386 nonsense+ - = ;';
const COMMANDS =
  'help|who|why|threads|stats|capabilities|version|exit|set debug 1|set debug-format all|set|' +
  'set remote-debug 0|nonsense|\0|help help|set debug-format ,,,';
const NAMES = ['a', 'b', 'c', 'd/e', '.', '..', '../../etc/passwd', 'x'.repeat(300), 'a\0b', ''];
/** const8, const64, reg, ref64, add, dup, pop, log_not, if_goto, goto, less_signed, one unknown. */
const INSTRUCTIONS = '22?? 25???????????????? 2600?? 19 02 28 29 0e 2000?? 2100?? 14 ff'.split(' ');
/** These cost milliseconds each, as they read much of /proc. */
const DEAR = /osdata/;
/** These end what the others want to be there. */
const ENDING = /^(k|R|D|vKill|vRun|QNonStop|QStartNoAck)/;

/** Makes packets' contents (latin1) from the entries of the server's own packet table. */
export class Grammar {
  private readonly usual: Maker[] = [];
  private readonly rare: Maker[] = [];
  private readonly edges = EDGES.split(' ');
  /** The condition whose length was just said. */
  private code = '';

  constructor(
    packets: readonly Packet[],
    private readonly random: Random,
    private readonly around: Surroundings,
  ) {
    for (const { match, exact, syntax } of packets) {
      const rest = exact === true ? '' : syntax.slice(match.length);
      const tail = compile(rest, (word) => this.word(match, word), random);
      const make = (): string => match + tail();
      if (DEAR.test(match)) this.rare.push(make);
      else this.usual.push(make);
      if (!ENDING.test(match) && !DEAR.test(match)) this.usual.push(make, make, make);
    }
  }

  /** One packet's content. */
  packet(): string {
    const { random } = this;
    if (random.oneIn(2000)) return random.pick(this.rare)();
    const text = random.pick(this.usual)();
    // what is there already, and what may follow it that should not
    return random.oneIn(16) ? text + random.pick([';', ':', ',', '#', text, '\0', '}']) : text;
  }

  number(): string {
    const { random } = this;
    if (random.oneIn(3)) return random.pick(this.edges);
    return random.below(random.pick([4, 64, 4096])).toString(16);
  }
  private address(): string {
    const { random } = this;
    if (random.oneIn(4)) return this.number();
    const addr = random.pick(this.around.addresses()) + BigInt(random.below(32) - 8);
    return BigInt.asUintN(64, addr).toString(16);
  }
  private thread(): string {
    const { random } = this;
    const known = this.around.threads();
    if (known.length > 0 && !random.oneIn(4)) return random.pick(known);
    return random.pick(['-1', '0', 'p-1', 'p-1.-1', 'p0.0', `p${this.number()}.${this.number()}`]);
  }
  private pid(): string {
    const { random } = this;
    const known = this.around.pids();
    return known.length > 0 && !random.oneIn(4) ? random.pick(known).toString(16) : this.number();
  }
  private data(): string {
    return this.random.bytes(this.random.below(this.random.oneIn(64) ? 2000 : 24));
  }
  private digits(): string {
    return Buffer.from(this.data(), 'latin1').toString('hex') + (this.random.oneIn(16) ? 'f' : '');
  }
  private file(): string {
    const { random, around } = this;
    return hex(`${around.directory}/${random.pick(NAMES)}`);
  }
  private action(): string {
    const { random } = this;
    const verb = random.pick(['c', 's', 't', 'C', 'S', 'r', 'x', '']);
    if (verb === 'C' || verb === 'S') return verb + this.number();
    return verb === 'r' ? `r${this.address()},${this.address()}` : verb;
  }

  /** Agent expressions that often verify: some instructions with their operands, and an end. */
  private bytecode(): string {
    const { random } = this;
    let code = '';
    for (let n = random.below(8); n > 0; n--)
      code += random.pick(INSTRUCTIONS).replace(/\?/g, () => random.below(16).toString(16));
    return random.oneIn(8) ? code : `${code}27`;
  }

  private word(match: string, word: string): Maker | undefined {
    const { random } = this;
    if (match.startsWith('QEnvironment'))
      return word === 'value'
        ? () => ''
        : () => hex(random.pick(['A=b', '=', 'A=', 'A', 'B=\xff']));
    switch (word.toLowerCase()) {
      case 'addr':
      case 'link-map':
        return () => this.address();
      case 'thread-id':
        return () => this.thread();
      case 'pid':
        return () => this.pid();
      case 'xx':
      case 'r':
        return () => this.digits();
      case 'bytes':
      case 'data':
      case 'pattern':
        return () => this.data();
      case 'name':
        return () => this.file();
      case 'filename':
        return () => hex(random.pick(around(this.around)));
      case 'argument':
      case 'directory':
        return () => hex(random.pick(NAMES));
      case 'command':
        return () => hex(random.pick(COMMANDS.split('|')));
      case 'feature':
        return () => random.pick(FEATURES.split(' '));
      case 'xlength':
        return () => {
          this.code = this.bytecode();
          const length = random.oneIn(8) ? this.number() : (this.code.length / 2).toString(16);
          return `X${length}`;
        };
      case 'bytecode':
        return () => this.code;
      case 'action':
        return () => this.action();
      case 'sig':
      case 'nr':
      case 'n':
      case 'kind':
      case 'length':
      case 'count':
      case 'offset':
      case 'fd':
      case 'flags':
      case 'mode':
      case 'value':
        return () => this.number();
      default:
        return undefined;
    }
  }
}

function around({ programs }: Surroundings): readonly string[] {
  return [...programs, 'no-such-program'];
}
