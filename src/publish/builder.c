/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish/builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "dataplane/stages/classify.h"
#include "sched/sched.h"

static int no_memory(char error[ERROR_TEXT])
{
	return error_text(error, -ENOMEM, "out of memory");
}

/* --- one service --- */

/* The place i of the old list first: an edit mostly leaves servers where they are. */
static const struct server *old_server(const struct service *old, uint32_t i,
				       const struct server_rt *rt)
{
	if (old && i < old->n_servers && old->servers[i].rt == rt)
		return &old->servers[i];
	return service_server(old, rt);
}

static int fill_server(struct publisher *p, struct service *node, const struct service *old,
		       uint32_t i, const struct config_server *from)
{
	struct runtime *rt = &p->pub->runtime;
	struct server *s = &node->servers[i];
	const uint32_t n_before = rt->n_servers;
	const struct server *was = old && i < old->n_servers ? &old->servers[i] : NULL;

	/* An edit mostly leaves servers where they are: they need not be looked for. */
	if (was && endpoint_equal(&was->rt->ep, &from->ep) && !server_rt_removed(was->rt))
		s->rt = was->rt;
	else
		s->rt = runtime_server_get(rt, node->rt, &from->ep);
	if (!s->rt)
		return -errno;
	/* Others get theirs at publication: until then connections of the old one live. */
	if (rt->n_servers != n_before)
		s->rt->method = from->forward;
	was = old_server(old, i, s->rt);
	s->addr = from->ep.addr;
	s->port = from->ep.port;
	s->method = from->forward;
	s->encap = from->encap;
	s->configured = from->weight;
	/* Like down, what health made of it stays until health or an edit says otherwise. */
	s->weight = was && was->configured == from->weight ? was->weight : from->weight;
	s->last_weight = s->weight ? s->weight : was ? was->last_weight : 0;
	s->upper = from->upper;
	s->lower = from->lower;
	/* With checks it has to be well before it is chosen. */
	s->down = was ? was->down : from->check.n > 0;
	s->as_removed = was ? was->as_removed : 0;
	return 0;
}

static int fill_node(struct publisher *p, struct service *node, const struct config_service *from)
{
	const struct config_policy *policy = &from->policy;
	const struct service *old = publisher_service(p, node->rt->id);
	const struct service *live =
		node->rt->id <= p->live->max_service_id ? p->live->services[node->rt->id] : NULL;

	node->proto = from->proto;
	node->fwmark = from->mark;
	node->family = config_service_family(from);
	node->policy = policy->service;
	node->unclaimed = !from->claim;
	node->n_workers = p->pub->n_workers;
	if (from->n_listen)
		memcpy(node->listen, from->listen, from->n_listen * sizeof(*node->listen));
	node->name = from->name ? strdup(from->name) : NULL;
	node->sched = sched_find(policy->scheduler);
	if (!node->sched)
		return -EINVAL;
	if (from->name && !node->name)
		return -ENOMEM;
	/* The file's order is the order of adding; each goes to the head of the list. */
	for (uint32_t i = 0; i < from->n_servers; i++) {
		int ret = fill_server(p, node, old, i, &from->servers[from->n_servers - 1 - i]);

		if (ret < 0)
			return ret;
	}
	return sched_attach(node, live);
}

static int build_error(int ret, const struct config_service *svc, char error[ERROR_TEXT])
{
	char key[CONFIG_KEY_STRLEN];

	config_service_key(svc, key, sizeof(key));
	if (ret == -ENOSPC)
		return error_text(error, ret,
				  "service %s: limit reached: %d real servers, removed ones that "
				  "still have connections included",
				  key, MAX_SERVERS);
	if (ret == -E2BIG)
		return error_text(error, ret, "service %s: too many real servers for scheduler %s",
				  key, svc->policy.scheduler);
	if (ret == -EINVAL)
		return error_text(error, ret, "service %s: no scheduler %s", key,
				  svc->policy.scheduler);
	return error_text(error, ret, "service %s: %s", key, strerror(-ret));
}

