/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of objects for completion, asked from the router. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/session.h"
#include "cli/view.h"

#define NAMES_TIMEOUT_MS 1500
#define NAMES_MAX_AGE_MS 2000
#define FILES_MAX	 1000

static json_t *names_ask(struct session *s, const char *method)
{
	uint32_t timeout_ms = s->rpc.timeout_ms;
	struct rpc_failure f;
	json_t *result = NULL;

	if (timeout_ms > NAMES_TIMEOUT_MS)
		s->rpc.timeout_ms = NAMES_TIMEOUT_MS;
	rpc_call(&s->rpc, method, NULL, NULL, NULL, &result, &f);
	s->rpc.timeout_ms = timeout_ms;
	rpc_failure_clear(&f);
	return result;
}

static void names_add(json_t *names, const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);

	if (json_is_string(v))
		json_array_append_new(names, json_string(json_string_value(v)));
}

static const json_t *services_get(struct session *s)
{
	const uint64_t now = clock_ms();

	if (!s->services || now - s->services_ms > NAMES_MAX_AGE_MS) {
		json_decref(s->services);
		s->services = names_ask(s, "service.list");
		s->services_ms = now;
	}
	return json_object_get(s->services, "services");
}

static bool service_is(const json_t *service, const char *name)
{
	return strcmp(view_text(service, "name"), name) == 0 ||
	       strcmp(view_text(service, "key"), name) == 0;
}

static void service_names(struct session *s, enum arg_kind kind, const char *of, json_t *names)
{
	const json_t *services = services_get(s), *service, *server;
	size_t i, k;

	json_array_foreach (services, i, service) {
		const json_t *servers = json_object_get(service, "servers");

		if (kind == ARG_SERVICE) {
			names_add(names, service, "name");
			names_add(names, service, "key");
			continue;
		}
		if (of && !service_is(service, of))
			continue;
		json_array_foreach (servers, k, server)
			names_add(names, server, "address");
	}
}

static void row_names(struct session *s, const char *method, const char *rows, const char *key,
		      json_t *names)
{
	json_t *result = names_ask(s, method), *row;
	size_t i;

	json_array_foreach (json_object_get(result, rows), i, row)
		names_add(names, row, key);
	json_decref(result);
}

/* "weight=", of every key of a service or a server. */
static void key_names(struct session *s, const char *of, json_t *names)
{
	json_t *result = names_ask(s, "config.schema"), *value;
	json_t *keys = (json_t *)(uintptr_t)view_at(
		result, strcmp(of, "server") == 0
				? "schema.keys.shared.keys.services.keys.servers.keys"
				: "schema.keys.shared.keys.services.keys");
	const char *key;

	json_object_foreach (keys, key, value)
		json_array_append_new(names, json_sprintf("%s=", key));
	json_decref(result);
}

/* Of this machine; directories end with a slash. */
static void file_names(const char *partial, json_t *names)
{
	char *pattern = NULL;
	glob_t found;

	/* Signs that glob() knows are no part of what is offered. */
	if (strpbrk(partial, "*?[\\") || asprintf(&pattern, "%s*", partial) < 0)
		return;
	if (glob(pattern, GLOB_MARK, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && i < FILES_MAX; i++)
			json_array_append_new(names, json_string(found.gl_pathv[i]));
		globfree(&found);
	}
	free(pattern);
}

json_t *session_names(void *arg, enum arg_kind kind, const char *service)
{
	struct session *s = arg;
	json_t *names = json_array();

	switch (kind) {
	case ARG_SERVICE:
	case ARG_SERVER:
		service_names(s, kind, service, names);
		break;
	case ARG_LINK:
		row_names(s, "port.list", "ports", "name", names);
		row_names(s, "address.list", "addresses", "link", names);
		break;
	case ARG_ADDRESS:
		row_names(s, "address.list", "addresses", "address", names);
		break;
	case ARG_ASSIGN:
		key_names(s, service, names);
		break;
	case ARG_PATH:
	case ARG_TEXT_FILE:
		/* A restricted session sees nothing of this machine. */
		if (!s->restricted)
			file_names(service ? service : "", names);
		break;
	default:
		break;
	}
	return names;
}
