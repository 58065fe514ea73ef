/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests: from the line of a client to the end of the answer. */
#include "rpc/rpc_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rpc_request *rpc_request_local(void (*done)(void *arg, const char *text, size_t len),
				      void *arg)
{
	struct rpc_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->local = done;
	r->local_arg = arg;
	return r;
}

uint32_t rpc_level(const struct rpc_request *r)
{
	return r->local ? UINT32_MAX : r->level;
}

const struct rpc_peer *rpc_peer(const struct rpc_request *r)
{
	return r->local ? NULL : &r->peer;
}

bool rpc_may_name(const struct rpc_request *r)
{
	return r->client && r->client->server->opt.named && !r->client->peer.session[0];
}

int rpc_name_session(struct rpc_request *r, const char *name)
{
	if (!rpc_may_name(r))
		return -EPERM;
	rpc_peer_set_session(&r->client->peer, name);
	return 0;
}

void rpc_on_end(struct rpc_request *r, rpc_ended *ended, void *arg)
{
	r->ended = ended;
	r->ended_arg = arg;
}

void *rpc_end_arg(const struct rpc_request *r, rpc_ended *ended)
{
	return r->ended == ended ? r->ended_arg : NULL;
}

static void tell_end(struct rpc_request *r, const char *message)
{
	rpc_ended *ended = r->ended;

	r->ended = NULL;
	if (ended)
		ended(r->ended_arg, message);
}

/* Takes doc over. */
static void local_end(struct rpc_request *r, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	const char *none = "{\"error\":{\"code\":-32603,\"message\":\"out of memory\"}}";

	json_decref(doc);
	r->local(r->local_arg, text ? text : none, strlen(text ? text : none));
	free(text);
	free(r);
}

static void request_end(struct rpc_request *r, json_t *doc)
{
	struct rpc_client *c = r->client;

	json_decref(r->id);
	if (!c) {
		json_decref(doc);
		free(r);
		return;
	}
	TAILQ_REMOVE(&c->requests, r, entry);
	c->n_requests--;
	free(r);
	if (doc)
		client_send(c, doc);
	client_flush(c);
}

void rpc_answer(struct rpc_request *r, json_t *result)
{
	tell_end(r, NULL);
	if (r->local) {
		local_end(r, json_pack("{s:o}", "result", result ? result : json_object()));
		return;
	}
	if (!r->client || !r->id) {
		json_decref(result);
		request_end(r, NULL);
		return;
	}
	request_end(r, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", r->id, "result",
				 result ? result : json_object()));
}

void rpc_answer_text(struct rpc_request *r, struct evbuffer *result)
{
	struct rpc_client *c = r->client;
	char *id;

	tell_end(r, NULL);
	if (r->local) {
		evbuffer_prepend(result, "{\"result\":", 10);
		evbuffer_add(result, "}", 1);
		r->local(r->local_arg, (const char *)evbuffer_pullup(result, -1),
			 evbuffer_get_length(result));
		free(r);
		return;
	}
	if (!c || !r->id) {
		request_end(r, NULL);
		return;
	}
	id = json_dumps(r->id, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!id ||
	    evbuffer_add_printf(c->out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", id) < 0 ||
	    evbuffer_add_buffer(c->out, result) < 0 || evbuffer_add(c->out, "}\n", 2) < 0)
		c->broken = true;
	free(id);
	client_bound(c);
	request_end(r, NULL);
}

void rpc_fail(struct rpc_request *r, enum rpc_code code, json_t *data, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	tell_end(r, message);
	if (r->local) {
		local_end(r, json_pack("{s:{s:i, s:s, s:o*}}", "error", "code", code, "message",
				       message, "data", data));
		return;
	}
	if (!r->client || !r->id) {
		json_decref(data);
		request_end(r, NULL);
		return;
	}
	request_end(r, client_error_doc(r->id, code, data, message));
}

void rpc_rows(struct rpc_request *r, json_t *rows)
{
	struct rpc_client *c = r->client;

	if (!c || !r->id) {
		json_decref(rows);
		return;
	}
	client_send(c, json_pack("{s:s, s:s, s:{s:O, s:o}}", "jsonrpc", "2.0", "method", "rows",
				 "params", "id", r->id, "rows", rows));
	client_flush(c);
}

size_t rpc_backlog(const struct rpc_request *r)
{
	return r->client ? evbuffer_get_length(r->client->out) : 0;
}

bool rpc_round(const struct rpc_request *r, uint64_t round)
{
	if (!r->client)
		return true;
	if (r->client->round == round)
		return false;
	r->client->round = round;
	return true;
}

bool rpc_closed(const struct rpc_request *r)
{
	return !r->client && !r->local;
}
