import { Framer } from '../../src/rsp/wire/framer';
import { PacketWriter } from '../../src/rsp/wire/writer';
import { Random } from '../fuzz/random';
import { latin1, tokens, unpacked } from './lines';

/** A writer and the frames it sent. */
function writer(runLength = false): { out: PacketWriter; frames: Buffer[] } {
  const frames: Buffer[] = [];
  const out = new PacketWriter((buf, offset, length) => {
    frames.push(Buffer.from(buf.subarray(offset, offset + length)));
  });
  out.runLength = runLength;
  return { out, frames };
}
const sent = (write: (out: PacketWriter) => void, runLength = false): Buffer => {
  const { out, frames } = writer(runLength);
  write(out.begin());
  out.end();
  expect(frames).toHaveLength(1);
  return frames[0]!;
};

describe('frames', () => {
  test('are $, content, # and the checksum', () => {
    expect(sent((out) => out.ascii('OK')).toString()).toBe('$OK#9a');
    expect(sent(() => undefined).toString()).toBe('$#00');
  });
  test('of notifications begin with %', () => {
    const { out, frames } = writer();
    out.begin(true).ascii('Stop:T05').end();
    expect(frames.map(String)).toEqual([expect.stringMatching(/^%Stop:T05#[0-9a-f]{2}$/)]);
    expect(unpacked(frames[0]!).toString()).toBe('Stop:T05');
  });
  test('forget an unfinished one', () => {
    const { out, frames } = writer();
    out.begin().ascii('half');
    out.begin().ascii('E01').end();
    expect(frames.map(String)).toEqual(['$E01#a6']);
  });
  test('hex and little endian', () => {
    expect(unpacked(sent((out) => out.hex(Buffer.from([0, 1, 0xab, 0xff])))).toString()).toBe(
      '0001abff',
    );
    expect(
      unpacked(sent((out) => out.littleEndian(0x0102030405060708n, 8).littleEndian(0xfffen, 2))),
    ).toEqual(latin1('0807060504030201feff'));
  });
  test('say how long their content is', () => {
    const { out } = writer();
    expect(
      out
        .begin()
        .ascii('abc')
        .hex(Buffer.from([1])).length,
    ).toBe(5);
  });
});

describe('binary content', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

  test('every byte comes through, and only } # $ * are escaped', () => {
    const frame = sent((out) => out.binary(all));
    expect(frame.length).toBe(256 + 4 + 4);
    expect(unpacked(frame)).toEqual(all);
    // our own framer reads what it writes
    expect(tokens(new Framer(4096), [frame])).toEqual([`:${all.toString('latin1')}`]);
  });
  test('nothing but bytes to escape, of every length around the first buffer', () => {
    for (const length of [1, 2, 32765, 32766, 32767, 65530, 65536, 1 << 20]) {
      const bytes = Buffer.alloc(length, 0x7d);
      expect(unpacked(sent((out) => out.binary(bytes))).equals(bytes)).toBe(true);
    }
  });
  test('text and bytes grow the frame as they need', () => {
    for (const length of [65530, 65532, 65533, 65536, 200_000]) {
      const text = 'x'.repeat(length);
      expect(unpacked(sent((out) => out.ascii(text))).toString()).toBe(text);
      const bytes = Buffer.alloc(length, 0x5a);
      expect(unpacked(sent((out) => out.hex(bytes))).toString()).toBe('5a'.repeat(length));
    }
  });
});

describe('run-length encoding', () => {
  const through = (text: string): string =>
    unpacked(sent((out) => out.ascii(text), true)).toString('latin1');

  test('runs of every length from 1 to 300', () => {
    for (let length = 1; length <= 300; length++) {
      const text = '0'.repeat(length);
      expect(through(text)).toBe(text);
      expect(through(`1${text}2`)).toBe(`1${text}2`);
    }
  });
  test('makes long runs short, and no frame longer', () => {
    expect(sent((out) => out.ascii('0'.repeat(98)), true).length).toBeLessThan(10);
    const random = new Random(7);
    for (let i = 0; i < 1000; i++) {
      const text = Buffer.from(random.bytes(random.below(30))).toString('hex');
      expect(sent((out) => out.ascii(text), true).length).toBeLessThanOrEqual(text.length + 4);
    }
  });
  test('no count is one of # $, which end and begin packets, or + -, which acknowledge', () => {
    for (let length = 1; length <= 300; length++) {
      const frame = sent((out) => out.ascii('a'.repeat(length)), true).toString('latin1');
      for (const [, count] of frame.matchAll(/\*(.)/gs)) expect('#$+-').not.toContain(count);
    }
  });
  test('escaped bytes are not taken for runs', () => {
    const random = new Random(11);
    for (let i = 0; i < 3000; i++) {
      let text = '';
      for (let n = random.below(12); n > 0; n--)
        text += random.pick([...'#$}*0\x03\n\x04']).repeat(1 + random.below(130));
      const bytes = latin1(text);
      expect(unpacked(sent((out) => out.binary(bytes), true))).toEqual(bytes);
    }
  });
});

describe('a refused frame', () => {
  test('is sent again as it was, as often as it is refused', () => {
    const { out, frames } = writer();
    out.begin().binary(latin1('a#b')).end();
    out.again();
    out.again();
    expect(frames).toHaveLength(3);
    expect(frames[1]).toEqual(frames[0]);
    expect(frames[2]).toEqual(frames[0]);
  });
  test('is nothing before the first', () => {
    const { out, frames } = writer();
    out.again();
    expect(frames).toEqual([]);
  });
});
