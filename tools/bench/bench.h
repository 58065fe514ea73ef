/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BENCH_H
#define PLVS_BENCH_H

/*
 * Measures the stages on one core. Everything runs on the main lcore; a failure ends the
 * program with a line that says what failed (fail()).
 *
 *	rows.c		what was measured: the table and the JSON file
 *	scene.c		a service, its servers, next hops, and N established connections
 *	scene_family.c	what of it has addresses, compiled for each family
 *	packets.c	frames of randomly chosen connections in mbufs
 *	bare_nat64.c	the same for a translation between the families
 *	bare.c		the lower bound: the same work in one loop without stages
 *	bare_fullnat.c	the same for full NAT
 *	frozen.c	its table and entries, which change no more
 *	contents.c	the frames that left, byte by byte
 *	measure.c	alternating blocks of two or more subjects, medians
 *	marks.c		the same with mark rules in the snapshot and without
 *	sync.c		the same with events for a peer and without
 *	listing.c	the same while all connections are listed and without
 *	health.c	the same with health checks under way and without; checks by themselves
 *	ports.c		the real loop on net_null and net_ring ports
 *	attack.c	a full table: forged handshakes, and short connections
 *	lives.c		connections made, established, closed and timed out in virtual time
 *	lifecycle.c	rows of them: how many a second
 *	life_cost.c	rows of them: cycles of a life over those of its packets
 *	choose.c	lives with many servers against few
 *	threads.c	lives on two threads: one service against a service each
 *	handoff.c	packets that other workers than their owner receive
 *	handoff_threads.c	the same on two threads
 *	wake.c		the end of a worker's sleep
 *	instructions.c	instructions in place of time, under callgrind
 *	testpmd.c	dpdk-testpmd on the same devices
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/dataplane.h"
#include "dataplane/stages/pipeline.h"

#define BATCH_BURSTS 32
#define BATCH	     (BATCH_BURSTS * BURST_MAX) /* packets prepared, then run */
#define N_SERVERS    16				/* unless a plan says otherwise */
#define N_POOL	     16				/* addresses, full NAT: 16M connections */
#define TCP_LEN	     26 /* bytes of header and data: an IPv4 frame of 60 without FCS */

__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *fmt, ...);

/* ---- options ---- */

struct options {
	bool quick;
	bool small_pages;     /* 4 KiB pages for the tables */
	bool instructions;    /* counted under callgrind, and nothing else */
	const char *json;     /* file, or NULL */
	const char *only;     /* start of the names of rows to measure, or NULL */
	uint32_t connections; /* the one number of connections to measure at, or 0 */
	uint32_t blocks;      /* per subject */
};

bool wanted(const struct options *o, const char *name);

/* ---- rows.c ---- */

/* reference 0: none. The ratio is cost over cost: above 1 is slower than the reference. */
void row_add(const char *name, uint32_t connections, double value, const char *unit,
	     double reference);
/* Two rows: cycles/packet and Mpps; reference in cycles per packet. */
void row_add_cycles(const char *name, uint32_t connections, double cycles, double reference);
/* The same, with a ratio that is not that of the two numbers. */
void row_add_ratio(const char *name, uint32_t connections, double cycles, double reference,
		   double ratio);
/* A row is above its limit: the run goes on, and ends with status 1. */
void row_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How many were. */
unsigned int rows_failed(void);
/* The same in cycles of another unit; a ratio above limit (0: none) is a failure. */
void row_add_limit(const char *name, uint32_t connections, double cycles, const char *unit,
		   double reference, double ratio, double limit);
void rows_print_head(void);
/* 0 or -errno. */
int rows_write_json(const char *path);

/* ---- scene.c ---- */

struct scene {
	enum addr_family family, servers; /* of clients, of real servers */
	enum forward_method method;	  /* FWD_DR, FWD_NAT, FWD_FULLNAT */
	uint32_t n;			  /* connections */
	uint16_t *server_of;		  /* [n]: index of the real server, for packets `out` */
	/* Full NAT, [n]: local port and index of the pool's address, for the same. */
	be16 *local_port;
	uint8_t *local_of;
	struct worker *w;
	struct published *pub; /* &own_pub, or that of another scene */
	uint32_t tick;
	struct rte_ring *sink; /* where a ring port puts what is sent, or NULL */
	void *frozen[2];       /* of the bare loop, IPv4 and IPv6: frozen.h */
	bool yardstick;	       /* with an rte_hash */
	/* Of scene_create(): */
	struct published own_pub;
	struct owner_map owners;
};

/* Cycles of a connection of the least that full NAT needs: bare_lives.c. */
double bare_lives_cycles(uint32_t population, uint32_t rounds);

