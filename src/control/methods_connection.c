/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections belong to workers: a listing, or an end of connections, asks one worker after the
 * other for a bounded part, and looks again on a timer. Several clients list at once: a worker
 * spends a bounded step of each round on them, and a listing whose client reads slowly waits.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "control/audit.h"
#include "control/connection_filter.h"
#include "control/control_internal.h"
#include "shown/objects.h"

#define MAX_STREAMS   64
#define POLL_US	      500
#define SLOW_US	      10000 /* while a client does not read */
#define PAUSE_BACKLOG (1UL << 20)
#define PART	      CMD_LIST_STEP /* rows of one command */
#define PART_END      64	    /* connections that a worker ends at a time */
#define ROWS	      512	    /* rows of one message */

enum stream_kind {
	STREAM_LIST,
	STREAM_COUNT,
	STREAM_FIND,
	STREAM_END,
};

struct stream {
	struct pending pending;
	enum stream_kind kind;
	struct event *poll_ev;
	uint16_t worker, last_worker; /* being asked; the last one to ask */
	uint64_t limit, count;	      /* limit 0: none */
	bool sent;		      /* a worker has the command */
	struct worker_command command;
	struct conn_view views[PART];
};

static void stream_free(struct pending *l)
{
	struct stream *s = (struct stream *)l;

	l->control->n_streams--;
	if (s->poll_ev)
		event_free(s->poll_ev);
	free(s);
}

static void stream_destroy(struct stream *s)
{
	pending_end(&s->pending);
}

static void stream_poll_in(struct stream *s, long us)
{
	struct timeval tv = {.tv_usec = us};

	event_add(s->poll_ev, &tv);
}

/* --- rows --- */

static const char *protocol_name(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : "ip";
}

/* one: the facts of a connection that is asked for alone; or NULL. */
static json_t *view_json(const struct conn_view *v, const struct shown_connection *one)
{
	char client[ENDPOINT_STRLEN], virtual[ENDPOINT_STRLEN], server[ENDPOINT_STRLEN];
	char local[ENDPOINT_STRLEN];
	struct shown_connection shown = {
		.protocol = protocol_name(v->proto),
		.client = endpoint_format(&v->client, client, sizeof(client)),
		.virtual = endpoint_format(&v->virtual, virtual, sizeof(virtual)),
		.server = endpoint_format(&v->server, server, sizeof(server)),
		.local = v->local.port ? endpoint_format(&v->local, local, sizeof(local)) : NULL,
		.client_address = v->proxy ? client_address_names[v->proxy & PROXY_VERSION] : NULL,
		.header = v->proxy ? conn_view_header(v) : NULL,
		.state = conn_view_state(v),
		.expires_s = v->expires_s,
		.method = forward_name(v->method),
		.worker = v->worker,
		.active = v->flags & CONN_F_ACTIVE,
		.template = v->flags & CONN_F_TEMPLATE,
	};

	if (!one)
		return shown_object(&shown_connection, &shown, SHOWN_LIST);
	shown.service = one->service;
	shown.nexthop_in = one->nexthop_in;
	shown.nexthop_out = one->nexthop_out;
	shown.idle_s = v->idle_s;
	shown.embryonic = v->flags & CONN_F_EMBRYONIC;
	shown.no_output = v->flags & CONN_F_NOOUTPUT;
	shown.one_packet = v->flags & CONN_F_ONE_PACKET;
	return shown_object(&shown_connection, &shown, SHOWN_LIST | SHOWN_ONE);
}

/* Takes what a worker gave. True: the limit is reached. */
static bool stream_take(struct stream *s)
{
	json_t *rows = NULL;

	if (s->kind == STREAM_END) {
		s->count += s->command.n;
		return false;
	}
	for (uint32_t i = 0; i < s->command.n; i++) {
		if (s->limit && s->count == s->limit) {
			if (rows)
				rpc_rows(s->pending.req, rows);
			return true;
		}
		s->count++;
		if (s->kind != STREAM_LIST)
			continue;
		if (!rows)
			rows = json_array();
		json_array_append_new(rows, view_json(&s->views[i], NULL));
		if (json_array_size(rows) == ROWS) {
			rpc_rows(s->pending.req, rows);
			rows = NULL;
		}
	}
	if (rows)
		rpc_rows(s->pending.req, rows);
	return false;
}

static const char *nexthop_text(const struct link_nexthop *nhs, uint32_t n, uint16_t id,
				char text[ADDR_STRLEN])
{
	for (uint32_t i = 0; id && i < n; i++)
		if (nhs[i].nh.id == id)
			return addr_format(&nhs[i].nh.addr, text, ADDR_STRLEN);
	return NULL;
}

