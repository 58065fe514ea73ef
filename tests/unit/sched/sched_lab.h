/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_SCHED_LAB_H
#define PLVS_TESTS_SCHED_LAB_H

/*
 * A virtual service whose list changes as an administrator changes it: each change is a
 * new node, attached, in use (lab.node), and told by sched_published(), as control does.
 */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counts.h"
#include "model/published.h"
#include "sched/sched.h"

struct lab_server {
	struct endpoint ep;
	uint32_t weight, last_weight, configured, upper, lower;
	uint8_t down;
};

#define LAB_WORKERS 8

struct lab {
	struct runtime rt;
	struct service_rt *svc_rt;
	struct service *node;
	const struct sched_ops *sched;
	uint32_t flags;
	bool adopt;
	uint32_t mh_slots; /* 0: as by default */
	uint8_t family;
	uint32_t n;
	struct lab_server servers[MAX_SERVERS_PER_SERVICE];
	/* Nodes that workers may still read are kept to the end when set. */
	bool retains_old;
	struct service *old[4096];
	uint32_t n_old;
	uint16_t n_workers; /* 1, unless a test says otherwise before it publishes */
	struct sched_worker workers[LAB_WORKERS];
};

static uint64_t lab_grace_start(void *arg)
{
	(void)arg;
	return 0;
}

static bool lab_grace_passed(void *arg, uint64_t token)
{
	(void)arg;
	(void)token;
	return true;
}

static const struct grace lab_grace = {lab_grace_start, lab_grace_passed, NULL};

static inline void lab_publish(struct lab *l)
{
	struct service *svc = service_create(l->n, 1), *old = l->node;

	assert_non_null(svc);
	svc->rt = l->svc_rt;
	svc->sched = l->sched;
	svc->family = l->family;
	svc->n_workers = l->n_workers;
	svc->policy.scheduler_flags = l->flags;
	svc->policy.locality_s = 86400;
	svc->policy.adopt = l->adopt;
	svc->policy.mh_slots = l->mh_slots;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct lab_server *from = &l->servers[i];
		struct server *s = &svc->servers[i];

		s->rt = runtime_server_get(&l->rt, l->svc_rt, &from->ep);
		assert_non_null(s->rt);
		server_rt_set_thresholds(s->rt, from->upper, from->lower);
		s->addr = from->ep.addr;
		s->port = from->ep.port;
		s->weight = from->weight;
		s->last_weight = from->last_weight;
		s->configured = from->configured;
		s->upper = from->upper;
		s->lower = from->lower;
		s->down = from->down;
	}
	assert_int_equal(sched_attach(svc, old), 0);
	__atomic_store_n(&l->node, svc, __ATOMIC_RELEASE);
	sched_published(svc);
	if (l->retains_old && old != NULL)
		l->old[l->n_old++] = old;
	else
		service_put(old);
}

static inline struct lab *lab_create_of(uint8_t family, const char *sched, uint32_t flags)
{
	struct lab *l = calloc(1, sizeof(*l));

	assert_int_equal(runtime_init(&l->rt), 0);
	assert_int_equal(runtime_set_workers(&l->rt, LAB_WORKERS), 0);
	l->svc_rt = runtime_service_get(&l->rt, "tcp:10.1.0.100:80");
	l->sched = sched_find(sched);
	assert_non_null(l->sched);
	l->flags = flags;
	l->family = family;
	l->n_workers = 1;
	for (uint16_t i = 0; i < LAB_WORKERS; i++)
		l->workers[i] =
			(struct sched_worker){.id = i,
					      .place_of = calloc(MAX_SERVERS + 1, sizeof(uint16_t)),
					      .row = runtime_row(&l->rt, i)};
	lab_publish(l);
	return l;
}

static inline struct lab *lab_create(const char *sched, uint32_t flags)
{
	return lab_create_of(ADDR_V4, sched, flags);
}

static inline void lab_destroy(struct lab *l)
{
	for (uint32_t i = 0; i < l->n_old; i++)
		service_put(l->old[i]);
	service_put(l->node);
	runtime_fini(&l->rt);
	for (uint16_t i = 0; i < LAB_WORKERS; i++)
		free(l->workers[i].place_of);
	free(l);
}

