/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes: a command changes a copy of the configuration, and becomes the request that makes
 * the same change at the router. The order of the questions is the kernel's.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

#define TEXT_NO_SERVICE	    "No such service"
#define TEXT_SERVICE_EXISTS "Service already exists"
#define TEXT_NOT_DEFINED    "Service not defined"
#define TEXT_NO_SERVER	    "No such destination"
#define TEXT_SERVER_EXISTS  "Destination already exists"
#define TEXT_NO_SCHEDULER   "Scheduler or persistence engine not found"
#define TEXT_RANGE	    "Numerical result out of range"
#define TEXT_INVALID	    "Invalid operation.  Possibly wrong module version, address not unicast, ..."

/* Refuses an option that plvs has no equivalent of: exit code of ipvsadm, and a sentence. */
static int cannot(struct adm *a, const char *what, const char *why)
{
	return adm_fail(a, ADM_REFUSED, "%s not supported by plvs: %s", what, why);
}

/* --pe without a name is none, as for the kernel. */
static bool engine_given(const struct adm_command *cmd)
{
	return cmd->pe && *cmd->pe;
}

static int service_possible(struct adm *a, const struct adm_command *cmd)
{
	const struct adm_service *s = &cmd->service;

	if (s->proto == IPPROTO_SCTP && !s->mark)
		return cannot(a, "SCTP is", "only TCP and UDP are balanced");
	if (engine_given(cmd) && strcmp(cmd->pe, ADM_ENGINE_SIP) != 0)
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SCHEDULER);
	return 0;
}

/* --- virtual services --- */

static bool default_says(const struct adm *a, const char *key)
{
	return adm_policy(a, NULL, key, NULL) != NULL;
}

/* Whether the service, or `defaults` for one that is to be made, has the engine. */
static bool engine_says(const struct adm *a, const struct adm_command *cmd)
{
	return adm_engine(a, adm_service_find(a, &cmd->service, NULL)) != NULL;
}

static json_t *persistence_json(const struct adm *a, const struct adm_command *cmd)
{
	json_t *o = json_pack("{s:I}", "timeout", (json_int_t)cmd->persist_s);
	const struct addr mask = {.family = ADDR_V4, .v4 = cmd->netmask};
	const bool v6 = adm_is_ipv6(&cmd->service);
	const bool whole = v6 ? cmd->prefix == 128 : be32_to(cmd->netmask) == UINT32_MAX;
	char text[ADDR_STRLEN];

	/* An edit merges keys: it says that the netmask is the whole address again. */
	if (cmd->persist_s && (!whole || cmd->verb == ADM_EDIT_SERVICE))
		json_object_set_new(o, "netmask",
				    v6 ? json_integer((json_int_t)cmd->prefix)
				       : json_string(addr_format(&mask, text, sizeof(text))));
	if (engine_given(cmd) || engine_says(a, cmd))
		json_object_set_new(o, "engine",
				    json_string(engine_given(cmd) ? cmd->pe : ADM_ENGINE_NONE));
	return o;
}

static json_t *flags_json(uint32_t flags)
{
	json_t *list = json_array();

	if (flags & 1)
		json_array_append_new(list, json_string("fallback"));
	if (flags & 2)
		json_array_append_new(list, json_string("port"));
	if (flags & 4)
		json_array_append_new(list, json_string("flag-3"));
	return list;
}

/* The keys that -A and -E decide; those at their default are null unless `defaults` differs. */
static json_t *service_keys(const struct adm *a, const struct adm_command *cmd)
{
	json_t *o = json_object();
	bool ops = ADM_HAS(cmd, OPS);

	json_object_set_new(o, "scheduler", json_string(cmd->scheduler));
	json_object_set_new(o, "scheduler_flags",
			    cmd->flags || default_says(a, "scheduler_flags")
				    ? flags_json(cmd->flags)
				    : json_null());
	json_object_set_new(o, "persistence",
			    cmd->persist_s || engine_given(cmd) || default_says(a, "persistence")
				    ? persistence_json(a, cmd)
				    : json_null());
	json_object_set_new(o, "one_packet",
			    ops || default_says(a, "one_packet") ? json_boolean(ops) : json_null());
	return o;
}

