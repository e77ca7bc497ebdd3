/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A range of code that a thread runs through instead of stepping: where it has to be caught, so
 * that it is stopped wherever it could leave, and wherever the next instruction is not in the code
 * to be read.
 */
#ifndef NT_CORE_FENCE_H
#define NT_CORE_FENCE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_FENCE_WALK 16      /* steps taken one by one: most ranges are left earlier */
#define NT_FENCE_LONGEST 4096 /* bytes; a line of source is shorter */
#define NT_FENCE_POSTS 16     /* with more exits a fence costs more than the steps it saves */

/*
 * The places for the range from lo on, len bytes of code without breakpoints among them. Returns
 * how many, at least one; 0: the code cannot be told, or there are too many.
 */
u32 nt_fence_posts(const u8 *code, u64 lo, u32 len, bool mode64, u64 posts[NT_FENCE_POSTS]);

#ifdef __cplusplus
}
#endif

#endif
