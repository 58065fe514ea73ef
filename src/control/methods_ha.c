/* SPDX-License-Identifier: BSD-3-Clause */
/* The pair of routers: what it is, and what an operator says to it. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_internal.h"
#include "control/pair.h"

/* --- commands: the ha thread answers, perhaps seconds later --- */

struct ha_wait {
	struct control_note note; /* once the ha thread has answered */
	TAILQ_ENTRY(ha_wait) entry;
	struct control *control;
	struct rpc_request *req; /* NULL: it has been ended */
	int rc;
	char text[ROLE_REASON_LEN];
};

static void wait_end(struct control *c, struct ha_wait *w)
{
	TAILQ_REMOVE(&c->ha_waits, w, entry);
	free(w);
}

static void run_answered(struct control *c, struct control_note *note)
{
	struct ha_wait *w = (struct ha_wait *)note;

	if (w->req && w->rc == 0)
		rpc_answer(w->req, json_pack("{s:s}", "text", w->text));
	else if (w->req)
		rpc_fail(w->req, w->rc == -ETIMEDOUT ? RPC_TIMEOUT : RPC_INVALID, NULL, "%s",
			 w->text);
	wait_end(c, w);
}

/* On the ha thread. */
static void answered(void *arg, int rc, const char *text)
{
	struct ha_wait *w = arg;

	w->rc = rc;
	snprintf(w->text, sizeof(w->text), "%s", text);
	w->note.run = run_answered;
	control_post(w->control, &w->note);
}

void ha_waits_stop(struct control *c)
{
	struct ha_wait *w;

	TAILQ_FOREACH(w, &c->ha_waits, entry)
	{
		if (w->req)
			rpc_fail(w->req, RPC_INTERNAL, NULL, "the router ends");
		w->req = NULL;
	}
}

void ha_waits_free(struct control *c)
{
	struct ha_wait *w;

	while ((w = TAILQ_FIRST(&c->ha_waits)))
		wait_end(c, w);
}

static void command(struct control *c, struct rpc_request *req, enum role_command cmd, bool force)
{
	struct ha_wait *w;

	if (!c->ha) {
		rpc_fail(req, RPC_INVALID, NULL, "there is no ha thread");
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return;
	}
	w->control = c;
	w->req = req;
	TAILQ_INSERT_TAIL(&c->ha_waits, w, entry);
	if (ha_command(c->ha, cmd, force, answered, w) < 0) {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		wait_end(c, w);
	}
}

static bool flag(const json_t *params, const char *name)
{
	return json_is_true(json_object_get(params, name));
}

static void handover(struct control *c, struct rpc_request *req, json_t *params)
{
	command(c, req, ROLE_CMD_HANDOVER, flag(params, "force"));
}

static void maintenance(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *mode = param_string(params, "mode");

	if (strcmp(mode, "on") != 0 && strcmp(mode, "off") != 0) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "mode"),
			 "ha.maintenance: mode: expected \"on\" or \"off\"");
		return;
	}
	command(c, req, mode[1] == 'n' ? ROLE_CMD_MAINTENANCE : ROLE_CMD_MAINTENANCE_OFF,
		flag(params, "force"));
}

static void force(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	command(c, req, ROLE_CMD_FORCE, true);
}

static void reset(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	command(c, req, ROLE_CMD_RESET, false);
}

/* --- status --- */

static json_t *ago(uint64_t ms)
{
	return ms == UINT64_MAX ? json_null() : json_integer((json_int_t)ms);
}

static json_t *count(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static const char *role_word(enum ha_role role)
{
	return role == HA_ROLE_PRIMARY ? "primary" : role == HA_ROLE_BACKUP ? "backup" : "unknown";
}

/* Datagrams that were refused, by why. */
static json_t *refused_json(const uint64_t refused[HA_WIRE_MAX])
{
	json_t *out = json_object();

	for (unsigned int i = 0; i < HA_WIRE_MAX; i++)
		if (refused[i])
			json_object_set_new(out, ha_wire_names[i], count(refused[i]));
	return out;
}

static json_t *heard_json(const uint64_t heard[HA_VERDICTS])
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "fresh",
			 count(heard[HA_FRESH] + heard[HA_FRESH_SESSION]), "copy",
			 count(heard[HA_COPY]), "stale", count(heard[HA_STALE]), "retired",
			 count(heard[HA_RETIRED]), "reflected", count(heard[HA_REFLECTED]));
}

