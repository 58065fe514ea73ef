/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_RUNTIME_H
#define PLVS_MODEL_RUNTIME_H

/*
 * State that changes under traffic, keyed by identity, with stable ids. Run-time objects live
 * outside the snapshots and outlive them until counts, templates and the grace period allow their
 * end. Removed servers wait here and revive when the same address:port is added again.
 *
 * Allocation and identity: control only. Atomics: any.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/counters.h"
#include "model/encap.h"
#include "model/limits.h"

/* The treatment of connections whose real server was removed. */
enum on_removed {
	ON_REMOVED_RESET, /* their next packet is answered with a RST; datagrams go to another
			     server */
	ON_REMOVED_KEEP,  /* clients' packets are dropped until the server is back (IPVS) */
	ON_REMOVED_DRAIN, /* they go on for a time, then as ON_REMOVED_RESET */
	ON_REMOVED_MAX
};

/* The run-time state of a virtual service. Workers write to the first cache line, and only read the
 * second. */
struct service_rt {
	/* --- written by workers and control, atomics only --- */
	uint64_t cursor; /* the scheduler's; layout is the scheduler's own */

	/* --- control: wo, worker: ro --- */
	_Alignas(64) uint32_t id; /* 1 .. MAX_SERVICES, not reused while a server_rt names it */
	/* enum on_removed | seconds << 2: stays when the service itself is gone. */
	uint32_t on_removed;
	/* Grows when the values of a new node are in the run-time objects: sched_published(). */
	uint32_t publications;

	/* --- control only --- */
	uint32_t n_server_rt; /* server_rt objects that name this service */
	bool present;	      /* a snapshot has it */
	bool leaving;	      /* in runtime.leavers */
	/* Traffic of released servers, so that the service's sums never fall. */
	struct server_counters retired;
	char key[96]; /* "tcp:10.1.0.100:80", "fwmark:7" */
};

#define SERVER_RT_OVERLOAD 0x1U /* at its upper threshold; see server_rt_bind() */
#define SERVER_RT_STAMP	   0x2U /* the bits from here on count how often OVERLOAD was set */

/* The run-time state of a real server of a service. Begin and end of a connection by NAT or DR do
 * not touch it, unless thresholds are set: see struct count_row. */
struct server_rt {
	/* --- set at creation --- */
	uint64_t *slots; /* in runtime.slots: [0] its brief, [k * COUNT_ROW] its counts in row k */

	/* --- written by workers, atomics only --- */
	uint32_t flags;	    /* SERVER_RT_* */
	uint32_t templates; /* persistence templates that name it */

	/* --- control: wo, worker: ro --- */
	uint32_t id; /* 1 .. MAX_SERVERS */
	uint16_t service_id;
	uint8_t n_rows;	       /* of counts */
	bool rows_shared;      /* struct count_row.shared */
	uint32_t upper, lower; /* thresholds in connections, 0 = none */
	/* The second of CLOCK_MONOTONIC since which the server is down, or is out of its service's
	 * list and waits for its connections to end. 0: neither. */
	uint32_t removed;

	/* --- control only --- */
	uint8_t method;	  /* enum forward_method */
	bool leaving;	  /* in runtime.leavers */
	uint8_t quiesced; /* control: wo, worker: ro. Its weight is 0 */
	uint8_t down; /* control: wo, worker: ro. by health: treated as removed, but still in its
			 list */
	struct endpoint ep; /* control: wo, at creation only; worker: ro. 24 bytes */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct server_rt) == 64, "server_rt is one cache line");

/*
 * The counts of a server, active << 32 | inactive connections, are a sum over rows. A row has a
 * place for each server, and belongs to one worker, which alone writes to it: a connection ends at
 * the worker that made it. So no count costs an atomic read-modify-write, or a cache line that
 * another worker writes to, and eight servers share a line. Where there are more workers than
 * COUNT_ROWS_MAX, several share a row and add to it by atomics: otherwise a choice that goes by
 * counts would have to read a place of each worker.
 */
