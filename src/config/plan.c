/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_diff.h"

/* What lies between two configurations, in the words of the configuration. */

const char *const config_action_names[] = {"add", "edit", "delete", "move"};

/* ---- items ---- */

static int item_add(struct config_plan *plan, const struct config_plan_item *item)
{
	struct config_plan_item *v;

	/* Room doubles: a plan may be all of ten thousand services. */
	if ((plan->n & (plan->n - 1)) == 0) {
		v = realloc(plan->v, (plan->n ? 2 * (size_t)plan->n : 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		plan->v = v;
	}
	if (!item->object || !item->detail)
		return -ENOMEM;
	plan->v[plan->n++] = *item;
	return 0;
}

int config_plan_add(struct config_plan *plan, struct config_plan_item item, char *detail,
		    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&item.object, fmt, args) < 0)
		item.object = NULL;
	va_end(args);
	item.detail = detail ? detail : strdup("");
	if (item_add(plan, &item) == 0)
		return 0;
	free(item.object);
	free(item.detail);
	return -ENOMEM;
}

/* ---- servers ---- */

struct server_place {
	const struct config_server *server;
	uint32_t index;
};

static int server_place_cmp(const void *a, const void *b)
{
	const struct server_place *x = a, *y = b;

	return memcmp(&x->server->ep, &y->server->ep, sizeof(x->server->ep));
}

static struct server_place *servers_sort(const struct config_service *svc)
{
	struct server_place *v = calloc(svc->n_servers + 1U, sizeof(*v));

	for (uint32_t i = 0; v && i < svc->n_servers; i++)
		v[i] = (struct server_place){.server = &svc->servers[i], .index = i};
	if (v)
		qsort(v, svc->n_servers, sizeof(*v), server_place_cmp);
	return v;
}

static const struct server_place *server_place_find(const struct server_place *v, uint32_t n,
						    const struct config_server *server)
{
	struct server_place key = {.server = server};

	return bsearch(&key, v, n, sizeof(*v), server_place_cmp);
}

/* Two configurations and the service in both. */
struct pair {
	struct config_plan *plan;
	const struct config *before, *after;
	const struct config_service *a, *b;
	char key[CONFIG_KEY_STRLEN];
};

static int server_item(const struct pair *p, enum config_action action,
		       const struct config_server *a, const struct config_server *b, char *detail)
{
	char text[ENDPOINT_STRLEN];
	struct config_plan_item item = {.action = action,
					.before = p->a,
					.after = p->b,
					.server_before = a,
					.server_after = b};

	return config_plan_add(p->plan, item, detail, "server %s of %s",
			       endpoint_format(a ? &a->ep : &b->ep, text, sizeof(text)), p->key);
}

static int server_edit_plan(const struct pair *p, const struct config_server *a,
			    const struct config_server *b)
{
	char *detail = NULL;

	if (json_diff_detail(config_server_render(p->before, p->a, a, STYLE_FULL),
			     config_server_render(p->after, p->b, b, STYLE_FULL), &detail) < 0)
		return -ENOMEM;
	return detail ? server_item(p, CONFIG_EDIT, a, b, detail) : 0;
}

static int servers_match(const struct pair *p, const struct server_place *old,
			 const struct server_place *new, struct moves *m)
{
	int ret = 0;

	for (uint32_t i = 0; i < p->a->n_servers && ret == 0; i++)
		if (!server_place_find(new, p->b->n_servers, &p->a->servers[i]))
			ret = server_item(p, CONFIG_DELETE, &p->a->servers[i], NULL, NULL);
	for (uint32_t i = 0; i < p->b->n_servers; i++) {
		const struct server_place *was =
			server_place_find(old, p->a->n_servers, &p->b->servers[i]);

		if (was)
			m->old_pos[m->n++] = was->index;
	}
	moves_find(m);
	for (uint32_t i = 0, k = 0; i < p->b->n_servers && ret == 0; i++) {
		const struct config_server *s = &p->b->servers[i];
		const struct server_place *was = server_place_find(old, p->a->n_servers, s);

		if (!was) {
			ret = server_item(p, CONFIG_ADD, NULL, s, NULL);
			continue;
		}
		ret = server_edit_plan(p, was->server, s);
		if (ret == 0 && m->moved[k++])
			ret = server_item(p, CONFIG_MOVE, was->server, s, NULL);
	}
	return ret;
}

static int servers_plan(const struct pair *p)
{
	struct server_place *old = servers_sort(p->a), *new = servers_sort(p->b);
	struct moves m;
	int ret = moves_init(&m, p->b->n_servers);

	if (!old || !new)
		ret = -ENOMEM;
	if (ret == 0)
		ret = servers_match(p, old, new, &m);
	moves_fini(&m);
	free(old);
	free(new);
	return ret;
}

