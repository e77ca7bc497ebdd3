import fs from 'node:fs';
import path from 'node:path';

/** The package's version. */
export function version(): string {
  // build/src/rsp is three levels below the package's root
  const file = path.resolve(__dirname, '../../../package.json');
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
}