#define COUNT_ROWS_MAX 8
/* The places of a row. Not a power of two, so that the places of a server are not all in one set of
 * a cache. */
#define COUNT_ROW (MAX_SERVERS + 1 + 72)

#define SERVER_COUNT_ACTIVE   (1ULL << 32)
#define SERVER_COUNT_INACTIVE 1ULL

/* The brief of a server: the id of its service; 0: no such server. Control: wo, worker: ro. */
#define SERVER_BRIEF_SERVICE 0xffffU
#define SERVER_BRIEF_LIMITED 0x10000U /* it has thresholds */

/* A row, for its owner, with the briefs of all servers, by id. */
struct count_row {
	uint64_t *counts;
	const uint64_t *briefs;
	bool shared; /* with other workers */
};

static inline struct count_row server_rt_row(const struct server_rt *rt, uint32_t worker)
{
	return (struct count_row){
		.counts = rt->slots - rt->id + (size_t)(worker % rt->n_rows + 1) * COUNT_ROW,
		.briefs = rt->slots - rt->id,
		.shared = rt->rows_shared,
	};
}

/* Relaxed: no other memory is ordered by counts. For servers with thresholds server_rt_bound() and
 * server_rt_unbound() order. */
static inline void count_add(const struct count_row *row, uint32_t id, uint64_t step)
{
	uint64_t *const count = &row->counts[id];

	if (__builtin_expect(row->shared, 0))
		__atomic_fetch_add(count, step, __ATOMIC_RELAXED);
	else
		__atomic_store_n(count, *count + step, __ATOMIC_RELAXED);
}

static inline uint64_t brief_of(const struct count_row *row, uint32_t id)
{
	return __atomic_load_n(&row->briefs[id], __ATOMIC_RELAXED);
}

/* The sum over all rows. Rows are read one by one: a connection that comes or goes meanwhile may
 * count or not. slots: server_rt.slots. */
static inline uint64_t counts_sum_rows(const uint64_t *slots, uint32_t n_rows)
{
	uint64_t sum = 0;

	for (uint32_t k = 1; k <= n_rows; k++)
		sum += __atomic_load_n(&slots[(size_t)k * COUNT_ROW], __ATOMIC_RELAXED);
	return sum;
}

static inline uint64_t server_rt_counts(const struct server_rt *rt)
{
	return counts_sum_rows(rt->slots, rt->n_rows);
}

static inline uint32_t counts_active(uint64_t counts)
{
	return (uint32_t)(counts >> 32);
}

static inline uint32_t counts_inactive(uint64_t counts)
{
	return (uint32_t)counts;
}

static inline bool server_rt_overloaded(const struct server_rt *rt)
{
	return __atomic_load_n(&rt->flags, __ATOMIC_RELAXED) & SERVER_RT_OVERLOAD;
}

/* Worker: after a change of the counts of a server with thresholds. rt may be NULL. */
void server_rt_bound(struct server_rt *rt);
void server_rt_unbound(struct server_rt *rt);
void server_rt_bind_undone(struct server_rt *rt);
/* For server_rt_bound() and tests: updates the flag by the sum of connections that a binding led
 * to, though other connections may have come and gone since. */
void server_rt_overload(struct server_rt *rt, uint64_t sum);

static inline uint64_t count_one(bool active)
{
	return active ? SERVER_COUNT_ACTIVE : SERVER_COUNT_INACTIVE;
}

/*
 * A connection comes to a server, changes class, or leaves the server. Worker context. Each is one
 * addition in the worker's row and, with thresholds, an update of the flag: set when active +
 * inactive >= upper at binding; cleared when a connection expires and the sum is below lower, or
 * without lower when sum * 4 < upper * 3 (IPVS). rt, the run-time state of the server `id`, is read
 * with thresholds only.
 */
static inline void server_rt_bind(struct server_rt *rt, const struct count_row *row, uint32_t id,
				  bool active)
{
	count_add(row, id, count_one(active));
	if (__builtin_expect((brief_of(row, id) & SERVER_BRIEF_LIMITED) != 0, 0))
		server_rt_bound(rt);
}