static void answer_found(struct stream *s)
{
	const struct conn_view *v = &s->views[0];
	struct link_nexthop *nhs = NULL;
	char key[96] = "", in[ADDR_STRLEN], out[ADDR_STRLEN];
	struct shown_connection one = {0};
	uint32_t n = 0;

	if (s->command.n == 0) {
		rpc_fail(s->pending.req, RPC_NO_OBJECT, NULL, "no such connection");
		return;
	}
	if (v->service_id <= MAX_SERVICES &&
	    s->pending.control->pub->runtime.services[v->service_id])
		memcpy(key, s->pending.control->pub->runtime.services[v->service_id]->key,
		       sizeof(key));
	if (s->pending.control->link && link_list_nexthops(s->pending.control->link, &nhs, &n) < 0)
		n = 0;
	one.service = key[0] ? key : NULL;
	one.nexthop_in = nexthop_text(nhs, n, v->nh_in, in);
	one.nexthop_out = nexthop_text(nhs, n, v->nh_out, out);
	free(nhs);
	rpc_answer(s->pending.req, json_pack("{s:o}", "connection", view_json(v, &one)));
}

static void answer_ended(struct stream *s)
{
	char text[64];

	if (s->count == 0 && s->command.kind == CMD_END_ONE) {
		rpc_fail(s->pending.req, RPC_NO_OBJECT, NULL, "no such connection");
		return;
	}
	snprintf(text, sizeof(text), "%llu connection%s", (unsigned long long)s->count,
		 s->count == 1 ? "" : "s");
	audit_detail(s->pending.req, text);
	rpc_answer(s->pending.req, json_pack("{s:I}", "count", (json_int_t)s->count));
}

static void stream_end(struct stream *s, bool truncated)
{
	switch (s->kind) {
	case STREAM_LIST:
		rpc_answer(s->pending.req, json_pack("{s:I, s:b}", "count", (json_int_t)s->count,
						     "truncated", truncated));
		break;
	case STREAM_COUNT:
		rpc_answer(s->pending.req, json_pack("{s:I}", "count", (json_int_t)s->count));
		break;
	case STREAM_FIND:
		answer_found(s);
		break;
	case STREAM_END:
		answer_ended(s);
		break;
	}
	stream_destroy(s);
}

/* --- asking --- */

static void stream_ask(struct stream *s)
{
	int ret;

	s->command.views = s->views;
	s->command.n_max = s->kind == STREAM_END ? PART_END : PART;
	s->command.n = 0;
	s->command.eventfd = -1;
	s->command.done = 0;
	ret = dataplane_command(s->pending.control->dp, s->worker, &s->command);
	s->sent = ret == 0;
	if (ret < 0 && ret != -EAGAIN) {
		rpc_fail(s->pending.req, RPC_INTERNAL, NULL, "worker %u takes no commands: %s",
			 s->worker, strerror(-ret));
		stream_destroy(s);
		return;
	}
	stream_poll_in(s, POLL_US);
}

/* The worker has answered: what next? */
static void stream_step(struct stream *s)
{
	if (s->kind != STREAM_FIND && stream_take(s)) {
		stream_end(s, true);
		return;
	}
	if (s->command.cursor == 0) {
		if (s->worker == s->last_worker) {
			stream_end(s, false);
			return;
		}
		s->worker++;
	}
	stream_ask(s);
}

static void on_stream(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->sent && !__atomic_load_n(&s->command.done, __ATOMIC_ACQUIRE)) {
		stream_poll_in(s, POLL_US);
	} else if (rpc_closed(s->pending.req)) {
		rpc_answer(s->pending.req, NULL);
		stream_destroy(s);
	} else if (rpc_backlog(s->pending.req) > PAUSE_BACKLOG) {
		stream_poll_in(s, SLOW_US);
	} else if (!s->sent) {
		stream_ask(s);
	} else {
		s->sent = false;
		stream_step(s);
	}
}

