#ifndef RIPOSTE_FLOOR_BOOK_H
#define RIPOSTE_FLOOR_BOOK_H

#include <stdint.h>

/* One level of a recording: set it and read both bests (kind 0), set it as part of a
 * snapshot (1), empty the book first (2). Side 0 is bids. Integers at 1e-8. */
struct floor_update {
	int64_t price, qty;
	uint8_t side, kind;
	uint8_t pad[6];
};

struct floor_book;

/* The prices lo to hi in steps of tick; NULL if there is no memory for them. */
struct floor_book *floor_book_new(int64_t lo, int64_t hi, int64_t tick);
void floor_book_free(struct floor_book *b);
uint64_t floor_book_replay(struct floor_book *b, const struct floor_update *u, int64_t n);

#endif
