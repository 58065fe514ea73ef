/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/object_index.h"

/* Single changes. A service is rebuilt whole and replaces the old one: it costs one
 * service, whatever else is loaded. */

static int out_of_memory(struct config_context *ctx)
{
	config_report_memory(ctx);
	return -ENOMEM;
}

/* {"a": null} gives a key back to its default, objects are merged (RFC 7396). Takes
 * nothing over. 0 or -ENOMEM. */
static int json_merge(json_t *into, const json_t *set)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)set, key, value) {
		json_t *old = json_object_get(into, key);
		int ret = 0;

		if (json_is_null(value))
			json_object_del(into, key);
		else if (json_is_object(value) && json_is_object(old))
			ret = json_merge(old, value);
		else
			ret = json_object_set(into, key, value);
		if (ret < 0)
			return -ENOMEM;
	}
	return 0;
}

static int set_check(struct config_context *ctx, const struct config_object *o, const json_t *set)
{
	if (json_is_object(set))
		return config_nulls_check(ctx, o, set);
	config_report(ctx, -EINVAL, NULL, "expected an object: the keys to change in { }");
	return -EINVAL;
}

static struct config_service *service_need(struct config_context *ctx, const struct config *config,
					   const char *text)
{
	struct config_service *svc = config_service_find(config, text);
	char quoted[CONFIG_QUOTE_LEN], near[CONFIG_KEY_STRLEN];
	struct config_hint hint = {0};
	uint32_t depth = ctx->depth;

	if (svc)
		return svc;
	ctx->depth = 0;
	context_push_key(ctx, "service");
	if (config_service_near(config, text, near))
		hint.suggestion = near;
	config_report(ctx, -ENOENT, &hint, "there is no virtual service %s%s%s%s",
		      config_quote(text, quoted), hint.suggestion ? " (did you mean \"" : "",
		      hint.suggestion ? near : "", hint.suggestion ? "\"?)" : "");
	ctx->depth = depth;
	return NULL;
}

static int server_need(struct config_context *ctx, const struct config_service *svc,
		       const char *text)
{
	char quoted[CONFIG_QUOTE_LEN], label[CONFIG_LABEL_STRLEN];
	struct endpoint ep = {0};
	uint32_t depth = ctx->depth;
	int at = -1;

	if (endpoint_parse(text, &ep) == 0 || addr_parse(text, &ep.addr) == 0)
		at = config_server_find(svc, &ep);
	if (at >= 0)
		return at;
	ctx->depth = 0;
	context_push_key(ctx, "server");
	config_report(ctx, -ENOENT, NULL, "%s has no real server %s",
		      config_service_label(svc, label, sizeof(label)), config_quote(text, quoted));
	ctx->depth = depth;
	return -ENOENT;
}

/* ---- services ---- */

/* With room in the index for both; leaves the index as it was. */
static void service_hold_against(struct config_context *ctx, struct config *config,
				 struct config_service *before, struct config_service *after)
{
	struct config_index *ix = config->index;
	uint64_t n_servers = (uint64_t)config->n_servers + after->n_servers;

	if (before) {
		config_index_del_service(ix, before);
		n_servers -= before->n_servers;
	}
	config_check_conflicts(ctx, config, after);
	config_check_vips(ctx, config, after);
	config_index_add_service(ix, after);
	config_check_nat_servers(ctx, config, after);
	config_check_limits(ctx, config, (uint64_t)config->shared.n_services + !before, n_servers);
	config_index_del_service(ix, after);
	if (before)
		config_index_add_service(ix, before);
}

static int services_reserve(struct config *config)
{
	return config_list_reserve(&config->shared.services, config->shared.n_services,
				   sizeof(*config->shared.services));
}

