/* SPDX-License-Identifier: BSD-3-Clause */
/* Services, their real servers, and addresses. */
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/json_write.h"
#include "publish/builder.h"
#include "config/object_index.h"
#include "control/listing.h"
#include "control/checking.h"
#include "metrics/object_view.h"

/* --- changes --- */

/* Puts a prepared change in place, or ends req with what hinders it. Takes result over. */
static void change(struct control *c, struct rpc_request *req, uint64_t start,
		   struct config_change *ch, json_t *result)
{
	char error[ERROR_TEXT] = "out of memory";
	int ret = builder_change(&c->publisher, ch, error);

	if (ret < 0) {
		config_change_abort(ch);
		json_decref(result);
		fail_build(req, ret, error);
		return;
	}
	/* While both are there: a commit frees the one before. */
	checking_change(c, ch, c->config);
	config_change_commit(c->config, ch);
	answer_when_live(c, req, start, result);
}

enum change_kind {
	SERVICE_ADD,
	SERVICE_EDIT,
	SERVICE_DELETE,
	SERVER_ADD,
	SERVER_EDIT,
	SERVER_DELETE,
	ADDRESS_ADD,
	ADDRESS_DELETE,
};

static int prepare(struct control *c, enum change_kind kind, const json_t *params,
		   struct config_change *ch, struct config_errors *errors)
{
	const char *service = param_string(params, "service");
	const char *server = param_string(params, "server");
	const json_t *set = json_object_get(params, "set");

	switch (kind) {
	case SERVICE_ADD:
		return config_service_add(c->config, params, ch, errors);
	case SERVICE_EDIT:
		return config_service_edit(c->config, service, set, ch, errors);
	case SERVICE_DELETE:
		return config_service_delete(c->config, service, ch, errors);
	case SERVER_ADD:
		return config_server_add(c->config, service, json_object_get(params, "server"), ch,
					 errors);
	case SERVER_EDIT:
		return config_server_edit(c->config, service, server, set, ch, errors);
	case SERVER_DELETE:
		return config_server_delete(c->config, service, server, ch, errors);
	case ADDRESS_ADD:
		return config_address_add(c->config, params, ch, errors);
	case ADDRESS_DELETE:
		return config_address_delete(c->config, params, ch, errors);
	}
	return -EINVAL;
}

/* The server of the service before that the one after lacks. */
static const struct config_server *server_gone(const struct config_service *before,
					       const struct config_service *after)
{
	uint32_t i = 0;

	while (i < after->n_servers &&
	       endpoint_equal(&before->servers[i].ep, &after->servers[i].ep))
		i++;
	return &before->servers[i];
}

/* The answer to a deletion has the number of connections. NULL: none. */
static json_t *connections_json(const struct control *c, enum change_kind kind,
				const struct config_change *ch)
{
	const struct config_service *before = ch->before.service;
	const struct service_rt *rt;
	uint64_t n;

	if (kind != SERVICE_DELETE && kind != SERVER_DELETE)
		return NULL;
	rt = control_service_rt(c, before);
	if (kind == SERVICE_DELETE)
		n = control_service_connections(c, before, rt);
	else
		n = control_server_connections(c, before, rt,
					       server_gone(before, ch->after.service));
	return json_pack("{s:I}", "connections", (json_int_t)n);
}

static void run_change(struct control *c, struct rpc_request *req, json_t *params,
		       enum change_kind kind)
{
	uint64_t start = clock_us();
	struct config_errors errors;
	struct config_change ch;

	memset(&ch, 0, sizeof(ch));
	config_errors_init(&errors);
	if (prepare(c, kind, params, &ch, &errors) < 0)
		fail_config(req, &errors);
	else
		change(c, req, start, &ch, connections_json(c, kind, &ch));
	config_errors_fini(&errors);
}

#define CHANGE(name, kind)                                                                         \
	static void name(struct control *c, struct rpc_request *req, json_t *params)               \
	{                                                                                          \
		run_change(c, req, params, kind);                                                  \
	}

CHANGE(service_add, SERVICE_ADD)
CHANGE(service_edit, SERVICE_EDIT)
CHANGE(service_delete, SERVICE_DELETE)
CHANGE(server_add, SERVER_ADD)
CHANGE(server_edit, SERVER_EDIT)
CHANGE(server_delete, SERVER_DELETE)
CHANGE(address_add, ADDRESS_ADD)
CHANGE(address_delete, ADDRESS_DELETE)

/* --- listings --- */

static void put(struct json_writer *w, const char *text)
{
	json_writer_put(w, text, strlen(text));
}

/* The source of the rows of one service. */
struct service_writing {
	struct router_parts parts;
	const struct config_service *svc;
	const struct service_rt *rt;
	char key[CONFIG_KEY_STRLEN];
	struct text_buffer text;
	struct traffic_sum total; /* of its servers */
	struct shown_service sum; /* the same: connections */
};

