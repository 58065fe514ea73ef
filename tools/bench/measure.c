/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_cycles.h>

#include "dataplane/conn/tcp_state.h"

#define BLOCK_BATCHES 12 /* of BATCH packets: a millisecond or two, then the other subject */
#define MAX_SUBJECTS  4
#define AGAIN_MAX     50 /* times a block is measured again */

static int value_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, uint32_t n)
{
	qsort(values, n, sizeof(values[0]), value_cmp);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

long times_preempted(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

static double block(const struct scene *s, const struct subject *subject, struct rte_mbuf **frames)
{
	for (unsigned int again = 0;; again++) {
		long before = times_preempted();
		uint64_t cycles = 0;

		for (unsigned int i = 0; i < BLOCK_BATCHES; i++) {
			packets_fill(subject->of ? subject->of : s, frames, BATCH);
			cycles += subject->batch(subject->arg, frames);
		}
		if (times_preempted() == before || again == AGAIN_MAX)
			return (double)cycles / (BLOCK_BATCHES * BATCH);
	}
}

void measure(const struct scene *s, struct subject *subjects, unsigned int n, uint32_t blocks,
	     struct rte_mempool *pool)
{
	struct rte_mbuf *frames[BATCH];
	double *ratios = calloc(blocks, sizeof(double));
	double *values[MAX_SUBJECTS];

	if (!ratios)
		fail("no memory for results");
	if (rte_pktmbuf_alloc_bulk(pool, frames, BATCH) != 0)
		fail("no packet buffers left");
	for (unsigned int k = 0; k < n; k++) {
		values[k] = calloc(blocks, sizeof(double));
		if (!values[k])
			fail("no memory for results");
		block(s, &subjects[k], frames); /* caches, branch predictors */
	}
	for (uint32_t i = 0; i < blocks; i++)
		for (unsigned int k = 0; k < n; k++)
			values[k][i] = block(s, &subjects[k], frames);
	for (unsigned int k = 0; k < n; k++) {
		for (uint32_t i = 0; i < blocks; i++)
			ratios[i] = values[k][i] / values[n - 1][i];
		subjects[k].ratio = median(ratios, blocks);
	}
	for (unsigned int k = 0; k < n; k++) {
		subjects[k].cycles = median(values[k], blocks);
		free(values[k]);
	}
	free(ratios);
	rte_pktmbuf_free_bulk(frames, BATCH);
}

/* As a driver would: as many buffers taken as were given back. */
static inline void refill(struct scene *s, struct rte_mbuf **frames, struct rte_mempool *pool)
{
	(void)s;
	if (unlikely(rte_pktmbuf_alloc_bulk(pool, frames, BURST_MAX) != 0))
		fail("the stages kept packet buffers");
}

inline void burst_pipeline(struct memory_arg *a, struct rte_mbuf **frames)
{
	worker_env_update(a->s->w, a->s->tick, 1);
	pipeline_run(a->s->w, frames, BURST_MAX);
	pipeline_expire(a->s->w);
	pipeline_flush(a->s->w);
	refill(a->s, frames, a->pool);
}

uint64_t batch_pipeline(void *arg, struct rte_mbuf **frames)
{
	struct memory_arg *a = arg;
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH; i += BURST_MAX)
		burst_pipeline(a, frames + i);
	return rte_rdtsc_precise() - start;
}

static uint64_t batch_bare(void *arg, struct rte_mbuf **frames)
{
	struct memory_arg *a = arg;
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		if (a->s->servers != a->s->family)
			bare_nat64_burst(a->s, frames + i, BURST_MAX);
		else if (a->s->family == ADDR_V4)
			bare4_burst(a->s, frames + i, BURST_MAX);
		else
			bare6_burst(a->s, frames + i, BURST_MAX);
		rte_pktmbuf_free_bulk(frames + i, BURST_MAX);
		refill(a->s, frames + i, a->pool);
	}
	return rte_rdtsc_precise() - start;
}

static uint64_t batch_yardstick(void *arg, struct rte_mbuf **frames)
{
	struct memory_arg *a = arg;
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		if (a->s->family == ADDR_V4)
			yardstick4_burst(a->s, frames + i, BURST_MAX);
		else
			yardstick6_burst(a->s, frames + i, BURST_MAX);
		rte_pktmbuf_free_bulk(frames + i, BURST_MAX);
		refill(a->s, frames + i, a->pool);
	}
	return rte_rdtsc_precise() - start;
}

