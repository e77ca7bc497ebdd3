import fs from 'node:fs';
import path from 'node:path';

const LIBRARY = 'libthread_db.so.1';

/** gdbserver's: where the system keeps it; beside the program's thread library, which it ignores. */
export const DEFAULT_SEARCH = '$sdir:$pdir';

/**
 * Does a search path lead to a libthread_db? Ours is built in and needs none; but whoever names
 * folders without one wants nobody to look into the program's thread library.
 */
export function findsThreadLibrary(search: string): boolean {
  return search
    .split(':')
    .some(
      (folder) =>
        folder === '$sdir' ||
        (!folder.startsWith('$pdir') && fs.existsSync(path.join(folder, LIBRARY))),
    );
}