/* how: CHANGE_* of the service. */
static int build_service(struct publisher *p, const struct config_service *from, uint8_t how,
			 char error[ERROR_TEXT])
{
	char key[CONFIG_KEY_STRLEN];
	struct service *node;
	uint32_t id;
	int ret;

	node = service_create(from->n_servers, from->n_listen);
	if (!node)
		return build_error(-ENOMEM, from, error);
	node->rt =
		runtime_service_get(&p->pub->runtime, config_service_key(from, key, sizeof(key)));
	if (!node->rt) {
		ret = -errno;
		service_put(node);
		if (ret != -ENOSPC)
			return build_error(ret, from, error);
		return error_text(
			error, ret,
			"service %s: limit reached: %d services, removed ones whose servers still "
			"have connections included",
			key, MAX_SERVICES);
	}
	id = node->rt->id;
	ret = fill_node(p, node, from);
	if (ret < 0) {
		publisher_unused(p, node);
		return build_error(ret, from, error);
	}
	ret = publisher_set_service(p, id, node, how);
	return ret < 0 ? build_error(ret, from, error) : 0;
}

/* A copy that holds nothing of the scheduler's; NULL: no memory. */
static struct service *node_copy(const struct service *from)
{
	struct service *node = service_create(from->n_servers, from->n_listen);
	struct endpoint *listen = node ? node->listen : NULL;

	if (!node)
		return NULL;
	memcpy(node, from, sizeof(*node) + from->n_servers * sizeof(*from->servers));
	node->refs = 1;
	node->listen = listen;
	if (from->n_listen)
		memcpy(listen, from->listen, from->n_listen * sizeof(*listen));
	node->sched_data = NULL;
	node->sched_release = NULL;
	node->name = from->name ? strdup(from->name) : NULL;
	if (!from->name || node->name)
		return node;
	service_put(node);
	return NULL;
}

static bool has_effect(const struct server *s, const struct health_effect *e)
{
	return !s->down == !e->down && !s->as_removed == !e->as_removed && s->weight == e->weight;
}

int builder_effects(struct publisher *p, uint32_t id, builder_effect *effect, void *arg)
{
	const struct service *old = publisher_service(p, id);
	const struct service *live = id <= p->live->max_service_id ? p->live->services[id] : NULL;
	struct service *node = NULL;

	for (uint32_t i = 0; old && i < old->n_servers; i++) {
		struct health_effect e =
			effect(arg, &old->servers[i].rt->ep, old->servers[i].configured);
		struct server *s;

		if (has_effect(&old->servers[i], &e))
			continue;
		if (!node && !(node = node_copy(old)))
			return -ENOMEM;
		s = &node->servers[i];
		s->down = e.down;
		s->as_removed = e.as_removed;
		s->weight = e.weight;
		if (e.weight)
			s->last_weight = e.weight;
	}
	if (!node)
		return 0;
	if (sched_attach(node, live) < 0) {
		service_put(node);
		return -ENOMEM;
	}
	return publisher_set_service(p, id, node, 0) < 0 ? -ENOMEM : 1;
}

/* Takes a service out of the draft. */
static int drop_service(struct publisher *p, const struct config_service *svc,
			char error[ERROR_TEXT])
{
	char key[CONFIG_KEY_STRLEN];
	const struct service_rt *rt =
		runtime_service_find(&p->pub->runtime, config_service_key(svc, key, sizeof(key)));

	if (!rt || !publisher_service(p, rt->id))
		return 0;
	return publisher_set_service(p, rt->id, NULL, CHANGE_VALUE) < 0 ? no_memory(error) : 0;
}

/* --- changes --- */

static int service_changed(struct publisher *p, const struct config_change *ch,
			   char error[ERROR_TEXT])
{
	const struct config_service *before = ch->before.service, *after = ch->after.service;
	int ret = after ? build_service(p, after, ch->how, error) : 0;

	if (ret == 0 && before && !(after && config_service_same_key(before, after)))
		ret = drop_service(p, before, error);
	return ret;
}

static int touched(int ret, char error[ERROR_TEXT])
{
	return ret < 0 ? no_memory(error) : ret;
}

int builder_change(struct publisher *p, const struct config_change *ch, char error[ERROR_TEXT])
{
	if (!(ch->how & CHANGE_VALUE))
		return 0;
	switch (ch->kind) {
	case OBJECT_SERVICE:
		return service_changed(p, ch, error);
	case OBJECT_ADDRESS:
	case OBJECT_HA:	  /* its mode: vip_kinds() */
	case OBJECT_NODE: /* its pool */
		return touched(publisher_touch_addrs(p), error);
	case OBJECT_SHARED: /* builder_cover() */
		return touched(publisher_touch_marks(p), error);
	default:
		return 0;
	}
}

/* --- mark rules --- */

