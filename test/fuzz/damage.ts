import { native } from '../../src/native';
import type { Random } from './random';

const escaped = Buffer.alloc(1 << 16);
const pair = new Int32Array(2);

/** '$', the content escaped, '#' and its checksum; sum replaces the right one. */
export function frame(content: Buffer, sum?: string): Buffer {
  const room = content.length * 2 <= escaped.length ? escaped : Buffer.alloc(content.length * 2);
  native.escape(room, 0, room.length, content, 0, content.length, pair);
  const length = pair[1]!;
  const out = Buffer.allocUnsafe(length + 4);
  out[0] = 0x24;
  room.copy(out, 1, 0, length);
  out.write(
    `#${sum ?? native.checksum(room, 0, length).toString(16).padStart(2, '0')}`,
    length + 1,
  );
  return out;
}

/** Longer than any packet may be. */
const HUGE = 5 << 20;

/** What a line or a hostile client may make of a packet. */
export function damaged(content: Buffer, random: Random): Buffer {
  const whole = frame(content);
  const at = random.below(whole.length);
  switch (random.below(12)) {
    case 0:
    case 1: // cut off
      return whole.subarray(0, at);
    case 2: // its beginning is missing
      return whole.subarray(at);
    case 3:
    case 4: // some bits are wrong
      for (let n = 1 + random.below(3); n > 0; n--)
        whole[random.below(whole.length)]! ^= 1 << random.below(8);
      return whole;
    case 5: // bits are wrong and the checksum knows nothing of it
      if (content.length > 0) content[random.below(content.length)]! ^= 1 << random.below(8);
      return frame(content);
    case 6:
      return frame(content, random.below(256).toString(16).padStart(2, '0'));
    case 7:
      return frame(content, random.bytes(2));
    case 8: // a part of it twice
      return Buffer.concat([whole.subarray(0, at), whole.subarray(random.below(at + 1))]);
    case 9: // cut off, and a whole one follows
      return Buffer.concat([whole.subarray(0, at), whole]);
    case 10:
      return Buffer.from(random.bytes(random.below(64)), 'latin1');
    default:
      if (!random.oneIn(2000))
        return frame(Buffer.concat([content, Buffer.alloc(random.below(3000), 0x66)]));
      return frame(Buffer.concat([content, Buffer.alloc(HUGE, 0x30 + random.below(70))]));
  }
}
