/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish/lingering.h"

#include <errno.h>
#include <stdlib.h>

#include "model/mark.h"

/* --- VIPs --- */

static bool listens_at(const struct service *svc, be32 addr)
{
	for (uint32_t i = 0; svc && i < svc->n_listen; i++)
		if (svc->listen[i].addr.family == ADDR_V4 && svc->listen[i].addr.v4 == addr)
			return true;
	return false;
}

/* Twice is the same as once. 0 or -ENOMEM. */
static int lingering_add(struct publisher *p, uint32_t id, be32 addr)
{
	if (p->n_lingering == p->max_lingering) {
		uint32_t max = p->max_lingering ? p->max_lingering * 2 : 64;
		struct lingering *wider = realloc(p->lingering, max * sizeof(*wider));

		if (!wider)
			return -ENOMEM;
		p->lingering = wider;
		p->max_lingering = max;
	}
	p->lingering[p->n_lingering++] = (struct lingering){.addr = addr, .service_id = id};
	return 0;
}

/* Before the draft's addresses are built. 0 or -ENOMEM. */
int linger_vips(struct publisher *p)
{
	uint32_t k = 0;

	/* Those that are VIPs of the same service again. */
	for (uint32_t i = 0; i < p->n_lingering; i++)
		if (!listens_at(snapshot_service(p->draft, p->lingering[i].service_id),
				p->lingering[i].addr))
			p->lingering[k++] = p->lingering[i];
	p->n_lingering = k;
	for (uint32_t i = 0; i < p->n_changed; i++) {
		uint32_t id = p->changed[i];
		const struct service *old = snapshot_service(p->live, id);
		const struct service *new = snapshot_service(p->draft, id);

		for (k = 0; old && k < old->n_listen && old->rt->n_server_rt > 0; k++)
			if (old->listen[k].addr.family == ADDR_V4 &&
			    !listens_at(new, old->listen[k].addr.v4) &&
			    lingering_add(p, id, old->listen[k].addr.v4) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* Those whose service no server names any more. */
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

		if (!p->was_nat[id] || (rt && rt->method != FWD_NAT && server_rt_counts(rt) != 0))
			continue;
		p->was_nat[id] = 0;
		p->n_was_nat--;
		(void)publisher_touch_addrs(p);
	}
}

/* Prefixes without a rule, once their service has no connection: nor will have one from
 * there, once no worker reads a snapshot in which a rule led to it. */
static void cover_reap(struct publisher *p)
{
	const struct mark_cover *c = p->live->cover4;
	const struct runtime *rt = &p->pub->runtime;
	struct mark_cover *less = NULL;
	uint32_t left = rt->n_servers;
	uint8_t *busy;

	if (!c || !c->n_linger || p->retired.n > 0 || p->draft)
		return;
	busy = calloc(MAX_SERVICES + 1, 1);
	for (uint32_t id = 1; busy && left > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *s = rt->servers[id];

		left -= s != NULL;
		if (s && (server_rt_counts(s) || __atomic_load_n(&s->templates, __ATOMIC_RELAXED)))
			busy[s->service_id] = 1;
	}
	if (busy && mark_cover_trim(c, busy, &less) > 0) {
		if (publisher_draft(p, 0) == 0) {
			snapshot_set_cover4(p->draft, less);
			publisher_soon(p);
		} else {
			mark_cover_put(less);
		}
	}
	free(busy);
}

void linger_reap(struct publisher *p)
{
	was_nat_reap(p);
	vips_reap(p);
	cover_reap(p);
}
