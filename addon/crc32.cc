// SPDX-License-Identifier: GPL-2.0
#include "crc32.h"

#include <array>

namespace ntrace
{

namespace
{

constexpr uint32_t kPolynomial = 0x04c11db7;

using Table = std::array<std::array<uint32_t, 256>, 8>;

// row k: what a byte contributes when k more bytes follow it ("slicing by 8")
constexpr Table make_table()
{
	Table t{};
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i << 24;
		for (int bit = 0; bit < 8; bit++)
			c = c & 0x80000000u ? c << 1 ^ kPolynomial : c << 1;
		t[0][i] = c;
	}
	for (size_t k = 1; k < 8; k++)
		for (uint32_t i = 0; i < 256; i++)
			t[k][i] = t[k - 1][i] << 8 ^ t[0][t[k - 1][i] >> 24];
	return t;
}

constexpr Table kTable = make_table();

} // namespace

uint32_t crc32(uint32_t crc, const uint8_t *src, size_t n)
{
	for (; n >= 8; src += 8, n -= 8)
		crc = kTable[7][crc >> 24 ^ src[0]] ^ kTable[6][(crc >> 16 & 255) ^ src[1]] ^
		      kTable[5][(crc >> 8 & 255) ^ src[2]] ^ kTable[4][(crc & 255) ^ src[3]] ^
		      kTable[3][src[4]] ^ kTable[2][src[5]] ^ kTable[1][src[6]] ^ kTable[0][src[7]];
	for (; n; n--)
		crc = crc << 8 ^ kTable[0][crc >> 24 ^ *src++];
	return crc;
}

} // namespace ntrace
