// SPDX-License-Identifier: GPL-2.0
#include "bytes.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ntrace
{

namespace
{

constexpr uint8_t kEscape = '}';
constexpr uint8_t kFlip = 0x20;

bool special(uint8_t c)
{
	return c == kEscape || c == '#' || c == '$' || c == '*';
}

// -1 for anything that is not a digit
int digit(uint8_t c)
{
	if (uint8_t(c - '0') <= 9)
		return c - '0';
	uint8_t letter = (c | 0x20) - 'a';
	return letter <= 5 ? letter + 10 : -1;
}

#if defined(__SSE2__)

__m128i load(const uint8_t *p)
{
	return _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
}
void store(uint8_t *p, __m128i v)
{
	_mm_storeu_si128(reinterpret_cast<__m128i *>(p), v);
}

__m128i to_digits(__m128i nibbles)
{
	__m128i letters = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
	__m128i gap = _mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10));
	return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), gap);
}

__m128i not_above(__m128i v, char limit) // unsigned v <= limit
{
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(limit)), v);
}

// 16 digits to 8 bytes, one in the low half of each 16-bit lane; *ok gets zero bytes where not hex
__m128i from_digits(__m128i text, __m128i *ok)
{
	__m128i number = _mm_sub_epi8(text, _mm_set1_epi8('0'));
	__m128i lower = _mm_or_si128(text, _mm_set1_epi8(0x20));
	__m128i letter = _mm_sub_epi8(lower, _mm_set1_epi8('a'));
	__m128i is_number = not_above(number, 9);
	__m128i is_letter = not_above(letter, 5);
	*ok = _mm_and_si128(*ok, _mm_or_si128(is_number, is_letter));
	__m128i letter_value = _mm_add_epi8(letter, _mm_set1_epi8(10));
	__m128i value =
	    _mm_or_si128(_mm_and_si128(is_number, number), _mm_and_si128(is_letter, letter_value));
	__m128i high = _mm_and_si128(_mm_slli_epi16(value, 4), _mm_set1_epi16(0xf0));
	return _mm_or_si128(high, _mm_srli_epi16(value, 8));
}

// bit N: byte N needs an escape
unsigned special_mask(__m128i v)
{
	__m128i hit = _mm_cmpeq_epi8(v, _mm_set1_epi8(kEscape));
	hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('#')));
	hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('$')));
	hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('*')));
	return unsigned(_mm_movemask_epi8(hit));
}

#endif

} // namespace

uint8_t checksum(const uint8_t *src, size_t n)
{
	uint64_t sum = 0;
#if defined(__SSE2__)
	__m128i zero = _mm_setzero_si128();
	__m128i wide = zero;
	for (; n >= 16; src += 16, n -= 16)
		wide = _mm_add_epi64(wide, _mm_sad_epu8(load(src), zero));
	sum = uint64_t(_mm_cvtsi128_si64(wide)) +
	      uint64_t(_mm_cvtsi128_si64(_mm_unpackhi_epi64(wide, wide)));
#endif
	while (n--)
		sum += *src++;
	return uint8_t(sum);
}

void hex_encode(uint8_t *dst, const uint8_t *src, size_t n)
{
	static const char digits[] = "0123456789abcdef";
#if defined(__SSE2__)
	__m128i low_half = _mm_set1_epi8(0x0f);
	for (; n >= 16; src += 16, dst += 32, n -= 16) {
		__m128i v = load(src);
		__m128i high = to_digits(_mm_and_si128(_mm_srli_epi16(v, 4), low_half));
		__m128i low = to_digits(_mm_and_si128(v, low_half));
		store(dst, _mm_unpacklo_epi8(high, low));
		store(dst + 16, _mm_unpackhi_epi8(high, low));
	}
#endif
	for (; n; src++, dst += 2, n--) {
		dst[0] = uint8_t(digits[*src >> 4]);
		dst[1] = uint8_t(digits[*src & 15]);
	}
}

bool hex_decode(uint8_t *dst, const uint8_t *src, size_t n)
{
#if defined(__SSE2__)
	__m128i ok = _mm_set1_epi8(-1);
	for (; n >= 16; src += 32, dst += 16, n -= 16) {
		__m128i first = load(src), second = load(src + 16);
		store(dst, _mm_packus_epi16(from_digits(first, &ok), from_digits(second, &ok)));
	}
	if (_mm_movemask_epi8(ok) != 0xffff)
		return false;
#endif
	for (; n; src += 2, dst++, n--) {
		int high = digit(src[0]), low = digit(src[1]);
		if (high < 0 || low < 0)
			return false;
		*dst = uint8_t(high << 4 | low);
	}
	return true;
}

Escaped escape(uint8_t *dst, size_t room, const uint8_t *src, size_t n)
{
	size_t in = 0, out = 0;
	while (in < n && out < room) {
#if defined(__SSE2__)
		if (n - in >= 16 && room - out >= 16) {
			__m128i v = load(src + in);
			store(dst + out, v);
			unsigned mask = special_mask(v);
			size_t plain = mask ? size_t(__builtin_ctz(mask)) : 16;
			in += plain;
			out += plain;
			if (!mask)
				continue;
		}
#endif
		uint8_t c = src[in];
		if (!special(c)) {
			dst[out++] = c;
		} else if (room - out >= 2) {
			dst[out++] = kEscape;
			dst[out++] = c ^ kFlip;
		} else {
			break;
		}
		in++;
	}
	return {in, out};
}

size_t unescape(uint8_t *buf, size_t n)
{
	uint8_t *end = buf + n;
	uint8_t *in = static_cast<uint8_t *>(memchr(buf, kEscape, n));
	if (!in)
		return n;
	uint8_t *out = in;
	while (in < end) {
#if defined(__SSE2__)
		if (end - in >= 16) {
			__m128i v = load(in);
			unsigned mask =
			    unsigned(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(kEscape))));
			if (!mask) {
				store(out, v);
				in += 16;
				out += 16;
				continue;
			}
			// a whole store here would run over bytes that are still to be read
			for (int plain = __builtin_ctz(mask); plain; plain--)
				*out++ = *in++;
		}
#endif
		if (*in != kEscape) {
			*out++ = *in++;
			continue;
		}
		if (++in < end)
			*out++ = *in++ ^ kFlip;
	}
	return size_t(out - buf);
}

} // namespace ntrace
