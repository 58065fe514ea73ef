/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/owned_port.h"
#include "publish/lingering.h"
#include "sched/sched.h"

#define AREA "control"

#define BATCH_US 1000
#define POLL_US	 200	 /* the first looks at the grace period */
#define SLOW_US	 1000	 /* later ones: a worker sleeps for a millisecond when idle */
#define WAIT_US	 2000000 /* then the answer is that not every worker has it */
#define REAP_US	 250000

static void arm(struct event *ev, uint64_t us)
{
	struct timeval tv = {.tv_sec = (time_t)(us / 1000000),
			     .tv_usec = (suseconds_t)(us % 1000000)};

	if (ev)
		event_add(ev, &tv);
}

/* --- the draft --- */

static int ids_add(uint32_t **ids, uint32_t *n, uint32_t *max, uint32_t id)
{
	if (*n == *max) {
		uint32_t more = *max ? *max * 2 : 64;
		uint32_t *wider = realloc(*ids, more * sizeof(*wider));

		if (!wider)
			return -ENOMEM;
		*ids = wider;
		*max = more;
	}
	(*ids)[(*n)++] = id;
	return 0;
}

int publisher_draft(struct publisher *p, uint32_t id)
{
	const struct snapshot *from = p->draft ? p->draft : p->live;
	uint32_t max = from->max_service_id;
	struct snapshot *s;

	if (p->draft && id <= max)
		return 0;
	if (id > max)
		max = id + id / 2 + 63;
	if (max > MAX_SERVICES)
		max = MAX_SERVICES;
	s = snapshot_clone(from, max);
	if (!s)
		return -ENOMEM;
	snapshot_destroy(p->draft);
	p->draft = s;
	return 0;
}

struct service *publisher_service(const struct publisher *p, uint32_t id)
{
	return snapshot_service(p->draft ? p->draft : p->live, id);
}

static void mark_servers(struct publisher *p, const struct service *svc)
{
	p->epoch++;
	for (uint32_t i = 0; svc && i < svc->n_servers; i++)
		p->mark[svc->servers[i].rt->id] = p->epoch;
}

static bool listeners_differ(const struct service *a, const struct service *b)
{
	if (!a || !b || a->n_listen != b->n_listen || a->unclaimed != b->unclaimed)
		return true;
	for (uint32_t i = 0; i < a->n_listen; i++)
		if (!endpoint_equal(&a->listen[i], &b->listen[i]))
			return true;
	return false;
}

/* The same servers with the same methods, in whatever order. */
static bool servers_differ(struct publisher *p, const struct service *old,
			   const struct service *new)
{
	if (!old || !new || old->n_servers != new->n_servers)
		return true;
	mark_servers(p, old);
	for (uint32_t i = 0; i < new->n_servers; i++) {
		const struct server *s = &new->servers[i];

		if (p->mark[s->rt->id] != p->epoch || s->rt->method != s->method)
			return true;
	}
	return false;
}

static bool reply_policies_differ(const struct service *a, const struct service *b)
{
	return !a || !b || a->policy.unknown_reply != b->policy.unknown_reply ||
	       a->policy.nat_icmp_send != b->policy.nat_icmp_send;
}

/* Remembers the servers of a node that leaves the draft, those aside that stay in new. */
static int drop_servers(struct publisher *p, const struct service *old, const struct service *new)
{
	mark_servers(p, new);
	for (uint32_t i = 0; old && i < old->n_servers; i++) {
		uint32_t id = old->servers[i].rt->id;

		if (p->mark[id] != p->epoch &&
		    ids_add(&p->dropped, &p->n_dropped, &p->max_dropped, id) < 0)
			return -ENOMEM;
	}
	return 0;
}

int publisher_set_service(struct publisher *p, uint32_t id, struct service *svc)
{
	struct service *old;

	if (publisher_draft(p, id) < 0)
		goto err_unused;
	old = p->draft->services[id];
	if (drop_servers(p, old, svc) < 0 ||
	    ids_add(&p->changed, &p->n_changed, &p->max_changed, id) < 0)
		goto err_unused;
	if (listeners_differ(old, svc))
		p->dirty_listeners = p->dirty_addrs = p->raise = true;
	if (servers_differ(p, old, svc))
		p->dirty_addrs = p->dirty_owned = p->raise = true;
	if (listeners_differ(old, svc) || reply_policies_differ(old, svc))
		p->dirty_owned = true;
	snapshot_set_service(p->draft, id, svc);
	publisher_soon(p);
	return 0;

err_unused:
	if (svc)
		publisher_unused(p, svc);
	return -ENOMEM;
}

