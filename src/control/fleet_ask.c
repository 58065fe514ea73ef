/* SPDX-License-Identifier: BSD-3-Clause */
/* A question to another member of the fleet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include "base/sockaddr.h"
#include "control/control_internal.h"
#include "control/fleet_keys.h"
#include "control/fleet_wire.h"

#define CONNECT_S  5
#define ANSWER_S   60 /* of silence: a large configuration takes seconds to be checked */
#define ANSWER_MAX (64UL << 20)

struct ask {
	struct pending pending;
	struct bufferevent *tls;
	char member[MAX_NAME + 1];
	char *text;  /* the request, with a newline */
	size_t seen; /* bytes of the answer that have no newline */
	bool sent;
};

static void ask_free(struct pending *l)
{
	struct ask *a = (struct ask *)l;

	if (a->tls)
		bufferevent_free(a->tls);
	free(a->text);
	free(a);
}

static void ask_fail(struct ask *a, const char *why)
{
	pending_fail(&a->pending, RPC_AWAY, json_pack("{s:s}", "member", a->member),
		     "member %s: %s", a->member, why);
	pending_end(&a->pending);
}

/* The member's answer, as if the client had asked there. */
static void ask_answer(struct ask *a, const char *line, size_t len)
{
	json_t *doc = json_loadb(line, len, 0, NULL);
	json_t *result = json_object_get(doc, "result"), *error = json_object_get(doc, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const json_int_t code = json_integer_value(json_object_get(error, "code"));

	if (result)
		pending_answer(&a->pending, json_incref(result));
	else
		pending_fail(&a->pending,
			     code >= RPC_INVALID && code < RPC_AWAY ? (enum rpc_code)code
								    : RPC_INVALID,
			     json_incref(json_object_get(error, "data")), "member %s: %s",
			     a->member, message ? message : "answers what nobody understands");
	json_decref(doc);
	pending_end(&a->pending);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr from, end;
	struct ask *a = arg;
	size_t len;
	char *line;

	if (evbuffer_ptr_set(in, &from, a->seen, EVBUFFER_PTR_SET) == 0) {
		end = evbuffer_search_eol(in, &from, NULL, EVBUFFER_EOL_LF);
		if (end.pos < 0) {
			a->seen = evbuffer_get_length(in);
			if (a->seen > ANSWER_MAX)
				ask_fail(a, "its answer has no end");
			return;
		}
	}
	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line)
		ask_answer(a, line, len);
	else
		ask_fail(a, "no memory for its answer");
	free(line);
}

/* Errors that OpenSSL remembers may be of another connection. */
static bool heard_nothing(const SSL *ssl)
{
	return BIO_number_read(SSL_get_rbio(ssl)) == 0;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	const struct timeval silence = {.tv_sec = ANSWER_S};
	struct ask *a = arg;

	if (!(what & BEV_EVENT_CONNECTED)) {
		ask_fail(a, what & BEV_EVENT_TIMEOUT ? "does not answer in time"
			    : a->sent		     ? "hung up"
			    : heard_nothing(bufferevent_openssl_get_ssl(bev))
				    ? "cannot be reached, or hung up (node.control.fleet)"
				    : "does not have the same key (node.ha.key_file)");
		return;
	}
	if (!tls_psk_proven(bufferevent_openssl_get_ssl(bev))) {
		ask_fail(a, "has not proven that it has the key of this fleet");
		return;
	}
	a->sent = true;
	bufferevent_set_timeouts(bev, &silence, &silence);
	if (bufferevent_write(bev, a->text, strlen(a->text)) < 0)
		ask_fail(a, "no memory for the request");
}

static const struct config_member *member_find(const struct config *config, const char *name)
{
	const struct config_ha_shared *ha = &config->shared.ha;

	for (uint32_t i = 0; name && i < ha->n_members; i++)
		if (strcmp(ha->members[i].name, name) == 0)
			return &ha->members[i];
	return NULL;
}

static int ask_connect(struct ask *a, struct control *c, const struct endpoint *to)
{
	const struct timeval limit = {.tv_sec = CONNECT_S};
	SSL *ssl = SSL_new(fleet_keys_client(c->fleet.keys));
	struct sockaddr_storage sa;
	const socklen_t len = endpoint_sockaddr(to, &sa);

	if (ssl)
		a->tls = bufferevent_openssl_socket_new(
			c->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!a->tls) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(a->tls, 1);
	bufferevent_setcb(a->tls, on_read, NULL, on_event, a);
	bufferevent_set_timeouts(a->tls, &limit, &limit);
	bufferevent_enable(a->tls, EV_READ | EV_WRITE);
	return bufferevent_socket_connect(a->tls, (struct sockaddr *)&sa, (int)len);
}

void fleet_ask(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct pending_kind kind = {.free = ask_free};
	const char *name = param_string(params, "member"), *method = param_string(params, "method");
	const struct config_member *member = member_find(c->config, name);
	json_t *its = json_object_get(params, "params"), *doc;
	struct ask *a;

	if (!member || !c->fleet.keys) {
		rpc_fail(req, member ? RPC_INVALID : RPC_NO_OBJECT, NULL,
			 member ? "there is no key for control connections (node.ha.key_file)"
				: "shared.ha.members names no member \"%s\"",
			 name);
		return;
	}
	a = pending_create(c, req, sizeof(*a), &kind);
	if (!a)
		return;
	snprintf(a->member, sizeof(a->member), "%s", name);
	doc = json_pack("{s:s, s:i, s:s, s:O*}", "jsonrpc", "2.0", "id", 1, "method", method,
			"params", its);
	a->text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (a->text) {
		const size_t n = strlen(a->text);
		char *line = realloc(a->text, n + 2);

		if (line)
			memcpy(line + n, "\n", 2);
		a->text = line ? line : a->text;
		if (line && ask_connect(a, c, &member->address) == 0)
			return;
	}
	ask_fail(a, "no memory, no socket, or no route");
}
