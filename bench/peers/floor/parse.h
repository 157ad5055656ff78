#include <stdint.h>

enum { FLOOR_TOUCH, FLOOR_TRADE, FLOOR_DEPTH };

// Whether this was built for a machine with AVX-512, VBMI and VBMI2.
int floor_vectors(void);

// Both decode n frames of one kind, which lie one behind the other, and return a
// checksum. out takes the last one's integers.
uint64_t floor_parse(int kind, const char *bytes, const uint32_t *ends, int n, int64_t *out);
uint64_t floor_plain(int kind, const char *bytes, const uint32_t *ends, int n, int64_t *out);
