/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Locality-based least connections, for caches: a destination address stays with its server
 * until that is gone, quiesced or overloaded (active > weight while another has less than
 * half of its weight); then, and at first, the choice of wlc.
 */

#include <errno.h>
#include <stdlib.h>

#include "sched/locality.h"

static int place_cmp(const void *a, const void *b)
{
	const struct locality_place *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int locality_build(struct service *svc, const struct service *old, uint32_t set_max)
{
	struct locality *l = malloc(sizeof(*l) + svc->n_servers * sizeof(l->places[0]));

	if (l == NULL)
		return -ENOMEM;
	if (old != NULL && old->sched == svc->sched)
		l->cache = destcache_get(((struct locality *)old->sched_data)->cache);
	else
		l->cache = destcache_create(set_max);
	if (l->cache == NULL) {
		free(l);
		return -ENOMEM;
	}
	l->n = svc->n_servers;
	for (uint32_t i = 0; i < l->n; i++)
		l->places[i] = (struct locality_place){svc->servers[i].rt->id, i};
	qsort(l->places, l->n, sizeof(l->places[0]), place_cmp);
	svc->sched_data = l;
	return 0;
}

void locality_destroy(struct service *svc)
{
	struct locality *l = svc->sched_data;

	destcache_put(l->cache);
	free(l);
}

void locality_read(const struct service *svc, const struct sched_request *req,
		   struct destcache_view *view)
{
	const struct locality *l = svc->sched_data;

	if (req->dry)
		destcache_look(l->cache, &req->dest, req->now_s, svc->policy.locality_s, view);
	else
		destcache_read(l->cache, &req->dest, req->now_s, svc->policy.locality_s, view);
}

void locality_write(const struct service *svc, const struct sched_request *req,
		    const struct destcache_view *view)
{
	const struct locality *l = svc->sched_data;

	if (!req->dry)
		destcache_write(l->cache, &req->dest, req->now_s, svc->policy.locality_s, view);
}

int locality_find(const struct service *svc, uint32_t id)
{
	const struct locality *l = svc->sched_data;
	const struct locality_place key = {.id = id}, *p;
	const struct server *s;

	p = bsearch(&key, l->places, l->n, sizeof(key), place_cmp);
	if (p == NULL)
		return SCHED_NONE;
	s = &svc->servers[p->index];
	return s->weight > 0 && !s->down ? (int)p->index : SCHED_NONE;
}

bool locality_overloaded(const struct service *svc, int index)
{
	const struct server *s = &svc->servers[index];

	if (counts_active(server_rt_counts(s->rt)) <= s->weight)
		return false;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		s = &svc->servers[i];
		if (!s->down && 2ULL * counts_active(server_rt_counts(s->rt)) < s->weight)
			return true;
	}
	return false;
}

static int lblc_build(struct service *svc, const struct service *old)
{
	return locality_build(svc, old, 1);
}

static int lblc_choose(const struct service *svc, const struct sched_request *req)
{
	struct destcache_view view;
	int i;

	locality_read(svc, req, &view);
	i = view.found ? locality_find(svc, view.ids[0]) : SCHED_NONE;
	if (i != SCHED_NONE && !locality_overloaded(svc, i))
		return i;
	i = sched_least_loaded(svc);
	if (i == SCHED_NONE)
		return i;
	view.n = 1;
	view.ids[0] = svc->servers[i].rt->id;
	view.lastmod_s = req->now_s;
	locality_write(svc, req, &view);
	return i;
}

const struct sched_ops sched_lblc = {
	.name = "lblc",
	.build = lblc_build,
	.destroy = locality_destroy,
	.choose = lblc_choose,
};