static void server_write(struct service_writing *s, const struct config_server *server,
			 struct json_writer *w)
{
	struct server_texts texts;
	struct shown_server v;
	bool first = false;

	server_view(&s->parts, s->key, s->rt, server, &texts, &v);
	w->failed |= config_server_listed(s->parts.config, s->svc, server, &s->text) < 0;
	json_writer_put(w, s->text.v, s->text.n);
	if (v.running) {
		shown_write(w, &first, &shown_server, &v, SHOWN_LIST);
		s->sum.active += v.active;
		s->sum.inactive += v.inactive;
		traffic_add(&s->total, &(struct traffic_sum){.counters = v.counters});
		for (size_t i = 0; i < TRAFFIC_SERVER; i++)
			s->total.rate[i] += v.rate[i];
	}
	put(w, "}");
}

static void service_write(struct control *c, const struct config_service *svc,
			  const struct listing_given *given, struct json_writer *w)
{
	struct service_writing s = {.svc = svc, .rt = control_service_rt(c, svc)};
	struct shown_service v;
	bool first = false;

	control_parts(c, &s.parts);
	config_service_key(svc, s.key, sizeof(s.key));
	w->failed |= config_service_listed(c->config, svc, &s.text) < 0;
	json_writer_put(w, s.text.v, s.text.n);
	put(w, ",\"servers\":[");
	for (uint32_t i = svc->n_servers; i-- > 0;) {
		server_write(&s, &svc->servers[i], w);
		put(w, i > 0 ? "," : "");
	}
	put(w, "],");
	free(s.text.v);
	service_view(&s.parts, svc, s.key, s.rt, &s.total, given->removed, &v);
	v.active = s.sum.active;
	v.inactive = s.sum.inactive;
	first = true;
	shown_write(w, &first, &shown_service, &v, SHOWN_LIST);
	put(w, "}");
}

static int text_add(const char *text, size_t n, void *arg)
{
	return evbuffer_add(arg, text, n);
}

/* The row as an object; NULL: out of memory. */
static json_t *service_json(struct control *c, const struct config_service *svc,
			    const struct traffic_sum *removed)
{
	const struct listing_given given = {.removed = removed};
	struct evbuffer *text = evbuffer_new();
	struct json_writer w;
	json_t *o = NULL;

	if (!text)
		return NULL;
	json_writer_init(&w, text_add, text);
	service_write(c, svc, &given, &w);
	if (json_writer_end(&w) == 0)
		o = json_loadb((const char *)evbuffer_pullup(text, -1), evbuffer_get_length(text),
			       0, NULL);
	evbuffer_free(text);
	return o;
}

static void service_list(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct listing_section section = {.key = "services", .write = service_write};
	static const struct listing_section *const sections[] = {&section};

	(void)params;
	listing_start(c, req, NULL, sections, 1);
}

/* Removed servers with connections, and the treatment of the connections. */
static json_t *removed_json(const struct control *c, const struct config_service *svc)
{
	static const char *const names[] = {"reset", "keep", "drain"};
	const struct runtime *runtime = &c->pub->runtime;
	const struct service_rt *rt = control_service_rt(c, svc);
	uint32_t now_s = (uint32_t)(clock_us() / 1000000), place = 0;
	const struct server_rt *srv;
	json_t *list = json_array();

	while (rt && (srv = runtime_removed_next(runtime, rt, &place))) {
		uint64_t counts = server_rt_counts(srv);
		char text[ENDPOINT_STRLEN];
		uint32_t left = server_rt_drain_left(runtime, srv, now_s);
		const struct shown_removed_server v = {
			.address = endpoint_format(&srv->ep, text, sizeof(text)),
			.connections = (uint64_t)counts_active(counts) + counts_inactive(counts),
			.on_server_gone = names[server_rt_on_removed(runtime, srv, now_s)],
			.drain_left_s = left,
			.drains = left > 0,
		};

		json_array_append_new(list, shown_object(&shown_removed_server, &v, SHOWN_LIST));
	}
	return list;
}

/* In effect, by state; of a protocol those that its connections can be in. */
static json_t *timeouts_json(const struct config_service *svc)
{
	const uint32_t *timeout_s = svc->policy.service.timeout_s;
	json_t *o = json_object();

	for (unsigned int i = CONN_NONE + 1; i < CONN_STATE_MAX; i++)
		if (!svc->proto || (svc->proto == IPPROTO_UDP) == (i == CONN_UDP))
			json_object_set_new(o, conn_state_names[i], json_integer(timeout_s[i]));
	return o;
}

static void service_get(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *name = param_string(params, "service");
	const struct config_service *svc = config_service_find(c->config, name);
	struct traffic_sum *removed;
	json_t *o;

	if (!svc) {
		fail_no_service(c, req, name);
		return;
	}
	removed = traffic_of_removed(&c->traffic);
	o = removed ? service_json(c, svc, removed) : NULL;
	if (o) {
		json_object_set_new(o, "removed_servers", removed_json(c, svc));
		rpc_answer(req, json_pack("{s:o, s:o, s:o}", "service", o, "config",
					  config_service_to_json(c->config, svc), "timeouts",
					  timeouts_json(svc)));
	} else {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
	}
	free(removed);
}

