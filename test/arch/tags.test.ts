import { abridgeTags, expandTags } from '../../src/engine/arch/x86-tags';

/** One 80-bit value and the tag the manual gives it (Intel SDM volume 1, table 8-2 and 8.1.7). */
const VALUES: readonly (readonly [what: string, bytes: string, tag: number])[] = [
  ['one', '0000000000000080ff3f', 0],
  ['minus pi', '35c26821a2da0fc900c0', 0],
  ['zero', '00000000000000000000', 1],
  ['minus zero', '00000000000000000080', 1],
  ['denormal', '01000000000000000000', 2],
  ['pseudo-denormal', '00000000000000800000', 2],
  ['infinity', '0000000000000080ff7f', 2],
  ['quiet NaN', '00000000000000c0ffff', 2],
  ['unnormal', '00000000000000400040', 2],
  ['denormal, high word only', '00000000000000400000', 2],
];

function fxsave(abridged: number, top: number, valueOfSt: (st: number) => string): Buffer {
  const area = Buffer.alloc(512, 0xee);
  area.writeUInt16LE(top << 11, 2);
  area.writeUInt8(abridged, 4);
  for (let st = 0; st < 8; st++) area.write(valueOfSt(st), 32 + 16 * st, 'hex');
  return area;
}

test.each(VALUES)('%s', (_what, bytes, tag) => {
  const area = fxsave(0xff, 0, () => bytes);
  expect(expandTags(area)).toBe(tag * 0x5555);
});

test('every combination of empty registers at every top of stack', () => {
  for (let abridged = 0; abridged < 256; abridged++) {
    for (let top = 0; top < 8; top++) {
      const area = fxsave(abridged, top, (st) => VALUES[(st + abridged) % VALUES.length]![1]);
      const tags = expandTags(area);
      for (let physical = 0; physical < 8; physical++) {
        const st = (physical - top + 8) % 8;
        const full = (abridged >> physical) & 1;
        const want = full ? VALUES[(st + abridged) % VALUES.length]![2] : 3;
        expect((tags >> (2 * physical)) & 3).toBe(want);
      }
      expect(abridgeTags(tags)).toBe(abridged);
    }
  }
});
