import type { Memory } from './memory';
import type { ProgramHeader } from './program';
import { wrap } from './program';
import { ThreadLayout } from './thread-layout';
import type { SymbolLookup } from './thread-symbols';

/** Why there is no address: later: not allocated yet; unknown: the C library does not say. */
export class TlsError extends Error {
  constructor(
    readonly reason: 'later' | 'none' | 'unknown',
    message: string,
  ) {
    super(message);
    this.name = 'TlsError';
  }
}

/** What a module's thread-local block is found from. */
export interface TlsRequest {
  /** The thread's pointer: fs_base, or the base gs selects. */
  threadPointer: bigint;
  /** The module's struct link_map; 0n: the main program (of a static executable). */
  linkMap: bigint;
  /** The main program's link map, if there is one. */
  mainMap: bigint | undefined;
  /** The main program's PT_TLS, for C libraries that describe nothing. */
  mainSegment: ProgramHeader | undefined;
}

const LATER = 'its thread-local storage is not allocated yet: let the thread touch it once';
const MAX_LISTS = 4096;

// link_map.l_tls_offset of a module without a place in the static block (sysdeps/x86/.../dl-tls.h)
const NO_OFFSET = 0n;

/**
 * Address of a module's block in one thread, as libthread_db's td_thr_tlsbase finds it. Both x86
 * ABIs put static blocks below the thread pointer (variant II of the TLS specification).
 */
export function tlsBlock(memory: Memory, lookup: SymbolLookup, request: TlsRequest): bigint {
  const { threadPointer } = request;
  if (threadPointer === 0n)
    throw new TlsError('later', `the thread has no thread pointer: ${LATER}`);
  const layout = new ThreadLayout(memory, lookup);
  const isMain = request.linkMap === 0n || request.linkMap === request.mainMap;
  if (!layout.knows('link_map_l_tls_offset') && !layout.knows('link_map_l_tls_modid')) {
    return isMain ? mainBlock(memory, request) : undescribed();
  }
  const slot = request.linkMap === 0n ? slotOf(layout, 1n) : undefined;
  const map = slot?.map ?? request.linkMap;
  if (map === 0n) return mainBlock(memory, request);

  const modid = layout.value(map, 'link_map_l_tls_modid') ?? 0n;
  if (modid === 0n) throw new TlsError('none', 'the module has no thread-local storage');
  const offset = layout.value(map, 'link_map_l_tls_offset') ?? NO_OFFSET;
  const forcedDynamic = wrap(-1n, memory.wordSize);
  if (offset !== NO_OFFSET && offset !== forcedDynamic) {
    return wrap(threadPointer - offset, memory.wordSize);
  }
  return dynamicBlock(memory, layout, threadPointer, modid);
}

function undescribed(): never {
  throw new TlsError(
    'unknown',
    'the C library does not describe its thread-local storage (no _thread_db symbols): ' +
      'only variables of the main program can be found',
  );
}

/** Module 1 is the first below the thread pointer, wherever its alignment puts it. */
function mainBlock(memory: Memory, { threadPointer, mainSegment }: TlsRequest): bigint {
  if (mainSegment === undefined) {
    throw new TlsError('none', 'the program has no thread-local storage');
  }
  const { memsz, vaddr } = mainSegment;
  const align = mainSegment.align || 1n;
  const first = -vaddr & (align - 1n);
  const offset = ((memsz - first + align - 1n) / align) * align + first;
  return wrap(threadPointer - offset, memory.wordSize);
}

/** A block allocated when the thread first touched it: through the thread's vector (DTV). */
function dynamicBlock(
  memory: Memory,
  layout: ThreadLayout,
  threadPointer: bigint,
  modid: bigint,
): bigint {
  const dtv = layout.value(threadPointer, 'pthread_dtvp');
  const header = dtv && layout.address(dtv, 'dtv_dtv', 0n);
  const entry = dtv && layout.address(dtv, 'dtv_dtv', modid);
  if (!dtv || header === undefined || entry === undefined) {
    throw new TlsError('unknown', "the thread's vector of thread-local blocks is unreadable");
  }
  // a vector older than the module has no slot for it, or one of a module that was there before
  const generation = layout.value(header, 'dtv_t_counter');
  const needed = slotOf(layout, modid)?.generation;
  if (generation !== undefined && needed !== undefined && generation < needed) {
    throw new TlsError('later', LATER);
  }
  const block = layout.value(entry, 'dtv_t_pointer_val');
  // TLS_DTV_UNALLOCATED is (void *) -1; no block is at an odd address
  if (block === undefined || block === 0n || block & 1n) throw new TlsError('later', LATER);
  return wrap(block, memory.wordSize);
}

/** A module's entry in the dynamic linker's list of modules with TLS. */
function slotOf(
  layout: ThreadLayout,
  modid: bigint,
): { map: bigint | undefined; generation: bigint | undefined } | undefined {
  const global = layout.variable('_rtld_global');
  const variable = layout.variable('_dl_tls_dtv_slotinfo_list');
  let list =
    (global && layout.value(global, 'rtld_global__dl_tls_dtv_slotinfo_list')) ??
    (variable && layout.value(variable, '_dl_tls_dtv_slotinfo_list'));
  let index = modid;
  for (let i = 0; list && i < MAX_LISTS; i++) {
    const length = layout.value(list, 'dtv_slotinfo_list_len');
    if (length === undefined) return undefined;
    if (index < length) {
      const slot = layout.address(list, 'dtv_slotinfo_list_slotinfo', index);
      return slot === undefined
        ? undefined
        : {
            map: layout.value(slot, 'dtv_slotinfo_map'),
            generation: layout.value(slot, 'dtv_slotinfo_gen'),
          };
    }
    index -= length;
    list = layout.value(list, 'dtv_slotinfo_list_next');
  }
  return undefined;
}