/* Takes after over, also on error. */
static int service_prepare(struct config_context *ctx, struct config *config,
			   struct config_service *before, struct config_service *after,
			   struct config_change *change)
{
	config_service_inherit(after, &config->shared.defaults);
	config_check_service(ctx, after);
	config_check_service_health(ctx, config, after);
	if (ctx->errors->reason == 0) {
		if (config_index_reserve(config->index, config_index_service_keys(after)) < 0 ||
		    (!before && services_reserve(config) < 0))
			config_report_memory(ctx);
		else
			service_hold_against(ctx, config, before, after);
	}
	if (ctx->errors->reason) {
		config_service_destroy(after);
		return ctx->errors->reason;
	}
	after->position = before ? before->position : config->shared.n_services;
	*change = (struct config_change){
		.kind = OBJECT_SERVICE,
		.how = before ? config_object_changes(&config_object_service, before, after)
			      : CHANGE_VALUE,
		.before.service = before,
		.after.service = after,
		.from = before ? before->position : CONFIG_NOWHERE,
		.to = after->position};
	return 0;
}

int config_service_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors)
{
	struct config_service *after = config_service_create(config);
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	if (!after)
		return out_of_memory(&ctx);
	if (config_object_parse(&ctx, &config_object_service, object, after) < 0) {
		config_service_destroy(after);
		return errors->reason;
	}
	return service_prepare(&ctx, config, NULL, after, change);
}

/* The service with set merged over it; without servers unless set has them. */
static json_t *service_merge(const struct config *config, const struct config_service *before,
			     const json_t *set)
{
	json_t *merged = config_service_render(config, before, STYLE_FILE, false);

	if (merged && json_merge(merged, set) < 0) {
		json_decref(merged);
		return NULL;
	}
	return merged;
}

int config_service_edit(struct config *config, const char *service, const json_t *set,
			struct config_change *change, struct config_errors *errors)
{
	struct config_service *before, *after, *servers;
	struct config_context ctx;
	json_t *merged;
	int ret;

	config_context_init(&ctx, config, errors, "set");
	before = service_need(&ctx, config, service);
	if (!before || set_check(&ctx, &config_object_service, set) < 0)
		return errors->reason;
	merged = service_merge(config, before, set);
	after = config_service_create(config);
	if (!merged || !after) {
		json_decref(merged);
		config_service_destroy(after);
		return out_of_memory(&ctx);
	}
	ret = config_object_parse(&ctx, &config_object_service, merged, after);
	json_decref(merged);
	if (ret == 0 && !json_object_get(set, "servers")) {
		servers = config_service_clone(before);
		if (!servers) {
			config_service_destroy(after);
			return out_of_memory(&ctx);
		}
		free(after->servers);
		after->servers = servers->servers;
		after->n_servers = servers->n_servers;
		servers->servers = NULL;
		servers->n_servers = 0;
		config_service_destroy(servers);
	}
	if (ret < 0) {
		config_service_destroy(after);
		return errors->reason;
	}
	return service_prepare(&ctx, config, before, after, change);
}

int config_service_delete(struct config *config, const char *service, struct config_change *change,
			  struct config_errors *errors)
{
	struct config_service *before;
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	before = service_need(&ctx, config, service);
	if (!before)
		return errors->reason;
	*change = (struct config_change){.kind = OBJECT_SERVICE,
					 .how = CHANGE_VALUE,
					 .before.service = before,
					 .from = before->position,
					 .to = CONFIG_NOWHERE};
	return 0;
}

/* ---- servers ---- */

static int server_parse(struct config_context *ctx, const struct config_service *svc,
			const json_t *json, struct config_server *out)
{
	memset(out, 0, sizeof(*out));
	config_object_init(&config_object_server, ctx->schedulers, out);
	out->forward = svc->policy.service.forward;
	out->consequence = svc->policy.health.consequence;
	return config_object_parse(ctx, &config_object_server, json, out);
}

/* The server must not be one that the service has, except at position self (or -1). */
static int server_unique_check(struct config_context *ctx, const struct config_service *svc,
			       const struct config_server *server, int self)
{
	char text[ENDPOINT_STRLEN], label[CONFIG_LABEL_STRLEN];
	int at = config_server_find(svc, &server->ep);

	if (at < 0 || at == self)
		return 0;
	context_push_key(ctx, "address");
	config_report(ctx, -EEXIST, NULL, "%s is a real server of %s already",
		      endpoint_format(&server->ep, text, sizeof(text)),
		      config_service_label(svc, label, sizeof(label)));
	context_pop(ctx);
	return -EEXIST;
}

