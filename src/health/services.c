/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Services come, change and go. A change is planned with all the memory it takes, and then
 * done, which cannot fail.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health/health_internal.h"

/* The planned state of a server. */
struct plan {
	struct member *member;
	bool fresh;
	struct inquiry_link **links;
	uint32_t n_links;
};

static void link_drop(struct inquiry_link *l)
{
	struct inquiry *w = l->inquiry;

	LIST_REMOVE(l, of_inquiry);
	if (LIST_EMPTY(&w->links)) {
		runner_cancel(w);
		inquiry_destroy(w);
	}
	free(l->name);
	free(l);
}

static void links_drop(struct inquiry_link **links, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		link_drop(links[i]);
	free(links);
}

/* The member's inquiry by a check of that name, or else by a check that asked the same. */
static const struct inquiry *predecessor(const struct member *m, const struct check_spec *spec)
{
	for (uint32_t i = 0; i < m->n_links; i++)
		if (spec->name && m->links[i]->name && strcmp(m->links[i]->name, spec->name) == 0)
			return m->links[i]->inquiry;
	for (uint32_t i = 0; i < m->n_links; i++)
		if (m->group->h->options.specs->same_question(&m->links[i]->inquiry->spec, spec))
			return m->links[i]->inquiry;
	return NULL;
}

static struct inquiry_link *link_create(struct member *m, enum forward_method method,
					const struct check_spec *spec)
{
	struct inquiry_link *l = calloc(1, sizeof(*l));
	const struct inquiry *old;
	bool created;

	if (!l)
		return NULL;
	if (spec->name && !(l->name = strdup(spec->name)))
		goto err_free;
	l->inquiry = inquiry_find_or_create(m, method, spec, &created);
	if (!l->inquiry)
		goto err_free;
	l->member = m;
	LIST_INSERT_HEAD(&l->inquiry->links, l, of_inquiry);
	if (!created)
		return l;
	runner_take(l->inquiry);
	old = predecessor(m, spec);
	if (old && old->spec.type == spec->type)
		inquiry_inherit(l->inquiry, old);
	else if (m->state.state == HEALTH_UP && m->n_links)
		/* A check that is added takes nobody out before it has failed. */
		l->inquiry->state.state = HEALTH_UP;
	return l;
err_free:
	free(l->name);
	free(l);
	return NULL;
}

static int plan_server(struct group *g, const struct health_server *server, bool first,
		       struct plan *p)
{
	uint32_t n = 0;

	p->member = group_member_find(g, &server->ep);
	p->fresh = !p->member;
	if (p->fresh)
		p->member = member_create(g, server, first);
	if (!p->member)
		return -ENOMEM;
	while (server->checks && server->checks[n])
		n++;
	if (n == 0)
		return 0;
	p->links = calloc(n, sizeof(struct inquiry_link *));
	if (!p->links || member_reserve_history(p->member) < 0)
		return -ENOMEM;
	for (; p->n_links < n; p->n_links++) {
		struct inquiry_link *l = link_create(p->member, (enum forward_method)server->method,
						     server->checks[p->n_links]);

		if (!l)
			return -ENOMEM;
		p->links[p->n_links] = l;
	}
	return 0;
}

static void plan_undo(struct plan *plan, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (plan[i].links)
			links_drop(plan[i].links, plan[i].n_links);
		if (plan[i].fresh && plan[i].member)
			member_destroy(plan[i].member);
	}
	free(plan);
}

static void member_drop(struct member *m)
{
	for (uint32_t i = 0; i < m->n_links; i++)
		link_drop(m->links[i]);
	member_destroy(m);
}

/* The member as planned: its old links go after the new ones have come. */
static void plan_do(struct plan *p, const struct health_server *server, uint64_t *window_us)
{
	struct member *m = p->member;

	links_drop(m->links, m->n_links);
	m->links = p->links;
	m->n_links = p->n_links;
	m->reentry_us = 0;
	for (uint32_t i = 0; i < m->n_links; i++) {
		const struct check_spec *spec = &m->links[i]->inquiry->spec;

		if (1000ULL * spec->reentry_ms > m->reentry_us)
			m->reentry_us = 1000ULL * spec->reentry_ms;
		if (inquiry_detect_us(spec) > *window_us)
			*window_us = inquiry_detect_us(spec);
	}
	if (m->gm.configured != server->weight)
		m->gm.advice.has_load = false; /* Piranha's rule begins at the new weight */
	m->gm.configured = server->weight;
	m->gm.sorry = server->sorry;
	m->gm.consequence = server->consequence;
	if (m->n_links == 0)
		m->gm.advice = (struct weight_advice){0};
}

