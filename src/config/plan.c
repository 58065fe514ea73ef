/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_diff.h"

/*
 * The list of changes between two configurations. Objects of both are paired by identity: a
 * service by its key, an address by itself, a check by its name. Whether a pair differs is
 * config_object_equal()'s to say, which walks the schema.
 */

/* ---- addresses ---- */

static int address_cmp(const void *a, const void *b)
{
	const struct config_address *const *x = a, *const *y = b;

	return addr_cmp(&(*x)->address.addr, &(*y)->address.addr);
}

static const struct config_address **addresses_sort(const struct config *config, uint32_t *n)
{
	const struct config_address **v;

	*n = config ? config->shared.n_addresses : 0;
	v = calloc(*n + 1U, sizeof(const struct config_address *));
	for (uint32_t i = 0; v && i < *n; i++)
		v[i] = &config->shared.addresses[i];
	if (v)
		qsort(v, *n, sizeof(*v), address_cmp);
	return v;
}

static int addresses_plan(struct config_plan *plan)
{
	uint32_t n_old, n_new, i = 0, k = 0;
	const struct config_address **old = addresses_sort(plan->before, &n_old);
	const struct config_address **new = addresses_sort(plan->after, &n_new);
	int ret = old && new ? 0 : -ENOMEM;

	while (ret == 0 && (i < n_old || k < n_new)) {
		int order = i == n_old ? 1 : k == n_new ? -1 : address_cmp(&old[i], &new[k]);

		ret = config_plan_object(plan, &config_object_address, OBJECT_ADDRESS,
					 order <= 0 ? old[i] : NULL, order >= 0 ? new[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	free(old);
	free(new);
	return ret;
}

/* ---- services ---- */

/* The plan has a change of this check. */
static bool check_differs(const struct config_plan *plan, const char *name)
{
	for (uint32_t i = 0; i < plan->n; i++) {
		const struct config_change *ch = &plan->v[i];

		if (ch->kind == OBJECT_CHECK &&
		    strcmp((ch->after.check ? ch->after.check : ch->before.check)->name, name) == 0)
			return true;
	}
	return false;
}

static bool names_differ(const struct config_plan *plan, const struct config_checks *c)
{
	for (uint8_t i = 0; i < c->n; i++)
		if (check_differs(plan, c->names[i]))
			return true;
	return false;
}

/* Servers have what they inherit filled in. */
static bool checks_differ(const struct config_plan *plan, const struct config_service *svc)
{
	const struct config_checks *last = NULL;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_checks *c = &svc->servers[i].check;

		if (last && memcmp(last, c, sizeof(*c)) == 0)
			continue; /* neighbours name the same checks: looked up once */
		if (names_differ(plan, c))
			return true;
		last = c;
	}
	return false;
}

static int service_plan(struct config_plan *plan, const struct config_service *was,
			const struct config_service *svc, bool moved, bool checks)
{
	struct config_change ch = {.kind = OBJECT_SERVICE,
				   .before.service = was,
				   .after.service = svc,
				   .from = was ? was->position : CONFIG_NOWHERE,
				   .to = svc->position};

	ch.how = (was ? config_object_changes(&config_object_service, was, svc) : CHANGE_VALUE) |
		 (moved ? CHANGE_PLACE : 0) |
		 (was && checks && checks_differ(plan, svc) ? CHANGE_CHECK : 0);
	return ch.how ? config_plan_add(plan, &ch) : 0;
}

static int services_match(struct config_plan *plan, struct moves *m)
{
	const struct config_shared *shared = &plan->after->shared;
	const bool checks = config_plan_kinds(plan, CHANGE_VALUE) & 1U << OBJECT_CHECK;
	const struct config_service **twins = calloc(shared->n_services + 1UL, sizeof(*twins));
	int ret = twins ? 0 : -ENOMEM;

	for (uint32_t i = 0; twins && i < shared->n_services; i++) {
		twins[i] = config_service_twin(plan->before, shared->services[i]);
		if (twins[i])
			m->old_pos[m->n++] = twins[i]->position;
	}
	if (twins)
		moves_find(m);
	for (uint32_t i = 0, k = 0; i < shared->n_services && ret == 0; i++)
		ret = service_plan(plan, twins[i], shared->services[i], twins[i] && m->moved[k++],
				   checks);
	free(twins);
	return ret;
}

static int services_plan(struct config_plan *plan)
{
	uint32_t n = plan->before ? plan->before->shared.n_services : 0;
	struct moves m;
	int ret = moves_init(&m, plan->after->shared.n_services);

	for (uint32_t i = 0; i < n && ret == 0; i++) {
		const struct config_service *svc = plan->before->shared.services[i];
		const struct config_change ch = {.kind = OBJECT_SERVICE,
						 .how = CHANGE_VALUE,
						 .before.service = svc,
						 .from = i,
						 .to = CONFIG_NOWHERE};

		if (!config_service_twin(plan->after, svc))
			ret = config_plan_add(plan, &ch);
	}
	if (ret == 0)
		ret = services_match(plan, &m);
	moves_fini(&m);
	return ret;
}

/* ---- all ---- */

/* The keys of `shared` that are no objects; a configuration to start with is held against
 * their defaults. */
static int shared_plan(struct config_plan *plan)
{
	const struct config_object *o = &config_object_shared;
	const struct config *b = plan->after;
	const struct config_change ch = {.kind = OBJECT_SHARED,
					 .how = CHANGE_VALUE,
					 .before.shared =
						 plan->before ? &plan->before->shared : NULL,
					 .after.shared = &b->shared,
					 .from = CONFIG_NOWHERE,
					 .to = CONFIG_NOWHERE};
	struct config_shared *model = calloc(1, sizeof(*model));
	const struct config_shared *was = plan->before ? &plan->before->shared : model;
	bool same = true;

	if (!model)
		return -ENOMEM;
	config_object_init(o, b->schedulers, model);
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (!config_field_is_object(f))
			same = same && config_field_equal(f, was, &b->shared);
	}
	free(model);
	return same ? 0 : config_plan_add(plan, &ch);
}

/* Objects that a configuration has once. */
static int singles_plan(struct config_plan *plan)
{
	const struct config *a = plan->before, *b = plan->after;
	int ret;

	ret = shared_plan(plan);
	if (!a || ret < 0)
		return ret;
	ret = config_plan_object(plan, &config_object_policy, OBJECT_DEFAULTS, &a->shared.defaults,
				 &b->shared.defaults);
	if (ret == 0)
		ret = config_plan_object(plan, &config_object_ha_shared, OBJECT_HA, &a->shared.ha,
					 &b->shared.ha);
	if (ret == 0)
		ret = config_plan_object(plan, &config_object_node, OBJECT_NODE, &a->node,
					 &b->node);
	return ret;
}

int config_plan(const struct config *before, const struct config *after, struct config_plan **out)
{
	struct config_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->before = before;
	plan->after = after;
	if (singles_plan(plan) < 0 || config_checks_plan(plan) < 0 || addresses_plan(plan) < 0 ||
	    config_plan_marks(plan) < 0 || services_plan(plan) < 0) {
		config_plan_destroy(plan);
		return -ENOMEM;
	}
	*out = plan;
	return 0;
}

uint32_t config_plan_kinds(const struct config_plan *plan, uint32_t how)
{
	uint32_t kinds = 0;

	for (uint32_t i = 0; i < plan->n; i++)
		if (plan->v[i].how & how)
			kinds |= 1U << plan->v[i].kind;
	return kinds;
}

void config_plan_destroy(struct config_plan *plan)
{
	if (!plan)
		return;
	free(plan->v);
	free(plan);
}