int publisher_touch_addrs(struct publisher *p)
{
	if (publisher_draft(p, 0) < 0)
		return -ENOMEM;
	p->dirty_addrs = p->raise = true;
	publisher_soon(p);
	return 0;
}

int publisher_touch_marks(struct publisher *p)
{
	if (publisher_draft(p, 0) < 0)
		return -ENOMEM;
	p->dirty_marks = true;
	publisher_soon(p);
	return 0;
}

static bool node_has_server(const struct service *svc, const struct server_rt *rt)
{
	for (uint32_t i = 0; svc && i < svc->n_servers; i++)
		if (svc->servers[i].rt == rt)
			return true;
	return false;
}

/* Lets go of a server or service that neither draft nor live snapshot has. */
static void let_go(struct publisher *p, uint32_t service_id)
{
	struct service_rt *rt = p->pub->runtime.services[service_id];

	if (rt && !publisher_service(p, service_id) && !snapshot_service(p->live, service_id))
		runtime_service_remove(&p->pub->runtime, rt, &p->pub->grace);
}

void publisher_unused(struct publisher *p, struct service *svc)
{
	const struct service *draft = publisher_service(p, svc->rt->id);
	const struct service *live = snapshot_service(p->live, svc->rt->id);
	uint32_t id = svc->rt->id;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		struct server_rt *rt = svc->servers[i].rt;

		if (rt && !node_has_server(draft, rt) && !node_has_server(live, rt))
			runtime_server_remove(&p->pub->runtime, rt, &p->pub->grace);
	}
	service_put(svc);
	let_go(p, id);
}

static void draft_clear(struct publisher *p)
{
	p->draft = NULL;
	p->n_changed = p->n_dropped = 0;
	p->dirty_addrs = p->dirty_listeners = p->dirty_owned = p->dirty_marks = p->raise = false;
}

void publisher_discard(struct publisher *p)
{
	struct snapshot *draft = p->draft;
	struct runtime *rt = &p->pub->runtime;

	if (!draft)
		return;
	p->draft = NULL;
	/* What only the draft had, now or for a moment, is not wanted after all. */
	for (uint32_t i = 0; i < p->n_changed; i++) {
		uint32_t id = p->changed[i];
		struct service *svc = snapshot_service(draft, id);

		if (svc && svc != snapshot_service(p->live, id)) {
			svc->refs++;
			snapshot_set_service(draft, id, NULL);
			publisher_unused(p, svc);
		}
		if (rt->services[id])
			let_go(p, id);
	}
	for (uint32_t i = 0; i < p->n_dropped; i++) {
		struct server_rt *srv = rt->servers[p->dropped[i]];

		if (srv && !node_has_server(snapshot_service(p->live, srv->service_id), srv))
			runtime_server_remove(rt, srv, &p->pub->grace);
	}
	snapshot_destroy(draft);
	draft_clear(p);
}

/* --- publication --- */

/* What stands in the run-time objects of a service's servers, as the node has it. */
static void settle_service(struct publisher *p, const struct service *svc)
{
	service_rt_set_gone(svc->rt, svc->policy.gone, svc->policy.drain_s);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		if (s->rt->upper != s->upper || s->rt->lower != s->lower)
			server_rt_set_thresholds(s->rt, s->upper, s->lower);
		if (s->rt->method == FWD_NAT && s->method != FWD_NAT && !p->was_nat[s->rt->id]) {
			p->was_nat[s->rt->id] = 1;
			p->n_was_nat++;
		}
		s->rt->method = s->method;
		p->raise |= runtime_server_down(&p->pub->runtime, s->rt, s->down && s->gone);
		__atomic_store_n(&s->rt->quiesced, s->weight == 0, __ATOMIC_RELAXED);
	}
	sched_settle(svc);
}

static void remove_dropped(struct publisher *p)
{
	struct runtime *rt = &p->pub->runtime;

	for (uint32_t i = 0; i < p->n_dropped; i++) {
		struct server_rt *srv = rt->servers[p->dropped[i]];

		if (srv && !node_has_server(snapshot_service(p->live, srv->service_id), srv))
			runtime_server_remove(rt, srv, &p->pub->grace);
	}
	for (uint32_t i = 0; i < p->n_changed; i++)
		if (rt->services[p->changed[i]])
			let_go(p, p->changed[i]);
}

