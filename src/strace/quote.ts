/** How bytes are shown: escapes where needed (0), hex where anything is unprintable (1), always hex (2). */
export type HexMode = 0 | 1 | 2;

const ESCAPES = new Map<number, string>([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
]);

const PLAIN: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const escape = ESCAPES.get(byte);
  if (escape !== undefined) return escape;
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '';
});
const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`,
);

const isOctalDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x37;

/** Bytes [start, end) as a C string literal, quotes included. */
export function quote(bytes: Uint8Array, start: number, end: number, mode: HexMode): string {
  let hex = mode === 2;
  for (let i = start; mode === 1 && i < end && !hex; i++) hex = PLAIN[bytes[i]!] === '';
  let text = '"';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (hex) text += HEX[byte]!;
    else if (PLAIN[byte] !== '') text += PLAIN[byte]!;
    else {
      // the shortest octal, unless a digit follows
      const digits = byte.toString(8);
      text += `\\${i + 1 < end && isOctalDigit(bytes[i + 1]) ? digits.padStart(3, '0') : digits}`;
    }
  }
  return `${text}"`;
}
