import { address, type Call } from '../call';
import { quote } from '../quote';

const LIMIT = 1 << 20;

interface Entry {
  inode: bigint;
  offset: bigint;
  length: number;
  type: number;
  name: Buffer;
}

/** Entries of struct linux_dirent64, or linux_dirent, whose type is its last byte. */
function* entries(bytes: Buffer, wide: boolean, word: 4 | 8): Generator<Entry> {
  const head = wide ? 19 : 2 * word + 2;
  for (let at = 0; at + head < bytes.length;) {
    const long = (offset: number): bigint =>
      wide || word === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset));
    const lengthAt = at + (wide ? 16 : 2 * word);
    const length = bytes.readUInt16LE(lengthAt);
    if (length < head || at + length > bytes.length) return;
    const end = bytes.indexOf(0, at + head);
    yield {
      inode: long(at),
      offset: long(at + (wide ? 8 : word)),
      length,
      type: wide ? bytes[at + 18]! : bytes[at + length - 1]!,
      name: bytes.subarray(at + head, end < 0 ? at + length : end),
    };
    at += length;
  }
}

/** "0x7f.. /* 3 entries * /", or all of them with -v. */
export function directoryEntries(c: Call, addr: bigint, length: number, wide: boolean): string {
  const bytes = c.env.memory.exactly(c.pid, addr, Math.min(length, LIMIT));
  if (bytes === undefined) return address(addr);
  const found = [...entries(bytes, wide, c.abi.word)];
  if (!c.env.style.verbose) return `${address(addr)} /* ${found.length} entries */`;
  const shown = found.map(({ inode, offset, length: size, type, name }) => {
    const parts = [`d_ino=${inode}`, `d_off=${offset}`, `d_reclen=${size}`];
    const typeName = `d_type=${c.choice('dirent_type', type)}`;
    const text = `d_name=${quote(name, 0, name.length, c.env.style.hex)}`;
    return `{${[...parts, ...(wide ? [typeName, text] : [text, typeName])].join(', ')}}`;
  });
  return `[${shown.join(', ')}]`;
}