/* set into object; null takes a key away. */
static void keys_merge(json_t *object, json_t *set)
{
	const char *key;
	json_t *value;

	json_object_foreach (set, key, value) {
		if (json_is_null(value))
			json_object_del(object, key);
		else
			json_object_set(object, key, value);
	}
}

static int service_add(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	char text[ENDPOINT_STRLEN];
	json_t *service, *set;
	int ret;

	if (adm_service_find(a, &cmd->service, NULL))
		return adm_fail(a, ADM_REFUSED, TEXT_SERVICE_EXISTS);
	ret = service_possible(a, cmd);
	if (ret)
		return ret;
	service = json_object();
	if (cmd->service.mark) {
		json_object_set_new(service, "mark", json_integer(cmd->service.mark));
		if (adm_is_ipv6(&cmd->service))
			json_object_set_new(service, "family", json_string("ipv6"));
	} else {
		json_object_set_new(service, "protocol",
				    json_string(cmd->service.proto == IPPROTO_UDP ? "udp" : "tcp"));
		json_object_set_new(
			service, "listen",
			json_string(endpoint_format(&cmd->service.ep, text, sizeof(text))));
		/* As with IPVS an address is the router's once somebody adds it. */
		json_object_set_new(service, "claim", json_false());
	}
	json_object_set_new(service, "on_server_gone", json_string("keep"));
	set = service_keys(a, cmd);
	keys_merge(service, set);
	json_decref(set);
	json_array_append(adm_services(a), service);
	*params = service;
	return 0;
}

static int service_edit(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	json_t *service = adm_service_find(a, &cmd->service, NULL), *set;
	char key[ENDPOINT_STRLEN + 16];
	int ret;

	if (!service)
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SERVICE);
	ret = service_possible(a, cmd);
	if (ret)
		return ret;
	set = service_keys(a, cmd);
	keys_merge(service, set);
	*params =
		json_pack("{s:s, s:o}", "service", adm_service_key(&cmd->service, key), "set", set);
	return 0;
}

static int service_delete(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	char key[ENDPOINT_STRLEN + 16];
	size_t place;
	json_t *service = adm_service_find(a, &cmd->service, &place);

	if (!service)
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SERVICE);
	if (adm_service_listeners(service) > 1)
		return adm_fail(a, ADM_REFUSED,
				"The service has other addresses as well: plvsctl deletes it or "
				"edits its \"listen\"");
	json_array_remove(adm_services(a), place);
	*params = json_pack("{s:s}", "service", adm_service_key(&cmd->service, key));
	return 0;
}

/* --- real servers --- */

static int thresholds_check(struct adm *a, const struct adm_command *cmd)
{
	return cmd->lower > cmd->upper ? adm_fail(a, ADM_REFUSED, TEXT_RANGE) : 0;
}

static const char *tunnel_checksum(const struct adm_command *cmd)
{
	return ADM_HAS(cmd, TUN_CSUM) ? "full" : ADM_HAS(cmd, TUN_REMCSUM) ? "remote" : NULL;
}

/* A loopback address is this host: IPVS delivers there without a change of the packet. */
static bool is_here(const struct adm_command *cmd)
{
	return addr_is_loopback(&cmd->server.addr) && strcmp(cmd->forward, "nat") != 0;
}