static struct group *group_create(struct health *h, const char *key)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->key = strdup(key);
	if (!g->key || hash_table_reserve(&h->groups)) {
		free(g->key);
		free(g);
		return NULL;
	}
	g->h = h;
	g->tick.fire = group_tick;
	g->node.hash = hash_text(HASH_START, key);
	hash_table_add(&h->groups, &g->node, g->node.hash);
	TAILQ_INSERT_TAIL(&h->all, g, of_all);
	return g;
}

static void group_destroy(struct group *g)
{
	struct health *h = g->h;

	timer_disarm(&h->timers, &g->tick);
	if (g->marked)
		TAILQ_REMOVE(&h->marked, g, of_marked);
	TAILQ_REMOVE(&h->all, g, of_all);
	hash_table_del(&h->groups, &g->node);
	free(g->members);
	free(g->gms);
	free(g->key);
	free(g);
}

/* Puts the plan in the place of what is. */
static void group_replace(struct group *g, struct plan *plan, const struct health_server *servers,
			  uint32_t n, struct member **members, struct group_member **gms)
{
	uint64_t now_us = health_now(g->h), window_us = 0;

	for (uint32_t i = 0; i < n; i++) {
		plan_do(&plan[i], &servers[i], &window_us);
		members[i] = plan[i].member;
		gms[i] = &plan[i].member->gm;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		bool stays = false;

		for (uint32_t j = 0; j < n && !stays; j++)
			stays = members[(i + j) % n] == g->members[i];
		if (!stays)
			member_drop(g->members[i]);
	}
	g->h->n_members += n - g->n;
	free(g->members);
	free(g->gms);
	g->members = members;
	g->gms = gms;
	g->n = n;
	g->window_us = window_us;
	group_changed(g);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < members[i]->n_links; j++) {
			inquiry_resume(members[i]->links[j]->inquiry, now_us);
			member_heard(members[i], members[i]->links[j]->inquiry, NULL, now_us);
		}
		member_heard(members[i], NULL, NULL, now_us);
	}
	group_run(g, now_us);
	if (group_lost(g) != g->lost)
		group_mark(g);
	health_wake(g->h);
}

int health_set_service(struct health *h, const char *service_key, const struct endpoint *vip,
		       const struct health_policy *policy, const struct health_server *servers,
		       uint32_t n)
{
	struct group *g = group_find(h, service_key);
	bool fresh = !g;
	struct health_policy old_policy;
	struct endpoint old_vip;
	struct plan *plan = calloc(n ? n : 1, sizeof(*plan));
	struct member **members = calloc(n ? n : 1, sizeof(struct member *));
	struct group_member **gms = calloc(n ? n : 1, sizeof(struct group_member *));

	if (fresh)
		g = group_create(h, service_key);
	if (!g || !plan || !members || !gms ||
	    timers_reserve(&h->timers, 2 * h->inquiries.n + 2 * (h->n_members + n)))
		goto err_free;
	old_policy = g->policy;
	old_vip = g->vip;
	g->policy = *policy;
	g->vip = *vip;
	for (uint32_t i = 0; i < n; i++)
		if (plan_server(g, &servers[i], fresh, &plan[i]))
			goto err_undo;
	group_replace(g, plan, servers, n, members, gms);
	free(plan);
	return 0;
err_undo:
	g->policy = old_policy;
	g->vip = old_vip;
	plan_undo(plan, n);
	plan = NULL;
err_free:
	if (fresh && g)
		group_destroy(g);
	free(plan);
	free(members);
	free(gms);
	return -ENOMEM;
}

void health_del_service(struct health *h, const char *service_key)
{
	struct group *g = group_find(h, service_key);

	if (!g)
		return;
	for (uint32_t i = 0; i < g->n; i++)
		member_drop(g->members[i]);
	h->n_members -= g->n;
	group_destroy(g);
}
