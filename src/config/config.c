/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/error_text.h"
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_arena.h"
#include "config/object_index.h"

#define LARGE (1UL << 20) /* bytes of a text, whose values are worth an arena */

/* From a file or a text to a configuration. */

/* Objects that another configuration has stay. */
static void services_fini(struct config_shared *shared)
{
	for (uint32_t i = 0; i < shared->n_services; i++)
		config_service_destroy(shared->services[i]);
	shared->n_services = 0;
}

void config_destroy(struct config *config)
{
	if (!config)
		return;
	config_checks_fini(config);
	services_fini(&config->shared);
	config_object_fini(&config_object_root, config);
	config_index_destroy(config->index);
	free(config->file);
	free(config);
}

static struct config *config_create(const char *const *schedulers, const char *file)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->schedulers = schedulers;
	config->index = config_index_create();
	config->file = file ? strdup(file) : NULL;
	if (!config->index || (file && !config->file)) {
		config_destroy(config);
		return NULL;
	}
	config_object_init(&config_object_root, schedulers, config);
	return config;
}

struct config *config_freeze(const struct config *config)
{
	struct config *frozen = calloc(1, sizeof(*frozen));
	struct config_shared rest = config->shared;
	uint32_t n = rest.n_services;

	rest.services = NULL;
	rest.n_services = 0;
	if (!frozen || config_object_copy(&config_object_shared, &rest, &frozen->shared) < 0) {
		free(frozen);
		return NULL;
	}
	frozen->schedulers = config->schedulers;
	free(frozen->shared.services);
	frozen->shared.services = malloc((n + 1UL) * sizeof(struct config_service *));
	if (!frozen->shared.services) {
		config_destroy(frozen);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		frozen->shared.services[i] = config->shared.services[i];
		__atomic_fetch_add(&config->shared.services[i]->others, 1, __ATOMIC_RELAXED);
	}
	frozen->shared.n_services = n;
	return frozen;
}

static int string_default(char **field, const char *text)
{
	if (!*field)
		*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

/* Strings cannot be put there before parsing; these are all that have a default. */
static int strings_default(struct config_node *node)
{
	if (string_default(&node->name, CONFIG_NAME_DEFAULT) < 0 ||
	    string_default(&node->socket, CONFIG_SOCKET_DEFAULT) < 0 ||
	    string_default(&node->state_dir, CONFIG_STATE_DEFAULT) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < node->n_ports; i++)
		if (node->ports[i].name &&
		    string_default(&node->ports[i].tap, node->ports[i].name) < 0)
			return -ENOMEM;
	return 0;
}

static bool addr_before(const struct net_addr *v, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (addr_equal(&v[k].addr, &v[i].addr))
			return true;
	return false;
}

static void own_address_taken(struct config_context *ctx, uint32_t port, uint32_t vlan, uint32_t i,
			      const struct addr *a)
{
	char text[ADDR_STRLEN];

	context_push_key(ctx, "node");
	context_push_key(ctx, "ports");
	context_push_index(ctx, port);
	context_push_key(ctx, "linux");
	if (vlan) {
		context_push_key(ctx, "vlans");
		context_push_index(ctx, vlan - 1);
	}
	context_push_key(ctx, "addresses");
	context_push_index(ctx, i);
	config_report(ctx, -EINVAL, NULL, "%s is an address of another port or VLAN already",
		      addr_format(a, text, sizeof(text)));
	ctx->depth -= vlan ? 8 : 6;
}

static int own_addresses_index(struct config_context *ctx, struct config *config)
{
	for (uint32_t i = 0; i < config->node.n_ports; i++) {
		const struct config_port *port = &config->node.ports[i];

		for (uint32_t k = 0; k <= port->n_vlans; k++) {
			const struct config_vlan *vlan = k ? &port->vlans[k - 1] : NULL;
			const struct net_addr *v = vlan ? vlan->addresses : port->addresses;
			uint32_t n = vlan ? vlan->n_addresses : port->n_addresses;

			if (config_index_reserve(config->index, n) < 0)
				return -ENOMEM;
			for (uint32_t j = 0; j < n; j++) {
				struct config_index_key key = index_key_addr(INDEX_OWN, &v[j].addr);

				if (config_index_get(config->index, &key, NULL) &&
				    !addr_before(v, j))
					own_address_taken(ctx, i, k, j, &v[j].addr);
				config_index_add(config->index, &key, NULL);
			}
		}
	}
	return 0;
}

static void node_check(struct config_context *ctx, struct config *config)
{
	if (strings_default(&config->node) < 0 || own_addresses_index(ctx, config) < 0) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "node");
	config_check_node(ctx, &config->node);
	context_pop(ctx);
}