/* The keys that -a and -e decide; those at their default are null. */
static json_t *server_keys(const struct adm_command *cmd)
{
	json_t *o = json_pack("{s:I, s:s, s:n, s:n, s:n}", "weight", (json_int_t)cmd->weight,
			      "forward", is_here(cmd) ? "local" : cmd->forward, "tunnel_type",
			      "tunnel_port", "tunnel_checksum");

	json_object_set_new(o, "upper", cmd->upper ? json_integer(cmd->upper) : json_null());
	json_object_set_new(o, "lower", cmd->upper ? json_integer(cmd->lower) : json_null());
	if (cmd->tunnel == ADM_IPIP || is_here(cmd))
		return o;
	json_object_set_new(o, "tunnel_type", json_string(adm_tunnel_names[cmd->tunnel]));
	if (cmd->tunnel_port)
		json_object_set_new(o, "tunnel_port", json_integer(cmd->tunnel_port));
	if (tunnel_checksum(cmd))
		json_object_set_new(o, "tunnel_checksum", json_string(tunnel_checksum(cmd)));
	return o;
}

static const char *server_name(const struct adm_command *cmd, char buf[ENDPOINT_STRLEN])
{
	return cmd->server.port ? endpoint_format(&cmd->server, buf, ENDPOINT_STRLEN)
				: addr_format(&cmd->server.addr, buf, ENDPOINT_STRLEN);
}

/* Broadcast, multicast and "this network" are no servers, nor are link-local and mapped addresses
 * of IPv6. */
static bool is_server(const struct addr *addr)
{
	uint32_t v4 = be32_to(addr->v4);

	if (addr->family == ADDR_V6)
		return !addr_is_link_local(addr) &&
		       (addr_is_loopback(addr) || addr_is_unicast(addr));
	return v4 != UINT32_MAX && v4 >> 28 != 0xe && v4 >> 24 != 0;
}

static int server_add(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	json_t *service = adm_service_find(a, &cmd->service, NULL), *server, *set, *list;
	char key[ENDPOINT_STRLEN + 16], name[ENDPOINT_STRLEN];
	int ret;

	ret = service ? thresholds_check(a, cmd) : adm_fail(a, ADM_REFUSED, TEXT_NOT_DEFINED);
	if (ret)
		return ret;
	if (adm_server_find(service, &cmd->server, NULL))
		return adm_fail(a, ADM_REFUSED, TEXT_SERVER_EXISTS);
	if (!is_server(&cmd->server.addr))
		return adm_fail(a, ADM_REFUSED, TEXT_INVALID);
	server = json_object();
	set = server_keys(cmd);
	keys_merge(server, set);
	json_decref(set);
	json_object_set_new(server, "address", json_string(server_name(cmd, name)));
	list = json_object_get(service, "servers");
	if (!list) {
		list = json_array();
		json_object_set_new(service, "servers", list);
	}
	json_array_append(list, server);
	*params = json_pack("{s:s, s:o}", "service", adm_service_key(&cmd->service, key), "server",
			    server);
	return 0;
}

static int server_edit(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	json_t *service = adm_service_find(a, &cmd->service, NULL), *server, *set;
	char key[ENDPOINT_STRLEN + 16], name[ENDPOINT_STRLEN];
	int ret;

	ret = service ? thresholds_check(a, cmd) : adm_fail(a, ADM_REFUSED, TEXT_NOT_DEFINED);
	if (ret)
		return ret;
	server = adm_server_find(service, &cmd->server, NULL);
	if (!server)
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SERVER);
	set = server_keys(cmd);
	keys_merge(server, set);
	*params = json_pack("{s:s, s:s, s:o}", "service", adm_service_key(&cmd->service, key),
			    "server", server_name(cmd, name), "set", set);
	return 0;
}

static int server_delete(struct adm *a, const struct adm_command *cmd, json_t **params)
{
	json_t *service = adm_service_find(a, &cmd->service, NULL);
	char key[ENDPOINT_STRLEN + 16], name[ENDPOINT_STRLEN];
	size_t place;

	if (!service)
		return adm_fail(a, ADM_REFUSED, TEXT_NOT_DEFINED);
	if (!adm_server_find(service, &cmd->server, &place))
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SERVER);
	json_array_remove(json_object_get(service, "servers"), place);
	*params = json_pack("{s:s, s:s}", "service", adm_service_key(&cmd->service, key), "server",
			    server_name(cmd, name));
	return 0;
}