static json_t *path_json(const struct ha_path_status *p)
{
	char local[ENDPOINT_STRLEN], peer[ENDPOINT_STRLEN];

	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 p->name, "local", endpoint_format(&p->local, local, sizeof(local)), "peer",
			 endpoint_format(&p->peer, peer, sizeof(peer)), "open", (int)p->open,
			 "heard_ms", ago(p->heard_ms), "rtt_us", count(p->rtt_us), "sent",
			 count(p->sent), "send_errors", count(p->send_errors), "received",
			 count(p->received), "lost", count(p->lost), "bad", count(p->bad),
			 "refused", refused_json(p->refused));
}

static json_t *peer_json(const struct ha_status *s)
{
	if (!s->peer.known)
		return json_null();
	return json_pack("{s:b, s:o, s:b, s:b, s:s, s:s, s:o, s:i, s:o, s:b, s:b}", "verdicts",
			 (int)s->peer.verdicts, "servers_up", count(s->peer.servers_up), "alive",
			 (int)s->peer.alive, "hears", (int)!s->peer.deaf, "state",
			 role_state_name(s->peer.state), "role", role_word(s->peer.role), "term",
			 count(s->peer.term), "priority", (int)s->peer.priority, "heard_ms",
			 ago(s->peer.heard_ms), "configuration_differs",
			 (int)s->peer.digest_differs, "behind", (int)s->peer.sync.behind);
}

static json_t *sync_json(const struct ha_sync_status *y)
{
	return json_pack("{s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o}",
			 "synchronised", (int)y->synchronised, "peer_synchronised",
			 (int)y->peer_synchronised, "behind", (int)y->behind, "sent",
			 count(y->sent), "received", count(y->received), "datagrams",
			 count(y->datagrams), "repeated", count(y->repeated), "under_way",
			 count(y->under_way), "transfers", count(y->transfers), "sheds",
			 count(y->sheds), "unbound", count(y->unbound), "unknown",
			 count(y->unknown), "refused", count(y->refused), "unbound_refused",
			 count(y->unbound_refused), "not_fresh", count(y->not_fresh), "refused_as",
			 refused_json(y->refused_as));
}

/* "peer_serves" */
static const char *row_name(unsigned int row, char name[32])
{
	size_t n = 0;

	for (const char *p = role_rows[row].name; *p && n < 31; p++)
		name[n++] = (char)tolower((unsigned char)*p);
	name[n] = '\0';
	return name;
}

static json_t *status_json(const struct ha_status *s)
{
	char name[32];
	json_t *paths = json_array(), *witnesses = json_array(), *rows = json_object(), *out;

	for (uint8_t i = 0; i < s->n_paths; i++)
		json_array_append_new(paths, path_json(&s->paths[i]));
	for (uint8_t i = 0; i < s->n_links; i++)
		json_array_append_new(witnesses,
				      json_pack("{s:s, s:i, s:i}", "link", s->witnesses[i].link,
						"asked", (int)s->witnesses[i].configured,
						"answering", (int)s->witnesses[i].answering));
	for (unsigned int i = 0; i < ROLE_N_ROWS; i++)
		if (s->transitions[i])
			json_object_set_new(rows, row_name(i, name), count(s->transitions[i]));
	out = json_pack("{s:b, s:s, s:s, s:s, s:s, s:o, s:i, s:o, s:b, s:b, s:b, s:b, s:o}", "pair",
			(int)s->has_peer, "state", role_state_name(s->state), "role",
			role_word(s->role), "reason", s->reason, "explain", s->explain, "term",
			count(s->term), "priority", (int)s->priority, "state_ms",
			count(s->state_ms), "ready", (int)s->ready, "grace", (int)s->grace,
			"frozen", (int)s->frozen, "relaying", (int)s->relaying, "lease_ms",
			ago(s->lease_left_ms));
	json_object_set_new(out, "alarm", s->alarm[0] ? json_string(s->alarm) : json_null());
	json_object_set_new(out, "servers",
			    json_pack("{s:o, s:o, s:b, s:b}", "all", count(s->servers), "up",
				      count(s->servers_up), "verdicts", (int)s->verdicts,
				      "backup_sees_more", (int)s->sees_more));
	json_object_set_new(out, "peer", peer_json(s));
	json_object_set_new(out, "heard", heard_json(s->heard));
	json_object_set_new(out, "paths", paths);
	json_object_set_new(out, "witnesses", witnesses);
	json_object_set_new(out, "sync", sync_json(&s->sync));
	json_object_set_new(out, "transitions", rows);
	json_object_set_new(out, "refused_stops", count(s->refused_stops));
	json_object_set_new(out, "relayed", count(s->relayed));
	json_object_set_new(out, "late_p50_us", count(s->late_p50_us));
	json_object_set_new(out, "late_p99_us", count(s->late_p99_us));
	json_object_set_new(out, "late_max_us", count(s->late_max_us));
	json_object_set_new(out, "late_times", count(s->late_times));
	return out;
}