/* Takes back the binding of a connection that was not made, and the overload that the binding
 * caused. */
static inline void server_rt_bind_undo(struct server_rt *rt, const struct count_row *row,
				       uint32_t id, bool active)
{
	count_add(row, id, 0 - count_one(active));
	if (__builtin_expect((brief_of(row, id) & SERVER_BRIEF_LIMITED) != 0, 0))
		server_rt_bind_undone(rt);
}

static inline void server_rt_change(const struct count_row *row, uint32_t id, bool to_active)
{
	count_add(row, id, count_one(to_active) - count_one(!to_active));
}

static inline void server_rt_unbind(struct server_rt *rt, const struct count_row *row, uint32_t id,
				    bool active)
{
	count_add(row, id, 0 - count_one(active));
	if (__builtin_expect((brief_of(row, id) & SERVER_BRIEF_LIMITED) != 0, 0))
		server_rt_unbound(rt);
}

/* Control: an edit of thresholds; a higher or zero upper clears the flag. */
void server_rt_set_thresholds(struct server_rt *rt, uint32_t upper, uint32_t lower);

/* Open addressing: ids by the hash of their identity; 0 = free. */
struct runtime_index {
	uint32_t *ids;
	uint32_t mask;
	uint32_t n;
};

/* Servers by address: runtime_hosts.h. */
struct runtime_hosts {
	uint32_t *first;       /* by hash; 0 = none */
	uint32_t *next, *prev; /* [MAX_SERVERS + 1] */
};

struct runtime_leaver;

/*
 * The registry. Workers index by id without a lock; a slot is published with release
 * order. The end of an object, all by runtime_reap():
 *	remove	its service or list no longer has it, in what is published
 *	wait	a grace period, and until no connection or template (service: no server)
 *		names it; from then on no thread can come to name it
 *	forget	out of the index and its slot
 *	wait	a grace period
 *	release	its id and its memory may be used again
 */
struct runtime {
	struct server_rt **servers;   /* [MAX_SERVERS + 1] */
	struct service_rt **services; /* [MAX_SERVICES + 1] */
	struct encap *encaps;	      /* [MAX_SERVERS + 1]; control: wo, worker: ro */
	/* By id of a server: row 0 has briefs, the others have counts. */
	uint64_t *slots; /* [(n_rows + 1) * COUNT_ROW] */
	uint32_t n_rows;
	bool rows_shared;
	uint32_t n_servers, n_services;
	uint32_t server_hint, service_hint; /* where the search for a free id starts */
	/* --- control only --- */
	uint64_t *server_ids, *service_ids; /* bit per id in use, until its release */
	/* The object of each id, in use or not: as many, and a new one is next to the last. */
	struct server_rt *server_room;
	struct service_rt *service_room;
	struct runtime_index server_index, service_index;
	struct runtime_hosts hosts;
	struct runtime_leaver *leavers; /* removed, on their way out */
	uint32_t n_leavers;		/* worker: ro; 0: no server is removed */
	uint32_t max_leavers;
	uint32_t n_down; /* worker: ro; servers with server_rt.down */
	/* Called when an object leaves its slot, while its counters can still be read, and
	 * before its id can be used again. May be NULL. */
	void (*on_server_forget)(void *arg, struct service_rt *svc, struct server_rt *srv);
	/* Called when a removed service that is not forgotten yet is added again. May be NULL. */
	void (*on_service_return)(void *arg, struct service_rt *svc);
	void *on_forget_arg;
};

/* 0 or -ENOMEM. For one worker. */
int runtime_init(struct runtime *rt);
/* Before there is a server: for n workers. 0 or -ENOMEM, with nothing changed. */
int runtime_set_workers(struct runtime *rt, uint32_t n);
/* Frees everything: workers have stopped. */
void runtime_fini(struct runtime *rt);

