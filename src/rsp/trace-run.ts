import type { Engine } from '../engine/engine';
import { TraceReason, VARIABLE_TIMESTAMP } from '../engine/channel/enums';
import type { FrameBlock, FrameHead, TraceStatus } from '../engine/tracepoints-api';
import { ReplyError } from './reply';
import type { TraceAction } from './trace-actions';
import type { FrameStream } from './trace-file';

const ENOENT = 2;

/** A tracepoint as the client defined it. */
export interface Definition {
  pid: number;
  number: number;
  addr: bigint;
  enabled: boolean;
  step: number;
  pass: bigint;
  /** Bytes a jump would replace: a fast tracepoint. Ours are all as fast. */
  fast: number | undefined;
  condition: Buffer | undefined;
  actions: TraceAction[];
  /** The provider has it as it is. */
  taken: boolean;
  /** Source pieces as QTDPsrc sent them: TYPE:START:TOTAL:BYTES. */
  sources: string[];
}

export interface Variable {
  number: number;
  initial: bigint;
  builtin: boolean;
  name: string;
}

export interface Notes {
  user: string;
  notes: string;
  tstop: string;
}

/** A frame the client looks at. */
export interface SelectedFrame {
  index: number;
  head: FrameHead;
  blocks: FrameBlock[];
}

const TIMESTAMP: Variable = {
  number: VARIABLE_TIMESTAMP,
  initial: 0n,
  builtin: true,
  name: 'trace_timestamp',
};

/** What makes a frame fit a search. */
export type FrameTest = (head: FrameHead) => boolean;

/** The trace experiment of a target across connections: what the provider does not need to know. */
export class TraceRun {
  readonly definitions: Definition[] = [];
  readonly variables = new Map<number, Variable>([[TIMESTAMP.number, TIMESTAMP]]);
  /** Memory a client believes unchanged since the frames were made: first and last address. */
  readonly constant: { start: bigint; end: bigint }[] = [];
  notes: Notes = { user: '', notes: '', tstop: '' };
  /** Tracing goes on without a client. */
  disconnected = false;
  /** What the client looks at instead of the live process. */
  frame: SelectedFrame | undefined;
  /** Pieces of a listing in progress (qTfP, qTfV). */
  listing: string[] = [];
  /** A qTBuffer conversation in progress. */
  stream: FrameStream | undefined;
  private leftBehind = false;

  constructor(private readonly engine: Engine) {}

  get offered(): boolean {
    return this.engine.has('tracepoints');
  }
  get running(): boolean {
    return this.offered && this.engine.tracing.status().running;
  }
  /** Tracing ended because the client went away. */
  get abandoned(): boolean {
    return this.leftBehind;
  }
  status(): TraceStatus {
    return this.engine.tracing.status();
  }

  // ---- definitions --------------------------------------------------------------------------

  /** Nothing is defined, nothing collected. */
  initialize(): void {
    this.frame = undefined;
    this.definitions.length = 0;
    this.constant.length = 0;
    for (const { number, builtin } of [...this.variables.values()])
      if (!builtin) this.variables.delete(number);
    this.engine.tracing.clear();
  }
  find(number: number, addr: bigint): Definition | undefined {
    return this.definitions.find((d) => d.number === number && d.addr === addr);
  }
  get(number: number, addr: bigint): Definition {
    const found = this.find(number, addr);
    if (!found) throw new ReplyError(ENOENT, `no tracepoint ${number} at 0x${addr.toString(16)}`);
    return found;
  }
  /** The same number and address again: gdb does so when libraries come; the new one counts. */
  add(definition: Definition): void {
    const known = this.find(definition.number, definition.addr);
    if (known) this.definitions[this.definitions.indexOf(known)] = definition;
    else this.definitions.push(definition);
  }
  /** The definition is whole: the provider takes it over, at once if tracing runs. */
  commit(definition: Definition): void {
    try {
      this.engine.tracing.define({
        ...definition,
        collect: definition.actions.flatMap(({ collect }) => collect),
      });
      definition.taken = true;
    } catch (error) {
      this.definitions.splice(this.definitions.indexOf(definition), 1);
      throw error;
    }
  }
  enable(number: number, addr: bigint, enabled: boolean): void {
    const definition = this.get(number, addr);
    if (definition.enabled === enabled) return;
    definition.enabled = enabled;
    this.commit(definition);
  }
  define(variable: Variable): void {
    const { number, initial } = variable;
    this.engine.tracing.setVariable(number, initial);
    const known = this.variables.get(number);
    this.variables.set(number, { ...variable, builtin: known?.builtin ?? false });
  }

  // ---- runs ---------------------------------------------------------------------------------

  start(): void {
    this.leftBehind = false;
    // gdb announces actions that then turn out to be none
    for (const definition of this.definitions.filter(({ taken }) => !taken))
      this.commit(definition);
    this.engine.tracing.start();
  }
  stop(): void {
    if (this.offered) this.engine.tracing.stop();
  }
  /** True if tracing was given up because nobody is there any more. */
  clientLeft(): boolean {
    this.frame = undefined;
    if (!this.running || this.disconnected) return false;
    this.stop();
    this.leftBehind = true;
    return true;
  }
  get ended(): TraceReason {
    return this.status().reason;
  }

  // ---- frames -------------------------------------------------------------------------------

  /** Selects a frame by its index; undefined: back to the live process. */
  select(index: number | undefined): SelectedFrame | undefined {
    if (index === undefined) return (this.frame = undefined);
    const head = this.engine.tracing.head(index);
    if (!head) return undefined;
    return (this.frame = { index, head, blocks: this.engine.tracing.blocks(index) });
  }
  /** Selects the next frame after the selected one that fits. */
  search(fits: FrameTest): SelectedFrame | undefined {
    for (let index = (this.frame?.index ?? -1) + 1; ; index++) {
      const head = this.engine.tracing.head(index);
      if (!head) return undefined;
      if (fits(head)) return this.select(index);
    }
  }
  /** Value of a state variable: of the selected frame, or now. undefined: there is none. */
  value(number: number): bigint | undefined {
    if (this.frame) {
      // collected more than once: as it was at last
      for (let i = this.frame.blocks.length - 1; i >= 0; i--) {
        const block = this.frame.blocks[i]!;
        if (block.kind === 'variable' && block.number === number) return block.value;
      }
      return undefined;
    }
    if (!this.running && this.ended === TraceReason.NeverRan) return undefined;
    return this.engine.tracing.variable(number) ?? 0n;
  }
}
