// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace ntrace
{

// CRC of the qCRC packet: polynomial 0x04c11db7, most significant bit first, "crc" goes in as it
// is (gdb starts with 0xffffffff) and nothing is inverted at the end.
uint32_t crc32(uint32_t crc, const uint8_t *src, size_t n);

} // namespace ntrace
