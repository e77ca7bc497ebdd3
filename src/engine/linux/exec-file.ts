import fs from 'node:fs';

/**
 * The file a process executes, as qXfer:exec-file tells it: the text of the link, " (deleted)"
 * included where the kernel says so, as gdbserver does. undefined for kernel threads, the dead and
 * processes we may not look at.
 */
export function execFile(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

/** Without the kernel's mark of a file that was unlinked, unless a file of that whole name exists. */
export function withoutDeleted(link: string): string {
  const mark = ' (deleted)';
  return link.endsWith(mark) && !fs.existsSync(link) ? link.slice(0, -mark.length) : link;
}
