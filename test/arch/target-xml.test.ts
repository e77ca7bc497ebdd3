import fs from 'node:fs';
import path from 'node:path';
import { CASES } from './fixture';

// the golden files are in the source tree; UPDATE_GOLDEN=1 writes them anew
const GOLDEN = path.resolve(__dirname, '../../../test/arch/golden');

test.each(CASES.map((c) => [c.label, c.arch] as const))('%s', (label, arch) => {
  // offsets of the XSAVE area do not show in the description
  const file = path.join(
    GOLDEN,
    `${label.replace('packed', 'server').replace('legacy', 'fxsave').replace(' ', '-')}.xml`,
  );
  if (process.env['UPDATE_GOLDEN']) fs.writeFileSync(file, arch.targetXml);
  expect(arch.targetXml).toBe(fs.readFileSync(file, 'utf8'));
});
