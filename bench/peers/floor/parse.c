// The floor of decoding: what a program needs that only wants the integers of frames
// it knows to be sound. It checks nothing. First all quotes of a frame are marked,
// 64 bytes at a time, and written down as places; then whole numbers are converted
// from the places, without a branch per digit.
//
// The scalar variant walks each number byte by byte.
#include "parse.h"
#include <string.h>

#if defined(__AVX512VBMI2__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define HAVE 1
#include <immintrin.h>
#endif

int floor_vectors(void) {
#ifdef HAVE
	return 1;
#else
	return 0;
#endif
}

// Checksums of what was decoded, as the Go side computes them.
static inline uint64_t touch_sum(const int64_t *v) {
	return (uint64_t)v[0] ^ (uint64_t)v[1] * 3 ^ (uint64_t)v[2] * 5 ^ (uint64_t)v[3] * 7 ^ (uint64_t)v[4] * 11;
}

static inline uint64_t trade_sum(const int64_t *v) {
	uint64_t s = (uint64_t)v[0] ^ (uint64_t)v[1] * 3 ^ (uint64_t)v[2] * 5 ^ (uint64_t)v[3] * 7;
	return v[4] ? ~s : s;
}

static inline uint64_t depth_sum(const int64_t *v) {
	uint64_t s = (uint64_t)v[0] * 3 ^ (uint64_t)v[1];
	int64_t n = v[2] + v[3];
	for (int64_t k = 0; k < n; k++) s = (s * 31 + (uint64_t)v[4 + 2 * k]) ^ (uint64_t)v[5 + 2 * k];
	return s;
}

static inline uint64_t sum_of(int kind, const int64_t *v) {
	switch (kind) {
	case FLOOR_TOUCH:
		return touch_sum(v);
	case FLOOR_TRADE:
		return trade_sum(v);
	}
	return depth_sum(v);
}

// The quotes of a frame of each kind that matter: see the shapes in parse.go.
enum {
	TOUCH_ID = 7, TOUCH_NUMBERS = 14,
	TRADE_ID = 17, TRADE_PRICE = 20, TRADE_QTY = 24, TRADE_TIME = 27, TRADE_MAKER = 29,
	DEPTH_FIRST = 17, DEPTH_LAST = 19, DEPTH_LEVELS = 22,
};

#ifdef HAVE
static __m128i places[17]; // by where the point is: digits to eight places before and eight behind it

__attribute__((constructor)) static void fill(void) {
	for (int dot = 0; dot <= 16; dot++) {
		uint8_t b[16];
		memset(b, 0x80, sizeof b);
		for (int k = 0; k < 8; k++) {
			if (dot - 1 - k >= 0) b[7 - k] = dot - 1 - k;
			if (dot + 1 + k < 16) b[8 + k] = dot + 1 + k;
		}
		places[dot] = _mm_loadu_si128((const __m128i *)b);
	}
}

// number is the decimal or integer of len bytes that ends before e, at 1e-8 if it is
// a decimal.
static inline int64_t number(const char *e, int len, int decimal) {
	__m128i x = _mm_loadu_si128((const __m128i *)(e - 16));
	__mmask16 in = (__mmask16)(0xffff0000u >> (len < 16 ? len : 16));
	__m128i t = _mm_maskz_sub_epi8(in, x, _mm_set1_epi8('0'));
	if (decimal) {
		uint32_t dot = _mm_mask_cmpeq_epi8_mask(in, x, _mm_set1_epi8('.')) | 0x10000;
		t = _mm_shuffle_epi8(t, places[_tzcnt_u32(dot)]);
	}
	t = _mm_maddubs_epi16(t, _mm_set1_epi16(0x010a));
	t = _mm_madd_epi16(t, _mm_set1_epi32(0x00010064));
	t = _mm_packus_epi32(t, t);
	t = _mm_madd_epi16(t, _mm_set1_epi32(0x00012710));
	uint64_t v = (uint64_t)_mm_cvtsi128_si64(t);
	return (int64_t)((v & 0xffffffff) * 100000000 + (v >> 32));
}

// quotes writes down the places of all quotes of a frame.
static inline int quotes(const char *b, int n, uint16_t *at) {
	const __m512i quote = _mm512_set1_epi8('"');
	const __m512i iota = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37,
		36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	int count = 0;
	for (int i = 0; i < n; i += 64) {
		__mmask64 in = n - i >= 64 ? ~0ull : (1ull << (n - i)) - 1;
		__mmask64 q = _mm512_mask_cmpeq_epi8_mask(in, _mm512_maskz_loadu_epi8(in, b + i), quote);
		__m512i p = _mm512_maskz_compress_epi8(q, iota);
		_mm512_storeu_si512(at + count, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(p)), _mm512_set1_epi16(i)));
		count += __builtin_popcountll(q);
	}
	return count;
}

