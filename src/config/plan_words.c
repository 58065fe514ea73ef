/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "config/json_diff.h"
#include "config/words_list.h"

/* A plan in the words of the configuration: a line for each object, with what differs. */

const char *const config_action_names[] = {"add", "edit", "delete", "move"};

/* ---- lines ---- */

static enum config_action action_of(const struct config_change *ch)
{
	return !ch->before.any ? CONFIG_ADD : !ch->after.any ? CONFIG_DELETE : CONFIG_EDIT;
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

/* The service in both configurations. */
struct pair {
	struct config_words *words;
	const struct config_service *a, *b;
	char key[CONFIG_KEY_STRLEN];
	/* The last servers of the service that differ, the fields in which they do (a bit each),
	 * and the words for that. Often all servers of a service change alike. */
	const struct config_server *last_a, *last_b;
	uint64_t last_fields;
	const char *last_detail; /* kept by words */
};

/* "server 10.0.0.1:80 of tcp:10.1.0.100:80". detail: kept by words. */
static int server_line(const struct pair *p, enum config_action action,
		       const struct config_server *a, const struct config_server *b,
		       const char *detail)
{
	static const char head[] = "server ", middle[] = " of ";
	char text[sizeof(head) + ENDPOINT_STRLEN + sizeof(middle) + CONFIG_KEY_STRLEN];
	struct config_line line = {.action = action,
				   .detail = detail,
				   .before = p->a,
				   .after = p->b,
				   .server_before = a,
				   .server_after = b};
	char *end = stpcpy(text, head);

	endpoint_format(a ? &a->ep : &b->ep, end, ENDPOINT_STRLEN);
	end = stpcpy(stpcpy(end + strlen(end), middle), p->key);
	line.object = config_words_keep(p->words, text, (size_t)(end - text));
	return config_words_put(p->words, &line);
}

/* A bit for each field of a server in which a and b differ. */
static uint64_t server_fields_differ(const struct config_server *a, const struct config_server *b)
{
	const struct config_object *o = &config_object_server;
	uint64_t fields = 0;

	for (uint16_t i = 0; i < o->n; i++)
		if (!config_field_equal(&o->fields[i], a, b))
			fields |= UINT64_C(1) << i;
	return fields;
}

/* The same fields differ as in the last servers, and have the same values. */
static bool differs_as_last(const struct pair *p, uint64_t fields, const struct config_server *a,
			    const struct config_server *b)
{
	const struct config_object *o = &config_object_server;

	if (!p->last_detail || p->last_fields != fields)
		return false;
	for (uint16_t i = 0; i < o->n; i++)
		if (fields >> i & 1 && !(config_field_equal(&o->fields[i], a, p->last_a) &&
					 config_field_equal(&o->fields[i], b, p->last_b)))
			return false;
	return true;
}

static int server_edit_words(struct pair *p, const struct config_server *a,
			     const struct config_server *b)
{
	const struct config_object *o = &config_object_server;
	const uint64_t fields = server_fields_differ(a, b);
	char *detail = NULL;

	if (!fields)
		return 0;
	if (!differs_as_last(p, fields, a, b)) {
		if (json_diff_detail(config_object_differing(o, a, b),
				     config_object_differing(o, b, a), &detail) < 0)
			return -ENOMEM;
		p->last_detail =
			detail ? config_words_keep(p->words, detail, strlen(detail)) : NULL;
		p->last_a = a;
		p->last_b = b;
		p->last_fields = fields;
		if (!detail)
			return 0;
		free(detail);
	}
	return server_line(p, CONFIG_EDIT, a, b, p->last_detail);
}

/* Both lists have the same servers in the same places. */
static bool same_places(const struct config_service *a, const struct config_service *b)
{
	if (a->n_servers != b->n_servers)
		return false;
	for (uint32_t i = 0; i < a->n_servers; i++)
		if (!endpoint_equal(&a->servers[i].ep, &b->servers[i].ep))
			return false;
	return true;
}

static int servers_match(struct pair *p, const struct server_place *old,
			 const struct server_place *new, struct moves *m)
{
	int ret = 0;

	for (uint32_t i = 0; i < p->a->n_servers && ret == 0; i++)
		if (!server_place_find(new, p->b->n_servers, &p->a->servers[i]))
			ret = server_line(p, CONFIG_DELETE, &p->a->servers[i], NULL, "");
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
			ret = server_line(p, CONFIG_ADD, NULL, s, "");
			continue;
		}
		ret = server_edit_words(p, was->server, s);
		if (ret == 0 && m->moved[k++])
			ret = server_line(p, CONFIG_MOVE, was->server, s, "");
	}
	return ret;
}

