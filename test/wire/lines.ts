import { native } from '../../src/native';
import type { Framer } from '../../src/rsp/wire/framer';

/** "$content#sum" of bytes that are escaped already. */
export function packed(content: string): string {
  let sum = 0;
  for (let i = 0; i < content.length; i++) sum += content.charCodeAt(i);
  return `$${content}#${(sum & 0xff).toString(16).padStart(2, '0')}`;
}
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What a framer makes of bytes that come in these pieces; packets are ":content". */
export function tokens(
  framer: Framer,
  pieces: readonly Buffer[],
  options: { acked?: boolean } = {},
): string[] {
  const told: string[] = [];
  for (const piece of pieces)
    for (let from = 0; from < piece.length;) {
      const at = framer.space();
      if (framer.buf.length - at <= 0) throw new Error('the framer has no room');
      const count = piece.copy(framer.buf, at, from);
      framer.filled(count);
      from += count;
      for (let token; (token = framer.next(options.acked)) !== 'none';)
        told.push(
          token === 'packet'
            ? `:${framer.buf.toString('latin1', framer.start, framer.end)}`
            : token,
        );
    }
  return told;
}

/** Escapes as the manual says: } and the byte xor 0x20. */
export function escape(content: string): string {
  return content.replace(/[#$}*]/g, (c) => `}${String.fromCharCode(c.charCodeAt(0) ^ 0x20)}`);
}

/** Run lengths and escapes undone, by the manual's words alone ("Overview", run-length encoding). */
export function unpacked(frame: Buffer): Buffer {
  const text = frame.toString('latin1');
  const parts = /^([$%])([^#$]*)#([0-9a-f]{2})$/s.exec(text);
  if (!parts) throw new Error(`not a frame: ${text}`);
  const body = latin1(parts[2]!);
  if (native.checksum(body, 0, body.length) !== parseInt(parts[3]!, 16))
    throw new Error(`wrong checksum: ${text}`);
  const out: number[] = [];
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (byte === 0x7d) out.push(body[++i]! ^ 0x20);
    else if (byte === 0x2a) {
      const count = body[++i]!;
      if (count < 32 || count > 126) throw new Error(`run count ${count}`);
      // the manual forbids these two: a client would take them for the end or a new packet
      if (count === 0x23 || count === 0x24) throw new Error(`run count ${count}`);
      const last = out[out.length - 1];
      if (last === undefined) throw new Error('a run of nothing');
      for (let n = count - 29; n > 0; n--) out.push(last);
    } else out.push(byte);
  }
  return Buffer.from(out);
}