/* The rules compiled, if they are not what were has: *made tells. Zero rules are NULL. */
static int marks_make(const struct mark_rule *rules, uint32_t n, const struct mark_table *were,
		      struct mark_table **out, bool *made, char error[ERROR_TEXT])
{
	*made = !classify_same(were, rules, n);
	if (!*made)
		return 0;
	*out = n ? classify_create(rules, n, were, error) : NULL;
	return n && !*out ? -ENOMEM : 0;
}

/* The configuration's rules in one piece; NULL: no memory. */
static struct mark_rule *rules_of(const struct config *config, const struct config_change *ch,
				  uint32_t *n)
{
	const struct config_shared *shared = &config->shared;
	struct mark_rule *rules = calloc(shared->n_marks + 1U, sizeof(*rules));

	*n = 0;
	for (uint32_t i = 0; rules && i <= shared->n_marks; i++) {
		if (ch && ch->to == i)
			rules[(*n)++] = ch->after.mark->rule;
		if (i < shared->n_marks && !(ch && ch->from == i))
			rules[(*n)++] = shared->marks[i].rule;
	}
	return rules;
}

void builder_marks_start(struct builder_marks *m, struct mark_table *were)
{
	m->were = were;
	if (were)
		were->refs++;
}

int builder_marks_compile(struct builder_marks *m, const struct config *config,
			  const struct config_change *ch, char error[ERROR_TEXT])
{
	uint32_t n;
	struct mark_rule *rules = rules_of(config, ch, &n);
	int ret;

	if (!rules)
		return no_memory(error);
	ret = marks_make(rules, n, m->were, &m->made, &m->is_made, error);
	free(rules);
	return ret;
}

int builder_marks_put(struct builder_marks *m, struct publisher *p, char error[ERROR_TEXT])
{
	if (publisher_touch_marks(p) < 0)
		return no_memory(error);
	if (m->is_made)
		snapshot_set_marks(p->draft, m->made);
	m->made = NULL;
	m->is_made = false;
	return 0;
}

void builder_marks_fini(struct builder_marks *m)
{
	mark_table_put(m->made);
	mark_table_put(m->were);
	memset(m, 0, sizeof(*m));
}

/* --- a whole plan --- */

void builder_run_start(struct builder_run *run, struct publisher *p, const struct config_plan *plan)
{
	run->publisher = p;
	run->plan = plan;
	run->n_done = 0;
}

/* Changes that belong to no single object. */
static int step_last(struct builder_run *run, char error[ERROR_TEXT])
{
	if (!(config_plan_kinds(run->plan, CHANGE_VALUE | CHANGE_PLACE) & 1U << OBJECT_MARK))
		return 0;
	return builder_marks_put(&run->marks, run->publisher, error);
}

int builder_run_step(struct builder_run *run, uint64_t end_us, char error[ERROR_TEXT])
{
	int ret = 0;

	do {
		if (run->n_done < run->plan->n)
			ret = builder_change(run->publisher, &run->plan->v[run->n_done++], error);
		else
			ret = step_last(run, error) < 0 ? -ENOMEM : 1;
	} while (ret == 0 && clock_us() < end_us);
	if (ret < 0)
		publisher_discard(run->publisher);
	return ret < 0 ? ret : !ret;
}

void builder_run_fini(struct builder_run *run)
{
	builder_marks_fini(&run->marks);
}

int builder_config(struct publisher *p, const struct config *config, char error[ERROR_TEXT])
{
	struct builder_run run = {0};
	struct config_plan *plan = NULL;
	int ret;

	if (config_plan(NULL, config, &plan) < 0)
		return no_memory(error);
	ret = builder_marks_compile(&run.marks, config, NULL, error);
	builder_run_start(&run, p, plan);
	while (ret >= 0 && (ret = builder_run_step(&run, UINT64_MAX, error)) > 0)
		;
	builder_run_fini(&run);
	config_plan_destroy(plan);
	return ret;
}

/* --- tables --- */

int builder_addrs(const struct config *config, const struct publisher *p, struct snapshot *draft)
{
	int ret = builder_addrs4(config, p, draft);

	return ret < 0 ? ret : builder_addrs6(config, p, draft);
}

int builder_listeners(struct snapshot *draft)
{
	int ret = builder_listeners4(draft);

	return ret < 0 ? ret : builder_listeners6(draft);
}

int builder_cover(const struct config *config, struct snapshot *draft)
{
	int ret = builder_cover4(draft);

	draft->ipvs = config && config->shared.compat == CONFIG_COMPAT_IPVS;
	return ret < 0 ? ret : builder_cover6(draft);
}