/* --- all of it --- */

/* As the kernel: listeners that health or an operator set up go as well. */
static void clear(struct adm *a)
{
	json_array_clear(adm_services(a));
}

static int timeouts_set(struct adm *a, const struct adm_command *cmd)
{
	static const char *const keys[] = {"established", "fin_wait", "udp"};
	json_t *shared = json_object_get(a->doc, "shared"), *defaults, *timeouts;

	defaults = json_object_get(shared, "defaults");
	if (!defaults) {
		defaults = json_object();
		json_object_set_new(shared, "defaults", defaults);
	}
	timeouts = json_object_get(defaults, "timeouts");
	if (!timeouts) {
		timeouts = json_object();
		json_object_set_new(defaults, "timeouts", timeouts);
	}
	for (int i = 0; i < 3; i++)
		if (cmd->timeout_s[i])
			json_object_set_new(timeouts, keys[i], json_integer(cmd->timeout_s[i]));
	return 0;
}

/* A change without a request of its own is sent as a whole document. */
static int whole(struct adm *a, const char **method, json_t **params)
{
	char *text = json_dumps(a->doc, JSON_COMPACT);

	*method = "config.apply";
	*params = json_pack("{s:s*}", "text", text);
	free(text);
	return 0;
}

static int zero(struct adm *a, const struct adm_command *cmd, const char **method, json_t **params)
{
	char key[ENDPOINT_STRLEN + 16];

	if (ADM_HAS(cmd, SERVICE) && !adm_service_find(a, &cmd->service, NULL))
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SERVICE);
	*method = "counter.zero";
	*params = ADM_HAS(cmd, SERVICE)
			  ? json_pack("{s:s}", "service", adm_service_key(&cmd->service, key))
			  : json_object();
	return 0;
}

int adm_change(struct adm *a, const struct adm_command *cmd, const char **method, json_t **params)
{
	int ret;

	*method = NULL;
	*params = NULL;
	adm_services(a);
	switch (cmd->verb) {
	case ADM_ADD_SERVICE:
		*method = "service.add";
		return service_add(a, cmd, params);
	case ADM_EDIT_SERVICE:
		*method = "service.edit";
		return service_edit(a, cmd, params);
	case ADM_DELETE_SERVICE:
		*method = "service.delete";
		return service_delete(a, cmd, params);
	case ADM_ADD_SERVER:
		*method = "server.add";
		return server_add(a, cmd, params);
	case ADM_EDIT_SERVER:
		*method = "server.edit";
		return server_edit(a, cmd, params);
	case ADM_DELETE_SERVER:
		*method = "server.delete";
		return server_delete(a, cmd, params);
	case ADM_CLEAR:
		clear(a);
		return whole(a, method, params);
	case ADM_SET:
		ret = timeouts_set(a, cmd);
		return ret ? ret : whole(a, method, params);
	case ADM_ZERO:
		return zero(a, cmd, method, params);
	default:
		return 0;
	}
}

int adm_refused(struct adm *a, enum adm_verb verb, const struct rpc_failure *f)
{
	bool server =
		verb == ADM_ADD_SERVER || verb == ADM_EDIT_SERVER || verb == ADM_DELETE_SERVER;
	const char *path =
		json_string_value(json_object_get(json_object_get(f->error, "data"), "path"));
	size_t len = path ? strlen(path) : 0;

	if (len >= 9 && strcmp(path + len - 9, "scheduler") == 0)
		return adm_fail(a, ADM_REFUSED, TEXT_NO_SCHEDULER);
	if (f->outcome == RPC_REFUSED && adm_member(f->error, "code", 0) == 2)
		return adm_fail(a, ADM_REFUSED, server ? TEXT_NO_SERVER : TEXT_NO_SERVICE);
	return adm_fail(a, ADM_REFUSED, "%s", f->text);
}
