/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXPLAIN_SHADOW_H
#define PLVS_DATAPLANE_EXPLAIN_SHADOW_H

/*
 * The copy of a worker with which explain runs the stages. Tables, counters, caches and buffers are
 * its own. Shared structures are copied as far as stages write them: the service with its cursor,
 * servers with their counts, the worker's ranking of them, the time at which next hops were used.
 * Routes, next hops, addresses, listeners and the scheduler's tables are not copied, since stages
 * only read them. Inside explain only. Worker context.
 */

#include "base/other_family.h"
#include "dataplane/explain/explain.h"
#include "dataplane/stages/service_match.h"

#define SHADOW_ENTRIES 8192 /* of the tables; entries of the service's servers, and a few */
#define SHADOW_OTHERS  8192 /* servers of other services */

struct shadow {
	struct worker w;
	struct dataplane dp; /* all its workers are w */
	struct published pub;
	struct service_rt service_rt;
	const struct sched_ops *real; /* the service's */
	struct sched_ops ops;	      /* the same, but choices are noted */
	struct explain *explain;
	uint32_t n_others;
	uint32_t unused[2]; /* by family: `unused` of the table, while the table is made to look
			       full; or 0 */
	struct server_rt *by_id[MAX_SERVERS + 1];
	uint64_t slots[2 * COUNT_ROW]; /* runtime.slots, with the sums of all rows in one */
	uint32_t used_tick[MAX_NEXTHOPS + 1];
	struct server_rt rts[MAX_SERVERS_PER_SERVICE]; /* of the service */
	struct server_rt others[SHADOW_OTHERS];
	_Alignas(128) uint8_t ranking[SCHED_COPY_MAX]; /* of the worker, for the service */
	/* A root and a service, each with room for all that it can have. */
	_Alignas(64) uint8_t snap[sizeof(struct snapshot) + sizeof(void *) * (MAX_SERVICES + 1)];
	_Alignas(64) uint8_t
		svc[sizeof(struct service) + sizeof(struct server) * MAX_SERVERS_PER_SERVICE];
};

static inline struct snapshot *shadow_snapshot(struct shadow *s)
{
	return (struct snapshot *)(void *)s->snap;
}

static inline struct service *shadow_svc(struct shadow *s)
{
	return (struct service *)(void *)s->svc;
}

/* Allocates a copy; memory pages are touched only as they are used. NULL: out of memory.
 * Control. */
struct shadow *shadow_create(struct explain *x, const struct dataplane *dp);
void shadow_destroy(struct shadow *s);

/* Makes the copy one of w, in its present state. */
void shadow_become(struct shadow *s, const struct worker *w);
/* Copies the service with its servers, cursor and counts into the copy's snapshot. */
void shadow_service(struct shadow *s, const struct worker *w, const struct service *svc);
/* Copies a server that connections name. */
void shadow_server(struct shadow *s, const struct worker *w, uint32_t id);

/* Builds a frame from x->packet, or from x->frame, with an Ethernet header. NULL: x->fault has the
 * reason. */
struct rte_mbuf *explain_frame(struct worker *w, struct explain *x);

#define FAM_TEMPLATE "dataplane/explain/explain.fam.h"
#include "base/both_families.h"

#endif
