const GROWTH = new Uint8Array(256);
for (const char of '#$}*') GROWTH[char.charCodeAt(0)] = 1;
const BLOCK = 65536;

/** How many of the first length bytes of data fit into room bytes once they are escaped. */
export function fitting(data: Uint8Array, length: number, room: number): number {
  if (2 * length <= room) return length;
  let at = 0;
  let used = 0;
  while (at < length) {
    const end = Math.min(length, at + BLOCK);
    let sum = end - at;
    for (let i = at; i < end; i++) sum += GROWTH[data[i]!]!;
    if (used + sum > room) break;
    used += sum;
    at = end;
  }
  for (; at < length; at++) {
    used += 1 + GROWTH[data[at]!]!;
    if (used > room) break;
  }
  return at;
}