static int compare_addrs(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/* VIPs that only services imply, in order. */
static int append_implied(const struct config *config, json_t *list)
{
	const struct config_shared *shared = &config->shared;
	struct addr *vips;
	uint32_t n = 0;

	for (uint32_t i = 0; i < shared->n_services; i++)
		n += shared->services[i]->n_listen;
	vips = calloc(n + 1, sizeof(*vips));
	if (!vips)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < shared->n_services; i++)
		for (uint32_t k = 0; k < shared->services[i]->n_listen; k++)
			if (shared->services[i]->claim)
				vips[n++] = shared->services[i]->listen[k].addr;
	qsort(vips, n, sizeof(*vips), compare_addrs);
	for (uint32_t i = 0; i < n; i++) {
		const struct addr addr = vips[i];
		char text[ADDR_STRLEN];
		bool listed = i > 0 && addr_equal(&vips[i], &vips[i - 1]);

		if (!listed) {
			struct config_index_key key = index_key_addr(INDEX_ADDRESS, &addr);

			listed = config_index_get(config->index, &key, NULL);
		}
		if (!listed)
			json_array_append_new(
				list, shown_object(&shown_address,
						   &(struct shown_address){
							   .address = addr_format(&addr, text,
										  sizeof(text)),
							   .kind = "vip",
							   .active = true,
							   .implied = true,
							   .no_link = true},
						   SHOWN_LIST));
	}
	free(vips);
	return 0;
}

static json_t *addresses_json(const struct config *config, enum config_part part)
{
	json_t *list = json_array();

	(void)part;
	for (uint32_t i = 0; list && i < config->shared.n_addresses; i++) {
		json_t *o = config_address_to_json(&config->shared.addresses[i]);

		const struct shown_address v = {.active = true,
						.no_link = !json_object_get(o, "link")};

		shown_json(o, &shown_address, &v, SHOWN_LIST);
		json_array_append_new(list, o);
	}
	if (!list || append_implied(config, list) < 0) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "addresses", list);
}

static void address_list(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	answer_read(c, req, addresses_json, CONFIG_SHARED);
}

#define SET                                                                                        \
	{                                                                                          \
		"set", PARAM_OBJECT, true, "the keys to change; null restores a key's default"     \
	}

const struct method service_methods[] = {
	{.name = "service.list",
	 .run = service_list,
	 .help = "all virtual services with their real servers",
	 .result = "`services`; see [Services and servers](#services-and-servers)",
	 .list = "services",
	 .rows = &shown_service},
	{.name = "service.get",
	 .run = service_get,
	 .help = "a virtual service",
	 .params = {METHOD_SERVICE},
	 .result =
		 "`service`: as of `service.list`, and `removed_servers`; `config`: its object of "
		 "the configuration, to be changed and sent back; `timeouts`: by state of a "
		 "connection, in seconds",
	 .list = "service",
	 .in = SHOWN_LIST | SHOWN_ONE,
	 .rows = &shown_service},
	{.name = "service.add",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = service_add,
	 .help = "adds a virtual service",
	 .object = true,
	 .result = METHOD_LIVE},
	{.name = "service.edit",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = service_edit,
	 .help = "changes keys of a virtual service",
	 .params = {METHOD_SERVICE, SET},
	 .result = METHOD_LIVE},
	{.name = "service.delete",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = service_delete,
	 .help = "deletes a virtual service",
	 .params = {METHOD_SERVICE},
	 .result = "`connections`: how many it had; " METHOD_LIVE},
	{.name = "server.add",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = server_add,
	 .help = "adds a real server at the head of the scheduler's list, as IPVS does",
	 .params = {METHOD_SERVICE,
		    {"server", PARAM_OBJECT, true, "its object as in the configuration"}},
	 .result = METHOD_LIVE},
	{.name = "server.edit",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = server_edit,
	 .help = "changes keys of a real server, which keeps its place",
	 .params = {METHOD_SERVICE, METHOD_SERVER, SET},
	 .result = METHOD_LIVE},
	{.name = "server.delete",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = server_delete,
	 .help = "deletes a real server; its connections end or stay by `on_server_gone`",
	 .params = {METHOD_SERVICE, METHOD_SERVER},
	 .result = "`connections`: how many it had; " METHOD_LIVE},
	{.name = "address.list",
	 .run = address_list,
	 .help = "addresses: VIPs, gateways and prefixes",
	 .result = "`addresses`",
	 .list = "addresses",
	 .rows = &shown_address},
	{.name = "address.add",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = address_add,
	 .help = "adds an address",
	 .object = true,
	 .result = METHOD_LIVE},
	{.name = "address.delete",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .in_turn = true,
	 .run = address_delete,
	 .help = "deletes an address",
	 .object = true,
	 .result = METHOD_LIVE},
	{.name = NULL},
};