static inline struct endpoint lab_endpoint(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), 0);
	return e;
}

/* 10.10.0.i:80 */
static inline struct endpoint lab_nth(uint32_t i)
{
	return (struct endpoint){.addr = addr_from_v4(be32_from(0x0a0a0000 + i)),
				 .port = be16_from(80)};
}

static inline struct lab_server *lab_find(struct lab *l, const struct endpoint *ep)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (endpoint_equal(&l->servers[i].ep, ep))
			return &l->servers[i];
	}
	return NULL;
}

/* At the head, as ipvsadm -a. */
static inline void lab_put(struct lab *l, struct endpoint ep, uint32_t weight)
{
	memmove(&l->servers[1], &l->servers[0], l->n * sizeof(l->servers[0]));
	l->servers[0] = (struct lab_server){
		.ep = ep, .weight = weight, .last_weight = weight, .configured = weight};
	l->n++;
}

static inline void lab_add(struct lab *l, struct endpoint ep, uint32_t weight)
{
	lab_put(l, ep, weight);
	lab_publish(l);
}

static inline void lab_edit(struct lab *l, struct endpoint ep, uint32_t weight)
{
	struct lab_server *s = lab_find(l, &ep);

	assert_non_null(s);
	s->weight = s->configured = weight;
	if (weight != 0)
		s->last_weight = weight;
	lab_publish(l);
}

/* A weight as health changes it: no edit. */
static inline void lab_weigh(struct lab *l, struct endpoint ep, uint32_t weight)
{
	struct lab_server *s = lab_find(l, &ep);

	assert_non_null(s);
	s->weight = weight;
	if (weight != 0)
		s->last_weight = weight;
	lab_publish(l);
}

static inline void lab_del(struct lab *l, struct endpoint ep)
{
	struct lab_server *s = lab_find(l, &ep);
	struct server_rt *rt = runtime_server_find(&l->rt, l->svc_rt, &ep);

	assert_non_null(s);
	l->n--;
	memmove(s, s + 1, (size_t)(&l->servers[l->n] - s) * sizeof(*s));
	lab_publish(l);
	runtime_server_remove(&l->rt, rt, &lab_grace);
}

/* The place in the list, or SCHED_NONE, as worker 0 chooses. */
static inline int lab_choose(struct lab *l, const struct sched_request *from)
{
	struct sched_request req = {0};

	if (from != NULL)
		req = *from;
	req.worker = &l->workers[0];
	return l->sched->choose(l->node, &req);
}

/* A connection of worker 0 ends, or changes class. */
static inline void lab_unbind(struct lab *l, struct server_rt *rt, bool active)
{
	counts_unbind(rt, active);
	sched_update(l->node, &l->workers[0], rt->id);
}

static inline void lab_change(struct lab *l, struct server_rt *rt, bool to_active)
{
	counts_change(rt, to_active);
	if (!to_active)
		sched_update(l->node, &l->workers[0], rt->id);
}

/* The letters of the next n choices: A is the server that was added first. */
static inline const char *sequence(struct lab *l, int n, char *buf)
{
	int i;

	for (i = 0; i < n; i++) {
		int at = lab_choose(l, NULL);

		buf[i] = '-';
		if (at != SCHED_NONE)
			buf[i] = (char)('A' + be32_to(l->node->servers[at].addr.v4) - 0x0a0a0001);
	}
	buf[i] = '\0';
	return buf;
}

/* A, B, C ... with these weights, in a list A B C ... (added from the last to A). */
static inline struct lab *lab_with(const char *sched, uint32_t flags, const uint32_t *weights,
				   uint32_t n)
{
	struct lab *l = lab_create(sched, flags);

	for (uint32_t i = n; i-- > 0;)
		lab_put(l, lab_nth(i + 1), weights[i]);
	lab_publish(l);
	return l;
}

static inline struct server_rt *rt_of(struct lab *l, uint32_t nth)
{
	struct endpoint ep = lab_nth(nth);

	return runtime_server_find(&l->rt, l->svc_rt, &ep);
}

static inline void overload(struct server_rt *rt, bool on)
{
	__atomic_store_n(&rt->flags, on ? SERVER_RT_OVERLOAD : 0, __ATOMIC_RELAXED);
}

#endif
