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

#define POLL_US 200	/* the first looks at the grace period */
#define SLOW_US 1000	/* later ones: a worker sleeps for a millisecond when idle */
#define WAIT_US 2000000 /* then the answer is that not every worker has it */
#define REAP_US 250000

/* --- publication --- */

/* Before a worker can send to the servers. */
static void encaps_set(struct publisher *p, const struct service *svc)
{
	for (uint32_t i = 0; i < svc->n_servers; i++)
		runtime_set_encap(&p->pub->runtime, svc->servers[i].rt->id, svc->servers[i].encap);
}

/* Writes the node's values into the run-time objects of a service's servers. */
static void runtime_write(struct publisher *p, const struct service *svc)
{
	service_rt_set_on_removed(svc->rt, svc->policy.on_removed, svc->policy.drain_s);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		/* Against the run-time object: a store takes the mark of an overload away. */
		if (s->rt->upper != s->upper || s->rt->lower != s->lower)
			server_rt_set_thresholds(s->rt, s->upper, s->lower);
		if (forward_has(s->rt->method, FORWARD_BY_SOURCE) &&
		    !forward_has(s->method, FORWARD_BY_SOURCE) && !p->was_nat[s->rt->id]) {
			p->was_nat[s->rt->id] = 1;
			p->n_was_nat++;
		}
		s->rt->method = s->method;
		p->raise |= runtime_server_down(&p->pub->runtime, s->rt, s->down && s->as_removed);
		__atomic_store_n(&s->rt->quiesced, s->weight == 0, __ATOMIC_RELAXED);
	}
	sched_published(svc);
}

static void remove_dropped(struct publisher *p)
{
	struct runtime *rt = &p->pub->runtime;

	for (uint32_t i = 0; i < p->n_dropped; i++) {
		struct server_rt *srv = rt->servers[p->dropped[i]];

		if (srv && !service_server(snapshot_service(p->live, srv->service_id), srv))
			runtime_server_remove(rt, srv, &p->pub->grace);
	}
	for (uint32_t i = 0; i < p->n_changed; i++)
		if (rt->services[p->changed[i]])
			publisher_let_go(p, p->changed[i]);
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

/* Changes a copy of the table by the touched servers. *dirty: the table is built anew instead. */
static int patch(struct publisher *p, bool *dirty, int (*patch4)(struct publisher *p),
		 int (*patch6)(struct publisher *p))
{
	int ret = *dirty || p->n_touched == 0 ? 0 : patch4(p);

	if (ret == 0 && !*dirty && p->n_touched > 0)
		ret = patch6(p);
	*dirty = *dirty || ret == -ENOSPC;
	return ret == -ENOSPC ? 0 : ret;
}

/* Makes the next table that is dirty. 1: a table was made; 0: all are as they should be; -ENOMEM.
 */
static int table_make(struct publisher *p)
{
	const struct publisher_tables *make = &p->tables;
	int ret = 0;

	if (p->dirty_addrs) {
		/* Whoever changes listeners changes addresses, too. */
		if (p->dirty_listeners)
			ret = linger_vips(p);
		if (ret == 0)
			ret = make->addrs(make->arg, p->draft);
		p->dirty_addrs = ret < 0;
		p->links = true;
	} else if (p->dirty_listeners) {
		ret = make->listeners(make->arg, p->draft);
		p->dirty_listeners = ret < 0;
		p->dirty_marks = true;
	} else if (p->dirty_owned) {
		ret = owned_ports_set(p->draft);
		p->dirty_owned = ret < 0;
	} else if (p->dirty_marks) {
		ret = make->cover ? make->cover(make->arg, p->draft) : 0;
		p->dirty_marks = ret < 0;
	} else {
		return 0;
	}
	return ret < 0 ? ret : 1;
}

bool publisher_prepare(struct publisher *p)
{
	return p->draft && table_make(p) > 0;
}

static int draft_tables(struct publisher *p)
{
	int ret;

	if (patch(p, &p->dirty_addrs, publisher_patch_addrs4, publisher_patch_addrs6) < 0 ||
	    patch(p, &p->dirty_owned, publisher_patch_owned4, publisher_patch_owned6) < 0)
		return -ENOMEM;
	while ((ret = table_make(p)) > 0)
		;
	return ret;
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
		publisher_arm(p->poll_ev, 0);
}

int publisher_flush(struct publisher *p)
{
	struct snapshot *old = p->live;
	uint32_t n_touched;
	bool links;

	if (!p->draft || p->held)
		return 0;
	if (draft_tables(p) < 0) {
		log_error(AREA, "no memory to publish a change: tried again");
		return -ENOMEM;
	}
	/* Before a worker can make a connection of it. */
	for (uint32_t i = 0; i < p->n_changed; i++) {
		const struct service *svc = snapshot_service(p->draft, p->changed[i]);

		if (p->tables.service)
			p->tables.service(p->tables.arg, p->changed[i], svc);
		if (svc)
			encaps_set(p, svc);
	}
	p->draft->generation = old->generation + 1;
	__atomic_store_n(&p->pub->snapshot, p->draft, __ATOMIC_RELEASE);
	p->live = p->draft;
	p->draft = NULL;
	for (uint32_t i = 0; i < p->n_changed; i++) {
		const struct service *svc = snapshot_service(p->live, p->changed[i]);

		if (svc)
			runtime_write(p, svc);
	}
	remove_dropped(p);
	/* After the removals: a connection that looks again must find them. */
	if (p->raise)
		published_raise_gen(p->pub);
	retire(&p->retired, old, destroy_snapshot);
	links = p->links;
	n_touched = p->n_touched;
	publisher_draft_clear(p);
	p->published_us = clock_us();
	waiters_published(p);
	if (p->tables.published)
		p->tables.published(p->tables.arg);
	if (links && p->tables.links)
		p->tables.links(p->tables.arg, p->live);
	else if (n_touched > 0 && p->tables.servers)
		p->tables.servers(p->tables.arg, p->live, p->touched, n_touched);
	return 0;
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
		publisher_arm(p->publish_ev, REAP_US);
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
		publisher_arm(p->poll_ev, since < 10 * SLOW_US ? POLL_US : SLOW_US);
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
	p->seen = calloc(MAX_SERVERS + 1, sizeof(*p->seen));
	p->was_nat = calloc(MAX_SERVERS + 1, sizeof(*p->was_nat));
	p->live = snapshot_create(63);
	if (!p->seen || !p->was_nat || !p->live)
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
	free(p->seen);
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
	free(p->touched);
	free(p->seen);
	free(p->was_nat);
	free(p->lingering);
	memset(p, 0, sizeof(*p));
}
