/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions for each packet and for each connection, as callgrind counts them. Time on a
 * shared machine differs by tens of per cent from run to run; instructions do not. Each subject
 * runs with two lengths. The difference of the counts is divided by the difference of the
 * lengths, so that the start and the counting itself cancel. Callgrind writes one file for each
 * length, with the description "NAME LENGTH"; tools/bench/instructions does the sums.
 *
 * The frames leave by a port of rings: such a port needs no driver.
 */
#include "mesh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pcap/pcap.h>
#include <rte_eth_ring.h>

#include "dataplane/observe/observer.h"

#ifdef HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#define CONNECTIONS 32768
#define SHORT_RUN   2 /* batches, or rounds of lives */
#define LONG_RUN    8

static bool without_drivers;

/*
 * EAL asks for its folder of drivers before it loads all of them, which takes valgrind longer
 * than the measurement. This definition takes the place of the C library's.
 */
int stat(const char *restrict path, struct stat *restrict st)
{
	if (without_drivers && strstr(path, "/pmds-")) {
		errno = ENOENT;
		return -1;
	}
	return fstatat(AT_FDCWD, path, st, 0);
}

void drivers_leave_out(void)
{
	without_drivers = true;
}

void collect_toggle(void)
{
	CALLGRIND_TOGGLE_COLLECT;
}

