import fs from 'node:fs';
import path from 'node:path';

const OWNER_ONLY = 0o700;
const OTHERS = 0o077;

/** The directory is the user's, and nobody else's to write or read: not a trap of another user. */
function isPrivate(directory: string, uid: number | undefined): boolean {
  try {
    const stat = fs.lstatSync(directory);
    return stat.isDirectory() && (uid === undefined || stat.uid === uid) && !(stat.mode & OTHERS);
  } catch {
    return false;
  }
}

function candidates(uid: number): string[] {
  const { XDG_RUNTIME_DIR } = process.env;
  return [
    ...(XDG_RUNTIME_DIR ? [XDG_RUNTIME_DIR] : []),
    `/run/user/${uid}`,
    // without a session there is no such directory
  ]
    .map((base) => path.join(base, 'ntrace'))
    .concat(`/tmp/ntrace-${uid}`);
}

/** Where servers of this user publish themselves, made if it must be; undefined: nowhere. */
export function ownDirectory(): string | undefined {
  const uid = process.geteuid?.() ?? 0;
  for (const directory of candidates(uid)) {
    try {
      fs.mkdirSync(directory, { mode: OWNER_ONLY });
    } catch {
      // it is there already, or its parent is not, which isPrivate() sees
    }
    if (isPrivate(directory, uid)) return directory;
  }
  return undefined;
}

function below(parent: string, pattern: RegExp): string[] {
  try {
    return fs
      .readdirSync(parent)
      .filter((name) => pattern.test(name))
      .map((name) => path.join(parent, name));
  } catch {
    return [];
  }
}

/** Every directory whose servers we may ask: our own, and for root those of all users. */
export function readableDirectories(): string[] {
  const uid = process.geteuid?.() ?? 0;
  const all = new Set(candidates(uid));
  if (uid === 0) {
    for (const base of below('/run/user', /^\d+$/)) all.add(path.join(base, 'ntrace'));
    for (const directory of below('/tmp', /^ntrace-\d+$/)) all.add(directory);
  }
  return [...all].filter((directory) => isPrivate(directory, uid === 0 ? undefined : uid));
}

/** The socket of a server, by its process id. */
export function socketPath(directory: string, pid: number): string {
  return path.join(directory, `${pid}.sock`);
}

/** Process ids and sockets of the servers that are published in a directory. */
export function publishedIn(directory: string): { pid: number; socket: string }[] {
  return below(directory, /^\d+\.sock$/).map((socket) => ({
    pid: parseInt(path.basename(socket), 10),
    socket,
  }));
}
