/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Locality-based least connections with replication: a destination address has a set of
 * servers, the least loaded of which serves. When that is overloaded the choice of wlc joins
 * the set, at its head; a set of more than one that did not change for a day loses its most
 * loaded member.
 */

#include <string.h>

#include "sched/locality.h"

#define LBLCR_EXPIRE_S (24 * 60 * 60)

static int lblcr_build(struct service *svc, const struct service *old)
{
	return locality_build(svc, old, DESTCACHE_SET_MAX);
}

static int set_least(const struct service *svc, const struct destcache_view *view)
{
	int least = SCHED_NONE;

	for (uint32_t k = 0; k < view->n; k++) {
		int i = locality_find(svc, view->ids[k]);
		const struct server *s, *t;

		if (i == SCHED_NONE || server_rt_overloaded(svc->servers[i].rt))
			continue;
		s = &svc->servers[i];
		t = least != SCHED_NONE ? &svc->servers[least] : NULL;
		if (t == NULL || server_load(t) * s->weight > server_load(s) * t->weight)
			least = i;
	}
	return least;
}

/* The member to give up: the first that may not be chosen (locality_find()), else the member with
 * the most load / weight. */
static uint32_t set_most(const struct service *svc, const struct destcache_view *view)
{
	const struct server *most = NULL;
	uint32_t at = 0;

	for (uint32_t k = 0; k < view->n; k++) {
		int i = locality_find(svc, view->ids[k]);
		const struct server *s;

		if (i == SCHED_NONE)
			return k;
		s = &svc->servers[i];
		if (most == NULL || server_load(most) * s->weight < server_load(s) * most->weight) {
			most = s;
			at = k;
		}
	}
	return at;
}

static void set_del(struct destcache_view *view, uint32_t at)
{
	view->n--;
	memmove(&view->ids[at], &view->ids[at + 1], (view->n - at) * sizeof(view->ids[0]));
}

/* Puts id at the head unless it is a member. A full set gives up its tail. */
static bool set_add(struct destcache_view *view, uint32_t id)
{
	for (uint32_t k = 0; k < view->n; k++) {
		if (view->ids[k] == id)
			return false;
	}
	if (view->n == DESTCACHE_SET_MAX)
		view->n--;
	memmove(&view->ids[1], &view->ids[0], view->n * sizeof(view->ids[0]));
	view->ids[0] = id;
	view->n++;
	return true;
}

static int lblcr_choose(const struct service *svc, const struct sched_request *req)
{
	struct destcache_view view;
	bool changed = false;
	int i = SCHED_NONE;

	locality_read(svc, req, &view);
	if (view.found) {
		i = set_least(svc, &view);
		if (view.n > 1 && req->now_s - view.lastmod_s > svc->policy.locality_s) {
			set_del(&view, set_most(svc, &view));
			changed = true;
		}
	} else {
		view.n = 0;
	}
	if (i == SCHED_NONE || locality_overloaded(svc, i)) {
		i = sched_least_loaded(svc);
		if (i != SCHED_NONE)
			changed |= set_add(&view, svc->servers[i].rt->id);
	}
	if (changed) {
		view.lastmod_s = req->now_s;
		locality_write(svc, req, &view);
	}
	return i;
}

const struct sched_ops sched_lblcr = {
	.name = "lblcr",
	.build = lblcr_build,
	.destroy = locality_destroy,
	.choose = lblcr_choose,
};