/* ---- services ---- */

static int service_item(const struct pair *p, enum config_action action, char *detail)
{
	struct config_plan_item item = {.action = action, .before = p->a, .after = p->b};

	return config_plan_add(p->plan, item, detail, "service %s", p->key);
}

static int service_edit_plan(const struct pair *p)
{
	char *detail = NULL;

	if (config_service_equal(p->a, p->b))
		return 0;
	if (json_diff_detail(config_service_render(p->before, p->a, STYLE_FULL, false),
			     config_service_render(p->after, p->b, STYLE_FULL, false), &detail) < 0)
		return -ENOMEM;
	if (detail && service_item(p, CONFIG_EDIT, detail) < 0)
		return -ENOMEM;
	return servers_plan(p);
}

static int service_whole(struct pair *p, enum config_action action)
{
	const struct config_service *svc = p->b ? p->b : p->a;
	char *detail;

	if (asprintf(&detail, "%s%s%u servers", svc->name ? svc->name : "", svc->name ? ", " : "",
		     svc->n_servers) < 0)
		return -ENOMEM;
	config_service_key(svc, p->key, sizeof(p->key));
	return service_item(p, action, detail);
}

static int services_match(struct pair *p, struct moves *m)
{
	const struct config_shared *shared = &p->after->shared;
	int ret = 0;

	for (uint32_t i = 0; i < shared->n_services; i++) {
		const struct config_service *was =
			config_service_twin(p->before, shared->services[i]);

		if (was)
			m->old_pos[m->n++] = was->position;
	}
	moves_find(m);
	for (uint32_t i = 0, k = 0; i < shared->n_services && ret == 0; i++) {
		p->b = shared->services[i];
		p->a = config_service_twin(p->before, p->b);
		if (!p->a) {
			ret = service_whole(p, CONFIG_ADD);
			continue;
		}
		config_service_key(p->b, p->key, sizeof(p->key));
		ret = service_edit_plan(p);
		if (ret == 0 && m->moved[k++])
			ret = service_item(p, CONFIG_MOVE, NULL);
	}
	return ret;
}

static int services_plan(struct config_plan *plan, const struct config *before,
			 const struct config *after)
{
	struct pair p = {.plan = plan, .before = before, .after = after};
	struct moves m;
	int ret = moves_init(&m, after->shared.n_services);

	for (uint32_t i = 0; before && i < before->shared.n_services && ret == 0; i++) {
		p.a = before->shared.services[i];
		p.b = NULL;
		if (!config_service_twin(after, p.a))
			ret = service_whole(&p, CONFIG_DELETE);
	}
	if (ret == 0)
		ret = services_match(&p, &m);
	moves_fini(&m);
	return ret;
}

/* ---- addresses, defaults ---- */

static int address_cmp(const void *a, const void *b)
{
	const struct config_address *const *x = a, *const *y = b;

	return addr_cmp(&(*x)->address.addr, &(*y)->address.addr);
}

static const struct config_address **addresses_sort(const struct config *config)
{
	uint32_t n = config ? config->shared.n_addresses : 0;
	const struct config_address **v = calloc(n + 1U, sizeof(const struct config_address *));

	for (uint32_t i = 0; v && i < n; i++)
		v[i] = &config->shared.addresses[i];
	if (v)
		qsort(v, n, sizeof(*v), address_cmp);
	return v;
}

static int address_item(struct config_plan *plan, enum config_action action,
			const struct config_address *a, char *detail)
{
	char text[PREFIX_STRLEN];

	return config_plan_add(plan, (struct config_plan_item){.action = action}, detail,
			       "address %s", config_addr_format(&a->address, text, sizeof(text)));
}

static int addresses_plan(struct config_plan *plan, const struct config *before,
			  const struct config *after)
{
	const struct config_address **old = addresses_sort(before), **new = addresses_sort(after);
	uint32_t n_old = before ? before->shared.n_addresses : 0, n_new = after->shared.n_addresses;
	uint32_t i = 0, k = 0;
	int ret = old && new ? 0 : -ENOMEM;

	while (ret == 0 && (i < n_old || k < n_new)) {
		int order = i == n_old ? 1 : k == n_new ? -1 : address_cmp(&old[i], &new[k]);
		char *detail = NULL;

		if (order < 0) {
			ret = address_item(plan, CONFIG_DELETE, old[i++], NULL);
		} else if (order > 0) {
			ret = address_item(plan, CONFIG_ADD, new[k++], NULL);
		} else {
			ret = json_diff_detail(config_address_to_json(old[i++]),
					       config_address_to_json(new[k]), &detail);
			if (ret == 0 && detail)
				ret = address_item(plan, CONFIG_EDIT, new[k], detail);
			k++;
		}
	}
	free(old);
	free(new);
	return ret;
}

