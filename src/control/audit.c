/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log_record.h"
#include "control/control_internal.h"
#include "control/event_log.h"

#define AUDIT_AREA "audit"
#define WHAT_MAX   480
#define DETAIL_MAX 320

struct audit {
	struct control *control;
	struct rpc_peer peer; /* uid RPC_NO_ID: source says it */
	char source[64];
	char method[40];
	char what[WHAT_MAX];
	char detail[DETAIL_MAX];
	uint64_t start_us;
	bool live, made;
	uint64_t generation, live_us;
};

/* --- words --- */

static void add(char what[WHAT_MAX], const char *text)
{
	size_t n = strlen(what), len = strlen(text);

	if (n + len + 1 < WHAT_MAX - 4) {
		memcpy(what + n, text, len + 1);
		return;
	}
	if (n < 4 || strcmp(what + n - 3, "...") != 0)
		strcpy(what + n, n + 4 < WHAT_MAX ? "..." : "");
}

static void value_add(char what[WHAT_MAX], const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		add(what, json_string_value(value));
		return;
	}
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	add(what, text ? text : "?");
	free(text);
}

/* Parameters in the order that the client gave: what is named and what is set. A whole
 * configuration is only measured. */
static void params_add(char what[WHAT_MAX], const json_t *params, int depth)
{
	static const char *const plain[] = {"service", "server", "address", "state", "mode"};
	json_t *value;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)params, key, value) {
		bool bare = false;

		for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
			bare |= json_is_string(value) && strcmp(plain[i], key) == 0;
		if (json_is_object(value) && depth == 0) {
			params_add(what, value, 1);
			continue;
		}
		add(what, " ");
		if (!bare) {
			add(what, key);
			add(what, "=");
		}
		if (strcmp(key, "text") == 0 && json_is_string(value))
			add(what, "(a configuration)");
		else
			value_add(what, value);
	}
}

/* Control characters reach neither the log nor a terminal. */
static void make_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* --- telling --- */

static void tell(const struct audit *a, const char *error)
{
	char who[RPC_PEER_STRLEN], text[RPC_PEER_STRLEN + WHAT_MAX + DETAIL_MAX + 128],
		end[96] = "";
	json_t *o;

	if (a->source[0])
		snprintf(who, sizeof(who), "%s", a->source);
	else
		rpc_peer_format(&a->peer, who, sizeof(who));
	if (a->live)
		snprintf(end, sizeof(end), " (generation %llu, live in %.3f ms)",
			 (unsigned long long)a->generation, (double)a->live_us / 1000);
	snprintf(text, sizeof(text), "%s: %s%s%s%s%s%s", who, a->what, a->detail[0] ? ": " : "",
		 a->detail, end, error ? ": failed: " : "", error ? error : "");
	make_printable(text);
	log_record(LOG_LEVEL_NOTICE, AUDIT_AREA, text);
	o = json_pack("{s:s, s:s, s:s, s:s, s:b}", "who", who, "session", a->peer.session, "method",
		      a->method, "what", a->what, "done", !error);
	if (o && !a->source[0]) {
		json_object_set_new(o, "uid", json_integer(a->peer.uid));
		json_object_set_new(o, "pid", json_integer(a->peer.pid));
		if (a->peer.login_uid != RPC_NO_ID)
			json_object_set_new(o, "login_uid", json_integer(a->peer.login_uid));
	}
	if (o && a->detail[0])
		json_object_set_new(o, "detail", json_string(a->detail));
	if (o && a->live) {
		json_object_set_new(o, "generation", json_integer((json_int_t)a->generation));
		json_object_set_new(o, "live_us", json_integer((json_int_t)a->live_us));
	}
	if (o && error)
		json_object_set_new(o, "error", json_string(error));
	event_tell(a->control, EVENT_CHANGE, o, text);
}

/* A change that was refused changed nothing, and is no news. */
static void ended(void *arg, const char *message)
{
	struct audit *a = arg;

	if (!message || a->made)
		tell(a, message);
	free(a);
}

