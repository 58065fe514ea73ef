/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish/lingering.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "model/mark.h"

/* --- VIPs --- */

static bool listens_at(const struct service *svc, const struct addr *addr)
{
	for (uint32_t i = 0; svc && i < svc->n_listen; i++)
		if (addr_equal(&svc->listen[i].addr, addr))
			return true;
	return false;
}

/* Duplicates are harmless. 0 or -ENOMEM. */
static int lingering_add(struct publisher *p, uint32_t id, const struct addr *addr)
{
	if (array_room(&p->lingering, p->n_lingering, &p->max_lingering, sizeof(*p->lingering)))
		return -ENOMEM;
	p->lingering[p->n_lingering++] =
		(struct lingering){.addr = *addr, .service_id = id, .number = ++p->lingered};
	return 0;
}

/* Before the draft's addresses are built. 0 or -ENOMEM. */
int linger_vips(struct publisher *p)
{
	uint32_t k = 0;

	/* Addresses that are VIPs of the same service again. */
	for (uint32_t i = 0; i < p->n_lingering; i++)
		if (!listens_at(snapshot_service(p->draft, p->lingering[i].service_id),
				&p->lingering[i].addr))
			p->lingering[k++] = p->lingering[i];
	p->n_lingering = k;
	for (uint32_t i = 0; i < p->n_changed; i++) {
		uint32_t id = p->changed[i];
		const struct service *old = snapshot_service(p->live, id);
		const struct service *new = snapshot_service(p->draft, id);

		for (k = 0; old && k < old->n_listen && old->rt->n_server_rt > 0; k++)
			if (!listens_at(new, &old->listen[k].addr) &&
			    lingering_add(p, id, &old->listen[k].addr) < 0)
				return -ENOMEM;
	}
	return 0;
}

const struct lingering *linger_next(const struct publisher *p, uint64_t after)
{
	/* A worker that reads a snapshot with the listener makes connections yet. */
	if (p->retired.n > 0 || p->draft)
		return NULL;
	for (uint32_t i = 0; i < p->n_lingering; i++)
		if (p->lingering[i].number > after &&
		    snapshot_service(p->live, p->lingering[i].service_id))
			return &p->lingering[i];
	return NULL;
}

void linger_end(struct publisher *p, uint64_t number)
{
	uint32_t k = 0, n = p->n_lingering;

	for (uint32_t i = 0; i < n; i++)
		if (p->lingering[i].number != number)
			p->lingering[k++] = p->lingering[i];
	p->n_lingering = k;
	if (k != n)
		(void)publisher_touch_addrs(p);
}

/* Addresses whose service no server names any more. */
static void vips_reap(struct publisher *p)
{
	uint32_t k = 0, n = p->n_lingering;

	for (uint32_t i = 0; i < n; i++) {
		const struct service_rt *rt = p->pub->runtime.services[p->lingering[i].service_id];

		if (rt && rt->n_server_rt > 0)
			p->lingering[k++] = p->lingering[i];
	}
	p->n_lingering = k;
	if (k != n)
		(void)publisher_touch_addrs(p);
}

/* --- servers and prefixes --- */

/* Servers that are NAT no more, and have no connection that was: nor will have one, once
 * no worker reads a snapshot in which they were. */
static void was_nat_reap(struct publisher *p)
{
	if (p->retired.n > 0)
		return;
	for (uint32_t id = 1; p->n_was_nat > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *rt = p->pub->runtime.servers[id];

		if (!p->was_nat[id] || (rt && !forward_has(rt->method, FORWARD_BY_SOURCE) &&
					server_rt_counts(rt) != 0))
			continue;
		p->was_nat[id] = 0;
		p->n_was_nat--;
		(void)publisher_touch_addrs(p);
	}
}

/* Services with a server that has connections or templates: 1 at their ids. NULL: no memory. */
static uint8_t *busy_services(const struct runtime *rt)
{
	uint8_t *busy = calloc(MAX_SERVICES + 1, 1);
	uint32_t left = rt->n_servers;

	for (uint32_t id = 1; busy && left > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *s = rt->servers[id];

		left -= s != NULL;
		if (s && (server_rt_counts(s) || __atomic_load_n(&s->templates, __ATOMIC_RELAXED)))
			busy[s->service_id] = 1;
	}
	return busy;
}

/* Prefixes without a rule leave the cover once their service has no connection and no worker
 * reads a snapshot in which a rule led to it: no connection can come by them any more. */
static void cover_reap(struct publisher *p)
{
	const struct mark_cover4 *c4 = p->live->cover4;
	const struct mark_cover6 *c6 = p->live->cover6;
	struct mark_cover4 *less4 = NULL;
	struct mark_cover6 *less6 = NULL;
	bool trim4, trim6;
	uint8_t *busy;

	if (!(c4 && c4->n_linger) && !(c6 && c6->n_linger))
		return;
	if (p->retired.n > 0 || p->draft)
		return;
	busy = busy_services(&p->pub->runtime);
	trim4 = busy && c4 && c4->n_linger && mark_cover4_trim(c4, busy, &less4) > 0;
	trim6 = busy && c6 && c6->n_linger && mark_cover6_trim(c6, busy, &less6) > 0;
	free(busy);
	if (!trim4 && !trim6)
		return;
	if (publisher_draft(p, 0) < 0) {
		mark_cover4_put(less4);
		mark_cover6_put(less6);
		return;
	}
	if (trim4)
		snapshot_set_cover4(p->draft, less4);
	if (trim6)
		snapshot_set_cover6(p->draft, less6);
	publisher_soon(p);
}

void linger_reap(struct publisher *p)
{
	was_nat_reap(p);
	vips_reap(p);
	cover_reap(p);
}