/* With its address what identifies connection i. */
#define SCENE_VIP_PORT	  80
#define SCENE_SERVER_PORT 8080
be16 scene_client_port(uint32_t i);
extern const struct mac scene_own_mac;

/* Service, servers, fib, next hops into pub, whose runtime and next hop table are ready;
 * all out of port 0. */
void scene_publish(struct published *pub, enum addr_family family, enum forward_method method);
void scene_unpublish(struct published *pub);

struct scene_plan {
	enum addr_family family;
	enum addr_family servers; /* of real servers; ADDR_NONE: the same */
	enum forward_method method;
	uint32_t n, max; /* connections; entries of the table */
	uint16_t dev;
	uint32_t n_servers;
	const char *sched;
	uint16_t worker, n_workers; /* the scene's own of those that choose */
	struct published *with;	    /* of a scene whose service is shared, or NULL */
};

void scene_create_as(struct scene *s, const struct scene_plan *plan);
/* A worker of its own that sends out of DPDK port dev, with a table for max connections. */
void scene_create(struct scene *s, enum addr_family family, enum forward_method method, uint32_t n,
		  uint32_t max, uint16_t dev);
void scene_destroy(struct scene *s);
/* The server that the stages chose for connection i. */
unsigned int scene_server_look(const struct scene *s, uint32_t i);
/* The same, noted for the packets of connection i, with its local address and port. */
void scene_note(struct scene *s, uint32_t i);
/* Whether packets `out` pass. */
static inline bool scene_replies(const struct scene *s)
{
	return forward_has(s->method, FORWARD_REPLIES_PASS);
}
bool scene_has(const struct scene *s, uint32_t i);
/* n connections that are assured, by their handshakes through the stages of s->w. */
void scene_connect(struct scene *s, struct rte_mempool *pool);

/* Frees what a ring port keeps. */
void scene_sink_drain(const struct scene *s);

/* ---- packets.c ---- */

/* Writes the frame of connection i in a direction into a fresh or used mbuf. */
void packet_write(const struct scene *s, struct rte_mbuf *m, uint32_t i, enum pkt_dir dir,
		  uint8_t tcp_flags);
/* Plain data of connections chosen at random; with NAT of either direction. */
void packets_fill(const struct scene *s, struct rte_mbuf **frames, unsigned int n);

/* ---- scene_family.c, bare.c ---- */

#define FAM_TEMPLATE "scene.fam.h"
#include "base/both_families.h"

/* ---- bare_nat64.c ---- */

/* A burst of an IPv6 service with IPv4 servers, as bare4_burst() and bare6_burst(). */
void bare_nat64_burst(struct scene *s, struct rte_mbuf **frames, uint16_t n);

/* ---- measure.c ---- */

/* Runs one batch that prepare() made ready; returns TSC cycles. */
struct subject {
	const char *name;
	uint64_t (*batch)(void *arg, struct rte_mbuf **frames);
	void *arg;
	double cycles; /* result: median per packet */
	double ratio;  /* result: median of its blocks over the last subject's beside them */
	const struct scene *of; /* whose packets, if not of the scene that is measured */
};

/* Alternates short blocks of the subjects; blocks in which the kernel took the CPU away
 * are measured again. */
void measure(const struct scene *s, struct subject *subjects, unsigned int n, uint32_t blocks,
	     struct rte_mempool *pool);
double median(double *values, uint32_t n);
/* How often the kernel took the CPU away. */
long times_preempted(void);

struct memory_arg {
	struct scene *s;
	struct rte_mempool *pool;
};

/* A burst of frames through the stages; the frames sent are replaced. */
void burst_pipeline(struct memory_arg *a, struct rte_mbuf **frames);
/* A batch of subject.batch: the stages on frames in memory; arg is a struct memory_arg. */
uint64_t batch_pipeline(void *arg, struct rte_mbuf **frames);
/* A batch of the subject whose frames are looked at when they have left. */
void check_contents(const struct scene *s, const struct subject *subject, struct rte_mempool *pool);
/* The measured work is forwarding: every packet was found and sent. */
void check_sent(const struct worker *w, uint64_t sent_before, uint64_t lookups_before);

/* pipeline/X and bare/X at one number of connections. servers: the family of real servers. */
void bench_memory(const struct options *o, enum addr_family family, enum addr_family servers,
		  enum forward_method method, uint32_t n, uint16_t dev, struct rte_mempool *pool);

/* IPv6 (families/X) against IPv4, in turn: the limits of docs/performance.md. */
void bench_families(const struct options *o, enum forward_method method, uint32_t n, uint16_t dev,
		    struct rte_mempool *pool);

/* fullnat/established: full NAT against NAT, in turn. */
void bench_fullnat_established(const struct options *o, uint32_t n, uint16_t dev,
			       struct rte_mempool *pool);

