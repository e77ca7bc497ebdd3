import { native } from '../../src/native';
import { Framer } from '../../src/rsp/wire/framer';
import { Random } from '../fuzz/random';
import { escape, latin1, packed, tokens } from './lines';

const LIMIT = 4096;

/** What stands on the line, and what it means. */
const CONVERSATIONS: readonly (readonly [name: string, line: string, told: string[]])[] = [
  ['one packet', '$qC#b4', [':qC']],
  ['an empty one', '$#00', [':']],
  ['two, acknowledged', '+$qC#b4+$?#3f', ['ack', ':qC', 'ack', ':?']],
  ['capital digits', packed('O').toUpperCase(), [':O']],
  ['a refusal', '-$g#67-', ['nack', ':g', 'nack']],
  ['interrupts', '\x03$c#63\x03\x03', ['interrupt', ':c', 'interrupt', 'interrupt']],
  ['an interrupt inside is content', packed('a\x03b'), [':a\x03b']],
  ['noise between', 'xyz#00 \n\0\xff$qC#b4}*%', [':qC']],
  ['escapes', packed('X0,4:' + escape('#$}*')), [':X0,4:#$}*']],
  ['an escape at the end', packed('ab}'), [':ab']],
  ['acks and refusals inside are content', packed('+-'), [':+-']],
  ['cut off, then whole', '$m12$qC#b4', [':qC']],
  ['cut off in its escape, then whole', '$X}$qC#b4', [':qC']],
  ['cut off after #, then whole', '$abc#$qC#b4', ['bad', ':qC']],
  ['cut off after one digit, then whole', '$abc#2$qC#b4', ['bad', ':qC']],
  ['cut off twice', '$a$b$qC#b4', [':qC']],
  ['wrong checksum', '$qC#b5$qC#b4', ['bad', ':qC']],
  ['two wrong ones', '$qC#00$?#00', ['bad', 'bad']],
  ['digits that are none', '$qC#zz$qC#b4', ['bad', ':qC']],
  ['digits that look like signs', '$qC#+-$qC#b4', ['bad', 'ack', 'nack', ':qC']],
  ['only an end', '#b4$qC#b4', [':qC']],
  ['too long', `$${'a'.repeat(LIMIT + 1)}#00$qC#b4`, ['bad', ':qC']],
  ['as long as may be', packed('a'.repeat(LIMIT)), [`:${'a'.repeat(LIMIT)}`]],
];

describe('what stands on the line', () => {
  test.each(CONVERSATIONS)('%s', (_name, line, told) => {
    expect(tokens(new Framer(LIMIT), [latin1(line)])).toEqual(told);
  });

  test.each(CONVERSATIONS)('%s, in two pieces cut anywhere, and byte by byte', (_, line, told) => {
    const bytes = latin1(line);
    const stride = bytes.length > 1000 ? 61 : 1;
    for (let cut = 1; cut < bytes.length; cut += stride)
      expect([
        cut,
        tokens(new Framer(LIMIT), [bytes.subarray(0, cut), bytes.subarray(cut)]),
      ]).toEqual([cut, told]);
    expect(
      tokens(
        new Framer(LIMIT),
        [...bytes].map((byte) => Buffer.from([byte])),
      ),
    ).toEqual(told);
  });

  test('all of them after one another, in pieces of every size', () => {
    // an unfinished one at the end of a line would eat the next line's beginning
    const whole = latin1(CONVERSATIONS.map(([, line]) => line).join(''));
    const told = CONVERSATIONS.flatMap(([, , tokens_]) => tokens_);
    for (let size = 1; size < 200; size++) {
      const pieces = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      expect(tokens(new Framer(LIMIT), pieces)).toEqual(told);
    }
  });
});

describe('a packet sent again', () => {
  const twice = [':qC', ':qC'];
  test('is one while the client waits for +', () => {
    expect(tokens(new Framer(LIMIT), [latin1('$qC#b4$qC#b4$qC#b4')], { acked: true })).toEqual([
      ':qC',
    ]);
  });
  test('is another where there are no acks', () => {
    expect(tokens(new Framer(LIMIT), [latin1('$qC#b4$qC#b4')])).toEqual(twice);
  });
  test('is one with escapes, too', () => {
    const line = packed(escape('X1,2:#}'));
    expect(tokens(new Framer(LIMIT), [latin1(line + line)], { acked: true })).toEqual([':X1,2:#}']);
  });
  test('is another after an acknowledgement', () => {
    expect(tokens(new Framer(LIMIT), [latin1('$qC#b4+$qC#b4')], { acked: true })).toEqual([
      ':qC',
      'ack',
      ':qC',
    ]);
  });
});