static int defaults_plan(struct config_plan *plan, const struct config *before,
			 const struct config *after)
{
	const struct config_policy *model = &after->shared.defaults;
	char *detail = NULL;

	if (!before || config_object_equal(&config_object_policy, &before->shared.defaults, model))
		return 0;
	if (json_diff_detail(config_object_to_json(&config_object_policy, &before->shared.defaults,
						   model, STYLE_FULL),
			     config_object_to_json(&config_object_policy, model, model, STYLE_FULL),
			     &detail) < 0)
		return -ENOMEM;
	return detail ? config_plan_add(plan, (struct config_plan_item){.action = CONFIG_EDIT},
					detail, "defaults")
		      : 0;
}

static int ha_plan(struct config_plan *plan, const struct config *before,
		   const struct config *after)
{
	const struct config_object *o = &config_object_ha_shared;
	struct config_ha_shared model;
	char *detail = NULL;

	if (!before)
		return 0;
	memset(&model, 0, sizeof(model));
	config_object_init(o, after->schedulers, &model);
	if (json_diff_detail(config_object_to_json(o, &before->shared.ha, &model, STYLE_FULL),
			     config_object_to_json(o, &after->shared.ha, &model, STYLE_FULL),
			     &detail) < 0)
		return -ENOMEM;
	return detail ? config_plan_add(plan, (struct config_plan_item){.action = CONFIG_EDIT},
					detail, "ha")
		      : 0;
}

/* ---- node ---- */

struct node_diff {
	struct config_plan *plan;
	bool failed;
};

/* Follows the path's keys; indexes do not matter to what a key is. */
static bool path_is_live(const char *path)
{
	const struct config_object *o = &config_object_node;
	const struct config_field *f = NULL;
	const char *p = path + strlen("node.");

	while (o && *p) {
		size_t n = strcspn(p, ".[");

		f = NULL;
		for (uint16_t i = 0; i < o->n; i++)
			if (strlen(o->fields[i].name) == n && memcmp(o->fields[i].name, p, n) == 0)
				f = &o->fields[i];
		o = f ? f->object : NULL;
		p += n;
		p += strcspn(p, ".");
		p += *p == '.';
	}
	return f && f->flags & FIELD_LIVE;
}

static void node_found(void *arg, const char *path, const json_t *a, const json_t *b)
{
	struct node_diff *d = arg;
	bool live = path_is_live(path);
	char ***list = live ? &d->plan->live : &d->plan->restart, **v;
	uint32_t *n = live ? &d->plan->n_live : &d->plan->n_restart;
	char *line = json_diff_line(path, a, b);

	v = line ? realloc(*list, (*n + 1) * sizeof(char *)) : NULL;
	if (!v) {
		free(line);
		d->failed = true;
		return;
	}
	*list = v;
	v[(*n)++] = line;
}

static int node_plan(struct config_plan *plan, const struct config *before,
		     const struct config *after)
{
	struct node_diff d = {.plan = plan};
	json_t *a, *b;

	if (!before)
		return 0;
	a = config_node_render(before, STYLE_FULL);
	b = config_node_render(after, STYLE_FULL);
	if (!a || !b || json_diff("node", a, b, node_found, &d) < 0)
		d.failed = true;
	json_decref(a);
	json_decref(b);
	return d.failed ? -ENOMEM : 0;
}

int config_plan(const struct config *before, const struct config *after, struct config_plan **out)
{
	struct config_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	if (defaults_plan(plan, before, after) < 0 || ha_plan(plan, before, after) < 0 ||
	    config_checks_plan(plan, before, after) < 0 ||
	    addresses_plan(plan, before, after) < 0 || config_plan_marks(plan, before, after) < 0 ||
	    services_plan(plan, before, after) < 0 || node_plan(plan, before, after) < 0) {
		config_plan_destroy(plan);
		return -ENOMEM;
	}
	*out = plan;
	return 0;
}

static void texts_free(char **v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void config_plan_destroy(struct config_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t i = 0; i < plan->n; i++) {
		free(plan->v[i].object);
		free(plan->v[i].detail);
	}
	free(plan->v);
	texts_free(plan->restart, plan->n_restart);
	texts_free(plan->live, plan->n_live);
	free(plan);
}
