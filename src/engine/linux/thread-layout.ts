import type { Memory } from './memory';
import type { SymbolLookup } from './thread-symbols';

// glibc describes its private structures to debuggers in constants named _thread_db_STRUCT_FIELD:
// three uint32, {bits of an element, number of elements, byte offset} (nptl_db/db_info.c).

const PREFIX = '_thread_db_';

/** What tls-block.ts reads. Every name that is asked of a symbol lookup is here. */
export const THREAD_SYMBOLS = [
  '_thread_db_link_map_l_tls_modid',
  '_thread_db_link_map_l_tls_offset',
  '_thread_db_pthread_dtvp',
  '_thread_db_dtv_dtv',
  '_thread_db_dtv_t_pointer_val',
  '_thread_db_dtv_t_counter',
  '_thread_db_rtld_global__dl_tls_dtv_slotinfo_list',
  '_thread_db__dl_tls_dtv_slotinfo_list',
  '_thread_db_dtv_slotinfo_list_len',
  '_thread_db_dtv_slotinfo_list_next',
  '_thread_db_dtv_slotinfo_list_slotinfo',
  '_thread_db_dtv_slotinfo_gen',
  '_thread_db_dtv_slotinfo_map',
  '_rtld_global',
  '_dl_tls_dtv_slotinfo_list',
] as const;

type Described<T> = T extends `_thread_db_${infer Field}` ? Field : never;
export type Field = Described<(typeof THREAD_SYMBOLS)[number]>;
export type Variable = Exclude<(typeof THREAD_SYMBOLS)[number], `_thread_db_${string}`>;

/** Fields of the target's glibc. Every answer is undefined where the library does not say. */
export class ThreadLayout {
  constructor(
    private readonly memory: Memory,
    private readonly lookup: SymbolLookup,
  ) {}

  variable(name: Variable): bigint | undefined {
    return this.lookup(name);
  }

  knows(field: Field): boolean {
    return this.lookup(PREFIX + field) !== undefined;
  }

  /** Address of element `index` of a field of the structure at base. */
  address(base: bigint, field: Field, index = 0n): bigint | undefined {
    const descriptor = this.descriptor(field);
    return descriptor && base + descriptor.offset + (BigInt(descriptor.bits) / 8n) * index;
  }

  /** Its value, unsigned. */
  value(base: bigint, field: Field, index = 0n): bigint | undefined {
    const bits = this.descriptor(field)?.bits;
    const at = this.address(base, field, index);
    if (at === undefined || (bits !== 32 && bits !== 64)) return undefined;
    const raw = this.memory.bytes(at, bits / 8);
    return raw && (bits === 64 ? raw.readBigUInt64LE(0) : BigInt(raw.readUInt32LE(0)));
  }

  private descriptor(field: Field): { bits: number; offset: bigint } | undefined {
    const at = this.lookup(PREFIX + field);
    const raw = at === undefined ? undefined : this.memory.bytes(at, 12);
    return raw && { bits: raw.readUInt32LE(0), offset: BigInt(raw.readInt32LE(8)) };
  }
}
