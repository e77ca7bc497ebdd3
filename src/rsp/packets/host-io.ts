import { constants } from 'node:fs';
import { PacketSyntaxError, type Args } from '../args';
import { encodeStat, fileErrno, hostMode, hostOpenFlags, STAT_SIZE } from '../fileio';
import { FileError, type HostFiles } from '../host-files';
import { packet, WRITTEN, type Packet, type Reply } from '../packet';
import type { Session } from '../session';

/** Most bytes of one read: even escaped they fit a packet, and more at once is not faster. */
const MAX_READ = 1 << 20;

/** LLDB adds bits of its own that files here need not: non-blocking, no links, close on exec. */
const LLDB_FLAGS = 0x70000000;

/** What an operation gives: a number, or bytes for the attachment. */
type Result = number | Attachment;
interface Attachment {
  bytes: Uint8Array;
  length: number;
}

function writeAttachment({ out }: Session, { bytes, length }: Attachment): typeof WRITTEN {
  out
    .begin()
    .ascii(`F${length.toString(16)};`)
    .binary(bytes, 0, length)
    .end();
  return WRITTEN;
}

/** Every failure, malformed packets included, is F-1 with a number of the File-I/O protocol. */
function failure(session: Session, name: string, error: unknown): string {
  let errno: string;
  if (error instanceof FileError) errno = error.errnoName;
  else if (error instanceof PacketSyntaxError) errno = 'EINVAL';
  else throw error;
  session.log?.('debug', `vFile:${name}: ${errno}`);
  return `F-1,${fileErrno(errno).toString(16)}`;
}

/** One Host I/O packet; fields are separated by commas, numbers are hex, names are hex bytes. */
function operation(
  name: string,
  fields: string,
  summary: string,
  run: (files: HostFiles, args: Args, session: Session) => Result,
): Packet {
  return packet<Args>({
    match: `vFile:${name}:`,
    syntax: `vFile:${name}:${fields}`,
    summary,
    when: 'stopped',
    args: (args) => args,
    run(session: Session, args: Args): Reply {
      try {
        const result = run(session.files, args, session);
        return typeof result === 'number'
          ? `F${result.toString(16)}`
          : writeAttachment(session, result);
      } catch (error) {
        return failure(session, name, error);
      }
    },
  });
}

function pathname(args: Args): string {
  const path = args.hexText();
  if (path === '') args.fail('a file name');
  if (path.includes('\0')) throw new FileError('EINVAL');
  return path;
}
const stat = (bytes: Buffer): Attachment => ({ bytes, length: STAT_SIZE });
function invalid(): never {
  throw new FileError('EINVAL');
}
/** Observers look at files too, and only look. */
function readOnly(): never {
  throw new FileError('EROFS');
}

/**
 * Host I/O (GDB manual, "Host I/O Packets"): files of the machine the server runs on, as the
 * process named by setfs sees them.
 */
export const hostIo: Packet[] = [
  operation(
    'setfs',
    'PID',
    "Chooses whose root directory and mounts later file names mean; 0: the server's.",
    (files, args) => {
      const pid = args.pid();
      args.close();
      files.setProcess(pid);
      return 0;
    },
  ),
  operation(
    'open',
    'NAME,FLAGS,MODE',
    'Opens a file and gives its number.',
    (files, args, { lldb, engine }) => {
      const path = pathname(args);
      const asked = args.lit(',').num();
      const flags = hostOpenFlags(lldb ? asked & ~LLDB_FLAGS : asked);
      const mode = hostMode(args.lit(',').num());
      args.close();
      if (engine.observer && flags !== undefined && flags !== constants.O_RDONLY) readOnly();
      return files.open(path, flags ?? invalid(), mode ?? invalid());
    },
  ),
  operation('close', 'FD', 'Closes a file.', (files, args) => {
    const file = args.num();
    args.close();
    files.close(file);
    return 0;
  }),
  operation(
    'pread',
    'FD,COUNT,OFFSET',
    'Reads up to COUNT bytes at OFFSET, at most 1 MiB; none at the end of the file.',
    (files, args) => {
      const file = args.num();
      const count = Math.min(args.lit(',').num(), MAX_READ);
      const offset = args.lit(',').big();
      args.close();
      const bytes = files.scratch(count);
      return { bytes, length: files.read(file, bytes, count, offset) };
    },
  ),
  operation('pwrite', 'FD,OFFSET,DATA', 'Writes binary data at OFFSET.', (files, args) => {
    const file = args.num();
    const offset = args.lit(',').big();
    args.lit(',');
    return files.write(file, args.bytes(), offset);
  }),
  operation('fstat', 'FD', 'Gives the struct stat of an open file.', (files, args) => {
    const file = args.num();
    args.close();
    return stat(encodeStat(files.fstat(file)));
  }),
  operation('stat', 'NAME', 'Gives the struct stat of a file.', (files, args) => {
    const path = pathname(args);
    args.close();
    return stat(encodeStat(files.stat(path)));
  }),
  operation('lstat', 'NAME', 'As stat, of a symbolic link itself.', (files, args) => {
    const path = pathname(args);
    args.close();
    return stat(encodeStat(files.lstat(path)));
  }),
  operation('unlink', 'NAME', 'Removes a file.', (files, args, { engine }) => {
    const path = pathname(args);
    args.close();
    if (engine.observer) readOnly();
    files.unlink(path);
    return 0;
  }),
  operation('readlink', 'NAME', 'Gives the target of a symbolic link.', (files, args) => {
    const path = pathname(args);
    args.close();
    const bytes = files.readlink(path);
    return { bytes, length: bytes.length };
  }),
];
