/** Where one register of the target description lives in a raw regset. */
export interface RegisterSpec {
  /** gdb's number in the target description (regnum). */
  num: number;
  name: string;
  /** Bytes. */
  size: number;
  /** ELF core note of its regset (NT_PRSTATUS 1, NT_PRFPREG 2, NT_X86_XSTATE 0x202, ...). */
  note: number;
  /** Byte offset in that regset; -1: not stored, reads as zero, writes are ignored. */
  offset: number;
  /** Bytes present at offset; the rest of size is zero-extended (fctrl: 2 of 4). */
  stored: number;
  /** Byte offset in the g packet. */
  gOffset: number;
  /** XSAVE component whose XSTATE_BV bit a write must set, for NT_X86_XSTATE; else undefined. */
  xfeature?: number;
  /** LLDB's alternative name, set, encoding, format and generic role (pc, sp, fp, ra, flags, arg1...). */
  alt?: string;
  set: string;
  encoding: 'uint' | 'sint' | 'ieee754' | 'vector';
  format: string;
  generic?: string;
  /** DWARF and eh_frame number, where there is one. */
  dwarf?: number;
  /** gdb type in target.xml. */
  type: string;
  /** gdb's register group in target.xml, where gdb's own descriptions name one. */
  group?: string;
}

/** Raw bytes of one of a thread's regsets; undefined when the machine or the thread has none. */
export type RegsetReader = (note: number) => Buffer | undefined;

/** All that is particular to an architecture; pure data and small pure functions. */
export interface ArchDescriptor {
  /** gdb's name: "i386:x86-64", "i386", "i386:x64-32". */
  name: string;
  /** EM_* */
  machine: number;
  /** Bytes of a pointer. */
  wordSize: 4 | 8;
  /** target.xml, complete (LLDB wants full register info in it: attributes gdb ignores are there). */
  targetXml: string;
  registers: readonly RegisterSpec[];
  byNumber: ReadonlyMap<number, RegisterSpec>;
  byName: ReadonlyMap<string, RegisterSpec>;
  /** Bytes of a whole g packet's data. */
  gSize: number;
  /** What of it a client expects that reads no target description: the registers gdb presumes. */
  plainGSize: number;
  /** Regsets a g packet needs, in the order to fetch. */
  notes: readonly number[];
  /** Registers sent in every stop reply, with where their values come from in an event. */
  expedited: readonly { num: number; from: 'pc' | 'sp' | 'fp' }[];
  pc: RegisterSpec;
  sp: RegisterSpec;
  fp: RegisterSpec;
  /** The software breakpoint instruction, and kinds (the third field of Z0) that are allowed. */
  breakpoint: { bytes: Uint8Array; kinds: readonly number[] };
  /** Debug registers: how many, and lengths one can watch. */
  watch: { registers: number; maxLength: number };
  /**
   * Where the ABI's bytecode finds a register (struct ntrace_code): words of the 64-bit kernel's
   * own NT_PRSTATUS, by name. undefined: the regset's own words.
   */
  nativeWords?: ReadonlyMap<string, number>;
  /** The system call convention: registers by name, and the instructions that make a call. */
  syscall: {
    nr: string;
    args: readonly string[];
    result: string;
    instructions: readonly Buffer[];
  };
  /** Thread pointer from raw regsets (fs_base; i386: NT_386_TLS entry that gs selects). */
  threadPointer(regset: RegsetReader): bigint | undefined;
  /**
   * Fills g (gSize bytes) from raw regsets; returns, in the order of `registers`, whether each is
   * available. Unavailable ones are zero bytes.
   */
  toG(regset: RegsetReader, out: Buffer, outOffset: number): boolean[];
  /**
   * Changes raw regsets (in place) by a g packet's data; returns the notes that must be written
   * back: those that differ. Registers past the end of a short g keep their values.
   */
  fromG(g: Buffer, regset: RegsetReader): number[];
  /** One register's bytes, or undefined where it is unavailable. */
  getRegister(spec: RegisterSpec, regset: RegsetReader): Buffer | undefined;
  /**
   * Changes the regset in place (XSTATE_BV included); returns the notes to write back. orig_rax is
   * not touched by a pc write: the client decides about system call restarts.
   */
  setRegister(spec: RegisterSpec, value: Buffer, regset: RegsetReader): number[];
}