#define FRAME_MAX 128 /* bytes of a frame of packet_write() */

void check_contents(const struct scene *s, const struct subject *subject, struct rte_mempool *pool)
{
	struct rte_mbuf *frames[BATCH], *copies[BATCH];
	uint8_t(*before)[FRAME_MAX] = malloc(BATCH * sizeof(*before));
	uint32_t ids[BATCH];
	enum pkt_dir dirs[BATCH];

	if (!before || rte_pktmbuf_alloc_bulk(pool, frames, BATCH) != 0)
		fail("no memory for frames");
	for (uint32_t k = 0; k < BATCH; k++) {
		const uint64_t x = worker_random(s->w);

		ids[k] = (uint32_t)((x >> 32) * s->n >> 32);
		dirs[k] = scene_replies(s) && (x & 1) ? DIR_OUT : DIR_IN;
		packet_write(s, frames[k], ids[k], dirs[k], TCP_ACK | TCP_PSH);
		memcpy(before[k], rte_pktmbuf_mtod(frames[k], void *), frames[k]->data_len);
		rte_mbuf_refcnt_update(frames[k], 1); /* the port frees what it is given */
		copies[k] = frames[k];
	}
	subject->batch(subject->arg, frames);
	for (uint32_t k = 0; k < BATCH; k++) {
		if (s->family == ADDR_V4)
			contents4_check(s, subject->name, copies[k], before[k], ids[k], dirs[k],
					k % 16 == 0);
		else
			contents6_check(s, subject->name, copies[k], before[k], ids[k], dirs[k],
					k % 16 == 0);
		rte_pktmbuf_free(copies[k]);
	}
	rte_pktmbuf_free_bulk(frames, BATCH);
	free(before);
}

void check_sent(const struct worker *w, uint64_t sent_before, uint64_t lookups_before)
{
	uint64_t dropped = 0;

	for (unsigned int r = 0; r < DROP_MAX; r++)
		dropped += w->counters.dropped[r];
	if (dropped != 0 || w->counters.sent - sent_before != w->counters.lookups - lookups_before)
		fail("the stages dropped %lu packets", (unsigned long)dropped);
}

static uint64_t resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		fail("/proc/self/statm cannot be read");
	fclose(f);
	return (uint64_t)resident * 4096;
}

void bench_memory(const struct options *o, enum addr_family family, enum addr_family servers,
		  enum forward_method method, uint32_t n, uint16_t dev, struct rte_mempool *pool)
{
	const bool v4 = family == ADDR_V4, crosses = servers != family;
	const struct scene_plan plan = {.family = family,
					.servers = servers,
					.method = method,
					.n = n,
					.max = n,
					.dev = dev,
					.n_servers = N_SERVERS,
					.sched = "wlc",
					.n_workers = 1};
	const char *path = crosses		   ? "nat64"
			   : method == FWD_NAT	   ? (v4 ? "nat" : "nat6")
			   : method == FWD_FULLNAT ? (v4 ? "fullnat" : "fullnat6")
						   : (v4 ? "dr" : "dr6");
	const bool full = method == FWD_FULLNAT;
	const char *bytes =
		crosses ? "bytes-per-connection/nat64"
		: full	? (v4 ? "bytes-per-connection/fullnat" : "bytes-per-connection/fullnat6")
			: (v4 ? "bytes-per-connection" : "bytes-per-connection/6");
	uint64_t sent, lookups, resident;
	char pipeline[32], bare[32], yardstick[32];
	struct scene s;
	struct memory_arg arg = {&s, pool};
	struct subject subjects[] = {{pipeline, batch_pipeline, &arg, 0, 0, NULL},
				     {yardstick, batch_yardstick, &arg, 0, 0, NULL},
				     {bare, batch_bare, &arg, 0, 0, NULL}};
	struct subject *const against = &subjects[2];
	bool compared;

