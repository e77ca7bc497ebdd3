/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NT_FUZZ_AGENT_HARNESS_H
#define _NT_FUZZ_AGENT_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/* How many inputs the verifier let through. */
extern unsigned long agent_fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* _NT_FUZZ_AGENT_HARNESS_H */
