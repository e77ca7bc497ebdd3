import { native } from '../../src/native';

const SPECIAL = new Set([0x7d, 0x23, 0x24, 0x2a]); // } # $ *
const LENGTHS = Array.from({ length: 301 }, (_, i) => i);
const ALIGNMENTS = Array.from({ length: 16 }, (_, i) => i);

// xorshift: the same bytes in every run
function bytes(length: number, seed: number, dense = false): Uint8Array {
  const out = new Uint8Array(length);
  let x = seed * 2654435761 + 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const special = [...SPECIAL][(x >>> 12) & 3] ?? 0;
    out[i] = dense && ((x >>> 8) & 7) === 0 ? special : x & 255;
  }
  return out;
}

function referenceEscape(src: Uint8Array): number[] {
  return [...src].flatMap((c) => (SPECIAL.has(c) ? [0x7d, c ^ 0x20] : [c]));
}

function referenceCrc(crc: number, src: Uint8Array): number {
  for (const c of src) {
    crc ^= c << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

function everyShape(run: (offset: number, length: number) => void): void {
  for (const length of LENGTHS) for (const offset of ALIGNMENTS) run(offset, length);
}

function mismatch(got: Uint8Array, wanted: ArrayLike<number>): boolean {
  return Buffer.compare(got, Uint8Array.from(wanted)) !== 0;
}

describe('at every length and alignment', () => {
  test('checksum is the sum modulo 256', () => {
    everyShape((offset, length) => {
      const buf = bytes(offset + length + 5, length + 1);
      const sum = buf.subarray(offset, offset + length).reduce((a, b) => a + b, 0);
      if (native.checksum(buf, offset, length) !== sum % 256)
        throw new Error(`${offset} ${length}`);
    });
    expect(native.checksum(new Uint8Array(5 << 20).fill(255), 0, 5 << 20)).toBe(
      (255 * (5 << 20)) % 256,
    );
  });

  test('hex there and back', () => {
    everyShape((offset, length) => {
      const src = bytes(offset + length, length + 2);
      const text = new Uint8Array(2 * length + offset + 3).fill(1);
      expect(native.hexEncode(text, offset, src, offset, length)).toBe(offset + 2 * length);
      const wanted = Buffer.from(src.subarray(offset)).toString('hex');
      const got = Buffer.from(text.subarray(offset, offset + 2 * length));
      if (got.toString('latin1') !== wanted) throw new Error(`${offset} ${length}`);
      expect(text[offset + 2 * length]).toBe(1);

      const upper = Buffer.from('.'.repeat(offset) + wanted.toUpperCase(), 'latin1');
      const back = new Uint8Array(length + offset + 1).fill(9);
      expect(native.hexDecode(back, offset, upper, offset, 2 * length)).toBe(length);
      if (mismatch(back.subarray(offset, offset + length), src.subarray(offset)))
        throw new Error(`${offset} ${length}`);
      expect(back[offset + length]).toBe(9);
    });
  });

  test('escape, and unescape in place', () => {
    const out = new Int32Array(2);
    everyShape((offset, length) => {
      const src = bytes(offset + length, length + 3, true);
      const wanted = referenceEscape(src.subarray(offset));
      const dst = new Uint8Array(offset + wanted.length + 1).fill(7);
      native.escape(dst, offset, dst.length - 1, src, offset, length, out);
      expect([...out]).toEqual([length, dst.length - 1]);
      if (mismatch(dst.subarray(offset, dst.length - 1), wanted))
        throw new Error(`${offset} ${length}`);
      expect(dst[dst.length - 1]).toBe(7);
      expect(native.unescape(dst, offset, wanted.length)).toBe(length);
      if (mismatch(dst.subarray(offset, offset + length), src.subarray(offset)))
        throw new Error(`${offset} ${length}`);
    });
  });

  test('crc32', () => {
    for (const length of LENGTHS) {
      const buf = bytes(length + 3, length + 4);
      const wanted = referenceCrc(0xffffffff, buf.subarray(3));
      expect(native.crc32(0xffffffff, buf, 3, length)).toBe(wanted);
    }
    // a CRC carried on is that of the whole
    const whole = bytes(1000, 5);
    const first = native.crc32(0xffffffff, whole, 0, 333);
    expect(native.crc32(first, whole, 333, 667)).toBe(native.crc32(0xffffffff, whole, 0, 1000));
  });
});

test('escape stops where the room ends, never inside a pair', () => {
  const out = new Int32Array(2);
  const src = bytes(200, 77, true);
  const escaped = referenceEscape(src);
  for (let room = 0; room <= escaped.length; room++) {
    const dst = new Uint8Array(room + 1).fill(7);
    native.escape(dst, 0, room, src, 0, src.length, out);
    const [taken, end] = [out[0] as number, out[1] as number];
    expect(dst[room]).toBe(7);
    expect([...dst.subarray(0, end)]).toEqual(referenceEscape(src.subarray(0, taken)));
    expect(end).toBeGreaterThanOrEqual(room - 1);
  }
});

test('escape goes on where it stopped', () => {
  const out = new Int32Array(2);
  const src = bytes(100_000, 3, true);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < src.length;) {
    const dst = new Uint8Array(777);
    native.escape(dst, 0, dst.length, src, at, src.length - at, out);
    at += out[0] as number;
    parts.push(dst.subarray(0, out[1]));
  }
  expect(Buffer.concat(parts).equals(Buffer.from(referenceEscape(src)))).toBe(true);
});

test('unescape drops a } at the very end', () => {
  const buf = Buffer.from('ab}\x03c}');
  expect(native.unescape(buf, 0, buf.length)).toBe(4);
  expect(buf.toString('latin1', 0, 4)).toBe('ab#c');
});

test('hexDecode refuses every character that is no digit, at every place', () => {
  const digits = new Set('0123456789abcdefABCDEF');
  const dst = new Uint8Array(40);
  for (let place = 0; place < 70; place += 3) {
    for (let c = 0; c < 256; c++) {
      const text = Buffer.alloc(70, '0');
      text[place] = c;
      const wanted = digits.has(String.fromCharCode(c)) ? 35 : -1;
      if (native.hexDecode(dst, 0, text, 0, 70) !== wanted) throw new Error(`${place}: ${c}`);
    }
  }
  expect(native.hexDecode(dst, 0, Buffer.from('123'), 0, 3)).toBe(-1);
});

test('copy within one buffer may overlap', () => {
  const buf = Uint8Array.from([1, 2, 3, 4, 5, 6]);
  native.copy(buf, 2, buf, 0, 4);
  expect([...buf]).toEqual([1, 2, 1, 2, 3, 4]);
});

test('addressOf follows the view', () => {
  const buf = new Uint8Array(64);
  expect(native.addressOf(buf.subarray(10)) - native.addressOf(buf)).toBe(10n);
});

describe('what does not fit is a RangeError', () => {
  const b = new Uint8Array(10);
  const out = new Int32Array(2);
  const calls: [string, () => unknown][] = [
    ['checksum past the end', () => native.checksum(b, 5, 6)],
    ['checksum before the start', () => native.checksum(b, -1, 2)],
    ['a negative length', () => native.checksum(b, 2, -1)],
    ['an offset above 2^32', () => native.checksum(b, 2 ** 32, 1)],
    ['hexEncode into too little', () => native.hexEncode(b, 1, b, 0, 5)],
    ['hexDecode into too little', () => native.hexDecode(b, 9, Buffer.from('aabb'), 0, 4)],
    ['escape with its end outside', () => native.escape(b, 0, 11, b, 0, 1, out)],
    ['escape that ends before it starts', () => native.escape(b, 5, 4, b, 0, 1, out)],
    ['unescape past the end', () => native.unescape(b, 0, 11)],
    ['copy past the end', () => native.copy(b, 8, b, 0, 3)],
    ['crc32 past the end', () => native.crc32(0, b, 0, 11)],
  ];
  test.each(calls)('%s', (_name, call) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test('and another type a TypeError', () => {
    const wrong = [undefined, null, 'text', {}, new Int32Array(4), new DataView(b.buffer)];
    for (const value of wrong) {
      expect(() => native.checksum(value as Uint8Array, 0, 1)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });
});
