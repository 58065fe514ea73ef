/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups as objects: look-up, the mark that a group has to be settled, the quorum. */
#include <stddef.h>
#include <string.h>

#include "health/health_internal.h"

void health_wake(struct health *h)
{
	if (h->work && !h->in_round)
		event_active(h->work, EV_TIMEOUT, 0);
}

void group_mark(struct group *g)
{
	if (g->marked)
		return;
	g->marked = true;
	TAILQ_INSERT_TAIL(&g->h->marked, g, of_marked);
	health_wake(g->h);
}

void group_tick(struct timer *t, uint64_t now_us)
{
	(void)now_us;
	group_mark((struct group *)((char *)t - offsetof(struct group, tick)));
}

bool group_run(struct group *g, uint64_t now_us)
{
	uint64_t due_us;
	bool changed =
		group_settle(&g->state, &g->policy, g->gms, g->n, g->window_us, now_us, &due_us);

	if (due_us == UINT64_MAX)
		timer_disarm(&g->h->timers, &g->tick);
	else
		timer_arm(&g->h->timers, &g->tick, due_us);
	return changed;
}

bool group_lost(const struct group *g)
{
	uint32_t regular = 0;

	if (g->state.quorum != QUORUM_START)
		return g->state.quorum == QUORUM_LOST;
	for (uint32_t i = 0; i < g->n; i++) {
		if (g->gms[i]->sorry)
			continue;
		if (g->gms[i]->standing == STANDING_OUT)
			return false;
		regular++;
	}
	return regular > 0;
}

struct group *group_find(const struct health *h, const char *key)
{
	struct hash_node *node = hash_table_first(&h->groups, hash_text(HASH_START, key));

	for (; node; node = hash_table_next(node))
		if (strcmp(((struct group *)node)->key, key) == 0)
			return (struct group *)node;
	return NULL;
}

/* Callers ask for all members one after the other: then each is found at once. */
struct member *group_member_find(struct group *g, const struct endpoint *ep)
{
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t at = (g->hint + i) % g->n;

		if (endpoint_equal(&g->members[at]->ep, ep)) {
			g->hint = at + 1;
			return g->members[at];
		}
	}
	return NULL;
}

struct member *health_member(const struct health *h, const char *key, const struct endpoint *ep)
{
	struct group *g = group_find(h, key);

	return g ? group_member_find(g, ep) : NULL;
}
