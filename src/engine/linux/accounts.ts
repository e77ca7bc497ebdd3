import { procText } from './process';

/** Names of the host's local users and groups, read once: enough for one document. */
export class Accounts {
  private readonly users = read('/etc/passwd');
  private readonly groups = read('/etc/group');

  /** Empty for numbers without a name, as gdbserver prints them. */
  user(uid: number): string {
    return this.users.get(uid) ?? '';
  }
  group(gid: number): string {
    return this.groups.get(gid) ?? '';
  }
}

// name:password:id:... in both files
function read(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of (procText(path) ?? '').split('\n')) {
    const [name, , id] = line.split(':');
    if (name && id && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