/* ---- marks.c ---- */

/* DR with ten thousand mark rules against none: connections to a VIP (marks/established),
 * and to what only a mark rule claims (marks/by-mark). */
void bench_marks(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool);

/* ---- listing.c ---- */

/* NAT while all connections are listed (listing/forwarding) against without. */
void bench_listing(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool);

/* ---- sync.c ---- */

/* Events of connections go to a ring from now on; it is to be emptied. */
void scene_sync(struct scene *s);
void scene_sync_drain(struct scene *s);
void scene_sync_end(struct scene *s);
/* The ledger: rows of all entries in shared memory of 4 KiB pages, as a tmpfs has. */
void scene_ledger(struct scene *s);
void scene_ledger_end(struct scene *s);
/* Established traffic with events on (sync/X) against off. */
void bench_sync(const struct options *o, enum forward_method method, uint32_t n, uint16_t dev,
		struct rte_mempool *pool);

/* ---- health.c ---- */

/* NAT with 10,000 TCP checks at 2 s on another CPU (health/forwarding), and with handshakes
 * counted (passive/established), against without. */
void bench_health(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool);
/* How many checks one loop starts, and how late. */
void bench_checks(const struct options *o);

/* ---- attack.c ---- */

/* A table of 200,000 entries, full of what may give way. */
void bench_attack(const struct options *o, uint16_t dev, struct rte_mempool *pool);

/* ---- life_cost.c ---- */

/* Cycles of a connection over those of its packets on an established connection: life/X,
 * life-full/X, syn/X, syn-full/X. */
void bench_life_cost(const struct options *o, enum forward_method method, uint32_t population,
		     uint16_t dev, struct rte_mempool *pool);

/* ---- lives.c ---- */

enum lives_kind {
	LIVES_TIMED,	 /* all packets of a connection; ends by time-out */
	LIVES_FULL,	 /* the same; ends by giving way, since the table is full */
	LIVES_SYN_TIMED, /* a SYN and nothing else; ends by time-out */
	LIVES_SYN_FULL,	 /* the same; ends by giving way */
};

struct lives {
	struct scene *s;
	enum lives_kind kind;
	uint64_t made;
	uint64_t lost;	     /* had no entry at the end of their round */
	uint32_t population; /* as many wait for their end */
	struct rte_mempool *pool;
	struct rte_mbuf *frames[BATCH];
};

void lives_init(struct lives *l, struct scene *s, enum lives_kind kind, uint32_t population,
		struct rte_mempool *pool);
void lives_fini(struct lives *l);
/* Packets of one connection. */
unsigned int lives_packets(const struct lives *l);
/* BATCH connections, as many as end meanwhile; TSC cycles. */
uint64_t lives_round(struct lives *l);
/* The same number of packets in the same order, n of each connection: data of connections that are
 * established. TSC cycles. */
uint64_t lives_established(struct lives *l, unsigned int n);
/* None was refused: all of them were made, all of their packets were sent, and they ended as they
 * should. */
void lives_check(const struct lives *l);

/* ---- instructions.c ---- */

/* EAL is to start without the drivers of the system. */
void drivers_leave_out(void);
/* Under callgrind: counting goes on or pauses. */
void collect_toggle(void);
void bench_instructions(struct rte_mempool *pool);

/* ---- choose.c, threads.c ---- */

/* Whole connections with 200 and 2,000 servers against 16, of each scheduler that goes by counts.
 */
void bench_choose(const struct options *o, uint16_t dev, struct rte_mempool *pool);
/* Two threads with one service against two with a service each. sink_start() makes devs. */
void bench_threads(const struct options *o, const uint16_t dev[2], int cpu);
/* Packet buffers of thread 0 or 1, for as long as the program runs: memory carries one such pair.
 */
struct rte_mempool *thread_pool(unsigned int me);

/* ---- handoff.c, handoff_threads.c ---- */

/* Packets that each are handed over, against packets that arrive at their owner: 2 to 64 workers.
 */
void bench_handoff(const struct options *o, uint16_t dev, struct rte_mempool *pool);
/* The same with two workers, each on a thread. */
void bench_handoff_threads(const struct options *o, const uint16_t dev[2], int cpu);

/* ---- wake.c ---- */

/* The time from an event to the work of a worker that sleeps, for each kind of event. */
void bench_wake(const struct options *o, int cpu);

/* ---- ports.c, lifecycle.c, testpmd.c ---- */

void bench_ports(const struct options *o, enum forward_method method, uint32_t n,
		 struct rte_mempool *pool);
void bench_lifecycle(const struct options *o, uint16_t dev, struct rte_mempool *pool);
void bench_testpmd(const struct options *o);

#endif