// between is the integer that stands between two quotes, behind a colon and before a
// comma.
static inline int64_t between(const char *b, const uint16_t *at, int k) {
	return number(b + at[k + 1] - 1, at[k + 1] - at[k] - 3, 0);
}

static inline int64_t text(const char *b, const uint16_t *at, int k) { return number(b + at[k + 1], at[k + 1] - at[k] - 1, 1); }

static void frame(int kind, const char *b, int n, int64_t *v) {
	static uint16_t at[1 << 15];
	int count = quotes(b, n, at);
	switch (kind) {
	case FLOOR_TOUCH:
		v[0] = between(b, at, TOUCH_ID);
		for (int k = 0; k < 4; k++) v[1 + k] = text(b, at, TOUCH_NUMBERS + 4 * k);
		return;
	case FLOOR_TRADE:
		v[0] = between(b, at, TRADE_ID);
		v[1] = text(b, at, TRADE_PRICE);
		v[2] = text(b, at, TRADE_QTY);
		v[3] = between(b, at, TRADE_TIME);
		v[4] = b[at[TRADE_MAKER] + 2] == 't';
		return;
	}
	v[0] = between(b, at, DEPTH_FIRST);
	v[1] = between(b, at, DEPTH_LAST);
	int64_t *out = v + 4;
	int k = DEPTH_LEVELS;
	for (int side = 0; side < 2; side++) {
		int from = k;
		if (k < count && b[at[k] - 1] == '[')
			for (;; k += 4) {
				*out++ = text(b, at, k);
				*out++ = text(b, at, k + 2);
				if (b[at[k + 3] + 2] == ']') {
					k += 4;
					break;
				}
			}
		v[2 + side] = (k - from) / 4;
		k += 2; // "a"
	}
}

uint64_t floor_parse(int kind, const char *bytes, const uint32_t *ends, int n, int64_t *out) {
	uint64_t sum = 0;
	uint32_t from = 0;
	for (int i = 0; i < n; i++) {
		frame(kind, bytes + from, (int)(ends[i] - from), out);
		sum = sum * 1000003 + sum_of(kind, out);
		from = ends[i];
	}
	return sum;
}
#else
uint64_t floor_parse(int kind, const char *bytes, const uint32_t *ends, int n, int64_t *out) {
	(void)kind, (void)bytes, (void)ends, (void)n, (void)out;
	return 0;
}
#endif

static inline const char *skip(const char *p, int quotes) {
	while (quotes > 0) quotes -= *p++ == '"';
	return p;
}

static inline const char *whole(const char *p, int64_t *v) {
	int64_t x = 0;
	for (; (unsigned char)(*p - '0') <= 9; p++) x = x * 10 + (*p - '0');
	*v = x;
	return p;
}

static inline const char *decimal(const char *p, int64_t *v) {
	int64_t x;
	p = whole(p, &x);
	int left = 8;
	if (*p == '.')
		for (p++; *p != '"'; p++, left--) x = x * 10 + (*p - '0');
	for (; left > 0; left--) x *= 10;
	*v = x;
	return p;
}

static void plain(int kind, const char *p, int64_t *v) {
	switch (kind) {
	case FLOOR_TOUCH:
		p = whole(skip(p, TOUCH_ID + 1) + 1, v);
		p = skip(p, TOUCH_NUMBERS - TOUCH_ID);
		for (int k = 0; k < 4; k++) {
			p = decimal(p, v + 1 + k);
			if (k < 3) p = skip(p, 4);
		}
		return;
	case FLOOR_TRADE:
		p = whole(skip(p, TRADE_ID + 1) + 1, v);
		p = decimal(skip(p, TRADE_PRICE - TRADE_ID), v + 1);
		p = decimal(skip(p, 4), v + 2);
		p = whole(skip(p, TRADE_TIME - TRADE_QTY) + 1, v + 3);
		v[4] = skip(p, 2)[1] == 't';
		return;
	}
	p = whole(skip(p, DEPTH_FIRST + 1) + 1, v);
	p = whole(skip(p, 2) + 1, v + 1);
	p = skip(p, 2) + 2;
	int64_t *out = v + 4;
	for (int side = 0; side < 2; side++) {
		int64_t n = 0;
		while (*p == '[' || *p == ',') {
			p = decimal(skip(p, 1), out++);
			p = decimal(skip(p, 2), out++) + 2;
			n++;
		}
		v[2 + side] = n;
		if (side == 0) p = skip(p, 2) + 2;
	}
}

uint64_t floor_plain(int kind, const char *bytes, const uint32_t *ends, int n, int64_t *out) {
	uint64_t sum = 0;
	uint32_t from = 0;
	for (int i = 0; i < n; i++) {
		plain(kind, bytes + from, out);
		sum = sum * 1000003 + sum_of(kind, out);
		from = ends[i];
	}
	return sum;
}
