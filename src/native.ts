// The addon's surface, typed. Everything below it is C++ (addon/); nothing else loads the binary.
import path from 'node:path';

/** A source of readiness in a Reactor: a listener, a stream, an engine or the timer. */
export type SourceId = number;

/** Bits of the second word of each pair in Reactor.ready. */
export const READY_READ = 1;
export const READY_DRAINED = 2; // a stream's queued output is all written
export const READY_HANGUP = 4; // the peer is gone; read() tells 0 once its data is consumed
export const READY_TIMER = 8; // source 0
export const READY_SIGNAL = 16; // source 0: a watched signal arrived, takeSignal() names it

/**
 * One epoll set below Node's loop: sockets, terminals, engines and one timer. While it is active it
 * waits by itself and hands the turn back to libuv when libuv has something to do, so that timers,
 * files and loggers go on working. All calls are made on the thread that created it.
 */
export interface Reactor {
  /** Pairs [source, bits], as many as the callback's argument says; overwritten by every turn. */
  readonly ready: Int32Array;
  /** Throws an Error with .code (EADDRINUSE, EACCES, ENOTFOUND, ...). host: IPv4, IPv6 or a name. */
  listenTcp(host: string, port: number): SourceId;
  /** A stale socket file nobody listens on is replaced. mode: permission bits of the file. */
  listenUnix(path: string, mode: number): SourceId;
  /** The port a listenTcp source really has. */
  port(listener: SourceId): number;
  /** undefined when nobody is waiting (any more). peer: "HOST:PORT", or "unix:pid=N,uid=N". */
  accept(
    listener: SourceId,
  ): { id: SourceId; host: string; port: number; peer: string } | undefined;
  /** As a client; blocks until connected or throws. */
  connectTcp(host: string, port: number): SourceId;
  connectUnix(path: string): SourceId;
  /** Raw mode, 8 data bits; baud 0 keeps the line's speed. Restored on close. */
  openTty(path: string, baud: number): SourceId;
  /** Reads descriptor 0 and writes descriptor 1. */
  openStdio(): SourceId;
  /** Bytes read into buf[offset, offset + length); 0 at end of file; -1 nothing now. */
  read(stream: SourceId, buf: Uint8Array, offset: number, length: number): number;
  /** Writes at once what fits and queues the rest (copied); returns bytes still queued; -1 peer gone. */
  write(stream: SourceId, buf: Uint8Array, offset: number, length: number): number;
  /**
   * Stop or go on reporting READY_READ of a stream or listener. A hangup is still told, once; when
   * a write failed the pause is over, so that the end can be read.
   */
  pause(source: SourceId, paused: boolean): void;
  /**
   * Flushes queued output for at most half a second, then closes. Idempotent. Its number does not
   * come back for the next 32,000 sources.
   */
  close(source: SourceId): void;
  /** READY_READ when the engine has events. */
  addEngine(engine: NativeEngine): SourceId;
  /** READY_TIMER once after ms (fractions allowed); negative cancels. */
  setTimer(ms: number): void;
  /** Processors may sleep while packets come and go (else they are kept from it, where we may). */
  letSleep(): void;
  /**
   * This thread runs before whatever computes, for a few milliseconds at a time, where it may; or as
   * others do.
   */
  goFirst(on: boolean): void;
  /** READY_SIGNAL for these signal numbers, instead of their default action. */
  watchSignals(signals: number[]): void;
  /** 0 when none is left. */
  takeSignal(): number;
  /** Calls callback(pairs) for every turn until stop(). Keeps Node alive meanwhile. */
  start(callback: (pairs: number) => void): void;
  stop(): void;
  /** One turn without libuv (tests, blocking tools): waits up to ms, returns pairs. */
  turn(ms: number): number;
}

/** One open engine of a provider: an open control file, or its equal inside this process. */
export interface NativeEngine {
  /** record is the struct of the call, changed in place. Returns 0 or a negative errno. */
  ioctl(request: number, record: Uint8Array): number;
  /** Whole struct ntrace_event records; bytes, 0 if none are there, or a negative errno. */
  read(buf: Uint8Array): number;
  /** Waits up to ms (negative: for ever) until read() would give something. */
  wait(ms: number): boolean;
  /**
   * From now on a thread takes events from the module at once and keeps them, up to that many bytes.
   * Before anybody waits. 0 or a negative errno.
   */
  readAhead(bytes: number): number;
  /** Idempotent. */
  close(): void;
}