int config_server_add(struct config *config, const char *service, const json_t *server,
		      struct config_change *change, struct config_errors *errors)
{
	struct config_service *before, *after;
	struct config_server added;
	struct config_context ctx;

	config_context_init(&ctx, config, errors, "server");
	ctx.hide_servers = true;
	before = service_need(&ctx, config, service);
	if (!before || server_parse(&ctx, before, server, &added) < 0 ||
	    server_unique_check(&ctx, before, &added, -1) < 0)
		return errors->reason;
	if (before->n_servers >= MAX_SERVERS_PER_SERVICE) {
		config_report(&ctx, -ENOSPC, NULL,
			      "the service is at the limit of %u real servers "
			      "(MAX_SERVERS_PER_SERVICE)",
			      MAX_SERVERS_PER_SERVICE);
		return errors->reason;
	}
	after = config_service_clone(before);
	if (!after)
		return out_of_memory(&ctx);
	if (config_list_reserve(&after->servers, after->n_servers, sizeof(*after->servers)) < 0) {
		config_service_destroy(after);
		return out_of_memory(&ctx);
	}
	after->servers[after->n_servers++] = added;
	return service_prepare(&ctx, config, before, after, change);
}

int config_server_edit(struct config *config, const char *service, const char *server,
		       const json_t *set, struct config_change *change,
		       struct config_errors *errors)
{
	struct config_service *before, *after;
	struct config_server edited;
	struct config_context ctx;
	json_t *merged;
	int at, ret;

	config_context_init(&ctx, config, errors, "set");
	ctx.hide_servers = true;
	before = service_need(&ctx, config, service);
	at = before ? server_need(&ctx, before, server) : -1;
	if (at < 0 || set_check(&ctx, &config_object_server, set) < 0)
		return errors->reason;
	merged = config_server_render(config, before, &before->servers[at], STYLE_FILE);
	if (!merged || json_merge(merged, set) < 0) {
		json_decref(merged);
		return out_of_memory(&ctx);
	}
	ret = server_parse(&ctx, before, merged, &edited);
	json_decref(merged);
	if (ret < 0 || server_unique_check(&ctx, before, &edited, at) < 0)
		return errors->reason;
	after = config_service_clone(before);
	if (!after)
		return out_of_memory(&ctx);
	after->servers[at] = edited;
	return service_prepare(&ctx, config, before, after, change);
}

int config_server_delete(struct config *config, const char *service, const char *server,
			 struct config_change *change, struct config_errors *errors)
{
	struct config_service *before, *after;
	struct config_context ctx;
	int at;

	config_context_init(&ctx, config, errors, NULL);
	before = service_need(&ctx, config, service);
	at = before ? server_need(&ctx, before, server) : -1;
	if (at < 0)
		return errors->reason;
	after = config_service_clone(before);
	if (!after)
		return out_of_memory(&ctx);
	memmove(&after->servers[at], &after->servers[at + 1],
		(after->n_servers - (uint32_t)at - 1) * sizeof(after->servers[0]));
	after->n_servers--;
	return service_prepare(&ctx, config, before, after, change);
}

/* ---- addresses ---- */

int config_address_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors)
{
	struct config_shared *shared = &config->shared;
	struct config_address *added = calloc(1, sizeof(*added));
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	if (!added)
		return out_of_memory(&ctx);
	config_object_init(&config_object_address, config->schedulers, added);
	if (config_object_parse(&ctx, &config_object_address, object, added) < 0)
		goto err;
	config_check_address(&ctx, config, added);
	if (shared->n_addresses >= MAX_VIPS)
		config_report(&ctx, -ENOSPC, NULL, "at the limit of %u addresses (MAX_VIPS)",
			      MAX_VIPS);
	if (errors->reason)
		goto err;
	if (config_list_reserve(&shared->addresses, shared->n_addresses, sizeof(*added)) < 0 ||
	    config_index_reserve(config->index, 2) < 0) {
		config_report_memory(&ctx);
		goto err;
	}
	*change = (struct config_change){.kind = OBJECT_ADDRESS,
					 .how = CHANGE_VALUE,
					 .after.address = added,
					 .from = CONFIG_NOWHERE,
					 .to = shared->n_addresses};
	return 0;
err:
	config_object_fini(&config_object_address, added);
	free(added);
	return errors->reason;
}

