// The x87 tag word: two bits a register in the FSAVE form gdb shows, one bit (not empty) in the
// FXSAVE form the kernel keeps. Intel SDM volume 1, 8.1.7 and 10.5.1.1.

const VALID = 0;
const ZERO = 1;
const SPECIAL = 2;
const EMPTY = 3;

const ST_SPACE = 32; // of the fxsave area
const FSTAT = 2;
const FTAG = 4;

function classify(fxsave: Buffer, st: number): number {
  const at = ST_SPACE + 16 * st;
  const exponent = fxsave.readUInt16LE(at + 8) & 0x7fff;
  const high = fxsave.readUInt32LE(at + 4);
  if (exponent === 0x7fff) return SPECIAL;
  if (exponent === 0) return high === 0 && fxsave.readUInt32LE(at) === 0 ? ZERO : SPECIAL;
  return high >>> 31 ? VALID : SPECIAL; // the integer bit
}

/** The 16-bit tag word of an fxsave area (160 bytes or more). */
export function expandTags(fxsave: Buffer): number {
  const abridged = fxsave.readUInt8(FTAG);
  const top = (fxsave.readUInt16LE(FSTAT) >> 11) & 7;
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    // tags belong to physical registers, st_space is in stack order
    const tag = (abridged >> i) & 1 ? classify(fxsave, (i + 8 - top) % 8) : EMPTY;
    tags |= tag << (2 * i);
  }
  return tags;
}

/** The abridged (FXSAVE) form of a 16-bit tag word. */
export function abridgeTags(tags: number): number {
  let abridged = 0;
  for (let i = 0; i < 8; i++) if (((tags >> (2 * i)) & 3) !== EMPTY) abridged |= 1 << i;
  return abridged;
}
