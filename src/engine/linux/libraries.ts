import { readAuxv } from './auxv';
import type { LinkMap } from './link-map';
import { findRDebug, linkMaps, namespaces } from './link-map';
import type { MemoryReader } from './memory';
import { Memory } from './memory';
import { escapeXml } from './xml';

const hex = (addr: bigint): string => `0x${addr.toString(16)}`;

function element(map: LinkMap, lmid: bigint): string {
  if (map.name.length === 0) return ''; // the main program, or a namespace's copy of it
  return (
    `<library name="${escapeXml(map.name.toString())}" lm="${hex(map.lm)}" ` +
    `l_addr="${hex(map.addr)}" l_ld="${hex(map.ld)}" lmid="${hex(lmid)}"/>`
  );
}

/** start=ADDR;prev=ADDR;lmid=ADDR, in hex; unknown names and malformed values count as 0. */
function parseAnnex(annex: string): { start: bigint; prev: bigint; lmid: bigint } {
  const fields = new Map(
    annex.split(';').map((field) => field.split('=', 2) as [string, string | undefined]),
  );
  const value = (name: string): bigint => {
    const text = fields.get(name) ?? '';
    return /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : 0n;
  };
  return { start: value('start'), prev: value('prev'), lmid: value('lmid') };
}

/** The document for an r_debug that is known; 0n: the dynamic linker has not started. */
export function libraryList(memory: Memory, rDebug: bigint, annex: string): string {
  const { start, prev, lmid } = parseAnnex(annex);
  let main = '';
  let list = '';
  if (start !== 0n) {
    for (const map of linkMaps(memory, start, prev)) list += element(map, lmid);
  } else {
    for (const space of namespaces(memory, rDebug)) {
      const maps = linkMaps(memory, space.first, 0n);
      if (space.rDebug === rDebug && space.first !== 0n) {
        main = ` main-lm="${hex(space.first)}"`;
        maps.next();
      }
      for (const map of maps) list += element(map, space.rDebug);
    }
  }
  return `<library-list-svr4 version="1.0"${main}>${list}</library-list-svr4>`;
}

/**
 * The qXfer:libraries-svr4 document of a stopped process. undefined where there is no dynamic
 * linker, or the process is gone: the client then looks by itself.
 */
export function librariesSvr4(
  pid: number,
  wordSize: 4 | 8,
  reader: MemoryReader,
  annex = '',
): string | undefined {
  const memory = new Memory(reader, wordSize);
  if (parseAnnex(annex).start !== 0n) return libraryList(memory, 0n, annex);
  const rDebug = findRDebugOf(pid, memory);
  return rDebug === undefined ? undefined : libraryList(memory, rDebug, annex);
}

/** Address of a process' struct r_debug (qShlibInfoAddr); as findRDebug. */
export function findRDebugOf(pid: number, memory: Memory): bigint | undefined {
  try {
    return findRDebug(memory, readAuxv(pid));
  } catch {
    return undefined;
  }
}