/* Finds or creates by identity; a removed one revives, a server with its counts.
 * Return the object, or NULL with errno ENOMEM or ENOSPC (limit reached). */
struct service_rt *runtime_service_get(struct runtime *rt, const char *key);
struct server_rt *runtime_server_get(struct runtime *rt, struct service_rt *svc,
				     const struct endpoint *ep);
struct service_rt *runtime_service_find(const struct runtime *rt, const char *key);
struct server_rt *runtime_server_find(const struct runtime *rt, const struct service_rt *svc,
				      const struct endpoint *ep);

struct grace;
/* Call right after the publication of a snapshot without the object. Removing twice is no error. */
void runtime_server_remove(struct runtime *rt, struct server_rt *srv, const struct grace *grace);
void runtime_service_remove(struct runtime *rt, struct service_rt *svc, const struct grace *grace);
/* down: the server's connections are treated as those of a removed server from now on; else no
 * longer. The server keeps its place. True: down has changed. */
bool runtime_server_down(struct runtime *rt, struct server_rt *srv, bool down);
/* Moves each removed object on as far as possible now. Returns the number of objects not released
 * yet. Call from a timer. */
uint32_t runtime_reap(struct runtime *rt, const struct grace *grace);

/* Control: the next removed server of a service that connections still name. *place starts at 0.
 * NULL: no more. */
const struct server_rt *runtime_removed_next(const struct runtime *rt, const struct service_rt *svc,
					     uint32_t *place);

static inline struct server_rt *runtime_server(const struct runtime *rt, uint32_t id)
{
	return __atomic_load_n(&rt->servers[id], __ATOMIC_ACQUIRE);
}

/* The row that a worker counts in. */
static inline struct count_row runtime_row(const struct runtime *rt, uint32_t worker)
{
	return (struct count_row){
		.counts = rt->slots + (size_t)(worker % rt->n_rows + 1) * COUNT_ROW,
		.briefs = rt->slots,
		.shared = rt->rows_shared,
	};
}

/* Any: the encapsulation of packets to a tunnel server. */
static inline struct encap runtime_encap(const struct runtime *rt, uint32_t server)
{
	struct encap e;

	__atomic_load(&rt->encaps[server], &e, __ATOMIC_RELAXED);
	return e;
}

/* Control, before a snapshot is published that has the server: workers use the new encapsulation at
 * once, also for existing connections (as IPVS does). */
static inline void runtime_set_encap(struct runtime *rt, uint32_t server, struct encap e)
{
	__atomic_store(&rt->encaps[server], &e, __ATOMIC_RELAXED);
}

static inline bool server_rt_removed(const struct server_rt *srv)
{
	return __atomic_load_n(&srv->removed, __ATOMIC_ACQUIRE) != 0;
}

/* Removed from its list, not only down. */
static inline bool server_rt_left(const struct server_rt *srv)
{
	return server_rt_removed(srv) && !__atomic_load_n(&srv->down, __ATOMIC_RELAXED);
}

/* The service that a server belongs to; it outlives its servers. */
static inline struct service_rt *runtime_service_of(const struct runtime *rt,
						    const struct server_rt *srv)
{
	return __atomic_load_n(&rt->services[srv->service_id], __ATOMIC_ACQUIRE);
}

/* Control: drain_s counts with ON_REMOVED_DRAIN. */
static inline void service_rt_set_on_removed(struct service_rt *svc, enum on_removed action,
					     uint32_t drain_s)
{
	__atomic_store_n(&svc->on_removed, action | (action == ON_REMOVED_DRAIN ? drain_s << 2 : 0),
			 __ATOMIC_RELAXED);
}

/* Of a removed server: seconds until its connections are reset, 0 when that is now. */
uint32_t server_rt_drain_left(const struct runtime *rt, const struct server_rt *srv,
			      uint32_t now_s);
/* The treatment of a removed server's connections now: ON_REMOVED_DRAIN only while time is left. */
enum on_removed server_rt_on_removed(const struct runtime *rt, const struct server_rt *srv,
				     uint32_t now_s);

#endif
