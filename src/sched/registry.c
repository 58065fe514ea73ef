/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "sched/ops.h"

static const struct sched_ops *const all_ops[] = {
#define X(name) &sched_##name,
	SCHEDULERS(X)
#undef X
};

static const char *const all_names[] = {
#define X(name) #name,
	SCHEDULERS(X)
#undef X
		NULL,
};

const struct sched_ops *sched_find(const char *name)
{
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++) {
		if (strcmp(all_ops[i]->name, name) == 0)
			return all_ops[i];
	}
	return NULL;
}

const char *const *sched_names(void)
{
	return all_names;
}

/* The last weight tells edits apart only from weight 0: elsewhere it follows the weight. */
static bool weight_differs(const struct server *a, const struct server *b)
{
	return a->configured != b->configured ||
	       (a->configured == 0 && a->last_weight != b->last_weight);
}

/* Everything that an operator edits; health (down, a lower weight) is not part of it. */
static bool list_differs(const struct service *a, const struct service *b)
{
	if (a->sched != b->sched || a->policy.scheduler_flags != b->policy.scheduler_flags ||
	    a->n_servers != b->n_servers)
		return true;
	for (uint32_t i = 0; i < a->n_servers; i++) {
		const struct server *s = &a->servers[i], *t = &b->servers[i];

		if (s->rt != t->rt || weight_differs(s, t) || s->upper != t->upper ||
		    s->lower != t->lower || s->method != t->method)
			return true;
	}
	return false;
}

int sched_attach(struct service *svc, const struct service *old)
{
	int rc;

	if (old == NULL) {
		/* The run-time state may be older than the service: begin after its cursor. */
		uint64_t cursor = __atomic_load_n(&svc->rt->cursor, __ATOMIC_ACQUIRE);

		svc->sched_prev = (uint32_t)cursor & SCHED_CURSOR_GEN_MASK;
		svc->sched_gen = svc->sched_prev + 1;
	} else if (list_differs(svc, old)) {
		svc->sched_prev = old->sched_gen;
		svc->sched_gen = old->sched_gen + 1;
	} else {
		svc->sched_prev = old->sched_gen;
		svc->sched_gen = old->sched_gen;
	}
	for (uint32_t i = 0; i < svc->n_servers; i++)
		svc->servers[i].id = svc->servers[i].rt != NULL ? svc->servers[i].rt->id : 0;
	svc->sched_data = NULL;
	svc->sched_release = NULL;
	rc = svc->sched->build != NULL ? svc->sched->build(svc, old) : 0;
	if (rc == 0)
		svc->sched_release = sched_detach;
	return rc;
}

void sched_detach(struct service *svc)
{
	if (svc->sched_data != NULL && svc->sched->destroy != NULL)
		svc->sched->destroy(svc);
	svc->sched_data = NULL;
	svc->sched_release = NULL;
}

void sched_copy(struct service *to, const struct service *from, const struct sched_worker *w,
		uint16_t *place_of, void *room)
{
	if (from->sched->measure != NULL && from->sched_data != NULL)
		ranking_copy(to, from, w, place_of, room);
	else if (from->sched == &sched_rr)
		rr_copy(to, from, w, room);
}