/* Not everything that such a method is asked for changes something. */
static bool only_asks(const char *method, const json_t *params)
{
	return json_is_true(json_object_get(params, "plan")) ||
	       strcmp(method, "ha.ask_addresses") == 0 || strcmp(method, "ha.clock") == 0 ||
	       (strcmp(method, "log.level") == 0 && !json_object_get(params, "level"));
}

void audit_begin(struct control *c, struct rpc_request *req, const char *method,
		 const json_t *params, const char *source)
{
	struct audit *a;

	if (only_asks(method, params))
		return;
	a = calloc(1, sizeof(*a));
	if (!a) {
		log_warning(AUDIT_AREA, "no memory for the author of %s", method);
		return;
	}
	a->control = c;
	a->start_us = clock_us();
	a->peer.uid = a->peer.login_uid = RPC_NO_ID;
	if (source)
		snprintf(a->source, sizeof(a->source), "%s", source);
	else if (rpc_peer(req))
		a->peer = *rpc_peer(req);
	snprintf(a->method, sizeof(a->method), "%s", method);
	snprintf(a->what, sizeof(a->what), "%s", method);
	for (char *p = a->what; *p; p++)
		if (*p == '.')
			*p = ' ';
	params_add(a->what, params, 0);
	make_printable(a->what);
	rpc_on_end(req, ended, a);
}

void audit_detail(struct rpc_request *req, const char *text)
{
	struct audit *a = rpc_end_arg(req, ended);

	if (a)
		snprintf(a->detail, sizeof(a->detail), "%s", text);
}

const char *audit_author(const struct rpc_request *req, char *buf, size_t len)
{
	const struct audit *a = rpc_end_arg(req, ended);

	if (a && a->source[0])
		snprintf(buf, len, "%s", a->source);
	else
		rpc_peer_name(a ? &a->peer : rpc_peer(req), buf, len);
	return buf;
}

const char *audit_what(const struct rpc_request *req)
{
	const struct audit *a = rpc_end_arg(req, ended);

	return a ? a->what : NULL;
}

void audit_live(struct rpc_request *req, uint64_t generation, uint64_t us)
{
	struct audit *a = rpc_end_arg(req, ended);

	if (!a)
		return;
	a->live = true;
	a->generation = generation;
	a->live_us = us;
}

void audit_made(struct rpc_request *req)
{
	struct audit *a = rpc_end_arg(req, ended);

	if (a)
		a->made = true;
}

static void on_live(void *arg, int ret, uint64_t generation)
{
	struct audit *a = arg;

	a->live = ret == 0;
	a->generation = generation;
	a->live_us = clock_us() - a->start_us;
	if (ret != -ECANCELED)
		tell(a, ret == -ETIMEDOUT ? "not every worker has taken it up within 2 s"
			: ret		  ? "out of memory"
					  : NULL);
	free(a);
}

void audit_without_request(struct control *c, const char *source, const char *what,
			   uint64_t start_us)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	a->control = c;
	a->start_us = start_us;
	a->peer.uid = a->peer.login_uid = RPC_NO_ID;
	snprintf(a->source, sizeof(a->source), "%s", source);
	snprintf(a->method, sizeof(a->method), "config.apply");
	snprintf(a->what, sizeof(a->what), "%s", what);
	publisher_wait(&c->publisher, on_live, a);
}

void audit_denied(struct control *c, struct rpc_request *req, const char *method)
{
	char who[RPC_PEER_STRLEN], text[RPC_PEER_STRLEN + 96];

	snprintf(text, sizeof(text), "%s: %.40s was refused: not by this socket",
		 rpc_peer_format(rpc_peer(req), who, sizeof(who)), method);
	make_printable(text);
	log_notice(AUDIT_AREA, "%s", text);
	event_tell(c, EVENT_SESSION,
		   json_pack("{s:s, s:s, s:s}", "event", "denied", "who", who, "method", method),
		   text);
}
