/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_WORKER_H
#define PLVS_DATAPLANE_WORKER_H

/*
 * A worker: a polling loop on an lcore of its own (loop.c), the stages (pipeline.h) and
 * everything that the stages own. Fields are grouped by who writes them; while a worker runs, only
 * the worker touches its own fields, apart from counters (relaxed reads by control).
 */

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "dataplane/fragment/fragment_track.h"
#include "dataplane/fullnat/local_port.h"
#include "dataplane/owner.h"
#include "dataplane/proxy/proxy_start.h"
#include "base/family.h"
#include "dataplane/stages/pkt.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/conn/table.h"
#include "dataplane/conn/wheel.h"
#include "model/exchange.h"
#include "model/ledger_format.h"
#include "model/published.h"
#include "model/sync_event.h"
#include "sched/sched.h"

#define PARK_MAX	  256 /* packets of one worker that wait for next hops */
#define PARK_PER_NEXTHOP  64  /* about the number that Linux keeps for a neighbour */
#define PARK_TICKS	  (CONN_TICK_HZ * 3)
#define HANDOFF_RING_SIZE 4096 /* at most: exits/rings.h */
#define SYNC_BATCH	  32   /* events that go to the ring at once */
#define SYNC_NOTES	  4
#define MAX_QUEUES_WORKER (MAX_PORTS * 2)

struct dataplane;
struct worker_command;
struct ftp;
struct drop_log;
struct observer;

/* Packets to be sent by one port, through this worker's queue or another worker's ring. */
struct tx_buffer {
	struct rte_mbuf *pkts[BURST_MAX];
	uint16_t n;
};

struct rx_queue {
	uint16_t port; /* index */
	uint16_t queue;
};

/* A packet that waits for a next hop, unchanged, to go through the stages again. */
struct parked {
	struct rte_mbuf *m;
	uint16_t nexthop; /* id, or 0: not yet known to the link thread */
	link_id link;
	struct addr addr;
	uint32_t since_tick;
	uint32_t asked_tick;
};

/* A token bucket in packets; refilled by the tick. */
struct rate_limit {
	uint32_t tokens;
	uint32_t per_tick;
	uint32_t burst;
	uint32_t tick;
};

/* The state of synchronisation in a worker: sync/conn_sync.h. */
struct sync_worker {
	uint32_t released_tick; /* when SYNC_HOLD ended: copied entries age from then on */
	uint32_t n;		/* in out */
	struct sync_event out[SYNC_BATCH];
	/* Walk and sweep under way: the next entry, or 0. */
	uint32_t walk_at, walk_token, sweep_at;
	uint8_t sweep_gen;
	uint8_t n_notes; /* answers to SYNC_WALK and SYNC_FLUSH that must not be lost */
	struct sync_event notes[SYNC_NOTES];
	uint64_t taken; /* operations done. worker: wo, ha: ro */
	uint64_t given; /* operations put on the ring. ha: wo */
	/* The ledger: see ledger.h. */
	struct ledger_ftp_row *ftp_rows;
	uint32_t ftp_rows_limit; /* as rows_limit of struct worker4, worker6 */
	uint64_t rows_missed;	 /* rows that had no memory. worker: wo, ledger thread: ro */
};

/* Of one server; see handshake.h. Ages in units of stamps. A cache line. */
struct handshake_counters {
	uint64_t syns, no_answer, refused, answers, age_sum, age_max;
	uint64_t pad[2];
};
_Static_assert(sizeof(struct handshake_counters) == 64, "a line of its own");

/* Fields that the packets and new connections of a server touch: one line, unless a row of
 * SERVER_COUNTERS is added. */
struct server_worker {
	struct server_counters counters; /* worker: wo, control: ro (relaxed) */
	/* The next hop that the last new connection to the server resolved. Valid for one resolve
	 * generation and this address, since ids of servers are used again. */
	uint32_t hop_gen;
	uint16_t hop; /* id */
	uint16_t hop_family;
	union {
		be32 hop_addr4;
		struct addr6 hop_addr6;
	};
} __rte_cache_aligned;
_Static_assert(sizeof(struct server_worker) % 64 == 0, "lines of its own");

#define MARKED_DESTS 1024
#define SOURCE_SLOTS 8192
#define POOL_SLOTS   256

#define FAM_TEMPLATE "dataplane/worker.fam.h"
#include "base/both_families.h"

