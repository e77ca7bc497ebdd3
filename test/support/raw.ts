// Records by hand, for what the engine layer never sends.
import type { Layout } from '../../src/engine/channel/layout';

type Values<N extends string> = Partial<Record<N, number | bigint>>;

/** A record with these fields, everything else zero. extra: bytes past its end. */
export function record<N extends string>(
  layout: Layout<N>,
  values: Values<N> = {},
  extra = 0,
): Buffer {
  const buf = Buffer.alloc(layout.size + extra);
  fill(layout, buf, 0, values);
  return buf;
}

/** Several records behind each other. */
export function records<N extends string>(layout: Layout<N>, rows: Values<N>[]): Buffer {
  const buf = Buffer.alloc(layout.size * rows.length);
  rows.forEach((values, i) => fill(layout, buf, i, values));
  return buf;
}

function fill<N extends string>(
  layout: Layout<N>,
  buf: Buffer,
  index: number,
  values: Values<N>,
): void {
  for (const field of layout.fields) {
    const value = values[field.name as N];
    if (value === undefined) continue;
    const at = index * layout.size + field.offset;
    if (field.type === 'u64') buf.writeBigUInt64LE(BigInt(value), at);
    else if (field.type === 's64') buf.writeBigInt64LE(BigInt(value), at);
    else if (field.type === 's32') buf.writeInt32LE(Number(value), at);
    else if (field.type === 'u32') buf.writeUInt32LE(Number(value), at);
    else buf.writeUInt16LE(Number(value), at);
  }
}

/** A field of the index-th record of buf. */
export function field<N extends string>(
  layout: Layout<N>,
  buf: Buffer,
  name: N,
  index = 0,
): bigint {
  const spec = layout.fields.find((f) => f.name === name);
  const at = index * layout.size + layout.at[name];
  if (spec?.type === 'u64') return buf.readBigUInt64LE(at);
  if (spec?.type === 's32') return BigInt(buf.readInt32LE(at));
  return BigInt(buf.readUInt32LE(at));
}