int config_address_delete(struct config *config, const json_t *object, struct config_change *change,
			  struct config_errors *errors)
{
	const struct config_shared *shared = &config->shared;
	struct config_address wanted;
	struct config_context ctx;
	char text[ADDR_STRLEN];

	config_context_init(&ctx, config, errors, NULL);
	memset(&wanted, 0, sizeof(wanted));
	config_object_init(&config_object_address, config->schedulers, &wanted);
	if (config_object_parse(&ctx, &config_object_address, object, &wanted) < 0)
		goto out;
	for (uint32_t i = 0; i < shared->n_addresses; i++) {
		if (!addr_equal(&shared->addresses[i].address.addr, &wanted.address.addr))
			continue;
		*change = (struct config_change){.kind = OBJECT_ADDRESS,
						 .how = CHANGE_VALUE,
						 .before.address = &shared->addresses[i],
						 .from = i,
						 .to = CONFIG_NOWHERE};
		goto out;
	}
	context_push_key(&ctx, "address");
	config_report(&ctx, -ENOENT, NULL, "%s is not in shared.addresses",
		      addr_format(&wanted.address.addr, text, sizeof(text)));
out:
	config_object_fini(&config_object_address, &wanted);
	return errors->reason;
}

/* ---- the second step ---- */

static void service_commit(struct config *config, struct config_change *change)
{
	struct config_service *before = (struct config_service *)(uintptr_t)change->before.any;
	struct config_service *after = (struct config_service *)(uintptr_t)change->after.any;
	struct config_shared *shared = &config->shared;
	struct config_service **slot = &shared->services[before ? change->from : change->to];

	if (before) {
		config_index_del_service(config->index, before);
		config->n_servers -= before->n_servers;
	}
	if (after) {
		config_index_add_service(config->index, after);
		config->n_servers += after->n_servers;
		*slot = after;
		shared->n_services += !before;
	} else {
		shared->n_services--;
		memmove(slot, slot + 1, (shared->n_services - change->from) * sizeof(*slot));
		for (uint32_t i = change->from; i < shared->n_services; i++)
			shared->services[i]->position = i;
	}
	config_service_destroy(before);
	change->after.any = NULL;
}

static void address_commit(struct config *config, struct config_change *change)
{
	struct config_shared *shared = &config->shared;

	if (change->after.any)
		config_index_add_address(config->index, change->after.address);
	else
		config_index_del_address(config->index, change->before.address);
	config_list_commit(&config_object_address, shared->addresses, &shared->n_addresses, change);
}

static void mark_commit(struct config *config, struct config_change *change)
{
	config_list_commit(&config_object_mark, config->shared.marks, &config->shared.n_marks,
			   change);
}

void config_change_commit(struct config *config, struct config_change *change)
{
	static void (*const commits[OBJECT_KINDS])(struct config *, struct config_change *) = {
		[OBJECT_SERVICE] = service_commit,
		[OBJECT_ADDRESS] = address_commit,
		[OBJECT_MARK] = mark_commit,
	};

	if (change->kind != OBJECT_SERVICE)
		config->rest_digest_valid = false;
	commits[change->kind](config, change);
	config_change_abort(change);
}

void config_change_abort(struct config_change *change)
{
	static const struct config_object *const objects[OBJECT_KINDS] = {
		[OBJECT_SERVICE] = &config_object_service,
		[OBJECT_ADDRESS] = &config_object_address,
		[OBJECT_MARK] = &config_object_mark,
	};
	void *after = (void *)(uintptr_t)change->after.any;

	if (after)
		config_object_fini(objects[change->kind], after);
	free(after);
	memset(change, 0, sizeof(*change));
}