struct worker {
	/* --- set before start, then read only --- */
	uint16_t id;
	uint16_t n_workers;
	uint16_t lcore;
	int16_t socket; /* NUMA node */
	struct dataplane *dp;
	const struct published *pub;
	struct nexthop_table *nexthops;
	const struct owner_map *owners;
	struct rte_mempool *pool; /* for generated packets */
	struct worker_exchange *exchange;
	int link_eventfd;
	bool idle_sleep; /* sleeps when idle: worker_sleep.h */
	bool asks;	 /* a copy for explain: does not write to memory of other threads */
	bool shares_cpu; /* with another worker or the main lcore: yields when idle */
	/* Port index -> DPDK port id. Port recovery writes it while the port is closed. */
	uint16_t port_dev[MAX_PORTS];
	uint16_t n_rx;
	struct rx_queue rx[MAX_QUEUES_WORKER];
	/* Port -> queue this worker sends by, or -1: through ring to tx_owner[port]. */
	int16_t tx_queue[MAX_PORTS];
	uint8_t tx_owner[MAX_PORTS];
	struct rte_ring *ring_to[MAX_WORKERS];	 /* hand-off, this worker produces */
	struct rte_ring *ring_from[MAX_WORKERS]; /* hand-off, this worker consumes */
	struct wake *wake_to[MAX_WORKERS]; /* of the consumer of ring_to; NULL: never sleeps */
	struct rte_ring *commands;	   /* control -> worker, struct worker_command */
	struct rte_ring *events;	   /* worker -> ha, struct sync_event; or NULL */
	struct rte_ring *operations;	   /* ha -> worker, struct sync_event; or NULL */

	/* --- worker only --- */
	struct burst_env env;
	uint64_t now_tsc;      /* of this round */
	uint32_t ports_closed; /* dataplane.ports_closed of this round */
	bool live_clock;       /* the TSC may be read; else only now_tsc (tests) */
	struct worker4 v4;
	struct worker6 v6;
	struct tx_buffer tx[MAX_PORTS];
	struct tx_buffer handoff[MAX_WORKERS];
	uint64_t handoff_filled; /* bit `to`: handoff[to] may have packets */
	struct tx_buffer punt[PUNT_MAX];
	struct rate_limit punt_rate[PUNT_MAX];
	struct rate_limit icmp_rate;
	struct rate_limit
		claim_rate; /* ARP of other stations with addresses that are active here */
	struct rate_limit reset_rate;
	struct parked parked[PARK_MAX];
	uint16_t n_parked;
	/* Urgent frames of Linux that a full port did not take: sent again in each round, by
	 * m->port. */
	struct rte_mbuf *urgent[BURST_MAX];
	uint16_t n_urgent;
	uint32_t urgent_tick; /* tick since which the first one waits */
	uint64_t random;      /* xorshift state */
	uint16_t ip_id;	      /* of generated packets */
	struct ftp *ftp;
	struct observer *observer;	  /* of trace and capture; NULL: off */
	struct drop_log *drop_log;	  /* heads of the last dropped packets: exits/drop_log.h */
	struct tunnel_path *tunnel_paths; /* [MAX_SERVERS + 1], lazily touched memory */
	struct sync_worker sync;
	struct sched_worker sched;	/* its memory is lazily touched */
	struct worker_command *command; /* under way, or NULL */
	uint64_t command_due;		/* TSC: earliest next step while the worker has packets */
	bool ends;			/* an operator ended connections: stages/ended.h */
	uint32_t ends_tick;		/* tick at which none of them is left */
	bool wake_link; /* a ring to link was empty: one eventfd write at the loop's end */

	/* --- worker: wo, control: ro (relaxed) --- */
	struct worker_counters counters;
	struct port_counters port_counters[MAX_PORTS];
	struct server_worker *servers;	       /* [MAX_SERVERS + 1], lazily touched memory */
	struct handshake_counters *handshakes; /* [MAX_SERVERS + 1], the same */
	uint64_t progress;		       /* loops; for the watchdog */
	uint64_t ring_lost[MAX_WORKERS];       /* packets that ring_to had no room for */
};

/* The parts of a worker but rings and ports: table, wheel, counters. socket -1: any. seed: the
 * same for all workers, since the hash of a key travels (stages/steered.h). 0 or -errno. Control,
 * before start. */
int worker_init(struct worker *w, uint16_t id, uint32_t capacity, int socket, uint64_t seed,
		const struct published *pub);
void worker_fini(struct worker *w);

static inline uint64_t worker_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

#endif