/* The worker may have the command for a moment yet. */
static bool stream_stop(struct pending *l, uint64_t deadline_us)
{
	static const struct timespec pause = {.tv_nsec = POLL_US * 1000};
	struct stream *s = (struct stream *)l;

	event_free(s->poll_ev);
	s->poll_ev = NULL;
	while (s->sent && !__atomic_load_n(&s->command.done, __ATOMIC_ACQUIRE)) {
		if (clock_us() >= deadline_us)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static const struct pending_kind pending_kind = {stream_stop, stream_free};

static struct stream *stream_create(struct control *c, struct rpc_request *req,
				    enum stream_kind kind)
{
	struct stream *s;

	if (c->n_streams >= MAX_STREAMS) {
		rpc_fail(req, RPC_LIMIT, NULL,
			 "limit reached: %d listings of connections at a time", MAX_STREAMS);
		return NULL;
	}
	s = pending_create(c, req, sizeof(*s), &pending_kind);
	if (!s)
		return NULL;
	c->n_streams++;
	s->poll_ev = event_new(c->base, -1, 0, on_stream, s);
	if (!s->poll_ev) {
		pending_fail(&s->pending, RPC_INTERNAL, NULL, "out of memory");
		stream_destroy(s);
		return NULL;
	}
	s->kind = kind;
	s->last_worker = c->dp && c->dp->n_workers ? (uint16_t)(c->dp->n_workers - 1) : 0;
	return s;
}

static void stream_start(struct stream *s)
{
	if (!s->pending.control->dp || s->pending.control->dp->n_workers == 0)
		stream_end(s, false);
	else
		stream_ask(s);
}

static void walk(struct control *c, struct rpc_request *req, const json_t *params,
		 enum stream_kind kind)
{
	struct stream *s = stream_create(c, req, kind);

	if (!s)
		return;
	s->command.kind = kind == STREAM_END ? CMD_END : CMD_LIST;
	if (connection_filter_parse(c, req, params, &s->command.filter, &s->worker)) {
		if (json_object_get(params, "worker"))
			s->last_worker = s->worker;
		s->limit = (uint64_t)json_integer_value(json_object_get(params, "limit"));
		stream_start(s);
	} else {
		stream_destroy(s);
	}
}

static void connection_list(struct control *c, struct rpc_request *req, json_t *params)
{
	walk(c, req, params, STREAM_LIST);
}

static void connection_count(struct control *c, struct rpc_request *req, json_t *params)
{
	walk(c, req, params, STREAM_COUNT);
}

static uint16_t key_owner(const struct control *c, const struct worker_command *cmd)
{
	return (uint16_t)(cmd->family == ADDR_V6
				  ? owner6(&c->dp->owners, cmd->key6.saddr, cmd->key6.sport)
				  : owner4(&c->dp->owners, cmd->key4.saddr, cmd->key4.sport));
}

static void one(struct control *c, struct rpc_request *req, const json_t *params,
		enum stream_kind kind)
{
	struct stream *s = stream_create(c, req, kind);

	if (!s)
		return;
	s->command.kind = kind == STREAM_END ? CMD_END_ONE : CMD_FIND;
	if (!connection_key_parse(req, params, &s->command)) {
		stream_destroy(s);
		return;
	}
	if (c->dp && c->dp->n_workers)
		s->worker = s->last_worker = key_owner(c, &s->command);
	stream_start(s);
}

static void connection_find(struct control *c, struct rpc_request *req, json_t *params)
{
	one(c, req, params, STREAM_FIND);
}

static void connection_end(struct control *c, struct rpc_request *req, json_t *params)
{
	one(c, req, params, STREAM_END);
}

/* Without a filter nothing ends: all connections are ended by a prefix of all clients. */
static void connection_end_all(struct control *c, struct rpc_request *req, json_t *params)
{
	if (json_object_size(params) == 0)
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "service"),
			 "connection.end_all: no filter is given; all connections are those of the "
			 "client 0.0.0.0/0 and ::/0");
	else
		walk(c, req, params, STREAM_END);
}

#define KEY                                                                                        \
	{"protocol", PARAM_STRING, true, "`tcp` or `udp`"},                                        \
		{"client", PARAM_STRING, true, "address:port"},                                    \
	{                                                                                          \
		"virtual", PARAM_STRING, true, "address:port"                                      \
	}
#define FILTERS                                                                                    \
	{"service", PARAM_STRING, false, "of this virtual service"},                               \
		{"server", PARAM_STRING, false,                                                    \
		 "to this real server: address:port, or an address"},                              \
		{"client", PARAM_STRING, false, "from this address or prefix"},                    \
		{"protocol", PARAM_STRING, false, "`tcp` or `udp`"},                               \
		{"state", PARAM_STRING, false, "in this state, as `ESTABLISHED`"},                 \
	{                                                                                          \
		"worker", PARAM_NUMBER, false, "owned by this worker"                              \
	}

const struct method connection_methods[] = {
	{.name = "connection.list",
	 .run = connection_list,
	 .help = "connections that pass the filters, as a stream",
	 .params = {FILTERS, {"limit", PARAM_NUMBER, false, "at most"}},
	 .result = "`count`, `truncated`; before them rows. A persistence template has client port "
		   "0 and the state `ASSURED` or `NONE`; a template of a mark has the protocol "
		   "`ip` and the mark as its virtual address",
	 .stream = true,
	 .rows = &shown_connection},
	{.name = "connection.count",
	 .run = connection_count,
	 .help = "the number of connections that pass the filters",
	 .params = {FILTERS},
	 .result = "`count`"},
	{.name = "connection.find",
	 .run = connection_find,
	 .help = "a connection by its addresses",
	 .params = {KEY},
	 .result = "`connection`; or error 2",
	 .list = "connection",
	 .in = SHOWN_LIST | SHOWN_ONE,
	 .rows = &shown_connection},
	{.name = "connection.end",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .run = connection_end,
	 .help = "ends one connection: client and real server get a RST",
	 .params = {KEY},
	 .result = "`count`: 1; or error 2. plvs asks both sides for a packet, and answers the "
		   "packet by the RST; a connection of UDP is removed at once"},
	{.name = "connection.end_all",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .run = connection_end_all,
	 .help = "ends the connections that pass the filters, at least one of which must be given; "
		 "persistence templates stay",
	 .params = {FILTERS},
	 .result = "`count`: connections that this request ended"},
	{.name = NULL},
};