static int owned_ports_set(struct snapshot *draft)
{
	struct listener_table4 *t4 = owned_ports4_create(draft);
	struct listener_table6 *t6 = owned_ports6_create(draft);

	if (!t4 || !t6) {
		listener_table4_put(t4);
		listener_table6_put(t6);
		return -ENOMEM;
	}
	snapshot_set_owned4(draft, t4);
	snapshot_set_owned6(draft, t6);
	return 0;
}

static int draft_tables(struct publisher *p)
{
	if (p->dirty_listeners && linger_vips(p) < 0)
		return -ENOMEM;
	if (p->dirty_addrs && p->tables.addrs(p->tables.arg, p->draft) < 0)
		return -ENOMEM;
	if (p->dirty_listeners && p->tables.listeners(p->tables.arg, p->draft) < 0)
		return -ENOMEM;
	if (p->dirty_owned && owned_ports_set(p->draft) < 0)
		return -ENOMEM;
	if (p->tables.cover && (p->dirty_marks || p->dirty_listeners))
		return p->tables.cover(p->tables.arg, p->draft);
	return 0;
}

static void destroy_snapshot(void *s)
{
	snapshot_destroy(s);
}

static void waiters_published(struct publisher *p)
{
	uint64_t token = p->pub->grace.start(p->pub->grace.arg);
	struct publisher_waiter *w;

	TAILQ_FOREACH(w, &p->waiting, entry)
	{
		if (w->deadline_us)
			continue;
		w->generation = p->live->generation;
		w->token = token;
		w->deadline_us = clock_us() + WAIT_US;
	}
	if (!TAILQ_EMPTY(&p->waiting))
		arm(p->poll_ev, 0);
}

int publisher_flush(struct publisher *p)
{
	struct snapshot *old = p->live;
	bool addrs = p->dirty_addrs;

	if (!p->draft || p->held)
		return 0;
	if (draft_tables(p) < 0) {
		log_error(AREA, "no memory to publish a change: tried again");
		return -ENOMEM;
	}
	/* Before a worker can make a connection of it. */
	for (uint32_t i = 0; p->tables.service && i < p->n_changed; i++)
		p->tables.service(p->tables.arg, p->changed[i],
				  snapshot_service(p->draft, p->changed[i]));
	p->draft->generation = old->generation + 1;
	__atomic_store_n(&p->pub->snapshot, p->draft, __ATOMIC_RELEASE);
	p->live = p->draft;
	p->draft = NULL;
	for (uint32_t i = 0; i < p->n_changed; i++) {
		const struct service *svc = snapshot_service(p->live, p->changed[i]);

		if (svc)
			settle_service(p, svc);
	}
	remove_dropped(p);
	/* After the removals: a connection that looks again must find them. */
	if (p->raise)
		published_raise_gen(p->pub);
	retire(&p->retired, old, destroy_snapshot);
	draft_clear(p);
	p->published_us = clock_us();
	waiters_published(p);
	if (p->tables.published)
		p->tables.published(p->tables.arg);
	if (addrs && p->tables.links)
		p->tables.links(p->tables.arg, p->live);
	return 0;
}

void publisher_soon(struct publisher *p)
{
	uint64_t now = clock_us(), due = p->published_us + BATCH_US;

	if (!p->publish_ev || p->held || event_pending(p->publish_ev, EV_TIMEOUT, NULL))
		return;
	arm(p->publish_ev, now >= due ? 0 : due - now);
}

void publisher_hold(struct publisher *p)
{
	p->held = true;
}

void publisher_release(struct publisher *p)
{
	p->held = false;
	if (p->draft)
		publisher_soon(p);
}

/* --- waiting --- */

static void waiter_end(struct publisher *p, struct publisher_waiter *w, int result)
{
	TAILQ_REMOVE(&p->waiting, w, entry);
	w->done(w->arg, result, w->generation);
	free(w);
}

static void waiters_poll(struct publisher *p)
{
	struct publisher_waiter *w, *next;
	uint64_t now = clock_us();

	for (w = TAILQ_FIRST(&p->waiting); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (!w->deadline_us)
			continue;
		if (p->pub->grace.passed(p->pub->grace.arg, w->token))
			waiter_end(p, w, 0);
		else if (now > w->deadline_us)
			waiter_end(p, w, -ETIMEDOUT);
	}
}

