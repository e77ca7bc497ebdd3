import { ElfFile } from './elf';
import { DynamicSymbols } from './elf-dynamic';
import type { LinkMap } from './link-map';
import { linkMaps, namespaces } from './link-map';
import type { Memory } from './memory';

/** Address of a symbol in the target; undefined where nobody defines it. */
export type SymbolLookup = (name: string) => bigint | undefined;

const THREAD_LIBRARY = /(^|\/)(libc|libpthread|ld|ld64|ld-linux[^/]*)[-.][^/]*$/;

/** The loaded C library, thread library and dynamic linker, of the first namespace. */
function threadLibraries(memory: Memory, rDebug: bigint): LinkMap[] {
  for (const { first } of namespaces(memory, rDebug)) {
    return [...linkMaps(memory, first, 0n)].filter(({ name }) =>
      THREAD_LIBRARY.test(name.toString()),
    );
  }
  return [];
}

function inFile(path: string, name: string, bias: bigint): bigint | undefined {
  const file = ElfFile.open(path);
  try {
    const symbol = file?.symbol(name);
    return symbol && BigInt.asUintN(8 * file!.header.wordSize, symbol.value + bias);
  } finally {
    file?.close();
  }
}

/**
 * Looks thread-library symbols up without a client's help: dynamic symbols in memory first, then
 * the full symbol tables of the files the process has mapped (older C libraries keep them there,
 * and static programs have nothing else). bias: of the main program.
 */
export function threadSymbols(
  pid: number,
  memory: Memory,
  rDebug: bigint | undefined,
  bias: bigint,
): SymbolLookup {
  const maps = rDebug ? threadLibraries(memory, rDebug) : [];
  const loaded = maps.map((map) => new DynamicSymbols(memory, map));
  const answers = new Map<string, bigint | undefined>();
  const find = (name: string): bigint | undefined => {
    for (const symbols of loaded) {
      const addr = symbols.address(name);
      if (addr !== undefined) return addr;
    }
    for (const map of maps) {
      const addr = inFile(`/proc/${pid}/root${map.name.toString()}`, name, map.addr);
      if (addr !== undefined) return addr;
    }
    return maps.length === 0 ? inFile(`/proc/${pid}/exe`, name, bias) : undefined;
  };
  return (name) => {
    if (!answers.has(name)) answers.set(name, find(name));
    return answers.get(name);
  };
}
