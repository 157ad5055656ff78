#ifndef RIPOSTE_FLOOR_SIGN_H
#define RIPOSTE_FLOOR_SIGN_H

#include <stdint.h>

/* Whether this was compiled for a processor with SHA instructions. */
int floor_sign_have(void);

/* The states of SHA-256 after the blocks of key ^ ipad and key ^ opad, and how many
 * bytes of a message the inner one has already taken, a multiple of 64. */
struct floor_key {
	uint32_t inner[8], outer[8];
	uint64_t taken;
};

/* key has 64 bytes, shorter ones filled up with zeros. The messages to come begin
 * with prefix, of which the whole blocks are taken. */
void floor_key_init(struct floor_key *k, const uint8_t *key, const uint8_t *prefix, uint64_t prefix_len);

/* Signs n messages of len bytes each that lie stride apart, 64 hex digits each to
 * out. */
void floor_sign(const struct floor_key *k, const uint8_t *msg, uint64_t len, uint64_t stride, uint64_t n, uint8_t *out);

#endif
