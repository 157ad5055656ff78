#include "sign.h"

#include <string.h>

#ifdef __SHA__
#include <immintrin.h>

/* FIPS 180-4, 4.2.2: the round constants, and 5.3.3: the initial state. */
static const uint32_t rounds[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* The instructions want the eight words as two registers abef and cdgh. */
static inline void load(const uint32_t s[8], __m128i *abef, __m128i *cdgh)
{
	__m128i lo = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)s), 0xb1);       /* badc */
	__m128i hi = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(s + 4)), 0x1b); /* hgfe */
	*abef = _mm_alignr_epi8(lo, hi, 8);
	*cdgh = _mm_blend_epi16(hi, lo, 0xf0);
}

/* And back: the words a to d and e to h in order. */
static inline void row(__m128i abef, __m128i cdgh, __m128i *lo, __m128i *hi)
{
	__m128i f = _mm_shuffle_epi32(abef, 0x1b);
	__m128i d = _mm_shuffle_epi32(cdgh, 0xb1);
	*lo = _mm_blend_epi16(f, d, 0xf0);
	*hi = _mm_alignr_epi8(d, f, 8);
}

static inline void store(uint32_t s[8], __m128i abef, __m128i cdgh)
{
	__m128i lo, hi;
	row(abef, cdgh, &lo, &hi);
	_mm_storeu_si128((__m128i *)s, lo);
	_mm_storeu_si128((__m128i *)(s + 4), hi);
}

static inline __m128i big_endian(__m128i v)
{
	return _mm_shuffle_epi8(v, _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll));
}

/* One block whose sixteen words are there; they are kept in four registers that go
 * round. */
static inline void words(__m128i *abef, __m128i *cdgh, __m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	__m128i w[4] = {w0, w1, w2, w3}, x = *abef, y = *cdgh;
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		__m128i k = _mm_add_epi32(w[i & 3], _mm_load_si128((const __m128i *)(rounds + 4 * i)));
		y = _mm_sha256rnds2_epu32(y, x, k);
		x = _mm_sha256rnds2_epu32(x, y, _mm_shuffle_epi32(k, 0x0e));
		if (i < 12) {
			__m128i t = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
			t = _mm_add_epi32(t, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
			w[i & 3] = _mm_sha256msg2_epu32(t, w[(i + 3) & 3]);
		}
	}
	*abef = _mm_add_epi32(*abef, x);
	*cdgh = _mm_add_epi32(*cdgh, y);
}

static inline void block(__m128i *abef, __m128i *cdgh, const uint8_t *p)
{
	const __m128i *v = (const __m128i *)p;
	words(abef, cdgh, big_endian(_mm_loadu_si128(v)), big_endian(_mm_loadu_si128(v + 1)), big_endian(_mm_loadu_si128(v + 2)),
	      big_endian(_mm_loadu_si128(v + 3)));
}

int floor_sign_have(void) { return 1; }

void floor_key_init(struct floor_key *k, const uint8_t *key, const uint8_t *prefix, uint64_t prefix_len)
{
	uint8_t pad[64];
	__m128i a, b;
	for (int i = 0; i < 64; i++)
		pad[i] = key[i] ^ 0x36;
	load(initial, &a, &b);
	block(&a, &b, pad);
	for (k->taken = 0; k->taken + 64 <= prefix_len; k->taken += 64)
		block(&a, &b, prefix + k->taken);
	store(k->inner, a, b);
	for (int i = 0; i < 64; i++)
		pad[i] = key[i] ^ 0x5c;
	load(initial, &a, &b);
	block(&a, &b, pad);
	store(k->outer, a, b);
}

/* The last block or two of a message: its rest, a one bit, zeros, the length in bits. */
static inline void finish(__m128i *a, __m128i *b, const uint8_t *p, uint64_t n, uint64_t total)
{
	uint8_t tail[128] __attribute__((aligned(64))) = {0};
	uint64_t bits = __builtin_bswap64(total * 8);
	uint64_t size = n < 56 ? 64 : 128;
#ifdef __AVX512BW__
	_mm512_store_si512(tail, _mm512_maskz_loadu_epi8((1ull << n) - 1, p));
#else
	memcpy(tail, p, n);
#endif
	tail[n] = 0x80;
	memcpy(tail + size - 8, &bits, 8);
	block(a, b, tail);
	if (size == 128)
		block(a, b, tail + 64);
}

/* Sixteen bytes to 32 hex digits. */
static inline void hex(uint8_t *out, __m128i v)
{
	const __m128i digits = _mm_loadu_si128((const __m128i *)"0123456789abcdef");
	const __m128i low = _mm_set1_epi8(0x0f);
	__m128i h = _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(v, 4), low));
	__m128i l = _mm_shuffle_epi8(digits, _mm_and_si128(v, low));
	_mm_storeu_si128((__m128i *)out, _mm_unpacklo_epi8(h, l));
	_mm_storeu_si128((__m128i *)(out + 16), _mm_unpackhi_epi8(h, l));
}

void floor_sign(const struct floor_key *k, const uint8_t *msg, uint64_t len, uint64_t stride, uint64_t n, uint8_t *out)
{
	for (uint64_t i = 0; i < n; i++, msg += stride, out += 64) {
		__m128i a, b, lo, hi;
		uint64_t at = k->taken;
		load(k->inner, &a, &b);
		for (; at + 64 <= len; at += 64)
			block(&a, &b, msg + at);
		finish(&a, &b, msg + at, len - at, 64 + len);
		/* The outer message is one block, and the inner state its first words. */
		row(a, b, &lo, &hi);
		load(k->outer, &a, &b);
		words(&a, &b, lo, hi, _mm_set_epi32(0, 0, 0, (int)0x80000000), _mm_set_epi32((64 + 32) * 8, 0, 0, 0));
		row(a, b, &lo, &hi);
		hex(out, big_endian(lo));
		hex(out + 32, big_endian(hi));
	}
}

#else

int floor_sign_have(void) { return 0; }

void floor_key_init(struct floor_key *k, const uint8_t *key, const uint8_t *prefix, uint64_t prefix_len)
{
	(void)key, (void)prefix, (void)prefix_len;
	memset(k, 0, sizeof *k);
}

void floor_sign(const struct floor_key *k, const uint8_t *msg, uint64_t len, uint64_t stride, uint64_t n, uint8_t *out)
{
	(void)k, (void)msg, (void)len, (void)stride;
	memset(out, 0, 64 * n);
}

#endif
