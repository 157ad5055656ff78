#ifndef RIPOSTE_FLOOR_THREAD_H
#define RIPOSTE_FLOOR_THREAD_H

#include <stdint.h>

/* Each function runs its other half on a thread of its own, pinned to cpu; the caller
 * is to be pinned to another. They return a sum over what the caller has received, 0
 * if there is no thread to be had, and in ns how long it took from when both were
 * there. */

/* n counters bounced there and back in one cache line. */
uint64_t floor_bounce_line(int cpu, uint64_t n, int64_t *ns);

/* n items of 64 bytes bounced there and back through two rings. */
uint64_t floor_bounce_ring(int cpu, uint64_t n, int64_t *ns);

/* n items of 64 bytes from that thread to the caller, handed over by the batch. */
uint64_t floor_stream_ring(int cpu, uint64_t n, uint64_t batch, int64_t *ns);

#endif
