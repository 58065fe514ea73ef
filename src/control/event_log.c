/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/event_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_internal.h"
#include "ha/role/role.h"

#define FOLLOWERS_MAX 64
#define TICK_S	      2
#define BACKLOG_MAX   (1UL << 20) /* that waits for a follower: events are left out above */

static const char *const kind_names[] = {
#define X(NAME, word, help) word,
	EVENT_KINDS(X)
#undef X
		NULL};

struct event_follower {
	TAILQ_ENTRY(event_follower) entry;
	struct rpc_request *req;
	uint32_t kinds; /* bits */
	uint64_t lost;
};

static bool follower_wants(const struct event_follower *f, enum event_kind kind)
{
	return f->kinds >> kind & 1;
}

static void follower_end(struct control *c, struct event_follower *f)
{
	TAILQ_REMOVE(&c->events.followers, f, entry);
	c->events.n_followers--;
	rpc_answer(f->req, NULL);
	free(f);
}

static void follower_give(struct event_follower *f, json_t *event)
{
	json_t *rows;

	if (rpc_backlog(f->req) > BACKLOG_MAX) {
		f->lost++;
		return;
	}
	rows = json_array();
	if (f->lost)
		json_array_append_new(
			rows,
			json_pack("{s:s, s:I, s:s}", "kind", "lost", "events", (json_int_t)f->lost,
				  "text", "events were left out: they were not read in time"));
	f->lost = 0;
	json_array_append(rows, event);
	rpc_rows(f->req, rows);
}

/* Empty rows tell the client that the router is there, and the router that the client is. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct event_follower *f, *next;

	(void)fd;
	(void)what;
	for (f = TAILQ_FIRST(&c->events.followers); f; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (rpc_backlog(f->req) == 0)
			rpc_rows(f->req, json_array());
		if (rpc_closed(f->req))
			follower_end(c, f);
	}
}

int event_log_start(struct control *c)
{
	const struct timeval tv = {.tv_sec = TICK_S};

	TAILQ_INIT(&c->events.followers);
	c->events.tick = event_new(c->base, -1, EV_PERSIST, on_tick, c);
	return c->events.tick && event_add(c->events.tick, &tv) == 0 ? 0 : -ENOMEM;
}

void event_log_stop(struct control *c)
{
	struct event_follower *f;

	if (!c->events.tick)
		return;
	while ((f = TAILQ_FIRST(&c->events.followers)))
		follower_end(c, f);
	event_free(c->events.tick);
	c->events.tick = NULL;
}

void event_log_free(struct control *c)
{
	for (size_t i = 0; i < EVENT_LOG_LEN; i++)
		json_decref(c->events.event[i]);
}

void event_tell(struct control *c, enum event_kind kind, json_t *fields, const char *text)
{
	struct event_log *log = &c->events;
	json_t *event = fields ? fields : json_object(),
	       **slot = &log->event[log->next % EVENT_LOG_LEN];
	json_t *words = json_string(text);

	json_object_set_new(event, "seq", json_integer((json_int_t)log->next++));
	json_object_set_new(event, "at_ms", json_integer((json_int_t)clock_wall_ms()));
	json_object_set_new(event, "kind", json_string(kind_names[kind]));
	json_object_set_new(event, "text", words ? words : json_string("(not UTF-8)"));
	json_decref(*slot);
	*slot = event;
	for (struct event_follower *f = TAILQ_FIRST(&log->followers); f; f = TAILQ_NEXT(f, entry))
		if (follower_wants(f, kind))
			follower_give(f, event);
}

/* --- the ha thread --- */

struct role_note {
	struct control_note note;
	enum ha_state from, to;
	char text[ROLE_REASON_LEN];
};

static void role_note_run(struct control *c, struct control_note *note)
{
	struct role_note *n = (struct role_note *)note;
	char text[ROLE_REASON_LEN + 64];

	snprintf(text, sizeof(text), "%s, was %s: %s", role_state_name(n->to),
		 role_state_name(n->from), n->text);
	event_tell(c, EVENT_ROLE,
		   json_pack("{s:s, s:s, s:s}", "state", role_state_name(n->to), "was",
			     role_state_name(n->from), "reason", n->text),
		   text);
	free(n);
}

