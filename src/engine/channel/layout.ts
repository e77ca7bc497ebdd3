import { Parser } from 'binary-parser';

/** C types of kernel/uapi/ntrace.h; host byte order is little endian wherever Node runs. */
export type FieldType = 'u16' | 'u32' | 's32' | 'u64' | 's64' | 'char';

const BYTES: Record<FieldType, number> = { u16: 2, u32: 4, s32: 4, u64: 8, s64: 8, char: 1 };

/** [name, type, elements of an array] as the header has them. */
export type FieldSpec = readonly [name: string, type: FieldType, count?: number];

export interface Field {
  name: string;
  type: FieldType;
  /** Elements; undefined: not an array. */
  count: number | undefined;
  /** Bytes. */
  offset: number;
  size: number;
}

/** One struct: where each field lives. */
export interface Layout<N extends string = string> {
  /** The struct's tag without "ntrace_". */
  name: string;
  /** Bytes. */
  size: number;
  fields: readonly Field[];
  /** Offset in bytes of each field. */
  at: Readonly<Record<N, number>>;
}

/** Lays fields out as the C ABI does: natural alignment, size a multiple of 8. */
export function layout<const F extends readonly FieldSpec[]>(
  name: string,
  specs: F,
): Layout<F[number][0]> {
  const fields: Field[] = [];
  const at: Record<string, number> = {};
  let end = 0;
  for (const [field, type, count] of specs) {
    const unit = BYTES[type];
    const offset = Math.ceil(end / unit) * unit;
    const size = unit * (count ?? 1);
    fields.push({ name: field, type, count, offset, size });
    at[field] = offset;
    end = offset + size;
  }
  return { name, size: Math.ceil(end / 8) * 8, fields, at: at as Record<F[number][0], number> };
}

/** stop_id -> stopId; the process of a record is its "pid" everywhere in TypeScript. */
function property(field: string): string {
  if (field === 'tgid') return 'pid';
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function parserOf(record: Layout, stride: number): Parser {
  const parser = new Parser().endianness('little');
  let end = 0;
  for (const { name, type, count, offset, size } of record.fields) {
    if (offset > end) parser.seek(offset - end);
    end = offset + size;
    const key = property(name);
    if (type === 'char') {
      parser.string(key, { length: size, stripNull: true });
    } else if (count !== undefined) {
      const element = type === 'u64' ? 'uint64le' : type === 's64' ? 'int64le' : 'uint32le';
      parser.array(key, { type: element, length: count });
    } else if (type === 'u16') parser.uint16le(key);
    else if (type === 'u32') parser.uint32le(key);
    else if (type === 's32') parser.int32le(key);
    else if (type === 'u64') parser.uint64le(key);
    else parser.int64le(key);
  }
  if (stride > end) parser.seek(stride - end);
  return parser;
}

/** Decodes one record from the start of buf; property names are the fields' in camelCase. */
export function decoder<T>(record: Layout): (buf: Uint8Array) => T {
  const parser = parserOf(record, record.size);
  return (buf) => parser.parse(buf as Buffer) as T;
}

/**
 * Decodes a buffer that holds nothing but records. stride: bytes from one record to the next, as
 * the handshake tells it; a newer provider's records are longer than ours.
 */
export function arrayDecoder<T>(record: Layout, stride = record.size): (buf: Uint8Array) => T[] {
  const parser = new Parser()
    .endianness('little')
    .array('records', { type: parserOf(record, stride), readUntil: 'eof' });
  return (buf) => (parser.parse(buf as Buffer) as { records: T[] }).records;
}