/** What to start. Everything that is left out is inherited. */
export interface SpawnSpec {
  /** Executable; a name without a slash is looked up in PATH of `env`. */
  file: string;
  /** argv, argv[0] included. */
  args: string[];
  env?: string[]; // "NAME=value"
  cwd?: string;
  /** personality(ADDR_NO_RANDOMIZE) */
  noRandomize?: boolean;
  /** setpgid(0, 0), and the terminal's foreground group if descriptor 0 is our terminal. */
  newGroup?: boolean;
  /**
   * Paths for descriptors 0, 1, 2; undefined inherits. /dev/stdin, /dev/stdout, /dev/stderr and
   * /dev/fd/N are our own descriptors, duplicated. Outputs are created and truncated.
   */
  stdio?: [string | undefined, string | undefined, string | undefined];
  /** Become this user before the exec; needs CAP_SETUID and CAP_SETGID. */
  user?: { uid: number; gid: number; groups: number[] };
}

/** A child that waits before its exec until it is told to go. */
export interface SpawnedChild {
  readonly pid: number;
  /** Lets it exec. */
  go(): void;
  /** 0 while waiting or after a successful exec, else the errno of the failed step. */
  failure(): { errno: number; step: 'chdir' | 'stdio' | 'exec' | 'user' | '' };
  /** SIGKILL, before anybody attached to it; it is still to be reaped. */
  abort(): void;
  /**
   * After its death, where a provider does not reap: the wait status; undefined while alive; -1
   * when somebody else took it.
   */
  reap(): number | undefined;
}

/** Offsets of the XSAVE components in the NT_X86_XSTATE regset, by component; 0 size: absent. */
export interface XsaveLayout {
  size: number; // bytes of the whole area
  xcr0: bigint;
  components: { offset: number; size: number }[];
}

export interface Native {
  // bytes (all offsets and lengths in bytes)
  /** Sum modulo 256. */
  checksum(buf: Uint8Array, offset: number, length: number): number;
  /** Lower-case hex of src into dst; returns dstOffset + 2 * length. RangeError if it does not fit. */
  hexEncode(
    dst: Uint8Array,
    dstOffset: number,
    src: Uint8Array,
    srcOffset: number,
    length: number,
  ): number;
  /** Bytes written, or -1 at a character that is not a hex digit or an odd count. */
  hexDecode(
    dst: Uint8Array,
    dstOffset: number,
    src: Uint8Array,
    srcOffset: number,
    digits: number,
  ): number;
  /** Escapes } # $ * into dst up to dstEnd. Fills out[0] = source bytes taken, out[1] = new dstOffset. */
  escape(
    dst: Uint8Array,
    dstOffset: number,
    dstEnd: number,
    src: Uint8Array,
    srcOffset: number,
    length: number,
    out: Int32Array,
  ): void;
  /** In place; returns the new length. A trailing } is dropped. */
  unescape(buf: Uint8Array, offset: number, length: number): number;
  /** Copies without intermediate objects. */
  copy(
    dst: Uint8Array,
    dstOffset: number,
    src: Uint8Array,
    srcOffset: number,
    length: number,
  ): void;
  /** GDB's crc32 (polynomial 0x04c11db7, initial value given, no final inversion). */
  crc32(crc: number, buf: Uint8Array, offset: number, length: number): number;
  /** Address of a buffer's first byte; valid while the buffer is referenced. */
  addressOf(buf: Uint8Array): bigint;

  Reactor: new () => Reactor;
  /** An engine of the ptrace provider inside this process. */
  openEmbedded(): NativeEngine;
  /** Opens a control file (O_CLOEXEC, O_NONBLOCK); throws an Error with .code. */
  openControl(path: string): NativeEngine;
  spawn(spec: SpawnSpec): SpawnedChild;

  // the host's files as a process sees them (its root directory and mounts), for vFile
  /** openat2(RESOLVE_IN_ROOT) below /proc/PID/root; pid 0 is ourselves. Descriptor or -errno. */
  openInRoot(pid: number, path: string, flags: number, mode: number): number;
  /** unlink in that root; 0 or -errno. */
  unlinkInRoot(pid: number, path: string): number;
  /** Target of a symbolic link in that root, or -errno. */
  readlinkInRoot(pid: number, path: string): Uint8Array | number;

  xsaveLayout(): XsaveLayout | undefined;
  /** errno name for a positive number: "ESRCH"; "E4000" for one that has none. */
  errnoName(errno: number): string;
  /** strerror. */
  errnoText(errno: number): string;
  /** kill() or, with tid, tgkill(); 0 or -errno. */
  kill(pid: number, tid: number, signo: number): number;
  getpagesize(): number;
}

// build/src/native.js and src/native.ts are both below the package root
function load(): Native {
  const root = path.resolve(
    __dirname,
    __filename.includes(`${path.sep}build${path.sep}`) ? '../..' : '..',
  );
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(path.join(root, 'addon/build/Release/ntrace.node')) as Native;
}

/** The addon. Loading it does nothing but resolve symbols. */
export const native: Native = load();
