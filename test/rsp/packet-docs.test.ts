import fs from 'node:fs';
import path from 'node:path';
import { packetDocs } from '../../src/rsp/packet-docs';
import { allPackets, packetFamilies } from '../../src/rsp/packets';
import { repositoryRoot } from '../support/root';

test('docs/packets.md is what the entries say (npm run docs)', () => {
  const written = fs.readFileSync(path.join(repositoryRoot, 'docs/packets.md'), 'utf8');
  expect(written).toBe(packetDocs(packetFamilies()));
});

test('every packet has a row, and its cells stay cells', () => {
  const rows = packetDocs(packetFamilies())
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBe(allPackets().length);
  for (const row of rows) expect(row.replace(/\\./g, '').split('|').length).toBe(7);
});

test('no two entries match the same packet', () => {
  const seen = allPackets().map(({ match, exact }) => `${match}${exact ? '$' : ''}`);
  expect(seen.length).toBe(new Set(seen).size);
});

test('the syntax begins with what is matched', () => {
  for (const { match, syntax } of allPackets())
    expect(syntax.replace(/[ [].*/, '')).toMatch(
      new RegExp(`^${match.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
    );
});