/* A port that keeps what is sent in *sink. */
static uint16_t port_make(struct rte_ring **sink, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = {0};
	struct rte_ring *none = rte_ring_create("none", 64, SOCKET_ID_ANY, 0);
	int dev;

	*sink = rte_ring_create("sink", BATCH * 4, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!none || !*sink)
		fail("no memory for a ring");
	dev = rte_eth_from_rings("sink", &none, 1, sink, 1, SOCKET_ID_ANY);
	if (dev < 0 || rte_eth_dev_configure((uint16_t)dev, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup((uint16_t)dev, 0, 512, SOCKET_ID_ANY, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup((uint16_t)dev, 0, 512, SOCKET_ID_ANY, NULL) < 0 ||
	    rte_eth_dev_start((uint16_t)dev) < 0)
		fail("the port of rings does not start");
	return (uint16_t)dev;
}

static void length_begin(void)
{
	CALLGRIND_ZERO_STATS;
}

static void length_end(const char *name, uint32_t units)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", name, units);
	CALLGRIND_DUMP_STATS_AT(text);
}

/* An observer without a bound that the bench would reach. */
static struct observer *observer_make(const char *filter, bool stages)
{
	pcap_t *none = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program p;
	struct observer *o;

	if (!none || pcap_compile(none, &p, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		fail("the filter does not compile");
	o = observer_create(p.bf_insns, p.bf_len, stages, 128, UINT32_MAX / 2, UINT64_MAX);
	pcap_freecode(&p);
	pcap_close(none);
	if (!o)
		fail("no memory for an observer");
	return o;
}

/* As control does, outside of what is counted. Returns the number of records. */
static uint64_t observer_drain(struct observer *o)
{
	uint64_t n = 0;

	for (; o && observer_next(o); n++)
		observer_took(o);
	return n;
}

/* Established traffic: pipeline/X. o: NULL, or an observer of the worker, which is destroyed. */
static void count_packets_as(const struct scene_plan *plan, const char *name, struct observer *o,
			     struct rte_ring *sink, struct rte_mempool *pool)
{
	static const uint32_t lengths[] = {SHORT_RUN, LONG_RUN};
	struct rte_mbuf *frames[BATCH];
	uint64_t sent, lookups;
	struct scene s;
	struct memory_arg arg = {&s, pool};

	scene_create_as(&s, plan);
	s.sink = sink;
	scene_connect(&s, pool);
	if (rte_pktmbuf_alloc_bulk(pool, frames, BATCH) != 0)
		fail("no packet buffers left");
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	s.w->observer = o;
	for (unsigned int k = 0; k < RTE_DIM(lengths); k++) {
		length_begin();
		for (uint32_t i = 0; i < lengths[k]; i++) {
			packets_fill(&s, frames, BATCH);
			collect_toggle();
			batch_pipeline(&arg, frames);
			collect_toggle();
			scene_sink_drain(&s);
			observer_drain(o);
		}
		length_end(name, lengths[k] * BATCH);
	}
	if (o && (o->over_rate || o->lost))
		fail("%s: records are missing", name);
	s.w->observer = NULL;
	observer_destroy(o);
	check_sent(s.w, sent, lookups);
	if (s.w->counters.sent == sent)
		fail("%s: no packet was sent", name);
	rte_pktmbuf_free_bulk(frames, BATCH);
	scene_destroy(&s);
}

static struct scene_plan plan_of(enum addr_family family, enum addr_family servers,
				 enum forward_method method, uint16_t dev)
{
	return (struct scene_plan){.family = family,
				   .servers = servers,
				   .method = method,
				   .n = CONNECTIONS,
				   .max = CONNECTIONS,
				   .dev = dev,
				   .n_servers = N_SERVERS,
				   .sched = "wlc",
				   .n_workers = 1};
}

static void count_packets(enum addr_family family, enum forward_method method, const char *name,
			  struct observer *o, uint16_t dev, struct rte_ring *sink,
			  struct rte_mempool *pool)
{
	const struct scene_plan plan = plan_of(family, family, method, dev);

	count_packets_as(&plan, name, o, sink, pool);
}

/* Whole connections, from the SYN to the end by time-out: new-connections. */
static void count_lives(const struct scene_plan *plan, const char *name, bool ledger,
			struct rte_ring *sink, struct rte_mempool *pool)
{
	static const uint32_t lengths[] = {SHORT_RUN, LONG_RUN};
	struct scene s;
	struct lives lives;

	scene_create_as(&s, plan);
	s.sink = sink;
	if (ledger)
		scene_ledger(&s);
	lives_init(&lives, &s, LIVES_TIMED, CONNECTIONS, pool);
	/* From here on each round makes and ends as many. */
	for (uint32_t i = 0; i < CONNECTIONS / BATCH + 8; i++)
		lives_round(&lives);
	for (unsigned int k = 0; k < RTE_DIM(lengths); k++) {
		length_begin();
		for (uint32_t i = 0; i < lengths[k]; i++)
			lives_round(&lives);
		length_end(name, lengths[k] * BATCH);
	}
	lives_check(&lives);
	lives_fini(&lives);
	if (ledger)
		scene_ledger_end(&s);
	scene_destroy(&s);
}

/* Packets that each are handed over once, with so many workers on one thread; and, at two workers,
 * the same that arrive at their owners. */
static void count_handoff(unsigned int workers, bool handed, const char *name, uint16_t dev,
			  struct rte_ring *sink, struct rte_mempool *pool)
{
	static const uint32_t lengths[] = {SHORT_RUN, LONG_RUN};
	struct mesh *m = calloc(1, sizeof(*m));
	uint16_t devs[MAX_WORKERS];

	if (!m)
		fail("no memory for %u workers", workers);
	for (unsigned int k = 0; k < workers; k++)
		devs[k] = dev;
	mesh_create(m, workers, CONNECTIONS, devs, sink, pool);
	for (unsigned int k = 0; k < RTE_DIM(lengths); k++) {
		uint32_t packets;

		length_begin();
		packets = mesh_run(m, handed, lengths[k] * BATCH_BURSTS * 2 / workers, pool);
		length_end(name, packets);
	}
	mesh_destroy(m);
	free(m);
}

void bench_instructions(struct rte_mempool *pool)
{
	static const struct {
		const char *name;
		enum addr_family family;
		enum forward_method method;
		bool ledger;
		uint32_t servers; /* 0: N_SERVERS */
	} lives[] = {
		{"connection/dr", ADDR_V4, FWD_DR, false, 0},
		{"connection/nat", ADDR_V4, FWD_NAT, false, 0},
		{"connection/dr6", ADDR_V6, FWD_DR, false, 0},
		{"connection/nat6", ADDR_V6, FWD_NAT, false, 0},
		{"connection/nat-2000", ADDR_V4, FWD_NAT, false, 2000},
		{"connection/fullnat", ADDR_V4, FWD_FULLNAT, false, 0},
		{"ledger/dr", ADDR_V4, FWD_DR, true, 0},
		{"ledger/nat", ADDR_V4, FWD_NAT, true, 0},
	};
	struct rte_ring *sink;
	uint16_t dev = port_make(&sink, pool);
	const struct scene_plan nat64 = plan_of(ADDR_V6, ADDR_V4, FWD_FULLNAT, dev);

	if (!RUNNING_ON_VALGRIND)
		fail("--instructions counts under callgrind alone: tools/bench/instructions");
	CALLGRIND_START_INSTRUMENTATION;
	count_packets(ADDR_V4, FWD_DR, "packet/dr", NULL, dev, sink, pool);
	count_packets(ADDR_V4, FWD_NAT, "packet/nat", NULL, dev, sink, pool);
	count_packets(ADDR_V6, FWD_DR, "packet/dr6", NULL, dev, sink, pool);
	count_packets(ADDR_V6, FWD_NAT, "packet/nat6", NULL, dev, sink, pool);
	count_packets(ADDR_V4, FWD_FULLNAT, "packet/fullnat", NULL, dev, sink, pool);
	count_packets_as(&nat64, "packet/nat64", NULL, sink, pool);
	for (unsigned int i = 0; i < RTE_DIM(lives); i++) {
		struct scene_plan plan =
			plan_of(lives[i].family, lives[i].family, lives[i].method, dev);

		plan.n = CONNECTIONS * 4;
		if (lives[i].servers)
			plan.n_servers = lives[i].servers;
		count_lives(&plan, lives[i].name, lives[i].ledger, sink, pool);
	}
	count_packets(ADDR_V4, FWD_DR, "observed/other", observer_make("udp port 53", true), dev,
		      sink, pool);
	count_packets(ADDR_V4, FWD_DR, "observed/capture", observer_make("tcp", false), dev, sink,
		      pool);
	count_packets(ADDR_V4, FWD_DR, "observed/trace", observer_make("tcp", true), dev, sink,
		      pool);
	count_handoff(2, false, "handoff/none", dev, sink, pool);
	count_handoff(2, true, "handoff/nat-2", dev, sink, pool);
	count_handoff(64, true, "handoff/nat-64", dev, sink, pool);
	CALLGRIND_STOP_INSTRUMENTATION;
}
