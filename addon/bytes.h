// SPDX-License-Identifier: GPL-2.0
// Byte work of the remote protocol: sums, hex, escapes. Pure functions on memory.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

namespace ntrace
{

// Sum modulo 256 (GDB manual, "Overview": packet checksum).
uint8_t checksum(const uint8_t *src, size_t n);

// 2 * n lower-case digits into dst, which must not overlap src.
void hex_encode(uint8_t *dst, const uint8_t *src, size_t n);

// n bytes from 2 * n digits, either case. False at any other character; dst is then undefined.
// dst may be src.
bool hex_decode(uint8_t *dst, const uint8_t *src, size_t n);

struct Escaped {
	size_t taken;	// bytes of src that went in
	size_t written; // bytes of dst
};

// } # $ * become } and the byte ^ 0x20 (GDB manual, "Overview": binary data). Stops when src is
// used up or the next byte does not fit into room.
Escaped escape(uint8_t *dst, size_t room, const uint8_t *src, size_t n);

// In place; the new length. A } at the very end is dropped.
size_t unescape(uint8_t *buf, size_t n);

} // namespace ntrace
