#include "book.h"

#include <stdlib.h>
#include <sys/mman.h>

/* A side is an array with one quantity per tick and four layers of bits over it, each
 * bit of a layer standing for a word of the one below. Slots are counted so that the
 * better price has the higher slot on both sides: the next best after the best has
 * gone is the highest bit below it, found in at most four steps down and up. The bits
 * of a real book lie close together, so nearly always the first word has it. */
enum { layers = 4 };

struct side {
	int64_t *qty;
	uint64_t *bits[layers];
	int64_t best; /* slot, -1 if there is none */
};

struct floor_book {
	int64_t lo, hi, tick, slots;
	double per_tick;
	size_t size[layers + 1];
	struct side side[2];
};

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void floor_book_free(struct floor_book *b)
{
	for (int s = 0; s < 2; s++) {
		if (b->side[s].qty)
			munmap(b->side[s].qty, b->size[layers]);
		for (int l = 0; l < layers; l++)
			if (b->side[s].bits[l])
				munmap(b->side[s].bits[l], b->size[l]);
	}
	free(b);
}

struct floor_book *floor_book_new(int64_t lo, int64_t hi, int64_t tick)
{
	struct floor_book *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->lo = lo;
	b->hi = hi;
	b->tick = tick;
	b->per_tick = 1.0 / (double)tick;
	b->slots = (hi - lo) / tick + 1;
	b->size[layers] = (size_t)b->slots * sizeof(int64_t);
	size_t n = (size_t)b->slots;
	for (int l = 0; l < layers; l++) {
		n = (n + 63) / 64;
		b->size[l] = n * sizeof(uint64_t);
	}
	for (int s = 0; s < 2; s++) {
		b->side[s].best = -1;
		b->side[s].qty = map(b->size[layers]);
		for (int l = 0; l < layers; l++)
			b->side[s].bits[l] = map(b->size[l]);
		if (!b->side[s].qty || !b->side[s].bits[0] || !b->side[s].bits[1] || !b->side[s].bits[2] || !b->side[s].bits[3]) {
			floor_book_free(b);
			return NULL;
		}
	}
	return b;
}

/* The highest slot below i that is in use, -1 if there is none. */
static int64_t below(const struct side *s, int64_t i)
{
	for (int l = 0; l < layers; l++) {
		uint64_t w = s->bits[l][i >> 6] & ((1ull << (i & 63)) - 1);
		i >>= 6;
		if (w) {
			i = i << 6 | (63 - __builtin_clzll(w));
			while (l-- > 0)
				i = i << 6 | (63 - __builtin_clzll(s->bits[l][i]));
			return i;
		}
	}
	/* The top layer has a word for 2^24 slots: a few at most. */
	for (i--; i >= 0; i--) {
		uint64_t w = s->bits[layers - 1][i];
		if (w) {
			i = i << 6 | (63 - __builtin_clzll(w));
			for (int l = layers - 2; l >= 0; l--)
				i = i << 6 | (63 - __builtin_clzll(s->bits[l][i]));
			return i;
		}
	}
	return -1;
}

static void clear(struct floor_book *b)
{
	for (int k = 0; k < 2; k++) {
		struct side *s = &b->side[k];
		while (s->best >= 0) {
			int64_t i = s->best;
			s->best = below(s, i);
			s->qty[i] = 0;
			for (int l = 0; l < layers; l++, i >>= 6)
				s->bits[l][i >> 6] &= ~(1ull << (i & 63));
		}
	}
}

static inline void set(struct floor_book *b, const struct floor_update *u)
{
	/* Prices below 2^53 divide exactly enough in floating point, and much faster. */
	int64_t d = u->side ? b->hi - u->price : u->price - b->lo;
	int64_t i = (int64_t)((double)d * b->per_tick + 0.5);
	struct side *s = &b->side[u->side];
	s->qty[i] = u->qty;
	if (u->qty) {
		int64_t k = i;
		for (int l = 0; l < layers; l++, k >>= 6) {
			uint64_t w = s->bits[l][k >> 6];
			s->bits[l][k >> 6] = w | 1ull << (k & 63);
			if (w)
				break;
		}
		if (i > s->best)
			s->best = i;
		return;
	}
	if (i == s->best)
		s->best = below(s, i);
	int64_t k = i;
	for (int l = 0; l < layers; l++, k >>= 6) {
		uint64_t w = s->bits[l][k >> 6] & ~(1ull << (k & 63));
		s->bits[l][k >> 6] = w;
		if (w)
			break;
	}
}

uint64_t floor_book_replay(struct floor_book *b, const struct floor_update *u, int64_t n)
{
	uint64_t sum = 0;
	const struct side *bids = &b->side[0], *asks = &b->side[1];
	for (int64_t i = 0; i < n; i++) {
		if (u[i].kind) {
			if (u[i].kind == 2) {
				clear(b);
				continue;
			}
			set(b, &u[i]);
			continue;
		}
		set(b, &u[i]);
		uint64_t bid = 0, bid_qty = 0, ask = 0, ask_qty = 0;
		if (bids->best >= 0) {
			bid = (uint64_t)(b->lo + bids->best * b->tick);
			bid_qty = (uint64_t)bids->qty[bids->best];
		}
		if (asks->best >= 0) {
			ask = (uint64_t)(b->hi - asks->best * b->tick);
			ask_qty = (uint64_t)asks->qty[asks->best];
		}
		sum = (sum * 31 + bid) ^ bid_qty ^ ask * 3 ^ ask_qty * 5;
	}
	return sum;
}