static int servers_words(struct pair *p)
{
	struct server_place *old, *new;
	struct moves m;
	int ret = 0;

	if (same_places(p->a, p->b)) {
		for (uint32_t i = 0; ret == 0 && i < p->b->n_servers; i++)
			ret = server_edit_words(p, &p->a->servers[i], &p->b->servers[i]);
		return ret;
	}
	old = servers_sort(p->a);
	new = servers_sort(p->b);
	ret = moves_init(&m, p->b->n_servers);
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

static int service_line(const struct pair *p, enum config_action action, char *detail)
{
	struct config_line line = {.action = action, .before = p->a, .after = p->b};

	return config_words_add(p->words, line, detail, "service %s", p->key);
}

static int service_edit_words(struct pair *p)
{
	const struct config_object *o = &config_object_service;
	struct config_service a = config_service_seen(p->a), b = config_service_seen(p->b);
	char *detail = NULL;

	a.n_servers = b.n_servers = 0; /* lines of their own */
	if (config_object_equal(o, &a, &b))
		return servers_words(p);
	if (json_diff_detail(config_object_differing(o, &a, &b), config_object_differing(o, &b, &a),
			     &detail) < 0)
		return -ENOMEM;
	if (detail && service_line(p, CONFIG_EDIT, detail) < 0)
		return -ENOMEM;
	return servers_words(p);
}

static int service_whole(struct pair *p, enum config_action action)
{
	const struct config_service *svc = p->b ? p->b : p->a;
	char *detail;

	if (asprintf(&detail, "%s%s%u servers", svc->name ? svc->name : "", svc->name ? ", " : "",
		     svc->n_servers) < 0)
		return -ENOMEM;
	config_service_key(svc, p->key, sizeof(p->key));
	return service_line(p, action, detail);
}

static int service_words(struct config_words *words, const struct config_plan *plan,
			 const struct config_change *ch)
{
	struct pair p = {.words = words, .a = ch->before.service, .b = ch->after.service};
	int ret = 0;

	(void)plan;
	if (!p.a || !p.b)
		return service_whole(&p, action_of(ch));
	config_service_key(p.b, p.key, sizeof(p.key));
	if (ch->how & CHANGE_VALUE)
		ret = service_edit_words(&p);
	if (ret == 0 && ch->how & CHANGE_PLACE)
		ret = service_line(&p, CONFIG_MOVE, NULL);
	return ret;
}

/* ---- checks, addresses, and what there is once ---- */

/* Every key of an object. */
static json_t *object_json(const struct config *config, const struct config_object *o,
			   const void *object)
{
	void *model = calloc(1, o->size);
	json_t *json = NULL;

	if (model) {
		config_object_init(o, config->schedulers, model);
		json = config_object_to_json(o, object, model, STYLE_FULL);
	}
	free(model);
	return json;
}

static int detail_of(const struct config_plan *plan, const struct config_change *ch,
		     const struct config_object *o, char **detail)
{
	json_t *before, *after;

	*detail = NULL;
	if (!ch->before.any || !ch->after.any)
		return 0;
	before = object_json(plan->before, o, ch->before.any);
	after = object_json(plan->after, o, ch->after.any);
	config_hide_change(o, before, after);
	return json_diff_detail(before, after, detail);
}

static int check_words(struct config_words *words, const struct config_plan *plan,
		       const struct config_change *ch)
{
	const struct check_spec *c = ch->after.check ? ch->after.check : ch->before.check;
	const struct config_line line = {.action = action_of(ch)};
	char *detail;

	if (detail_of(plan, ch, &config_object_check, &detail) < 0)
		return -ENOMEM;
	return config_words_add(words, line, detail, "check %s", c->name);
}

static int address_words(struct config_words *words, const struct config_plan *plan,
			 const struct config_change *ch)
{
	const struct config_address *a = ch->after.address ? ch->after.address : ch->before.address;
	const struct config_line line = {.action = action_of(ch)};
	char text[PREFIX_STRLEN], *detail = NULL;

	(void)plan;
	if (line.action == CONFIG_EDIT &&
	    json_diff_detail(config_address_to_json(ch->before.address), config_address_to_json(a),
			     &detail) < 0)
		return -ENOMEM;
	return config_words_add(words, line, detail, "address %s",
				config_addr_format(&a->address, text, sizeof(text)));
}

static int defaults_words(struct config_words *words, const struct config_plan *plan,
			  const struct config_change *ch)
{
	const struct config_line line = {.action = CONFIG_EDIT};
	char *detail;

	if (detail_of(plan, ch, &config_object_policy, &detail) < 0)
		return -ENOMEM;
	return config_words_add(words, line, detail, "defaults");
}

/* New reference, NULL: out of memory. */
static json_t *shared_keys_json(const struct config_shared *shared)
{
	const struct config_object *o = &config_object_shared;
	json_t *json = json_object();

	for (uint16_t i = 0; json && i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (!config_field_is_object(f))
			json_object_set_new(
				json, f->name,
				config_scalar_to_json(f, (const char *)shared + f->offset));
	}
	return json;
}

static int shared_words(struct config_words *words, const struct config_plan *plan,
			const struct config_change *ch)
{
	const struct config_line line = {.action = CONFIG_EDIT};
	char *detail = NULL;

	(void)plan;
	if (ch->before.any && json_diff_detail(shared_keys_json(ch->before.shared),
					       shared_keys_json(ch->after.shared), &detail) < 0)
		return -ENOMEM;
	return config_words_add(words, line, detail, "shared");
}

static int ha_words(struct config_words *words, const struct config_plan *plan,
		    const struct config_change *ch)
{
	const struct config_line line = {.action = CONFIG_EDIT};
	char *detail;

	if (detail_of(plan, ch, &config_object_ha_shared, &detail) < 0)
		return -ENOMEM;
	return config_words_add(words, line, detail, "ha");
}

/* ---- node ---- */

struct node_diff {
	struct config_words *words;
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
	char ***list = live ? &d->words->live : &d->words->restart;
	uint32_t *n = live ? &d->words->n_live : &d->words->n_restart;
	uint32_t *max = live ? &d->words->max_live : &d->words->max_restart;
	char *line = json_diff_line(path, a, b);

	if (!line || array_room(list, *n, max, sizeof(**list)) < 0) {
		free(line);
		d->failed = true;
		return;
	}
	(*list)[(*n)++] = line;
}

static int node_words(struct config_words *words, const struct config *before,
		      const struct config *after)
{
	struct node_diff d = {.words = words};
	json_t *a = config_node_render(before, STYLE_FULL);
	json_t *b = config_node_render(after, STYLE_FULL);

	config_hide_change(&config_object_node, a, b);
	if (!a || !b || json_diff("node", a, b, node_found, &d) < 0)
		d.failed = true;
	json_decref(a);
	json_decref(b);
	return d.failed ? -ENOMEM : 0;
}

static int node_change_words(struct config_words *words, const struct config_plan *plan,
			     const struct config_change *ch)
{
	(void)ch;
	return node_words(words, plan->before, plan->after);
}

/* ---- all ---- */

static int (*const words_of[OBJECT_KINDS])(struct config_words *words,
					   const struct config_plan *plan,
					   const struct config_change *ch) = {
	[OBJECT_SERVICE] = service_words,   [OBJECT_ADDRESS] = address_words,
	[OBJECT_MARK] = config_mark_words,  [OBJECT_CHECK] = check_words,
	[OBJECT_DEFAULTS] = defaults_words, [OBJECT_HA] = ha_words,
	[OBJECT_NODE] = node_change_words,  [OBJECT_SHARED] = shared_words,
};

int config_words(const struct config_plan *plan, struct config_words **out)
{
	struct config_words *words = calloc(1, sizeof(*words));
	int ret = words ? 0 : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < plan->n; i++)
		ret = words_of[plan->v[i].kind](words, plan, &plan->v[i]);
	if (ret < 0)
		config_words_destroy(words);
	else
		*out = words;
	return ret;
}

int config_node_words(const struct config *before, const struct config *after,
		      struct config_words **out)
{
	struct config_words *words = calloc(1, sizeof(*words));

	if (!words || node_words(words, before, after) < 0) {
		config_words_destroy(words);
		return -ENOMEM;
	}
	*out = words;
	return 0;
}

static void texts_free(char **v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void config_words_destroy(struct config_words *words)
{
	if (!words)
		return;
	config_words_free_texts(words);
	free(words->v);
	texts_free(words->restart, words->n_restart);
	texts_free(words->live, words->n_live);
	free(words);
}
