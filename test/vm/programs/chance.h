// SPDX-License-Identifier: GPL-2.0
#ifndef NTRACE_TEST_CHANCE_H
#define NTRACE_TEST_CHANCE_H
#include <stdint.h>

/* Chance, by a seed: what is done can be done again. */
static uint64_t chance;

static inline uint32_t below(uint32_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (chance >> 16) % n;
}

static inline void seed_with(uint64_t seed)
{
	chance = seed * 2654435761u + 88172645463325252ull;
}
#endif
