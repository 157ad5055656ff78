#define _GNU_SOURCE
#include "thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Processors fetch lines in pairs. */
#define apart __attribute__((aligned(128)))

enum { slots = 1024, words = 8 };

struct item {
	uint64_t w[words];
};

/* The shape that single-writer rings have had since Lamport, with what made them fast
 * since: each side remembers the other's index and looks again only when it must. */
struct ring {
	apart _Atomic uint64_t tail;
	apart uint64_t head_seen;
	apart _Atomic uint64_t head;
	apart uint64_t tail_seen;
	apart struct item slot[slots];
};

struct job {
	apart _Atomic uint64_t line;
	apart _Atomic int there;
	struct ring to, from;
	int cpu;
	uint64_t n, batch;
};

static inline uint64_t space(struct ring *r, uint64_t tail, uint64_t want)
{
	uint64_t free = slots - (tail - r->head_seen);
	if (free < want) {
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
		free = slots - (tail - r->head_seen);
	}
	return free;
}

static inline uint64_t pending(struct ring *r, uint64_t head)
{
	if (r->tail_seen == head)
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
	return r->tail_seen - head;
}

static inline void fill(struct item *it, uint64_t v)
{
	for (int i = 0; i < words; i++)
		it->w[i] = v + (uint64_t)i;
}

static inline uint64_t look(uint64_t sum, const struct item *it) { return (sum * 31 + it->w[0]) ^ it->w[words - 1]; }

/* For one item alone, whose way is to be short: the stronger store costs its thread
 * more and leaves the core's store buffer sooner. */
static void push(struct ring *r, uint64_t tail, uint64_t v)
{
	while (space(r, tail, 1) == 0)
		;
	fill(&r->slot[tail % slots], v);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_seq_cst);
}

static void *answer_line(void *arg)
{
	struct job *j = arg;
	atomic_store_explicit(&j->there, 1, memory_order_release);
	for (uint64_t v = 1; v < 2 * j->n; v += 2) {
		while (atomic_load_explicit(&j->line, memory_order_acquire) != v)
			;
		atomic_store_explicit(&j->line, v + 1, memory_order_seq_cst);
	}
	return NULL;
}

static void *answer_ring(void *arg)
{
	struct job *j = arg;
	atomic_store_explicit(&j->there, 1, memory_order_release);
	for (uint64_t i = 0; i < j->n; i++) {
		while (pending(&j->to, i) == 0)
			;
		uint64_t v = j->to.slot[i % slots].w[0];
		atomic_store_explicit(&j->to.head, i + 1, memory_order_release);
		push(&j->from, i, v);
	}
	return NULL;
}

static void *write_ring(void *arg)
{
	struct job *j = arg;
	atomic_store_explicit(&j->there, 1, memory_order_release);
	struct ring *r = &j->from;
	for (uint64_t i = 0; i < j->n;) {
		uint64_t k = j->batch < j->n - i ? j->batch : j->n - i;
		while (space(r, i, k) < k)
			;
		for (uint64_t e = i + k; i < e; i++)
			fill(&r->slot[i % slots], i);
		atomic_store_explicit(&r->tail, i, memory_order_release);
	}
	return NULL;
}

/* Go's signals are for Go's threads. */
static int start(pthread_t *t, void *(*run)(void *), struct job *j)
{
	sigset_t all, old;
	pthread_attr_t attr;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(j->cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof set, &set);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(t, &attr, run, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Waits for the other half and says when it was there. */
static int64_t together(struct job *j)
{
	while (!atomic_load_explicit(&j->there, memory_order_acquire))
		;
	return now();
}

static struct job *job(int cpu, uint64_t n, uint64_t batch)
{
	struct job *j = aligned_alloc(128, sizeof *j);
	if (!j)
		return NULL;
	*j = (struct job){.cpu = cpu, .n = n, .batch = batch};
	return j;
}

uint64_t floor_bounce_line(int cpu, uint64_t n, int64_t *ns)
{
	pthread_t t;
	struct job *j = job(cpu, n, 1);
	uint64_t sum = 0;
	if (j && start(&t, answer_line, j) == 0) {
		int64_t from = together(j);
		for (uint64_t i = 0; i < n; i++) {
			atomic_store_explicit(&j->line, 2 * i + 1, memory_order_seq_cst);
			while (atomic_load_explicit(&j->line, memory_order_acquire) != 2 * i + 2)
				;
			sum = (sum * 31 + i) ^ (i + words - 1);
		}
		*ns = now() - from;
		pthread_join(t, NULL);
	}
	free(j);
	return sum;
}

uint64_t floor_bounce_ring(int cpu, uint64_t n, int64_t *ns)
{
	pthread_t t;
	struct job *j = job(cpu, n, 1);
	uint64_t sum = 0;
	if (j && start(&t, answer_ring, j) == 0) {
		int64_t from = together(j);
		for (uint64_t i = 0; i < n; i++) {
			push(&j->to, i, i);
			while (pending(&j->from, i) == 0)
				;
			sum = look(sum, &j->from.slot[i % slots]);
			atomic_store_explicit(&j->from.head, i + 1, memory_order_release);
		}
		*ns = now() - from;
		pthread_join(t, NULL);
	}
	free(j);
	return sum;
}

uint64_t floor_stream_ring(int cpu, uint64_t n, uint64_t batch, int64_t *ns)
{
	pthread_t t;
	struct job *j = job(cpu, n, batch);
	uint64_t sum = 0;
	if (j && start(&t, write_ring, j) == 0) {
		int64_t from = together(j);
		struct ring *r = &j->from;
		for (uint64_t i = 0; i < n;) {
			uint64_t k = pending(r, i);
			if (k == 0)
				continue;
			if (k > batch)
				k = batch;
			for (uint64_t e = i + k; i < e; i++)
				sum = look(sum, &r->slot[i % slots]);
			atomic_store_explicit(&r->head, i, memory_order_release);
		}
		*ns = now() - from;
		pthread_join(t, NULL);
	}
	free(j);
	return sum;
}
