import { procText } from './process';

/** One line of /proc/PID/maps: [start, end). */
export interface Mapping {
  start: bigint;
  end: bigint;
  readable: boolean;
  writable: boolean;
  executable: boolean;
  shared: boolean;
  /** Bytes into the file. */
  offset: bigint;
  inode: bigint;
  /** Path, or [heap], [stack], [vdso]; empty for anonymous memory. */
  name: string;
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (.)(.)(.)(.) ([0-9a-f]+) \S+ (\d+) *(.*)$/;

/** Octal escapes of the kernel's seq_path: newline alone for maps. */
function unescape(name: string): string {
  return name.replace(/\\012/g, '\n');
}

/** Mappings in ascending order; lines that are none are left out. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [, start, end, r, w, x, s, offset, inode, name] = match;
    mappings.push({
      start: BigInt(`0x${start!}`),
      end: BigInt(`0x${end!}`),
      readable: r === 'r',
      writable: w === 'w',
      executable: x === 'x',
      shared: s === 's',
      offset: BigInt(`0x${offset!}`),
      inode: BigInt(inode!),
      name: unescape(name!),
    });
  }
  return mappings;
}

/** undefined when the process is gone or not ours to look at. */
export function readMaps(pid: number): Mapping[] | undefined {
  const text = procText(`/proc/${pid}/maps`);
  return text === undefined ? undefined : parseMaps(text);
}

/** What lies at an address: a mapping, or the hole around it (end exclusive). */
export function regionAt(
  mappings: readonly Mapping[],
  addr: bigint,
  wordSize: 4 | 8,
): { start: bigint; end: bigint; mapping: Mapping | undefined } {
  let before = 0n;
  for (const mapping of mappings) {
    if (addr < mapping.start) return { start: before, end: mapping.start, mapping: undefined };
    if (addr < mapping.end) return { start: mapping.start, end: mapping.end, mapping };
    before = mapping.end;
  }
  return { start: before, end: 1n << BigInt(8 * wordSize), mapping: undefined };
}