	snprintf(pipeline, sizeof(pipeline), "pipeline%s/%s", o->small_pages ? "-4k" : "", path);
	snprintf(bare, sizeof(bare), "bare%s/%s", o->small_pages ? "-4k" : "", path);
	snprintf(yardstick, sizeof(yardstick), "yardstick/%s", path);
	if (!wanted(o, pipeline) && !wanted(o, bare) && !wanted(o, bytes) && !wanted(o, yardstick))
		return;
	resident = resident_bytes();
	scene_create_as(&s, &plan);
	scene_connect(&s, pool);
	/* server_of, local_of and local_port are the bench's own. */
	resident = resident_bytes() - resident - n * sizeof(*s.server_of) -
		   (full ? 3 * (uint64_t)n : 0);
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	s.yardstick = wanted(o, yardstick) && !full && !crosses && !o->small_pages;
	compared = s.yardstick && (v4 ? yardstick4_is_there(&s) : yardstick6_is_there(&s));
	if (compared) {
		measure(&s, subjects, RTE_DIM(subjects), o->blocks, pool);
	} else if (wanted(o, bare)) {
		subjects[1] = *against;
		measure(&s, subjects, 2, o->blocks, pool);
		*against = subjects[1];
	} else if (wanted(o, pipeline)) {
		measure(&s, subjects, 1, o->blocks, pool);
	}
	for (unsigned int k = 0; k < RTE_DIM(subjects) && !crosses; k++)
		if (subjects[k].cycles > 0)
			check_contents(&s, &subjects[k], pool);
	check_sent(s.w, sent, lookups);
	if (against->cycles > 0)
		row_add_cycles(bare, n, against->cycles, 0);
	if (compared)
		row_add_cycles(yardstick, n, subjects[1].cycles, against->cycles);
	if (subjects[0].cycles > 0)
		row_add_cycles(pipeline, n, subjects[0].cycles, against->cycles);
	/* Other memory that a start touches would show in a small table. */
	if (scene_replies(&s) && n >= 100000 && !o->small_pages && wanted(o, bytes))
		row_add(bytes, n, (double)resident / n, "bytes resident", 0);
	scene_destroy(&s);
}

/* Two kinds of connections in turn, block by block: `name`, and its reference. The ratio is the
 * median of the ratios of neighbouring blocks; above limit (0: none) it is a failure. */
struct in_turn {
	const char *name, *reference;
	enum addr_family family[2];
	enum forward_method method[2];
	double limit;
};

static void bench_in_turn(const struct options *o, const struct in_turn *t, uint32_t n,
			  uint16_t dev, struct rte_mempool *pool)
{
	struct scene s[2];
	struct memory_arg arg[2] = {{&s[0], pool}, {&s[1], pool}};
	struct subject subjects[2] = {{t->name, batch_pipeline, &arg[0], 0, 0, &s[0]},
				      {t->reference, batch_pipeline, &arg[1], 0, 0, &s[1]}};
	uint64_t sent[2], lookups[2];

	if (!wanted(o, t->name))
		return;
	for (unsigned int k = 0; k < 2; k++) {
		scene_create(&s[k], t->family[k], t->method[k], n, n, dev);
		scene_connect(&s[k], pool);
		sent[k] = s[k].w->counters.sent;
		lookups[k] = s[k].w->counters.lookups;
	}
	measure(&s[0], subjects, 2, o->blocks, pool);
	for (unsigned int k = 0; k < 2; k++)
		check_sent(s[k].w, sent[k], lookups[k]);
	row_add_limit(t->name, n, subjects[0].cycles, "cycles/packet", subjects[1].cycles,
		      subjects[0].ratio, t->limit);
	for (unsigned int k = 0; k < 2; k++)
		scene_destroy(&s[k]);
}

void bench_families(const struct options *o, enum forward_method method, uint32_t n, uint16_t dev,
		    struct rte_mempool *pool)
{
	const struct in_turn t = {.name = method == FWD_NAT ? "families/nat6" : "families/dr6",
				  .reference = "IPv4",
				  .family = {ADDR_V6, ADDR_V4},
				  .method = {method, method}};

	bench_in_turn(o, &t, n, dev, pool);
}

void bench_fullnat_established(const struct options *o, uint32_t n, uint16_t dev,
			       struct rte_mempool *pool)
{
	static const struct in_turn t = {.name = "fullnat/established",
					 .reference = "NAT",
					 .family = {ADDR_V4, ADDR_V4},
					 .method = {FWD_FULLNAT, FWD_NAT},
					 .limit = 1.2};

	bench_in_turn(o, &t, n, dev, pool);
}
