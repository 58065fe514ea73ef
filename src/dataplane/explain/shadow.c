/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/explain/shadow.h"

#include <stddef.h>
#include <string.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/pages.h"
#include "dataplane/tunnel/tunnel.h"
#include "sched/sched.h"

struct shadow *shadow_create(struct explain *x, const struct dataplane *dp)
{
	struct shadow *s = pages_alloc(sizeof(*s), -1);

	if (!s)
		return NULL;
	pages_sparse(s, sizeof(*s));
	s->explain = x;
	if (worker_init(&s->w, 0, SHADOW_ENTRIES, -1, 1, &s->pub) < 0) {
		pages_free(s, sizeof(*s));
		return NULL;
	}
	pages_sparse(s->w.servers, sizeof(*s->w.servers) * (MAX_SERVERS + 1));
	pages_sparse(s->w.handshakes, sizeof(*s->w.handshakes) * (MAX_SERVERS + 1));
	pages_sparse(s->w.tunnel_paths, sizeof(*s->w.tunnel_paths) * (MAX_SERVERS + 1));
	pages_sparse(s->w.ftp, sizeof(*s->w.ftp));
	pages_sparse(s->w.sched.place_of, sizeof(*s->w.sched.place_of) * (MAX_SERVERS + 1));
	s->w.sched.row = (struct count_row){.counts = s->slots + COUNT_ROW, .briefs = s->slots};
	s->dp.n_workers = dp->n_workers;
	s->dp.hz = dp->hz;
	s->dp.tsc_start = dp->tsc_start;
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		s->dp.workers[i] = &s->w;
	return s;
}

void shadow_destroy(struct shadow *s)
{
	if (!s)
		return;
	/* The copy had taken over the capacity of the worker's tables; its own have
	 * SHADOW_ENTRIES. */
	s->w.v4.table.capacity = s->w.v6.table.capacity = SHADOW_ENTRIES;
	worker_fini(&s->w);
	pages_free(s, sizeof(*s));
}

/* Copies the fields of pub that workers read, as they are at this moment. */
static void publish(struct shadow *s, const struct worker *w)
{
	const struct published *from = w->pub;
	struct published *pub = &s->pub;

	pub->snapshot = shadow_snapshot(s);
	pub->vip_lease = __atomic_load_n(&from->vip_lease, __ATOMIC_RELAXED);
	pub->punt_rules = from->punt_rules;
	pub->check_ports = from->check_ports;
	pub->runtime.servers = s->by_id;
	pub->runtime.services = from->runtime.services;
	pub->runtime.encaps = from->runtime.encaps;
	pub->nexthops = *w->nexthops;
	pub->nexthops.used_tick = s->used_tick;
}

static void snapshot_take(struct shadow *s, const struct snapshot *snap)
{
	memcpy(s->snap, snap,
	       sizeof(*snap) + sizeof(snap->services[0]) * ((size_t)snap->max_service_id + 1));
}

void shadow_become(struct shadow *s, const struct worker *w)
{
	struct worker *c = &s->w;

	snapshot_take(s, w->env.snap);
	publish(s, w);
	s->dp.ftp_until = __atomic_load_n(&w->dp->ftp_until, __ATOMIC_ACQUIRE);
	c->id = w->id;
	c->n_workers = 1; /* there is one table of expectations */
	c->dp = &s->dp;
	c->pub = &s->pub;
	c->nexthops = &s->pub.nexthops;
	c->owners = w->owners;
	c->pool = w->pool;
	c->asks = true;
	c->env = w->env;
	c->env.snap = shadow_snapshot(s);
	c->env.sync = 0;
	c->now_tsc = w->now_tsc;
	c->ports_closed = w->ports_closed;
	c->live_clock = w->live_clock;
	c->random = w->random;
	c->ip_id = w->ip_id;
	memcpy(c->punt_rate, w->punt_rate, sizeof(c->punt_rate));
	c->icmp_rate = w->icmp_rate;
	c->claim_rate = w->claim_rate;
	c->reset_rate = w->reset_rate;
	/* Frames stay in the buffers of the copy. */
	for (unsigned int p = 0; p < MAX_PORTS; p++)
		c->tx_queue[p] = 0;
	memset(&c->counters, 0, sizeof(c->counters));
	/* Entries of an earlier leg stay; room is that of w again. */
	c->v4.table.seed = w->v4.table.seed;
	c->v6.table.seed = w->v6.table.seed;
	c->v4.table.capacity = c->v6.table.capacity = SHADOW_ENTRIES;
	if (s->unused[0])
		c->v4.table.unused = s->unused[0];
	if (s->unused[1])
		c->v6.table.unused = s->unused[1];
	s->unused[0] = s->unused[1] = 0;
}

