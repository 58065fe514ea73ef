/* SPDX-License-Identifier: BSD-3-Clause */
/* The draft of a publisher: changes before they are published. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "config/config.h"
#include "publish/publisher.h"

#define BATCH_US    1000
#define TOUCHED_MAX 2048 /* for more the tables are built anew */

void publisher_arm(struct event *ev, uint64_t us)
{
	struct timeval tv = {.tv_sec = (time_t)(us / 1000000),
			     .tv_usec = (suseconds_t)(us % 1000000)};

	if (ev)
		event_add(ev, &tv);
}

void publisher_soon(struct publisher *p)
{
	uint64_t now = clock_us(), due = p->published_us + BATCH_US;

	if (!p->publish_ev || p->held || event_pending(p->publish_ev, EV_TIMEOUT, NULL))
		return;
	publisher_arm(p->publish_ev, now >= due ? 0 : due - now);
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

static int ids_add(uint32_t **ids, uint32_t *n, uint32_t *max, uint32_t id)
{
	if (array_room(ids, *n, max, sizeof(**ids)))
		return -ENOMEM;
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

static void servers_seen(struct publisher *p, const struct service *svc)
{
	p->epoch++;
	for (uint32_t i = 0; svc && i < svc->n_servers; i++)
		p->seen[svc->servers[i].rt->id] = p->epoch;
}

/* The tables have to say something else of a server's address and port. */
static void touch(struct publisher *p, const struct endpoint *ep)
{
	if (p->dirty_addrs && p->dirty_owned)
		return;
	if (p->n_touched == TOUCHED_MAX ||
	    array_room(&p->touched, p->n_touched, &p->max_touched, sizeof(*p->touched)))
		p->dirty_addrs = p->dirty_owned = true;
	else
		p->touched[p->n_touched++] = *ep;
}

/* Touches servers that only one of the nodes has, or whose run-time object gets another method.
 * Not by a plan: the tables follow from nodes and run-time objects, and a node that was never
 * published may stand between the two configurations of a plan. True: there are some. */
static bool servers_differ(struct publisher *p, const struct service *old,
			   const struct service *new)
{
	bool differ = false;

	servers_seen(p, old);
	for (uint32_t i = 0; new &&i < new->n_servers; i++) {
		const struct server *s = &new->servers[i];

		if (p->seen[s->rt->id] == p->epoch && s->rt->method == s->method)
			continue;
		touch(p, &s->rt->ep);
		differ = true;
	}
	servers_seen(p, new);
	for (uint32_t i = 0; old && i < old->n_servers; i++) {
		if (p->seen[old->servers[i].rt->id] == p->epoch)
			continue;
		touch(p, &old->servers[i].rt->ep);
		differ = true;
	}
	return differ;
}

/* Remembers the servers of a node that leaves the draft, those aside that stay in new. */
static int drop_servers(struct publisher *p, const struct service *old, const struct service *new)
{
	servers_seen(p, new);
	for (uint32_t i = 0; old && i < old->n_servers; i++) {
		uint32_t id = old->servers[i].rt->id;

		if (p->seen[id] != p->epoch &&
		    ids_add(&p->dropped, &p->n_dropped, &p->max_dropped, id) < 0)
			return -ENOMEM;
	}
	return 0;
}

int publisher_set_service(struct publisher *p, uint32_t id, struct service *svc, uint8_t how)
{
	struct service *old;
	bool whole;

	if (publisher_draft(p, id) < 0)
		goto err_unused;
	old = p->draft->services[id];
	if (drop_servers(p, old, svc) < 0 ||
	    ids_add(&p->changed, &p->n_changed, &p->max_changed, id) < 0)
		goto err_unused;
	whole = !old || !svc;
	if (whole || (how & CHANGE_LISTENERS))
		p->dirty_listeners = p->dirty_addrs = p->dirty_owned = p->raise = true;
	if (whole || (how & CHANGE_REPLIES))
		p->dirty_owned = true;
	if (servers_differ(p, old, svc))
		p->raise = true;
	if (snapshot_set_service(p->draft, id, svc) < 0)
		goto err_unused;
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

int publisher_touch_server(struct publisher *p, const struct endpoint *ep)
{
	if (publisher_draft(p, 0) < 0)
		return -ENOMEM;
	touch(p, ep);
	p->raise = true;
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

/* Lets go of a server or service that neither draft nor live snapshot has. */
void publisher_let_go(struct publisher *p, uint32_t service_id)
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

		if (rt && !service_server(draft, rt) && !service_server(live, rt))
			runtime_server_remove(&p->pub->runtime, rt, &p->pub->grace);
	}
	service_put(svc);
	publisher_let_go(p, id);
}

void publisher_draft_clear(struct publisher *p)
{
	p->draft = NULL;
	p->n_changed = p->n_dropped = p->n_touched = 0;
	p->dirty_addrs = p->dirty_listeners = p->dirty_owned = p->dirty_marks = false;
	p->links = p->raise = false;
}

void publisher_discard(struct publisher *p)
{
	struct snapshot *draft = p->draft;
	struct runtime *rt = &p->pub->runtime;

	if (!draft)
		return;
	p->draft = NULL;
	/* Objects that only the draft had, now or for a moment, are not wanted any more. */
	for (uint32_t i = 0; i < p->n_changed; i++) {
		uint32_t id = p->changed[i];
		struct service *svc = snapshot_service(draft, id);

		if (svc && svc != snapshot_service(p->live, id)) {
			svc->refs++;
			(void)snapshot_set_service(draft, id, NULL); /* not the first change */
			publisher_unused(p, svc);
		}
		if (rt->services[id])
			publisher_let_go(p, id);
	}
	for (uint32_t i = 0; i < p->n_dropped; i++) {
		struct server_rt *srv = rt->servers[p->dropped[i]];

		if (srv && !service_server(snapshot_service(p->live, srv->service_id), srv))
			runtime_server_remove(rt, srv, &p->pub->grace);
	}
	snapshot_destroy(draft);
	publisher_draft_clear(p);
}