/* The addresses of node.pool, which are known before those of `shared` are held against them. */
static void pool_check(struct config_context *ctx, struct config *config)
{
	struct config_node *node = &config->node;

	if (config_index_reserve(config->index, 2 * node->n_pool) < 0) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "node");
	context_push_key(ctx, "pool");
	for (uint32_t i = 0; i < node->n_pool; i++) {
		node->pool[i].kind = CONFIG_ADDRESS_POOL;
		if (node->pool[i].address.addr.family == ADDR_NONE)
			continue; /* reported where it was parsed */
		context_push_index(ctx, i);
		config_check_address(ctx, config, &node->pool[i]);
		context_pop(ctx);
		config_index_add_address(config->index, &node->pool[i]);
	}
	context_pop(ctx);
	context_pop(ctx);
}

static void addresses_check(struct config_context *ctx, struct config *config)
{
	struct config_shared *shared = &config->shared;

	if (config_index_reserve(config->index, 2 * shared->n_addresses) < 0) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "addresses");
	for (uint32_t i = 0; i < shared->n_addresses; i++) {
		if (shared->addresses[i].address.addr.family == ADDR_NONE)
			continue; /* reported where it was parsed */
		context_push_index(ctx, i);
		config_check_address(ctx, config, &shared->addresses[i]);
		config_check_fleet_address(ctx, config, &shared->addresses[i]);
		context_pop(ctx);
		config_index_add_address(config->index, &shared->addresses[i]);
	}
	context_pop(ctx);
}

static void service_check(struct config_context *ctx, struct config *config,
			  struct config_service *svc)
{
	config_service_inherit(svc, &config->shared.defaults);
	config_check_service(ctx, svc);
	config_check_service_health(ctx, config, svc);
	config_check_conflicts(ctx, config, svc);
	config->n_servers += svc->n_servers;
	if (config_index_reserve(config->index, config_index_service_keys(svc)) < 0)
		config_report_memory(ctx);
	else
		config_index_add_service(config->index, svc);
}

/* The table of the index grows once, and not with the services. */
static void services_expect(struct config *config)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		const struct config_service *svc = config->shared.services[i];

		if (svc)
			n += svc->n_listen + svc->n_servers + 1; /* its name */
	}
	config_index_expect(config->index, n);
}

/* Twice over all of them: VIPs must be known before servers are held against them. */
static void services_check(struct config_context *ctx, struct config *config)
{
	services_expect(config);
	context_push_key(ctx, "services");
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < config->shared.n_services; i++) {
			struct config_service *svc = config->shared.services[i];

			if (!svc)
				continue; /* reported where it was parsed */
			svc->position = i;
			context_push_index(ctx, i);
			if (round == 0)
				service_check(ctx, config, svc);
			else
				config_check_nat_servers(ctx, config, svc);
			context_pop(ctx);
		}
	}
	context_pop(ctx);
}

