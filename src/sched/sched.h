/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_SCHED_H
#define PLVS_SCHED_SCHED_H

/*
 * The interface of a scheduler. Each scheduler has a file; registry.c lists the schedulers.
 *
 * A service has one logical scheduler: all workers share the counts in server_rt and the
 * cursor in service_rt. With one worker each scheduler equals kernel IPVS decision by
 * decision; with W workers each server is within W of that.
 *
 * The cursor is 64 bits: the low 16 are the generation of the node it belongs to
 * (sched_gen & 0xffff), the rest is the scheduler's own; 0 there is always a valid start.
 * choose() moves it by compare-and-swap:
 *   - generation equals svc->sched_gen: move it;
 *   - equals svc->sched_prev: the list has just changed: adapt() it, then move it;
 *   - any other: this worker has an older node than another worker: choose from the start of the
 *     list without storing.
 * Control calls sched_published() right after publishing a node, so that a cursor is never
 * more than one generation old.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/service.h"

/* The memory of a worker for its choices: see ranking.h. */
struct sched_worker {
	uint16_t id;	      /* below service.n_workers */
	uint16_t *place_of;   /* [MAX_SERVERS + 1]: in its service's list; valid for servers in the
				 list */
	struct count_row row; /* its counts of servers */
	/* Choices with the same burst may use counts of other workers that the first of these
	 * choices read: ranking.h. 0: each choice reads counts itself. */
	uint32_t burst;
};

/* Before the choices of a burst: none of them uses what was read for an earlier burst. */
static inline void sched_burst_begin(struct sched_worker *w)
{
	if (++w->burst == 0) /* which is no burst */
		w->burst = 1;
}

/* The inputs of a decision. Addresses in network order. */
struct sched_request {
	uint8_t family; /* of the service: enum addr_family */
	uint8_t proto;
	be16 client_port;
	be16 dest_port;
	struct addr client;
	struct addr dest;
	uint32_t now_s;	 /* seconds of the burst's clock */
	uint64_t random; /* fresh bits; for twos */
	bool dry;	 /* for explain: the scheduler changes nothing in its tables */
	/* The worker that chooses, or NULL: the choice is by a look at all servers. */
	const struct sched_worker *worker;
};

/* The measure of a server for schedulers that take the least: load / weight, where the load is
 * active * per_active + inactive * per_inactive + more. */
struct sched_measure {
	uint32_t per_active, per_inactive, more;
	bool alike;	 /* weights count only as zero or not */
	bool idle_first; /* without active connections the load is 0 */
};

#define SCHED_NONE (-1) /* no server is eligible */

struct sched_ops {
	const char *name;
	uint32_t flags_allowed; /* SCHED_*: flags that ipvsadm -b takes for the scheduler */

	/* Control, before publication: builds svc->sched_data for the node's list; old is
	 * the node it replaces, or NULL. 0 or -ENOMEM, -E2BIG. May be NULL. */
	int (*build)(struct service *svc, const struct service *old);
	/* Control, after the grace period. May be NULL. */
	void (*destroy)(struct service *svc);
	/* Worker or control: the cursor (without its generation) as it must be after the
	 * change from sched_prev to sched_gen. Pure. NULL: the scheduler has no cursor. */
	uint64_t (*adapt)(const struct service *svc, uint64_t cursor);
	/* Worker: an index into svc->servers, or SCHED_NONE. */
	int (*choose)(const struct service *svc, const struct sched_request *req);
	/* Of schedulers that take the least loaded server; else NULL. */
	const struct sched_measure *measure;
};

/* "wlc" -> its ops, or NULL. */
const struct sched_ops *sched_find(const char *name);
/* Names in order, ends with NULL. */
const char *const *sched_names(void);

/*
 * Control: gives a node its tables and its generation. old is the node that is published
 * now for the same service, or NULL for a service that begins. A node with another list, or other
 * configured weights, thresholds, methods, scheduler or flags, gets the next sched_gen. With other
 * differences (a server's health, a weight by health, a name) a node keeps old's generation and
 * cursor, and only its tables are built again. 0 or -errno of build(); on error the node holds
 * nothing of the scheduler's. service_put() of the last reference calls sched_detach().
 */
int sched_attach(struct service *svc, const struct service *old);
void sched_detach(struct service *svc);
/* Control, right after publication: moves the cursor to the node's generation. */
void sched_published(const struct service *svc);

/*
 * Worker: chooses a server and binds a connection to it, active or not. Between the choice and the
 * binding each other worker binds at most one connection, since a worker binds before it chooses
 * again. So no server is further than W from the choices of one worker. An index into svc->servers,
 * or SCHED_NONE.
 */
int sched_assign(const struct service *svc, struct sched_request *req, bool active);

void ranking_update(const struct service *svc, const struct sched_worker *w, uint32_t server);

/*
 * Worker: a connection of the server ended or became inactive, or a binding was taken back. svc:
 * the service of the server in the worker's snapshot, or NULL. A connection that begins or becomes
 * active needs no call.
 */
static inline void sched_update(const struct service *svc, const struct sched_worker *w,
				uint32_t server)
{
	if (svc != NULL && svc->sched->measure != NULL)
		ranking_update(svc, w, server);
}

/* Room for sched_copy(), for a service of the most servers. */
#define SCHED_COPY_MAX (512 + 45 * MAX_SERVERS_PER_SERVICE)

/*
 * Worker, for explain: `to` is a copy of `from` with copies of its run-time objects. The copy gets
 * the memory of worker w as that of worker 0, with `place_of` as its place_of. room is of
 * SCHED_COPY_MAX bytes and aligned to 128.
 */
void sched_copy(struct service *to, const struct service *from, const struct sched_worker *w,
		uint16_t *place_of, void *room);

/* IPVS's measure of load: active connections weigh 256 times an inactive one. */
static inline uint64_t load_of(uint64_t counts)
{
	return ((uint64_t)counts_active(counts) << 8) + counts_inactive(counts);
}

static inline uint64_t server_load(const struct server *s)
{
	return load_of(server_rt_counts(s->rt));
}

/* For choose(): weight > 0, not overloaded, not down. */
static inline bool server_eligible(const struct server *s)
{
	return s->weight > 0 && !s->down && !server_rt_overloaded(s->rt);
}

/* For choose(): reads the cursor, adapted if need be. *store: the caller may store the cursor. */
uint64_t sched_cursor_get(const struct service *svc, uint64_t *seen, bool *store);
/* Stores the cursor if it is still *seen. False: another worker moved the cursor; get it again and
 * choose again. */
bool sched_cursor_move(const struct service *svc, uint64_t seen, uint64_t cursor);

#define SCHED_CURSOR_GEN_BITS 16
#define SCHED_CURSOR_GEN_MASK 0xffffU

#endif