static void role_note_drop(struct control_note *note)
{
	free(note);
}

void control_role(struct control *c, int from, int to, const char *text)
{
	struct role_note *n = calloc(1, sizeof(*n));

	if (!n)
		return;
	n->note = (struct control_note){.run = role_note_run, .drop = role_note_drop};
	n->from = (enum ha_state)from;
	n->to = (enum ha_state)to;
	snprintf(n->text, sizeof(n->text), "%s", text);
	control_post(c, &n->note);
}

/* --- methods --- */

/* "change,role" -> bits; 0: a word that is none. */
static uint32_t kinds_parse(const char *text)
{
	uint32_t kinds = 0;

	if (!text)
		return UINT32_MAX;
	while (*text) {
		size_t n = strcspn(text, ",");
		int kind = -1;

		for (int i = 0; kind_names[i]; i++)
			if (strlen(kind_names[i]) == n && memcmp(kind_names[i], text, n) == 0)
				kind = i;
		if (kind < 0)
			return 0;
		kinds |= 1U << kind;
		text += n + (text[n] == ',');
	}
	return kinds;
}

static enum event_kind kind_of(const json_t *event)
{
	const char *word = json_string_value(json_object_get(event, "kind"));

	for (int i = 0; kind_names[i]; i++)
		if (word && strcmp(kind_names[i], word) == 0)
			return (enum event_kind)i;
	return EVENT_KIND_MAX;
}

/* The last n kept events of these kinds, the oldest first. */
static json_t *events_last(const struct event_log *log, uint32_t kinds, uint64_t n)
{
	uint64_t from = log->next > EVENT_LOG_LEN ? log->next - EVENT_LOG_LEN : 0;
	json_t *rows = json_array();

	for (uint64_t i = from; rows && i < log->next; i++)
		if (kinds >> kind_of(log->event[i % EVENT_LOG_LEN]) & 1)
			json_array_append(rows, log->event[i % EVENT_LOG_LEN]);
	while (json_array_size(rows) > n)
		json_array_remove(rows, 0);
	return rows;
}

static void event_follow(struct control *c, struct rpc_request *req, json_t *params)
{
	const json_t *last = json_object_get(params, "last");
	uint32_t kinds = kinds_parse(param_string(params, "kinds"));
	struct event_follower *f;

	if (!kinds) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "kinds"),
			 "event.follow: kinds: expected change, health, role, session, or several "
			 "of them with commas between");
		return;
	}
	rpc_rows(req,
		 events_last(&c->events, kinds, last ? (uint64_t)json_integer_value(last) : 10));
	if (json_is_true(json_object_get(params, "once"))) {
		rpc_answer(req, NULL);
		return;
	}
	f = c->events.n_followers < FOLLOWERS_MAX ? calloc(1, sizeof(*f)) : NULL;
	if (!f) {
		rpc_fail(req, RPC_LIMIT, NULL, "limit reached: %u clients follow events",
			 c->events.n_followers);
		return;
	}
	f->req = req;
	f->kinds = kinds;
	TAILQ_INSERT_TAIL(&c->events.followers, f, entry);
	c->events.n_followers++;
}

const struct method event_methods[] = {
	{.name = "event.follow",
	 .run = event_follow,
	 .help = "the last events, and those to come until the client is gone; an empty list of "
		 "rows comes every 2 s",
	 .params = {{"kinds", PARAM_STRING, false,
		     "`change`, `health`, `role`, `session`, or several with commas between "
		     "(default: all)",
		     METHOD_READ},
		    {"last", PARAM_NUMBER, false, "so many of the past (default 10)", METHOD_READ},
		    {"once", PARAM_BOOLEAN, false, "only those of the past", METHOD_READ}},
	 .result = "nothing; rows: `seq`, `at_ms`, `kind`, `text` and the keys of the kind"},
	{.name = NULL},
};