static void waiters_fail(struct publisher *p, int result)
{
	struct publisher_waiter *w, *next;

	for (w = TAILQ_FIRST(&p->waiting); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (!w->deadline_us || result == -ECANCELED)
			waiter_end(p, w, result);
	}
}

void publisher_wait(struct publisher *p, publisher_done *done, void *arg)
{
	struct publisher_waiter *w = calloc(1, sizeof(*w));

	if (!w) {
		done(arg, -ENOMEM, p->live->generation);
		return;
	}
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&p->waiting, w, entry);
	if (p->draft) {
		publisher_soon(p);
		return;
	}
	waiters_published(p);
}

/* --- timers --- */

static void on_publish(evutil_socket_t fd, short what, void *arg)
{
	struct publisher *p = arg;

	(void)fd;
	(void)what;
	if (publisher_flush(p) < 0) {
		waiters_fail(p, -ENOMEM);
		arm(p->publish_ev, REAP_US);
	}
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct publisher *p = arg;

	(void)fd;
	(void)what;
	waiters_poll(p);
	if (!TAILQ_EMPTY(&p->waiting) || p->retired.n > 0) {
		uint64_t since = clock_us() - p->published_us;

		retire_poll(&p->retired);
		arm(p->poll_ev, since < 10 * SLOW_US ? POLL_US : SLOW_US);
	}
}

void publisher_reap(struct publisher *p)
{
	runtime_reap(&p->pub->runtime, &p->pub->grace);
	retire_poll(&p->retired);
	linger_reap(p);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	publisher_reap(arg);
}

/* --- life --- */

int publisher_init(struct publisher *p, struct published *pub,
		   const struct publisher_tables *tables)
{
	memset(p, 0, sizeof(*p));
	p->pub = pub;
	p->tables = *tables;
	TAILQ_INIT(&p->waiting);
	retire_list_init(&p->retired, &pub->grace);
	p->mark = calloc(MAX_SERVERS + 1, sizeof(*p->mark));
	p->was_nat = calloc(MAX_SERVERS + 1, sizeof(*p->was_nat));
	p->live = snapshot_create(63);
	if (!p->mark || !p->was_nat || !p->live)
		goto err_free;
	p->live->addrs4 = addr_table4_create(NULL, 0);
	p->live->addrs6 = addr_table6_create(NULL, 0);
	p->live->listeners4 = listener_table4_create(NULL, 0);
	p->live->listeners6 = listener_table6_create(NULL, 0);
	if (!p->live->addrs4 || !p->live->addrs6 || !p->live->listeners4 || !p->live->listeners6)
		goto err_free;
	__atomic_store_n(&pub->snapshot, p->live, __ATOMIC_RELEASE);
	return 0;

err_free:
	snapshot_destroy(p->live);
	free(p->mark);
	free(p->was_nat);
	return -ENOMEM;
}

int publisher_attach(struct publisher *p, struct event_base *base)
{
	static const struct timeval reap = {.tv_usec = REAP_US};

	p->publish_ev = event_new(base, -1, 0, on_publish, p);
	p->poll_ev = event_new(base, -1, 0, on_poll, p);
	p->reap_ev = event_new(base, -1, EV_PERSIST, on_reap, p);
	if (!p->publish_ev || !p->poll_ev || !p->reap_ev || event_add(p->reap_ev, &reap) < 0) {
		publisher_detach(p);
		return -ENOMEM;
	}
	if (p->draft)
		publisher_soon(p);
	return 0;
}

void publisher_detach(struct publisher *p)
{
	struct event **all[] = {&p->publish_ev, &p->poll_ev, &p->reap_ev};

	waiters_fail(p, -ECANCELED);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i])
			event_free(*all[i]);
		*all[i] = NULL;
	}
}

void publisher_fini(struct publisher *p)
{
	if (!p->pub)
		return;
	publisher_discard(p);
	__atomic_store_n(&p->pub->snapshot, NULL, __ATOMIC_RELEASE);
	retire_list_fini(&p->retired);
	snapshot_destroy(p->live);
	free(p->changed);
	free(p->dropped);
	free(p->mark);
	free(p->was_nat);
	free(p->lingering);
	memset(p, 0, sizeof(*p));
}