static int error_cmp(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

/* Errors of the document have one code, whatever the first error was. */
static int parse_result(struct config_errors *errors)
{
	if (errors->errors.n)
		qsort(errors->errors.v, errors->errors.n, sizeof(*errors->errors.v), error_cmp);
	if (errors->warnings.n)
		qsort(errors->warnings.v, errors->warnings.n, sizeof(*errors->warnings.v),
		      error_cmp);
	if (errors->reason && errors->reason != -ENOMEM)
		errors->reason = -EINVAL;
	return errors->reason;
}

static int document_parse(struct config_context *ctx, struct config *config, json_t *json)
{
	config_object_parse(ctx, &config_object_root, json, config);
	if (ctx->errors->reason != -ENOMEM) {
		config_policy_compat(&config->shared.defaults, config->shared.compat);
		node_check(ctx, config);
		config_check_ha(ctx, config);
		pool_check(ctx, config);
		config_check_fleet(ctx, config);
		context_push_key(ctx, "shared");
		addresses_check(ctx, config);
		config_check_checks(ctx, config);
		config_check_defaults(ctx, config);
		services_check(ctx, config);
		config_check_marks(ctx, config);
		config_check_limits(ctx, config, config->shared.n_services, config->n_servers);
		context_pop(ctx);
	}
	return parse_result(ctx->errors);
}

static json_t *values_parse(struct json_text *text, bool arena, size_t *offset,
			    char error[ERROR_TEXT])
{
	json_t *json;

	if (json_text_blank(text, CONFIG_MAX_DEPTH, offset, error) < 0)
		return NULL;
	json_arena_fill(arena);
	json = json_text_parse(text, offset, error);
	json_arena_fill(false);
	return json;
}

/* arena: values are of the arena. */
static int configuration_parse(char *data, size_t len, bool arena, const char *file,
			       const char *const *schedulers, struct config **out,
			       struct config_errors *errors)
{
	struct json_text text;
	struct config_context ctx = {.errors = errors, .schedulers = schedulers, .text = &text};
	char error[ERROR_TEXT];
	struct config *config;
	size_t offset = SIZE_MAX;
	json_t *json;
	int ret;

	json_text_init(&text, data, len);
	json = values_parse(&text, arena, &offset, error);
	if (!json) {
		config_report_text(&ctx, -EINVAL, offset, error);
		return -EINVAL;
	}
	config = config_create(schedulers, file);
	if (!config) {
		config_report_memory(&ctx);
		json_decref(json);
		return -ENOMEM;
	}
	ret = document_parse(&ctx, config, json);
	json_decref(json);
	if (ret == 0)
		*out = config;
	else
		config_destroy(config);
	return ret;
}

/* text is the caller's and is changed: comments are blanked. */
static int text_parse(char *data, size_t len, const char *file, const char *const *schedulers,
		      struct config **out, struct config_errors *errors)
{
	const bool arena = len >= LARGE && json_arena_take();
	int ret = configuration_parse(data, len, arena, file, schedulers, out, errors);

	if (arena)
		json_arena_give();
	return ret;
}

static int file_name_set(struct config_errors *errors, const char *file)
{
	struct config_context ctx = {.errors = errors};

	free(errors->file);
	errors->file = file ? strdup(file) : NULL;
	if (!file || errors->file)
		return 0;
	config_report_memory(&ctx);
	return -ENOMEM;
}

int config_parse(const char *text, size_t len, const char *file, const char *const *schedulers,
		 struct config **out, struct config_errors *errors)
{
	struct config_context ctx = {.errors = errors};
	char *data;
	int ret;

	if (file_name_set(errors, file) < 0)
		return -ENOMEM;
	if (len > CONFIG_MAX_BYTES) {
		config_report_text(&ctx, -EINVAL, SIZE_MAX, "more than the limit of 64 MiB");
		return -EINVAL;
	}
	data = malloc(len + 1);
	if (!data) {
		config_report_memory(&ctx);
		return -ENOMEM;
	}
	memcpy(data, text, len);
	data[len] = '\0';
	ret = text_parse(data, len, file, schedulers, out, errors);
	free(data);
	return ret;
}

int config_load(const char *path, const char *const *schedulers, struct config **out,
		struct config_errors *errors)
{
	struct config_context ctx = {.errors = errors};
	char error[ERROR_TEXT], *data;
	size_t len;
	int ret;

	if (file_name_set(errors, path) < 0)
		return -ENOMEM;
	ret = json_text_read(path, CONFIG_MAX_BYTES, &data, &len, error);
	if (ret < 0) {
		config_report_text(&ctx, ret, SIZE_MAX, error);
		return ret;
	}
	ret = text_parse(data, len, path, schedulers, out, errors);
	free(data);
	return ret;
}