json_t *ha_status_json(struct control *c)
{
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;
	json_t *out = NULL;

	if (s) {
		ha_status(c->ha, s);
		out = status_json(s);
	}
	free(s);
	return out;
}

static void status(struct control *c, struct rpc_request *req, json_t *params)
{
	json_t *out = ha_status_json(c);

	(void)params;
	if (out)
		rpc_answer(req, out);
	else
		rpc_fail(req, RPC_INVALID, NULL, "there is no ha thread");
}

#define HA_STATUS_RESULT                                                                           \
	"`pair` (there is a peer), `state`, `reason`, `explain` (sentences), `role`, `term`, "     \
	"`priority`, `state_ms`, `ready`, `grace`, `frozen`, `relaying`, `lease_ms` (null: none "  \
	"is needed), `alarm` (a sentence: roles or priorities of the two do not go together; or "  \
	"null), `servers` (`all`, `up`, `verdicts`: every check has one, `backup_sees_more`), "    \
	"`peer` (among others `hears`: it hears this router, `servers_up`, `verdicts`), `heard` "  \
	"(authentic messages: `fresh`, `copy`, `stale`, `retired`, `reflected`), `paths` "         \
	"(`refused` by reason), `witnesses`, `sync` (`not_fresh`, `refused_as` by reason), "       \
	"`transitions`, `refused_stops`, `relayed`, `late_p50_us`, `late_p99_us`, `late_max_us` "  \
	"(of its loop, over the last 10 s), `late_times` (later than a keepalive: the watch of "   \
	"the peer began anew)"
#define FORCE(help)                                                                                \
	{                                                                                          \
		"force", PARAM_BOOLEAN, false, help                                                \
	}
#define SAID "`text`: the outcome in words"

const struct method ha_methods[] = {
	{.name = "ha.status",
	 .run = status,
	 .help = "the pair: state, peer, paths, witnesses, synchronisation",
	 .result = HA_STATUS_RESULT},
	{.name = "ha.handover",
	 .level = METHOD_CHANGE,
	 .run = handover,
	 .help = "the other router becomes active; no connection is lost if that router is "
		 "synchronised. Answered once the other router is active",
	 .params = {FORCE("also to a peer that is not ready or not synchronised")},
	 .result = SAID},
	{.name = "ha.maintenance",
	 .level = METHOD_CHANGE,
	 .run = maintenance,
	 .help = "this router leaves the pair, handing over first, or returns",
	 .params = {{"mode", PARAM_STRING, true, "`on` or `off`"},
		    FORCE("also without a peer that takes over")},
	 .result = SAID},
	{.name = "ha.force",
	 .level = METHOD_CHANGE,
	 .run = force,
	 .help = "this router becomes active whatever its peer and the witnesses say",
	 .result = SAID},
	{.name = "ha.reset",
	 .level = METHOD_CHANGE,
	 .run = reset,
	 .help = "failed failbacks and holds are forgotten, at the peer as well",
	 .result = SAID},
	{.name = NULL},
};