describe('memory', () => {
  const FOUR_MIB = 4 << 20;
  const bytesOf = (count: number): Buffer => {
    const buf = Buffer.alloc(count + 4, 0x61);
    buf[0] = 0x24;
    const sum = native.checksum(buf, 1, count).toString(16).padStart(2, '0');
    buf.write(`#${sum}`, count + 1);
    return buf;
  };

  test.each([1, 4095, 65536, FOUR_MIB])('packets of 4 MiB, in pieces of up to %d bytes', (size) => {
    const framer = new Framer(FOUR_MIB);
    const whole = bytesOf(FOUR_MIB);
    const pieces: Buffer[] = [];
    // single bytes would take a minute: only the ends are cut so fine
    const fine = Math.max(size, 4096);
    pieces.push(...[...whole.subarray(0, 16)].map((byte) => Buffer.from([byte])));
    for (let at = 16; at < whole.length - 16; at += fine)
      pieces.push(whole.subarray(at, Math.min(at + fine, whole.length - 16)));
    for (let at = whole.length - 16; at < whole.length; at += size)
      pieces.push(whole.subarray(at, at + size));
    const told = tokens(framer, [...pieces, ...pieces]);
    expect(told.map((token) => token.length)).toEqual([FOUR_MIB + 1, FOUR_MIB + 1]);
    expect(framer.buf.length).toBeLessThanOrEqual(2 * FOUR_MIB + 65536);
  });

  test('a packet without an end takes no more than one that has', () => {
    const framer = new Framer(FOUR_MIB);
    const piece = Buffer.alloc(1 << 20, 0x61);
    piece[0] = 0x24;
    expect(tokens(framer, [piece])).toEqual([]);
    piece[0] = 0x61;
    for (let i = 0; i < 64; i++) expect(tokens(framer, [piece])).toEqual([]);
    expect(framer.buf.length).toBeLessThanOrEqual(2 * FOUR_MIB + 65536);
    expect(tokens(framer, [latin1('#00'), latin1('$qC#b4')])).toEqual(['bad', ':qC']);
  });

  test('a packet of one byte too many is refused however it comes', () => {
    const whole = bytesOf(FOUR_MIB + 1);
    for (const size of [4096, 1 << 20, whole.length]) {
      const pieces = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      expect(tokens(new Framer(FOUR_MIB), [...pieces, latin1('$qC#b4')])).toEqual(['bad', ':qC']);
    }
  });

  test('packets that must wait crowd it, and are all there afterwards', () => {
    const framer = new Framer(LIMIT);
    const line = latin1('$qC#b4');
    let fed = 0;
    while (!framer.crowded) {
      const at = framer.space();
      framer.filled(line.copy(framer.buf, at));
      expect(framer.takeInterrupt()).toBe(false);
      fed++;
    }
    expect(fed * line.length).toBeGreaterThan(LIMIT);
    expect(framer.buf.length).toBeLessThanOrEqual(2 * LIMIT + 65536);
    let told = 0;
    while (framer.next() === 'packet') told++;
    expect(told).toBe(fed);
    expect(framer.crowded).toBe(false);
  });
});

describe('an interrupt while packets wait', () => {
  const interrupted = (line: string): boolean => {
    const framer = new Framer(LIMIT);
    framer.filled(latin1(line).copy(framer.buf, framer.space()));
    return framer.takeInterrupt();
  };
  test('is found before the next packet, never inside one or behind it', () => {
    expect(interrupted('\x03')).toBe(true);
    expect(interrupted('+-noise\x03$qC#b4')).toBe(true);
    expect(interrupted('$q\x03C#b4')).toBe(false);
    expect(interrupted('$qC#b4\x03')).toBe(false);
    expect(interrupted('')).toBe(false);
  });
});

test('random bytes: nothing is thrown, and a good packet is understood at the second try', () => {
  const random = new Random(20261122);
  const framer = new Framer(LIMIT);
  const alphabet = '$$$##}*+-\x03%0123456789abcdef';
  for (let round = 0; round < 20_000; round++) {
    let line = '';
    for (let n = random.below(40); n > 0; n--)
      line += random.oneIn(3) ? random.bytes(1) : random.pick([...alphabet]);
    tokens(framer, [latin1(line)]);
    const good = latin1('$qC#b4');
    const told = [...tokens(framer, [good]), ...tokens(framer, [good])];
    expect(told).toContain(':qC');
  }
  expect(framer.buf.length).toBeLessThanOrEqual(2 * LIMIT + 65536);
});