/* --- servers and the scheduler --- */

static void rt_copy(struct shadow *s, struct server_rt *to, const struct server_rt *from)
{
	s->slots[from->id] = __atomic_load_n(&from->slots[0], __ATOMIC_RELAXED);
	s->slots[COUNT_ROW + from->id] = server_rt_counts(from);
	*to = (struct server_rt){
		.slots = &s->slots[from->id],
		.n_rows = 1,
		.flags = __atomic_load_n(&from->flags, __ATOMIC_RELAXED),
		.templates = __atomic_load_n(&from->templates, __ATOMIC_RELAXED),
		.id = from->id,
		.service_id = from->service_id,
		.upper = __atomic_load_n(&from->upper, __ATOMIC_RELAXED),
		.lower = __atomic_load_n(&from->lower, __ATOMIC_RELAXED),
		.removed = __atomic_load_n(&from->removed, __ATOMIC_ACQUIRE),
		.quiesced = __atomic_load_n(&from->quiesced, __ATOMIC_RELAXED),
		.down = __atomic_load_n(&from->down, __ATOMIC_RELAXED),
		.ep = from->ep,
	};
}

void shadow_server(struct shadow *s, const struct worker *w, uint32_t id)
{
	const struct server_rt *rt = id ? runtime_server(&w->pub->runtime, id) : NULL;

	if (!rt || s->by_id[id])
		return;
	s->w.tunnel_paths[id] = w->tunnel_paths[id];
	if (s->n_others == SHADOW_OTHERS)
		return;
	rt_copy(s, &s->others[s->n_others], rt);
	s->by_id[id] = &s->others[s->n_others++];
}

/* The scheduler's own function, asked by the copy. */
static int choose_noted(const struct service *svc, const struct sched_request *req)
{
	struct shadow *s =
		(struct shadow *)((uint8_t *)(uintptr_t)svc - offsetof(struct shadow, svc));
	struct explain *x = s->explain;
	struct sched_request asked = *req;

	asked.dry = true;
	x->scheduled = true;
	x->scheduler = s->ops.name;
	x->cursor_before = __atomic_load_n(&s->service_rt.cursor, __ATOMIC_RELAXED);
	x->choice = s->real->choose(svc, &asked);
	x->cursor_after = __atomic_load_n(&s->service_rt.cursor, __ATOMIC_RELAXED);
	return x->choice;
}

static void server_note(struct explain_server *e, const struct server *srv)
{
	*e = (struct explain_server){
		.ep = srv->rt->ep,
		.counts = server_rt_counts(srv->rt),
		.id = srv->rt->id,
		.weight = srv->weight,
		.overloaded = server_rt_overloaded(srv->rt),
		.down = srv->down,
		.quiesced = srv->weight == 0,
	};
}

void shadow_service(struct shadow *s, const struct worker *w, const struct service *svc)
{
	const uint32_t n = RTE_MIN(svc->n_servers, (uint32_t)MAX_SERVERS_PER_SERVICE);
	struct service *copy = shadow_svc(s);
	struct explain *x = s->explain;

	if (svc == copy)
		return;
	/* All but the count of references, which is control's. */
	memcpy(copy, svc, offsetof(struct service, refs));
	memcpy(&copy->fwmark, &svc->fwmark, sizeof(*svc) - offsetof(struct service, fwmark));
	memcpy(copy->servers, svc->servers, n * sizeof(svc->servers[0]));
	copy->n_servers = n;
	s->service_rt.cursor = __atomic_load_n(&svc->rt->cursor, __ATOMIC_ACQUIRE);
	s->service_rt.publications = __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE);
	s->service_rt.id = svc->rt->id;
	s->service_rt.on_removed = __atomic_load_n(&svc->rt->on_removed, __ATOMIC_RELAXED);
	memcpy(s->service_rt.key, svc->rt->key, sizeof(s->service_rt.key));
	copy->rt = &s->service_rt;
	s->real = svc->sched;
	s->ops = *svc->sched;
	s->ops.choose = choose_noted;
	copy->sched = &s->ops;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t id = svc->servers[i].rt->id;

		rt_copy(s, &s->rts[i], svc->servers[i].rt);
		copy->servers[i].rt = &s->rts[i];
		s->by_id[id] = &s->rts[i];
		s->w.tunnel_paths[id] = w->tunnel_paths[id];
		server_note(&x->servers[i], &copy->servers[i]);
	}
	sched_copy(copy, svc, &w->sched, s->w.sched.place_of, s->ranking);
	shadow_snapshot(s)->services[svc->rt->id] = copy;
	x->n_servers = n;
	x->service_id = svc->rt->id;
	x->persist_s = svc->policy.persist_s;
	memcpy(x->service, svc->rt->key, sizeof(x->service));
}
