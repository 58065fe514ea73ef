/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the pair of routers: its state, and the commands of operators. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_internal.h"
#include "control/clock_compare.h"
#include "control/pair.h"
#include "ha/ask_addresses.h"
#include "metrics/object_view.h"

/* --- commands: the ha thread answers, perhaps seconds later --- */

struct ha_wait {
	struct pending pending;
	struct control_note note; /* once the ha thread has answered */
	int rc;
	char text[ROLE_REASON_LEN];
};

static void wait_free(struct pending *l)
{
	free(l);
}

/* The ha thread has it until it answers, or ends. */
static bool wait_stop(struct pending *l, uint64_t deadline_us)
{
	(void)l;
	(void)deadline_us;
	return false;
}

static void run_answered(struct control *c, struct control_note *note)
{
	struct ha_wait *w =
		(struct ha_wait *)(void *)((char *)note - offsetof(struct ha_wait, note));

	(void)c;
	if (w->rc == 0)
		pending_answer(&w->pending, json_pack("{s:s}", "text", w->text));
	else
		pending_fail(&w->pending, w->rc == -ETIMEDOUT ? RPC_TIMEOUT : RPC_INVALID, NULL,
			     "%s", w->text);
	pending_end(&w->pending);
}

/* On the ha thread. */
static void answered(void *arg, int rc, const char *text)
{
	struct ha_wait *w = arg;

	w->rc = rc;
	snprintf(w->text, sizeof(w->text), "%s", text);
	w->note.run = run_answered;
	control_post(w->pending.control, &w->note);
}

static void command(struct control *c, struct rpc_request *req, enum role_command cmd, bool force)
{
	static const struct pending_kind kind = {wait_stop, wait_free};
	struct ha_wait *w;

	if (!c->ha) {
		rpc_fail(req, RPC_INVALID, NULL, "there is no ha thread");
		return;
	}
	w = pending_create(c, req, sizeof(*w), &kind);
	if (w && ha_command(c->ha, cmd, force, answered, w) < 0) {
		pending_fail(&w->pending, RPC_INTERNAL, NULL, "out of memory");
		pending_end(&w->pending);
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

static json_t *paths_json(const struct ha_status *s)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < s->n_paths; i++) {
		struct path_texts texts;
		struct shown_path v;

		path_view(&s->paths[i], &texts, &v);
		json_array_append_new(list, shown_object(&shown_path, &v, SHOWN_LIST));
	}
	return list;
}

static json_t *claims_json(const struct ha_status *s)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < s->n_claims; i++) {
		const struct ha_claim_status *k = &s->claims[i];
		char addr[ADDR_STRLEN], mac[MAC_STRLEN];

		json_array_append_new(
			list,
			shown_object(&shown_claim,
				     &(struct shown_claim){
					     .address = addr_format(&k->addr, addr, sizeof(addr)),
					     .link = k->link,
					     .mac = mac_format(&k->mac, mac, sizeof(mac)),
					     .peer = k->peer,
					     .count = k->count,
					     .ago_ms = k->ago_ms},
				     SHOWN_LIST));
	}
	return list;
}

static json_t *witnesses_json(const struct ha_status *s)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < s->n_links; i++) {
		struct shown_witness v;

		witness_view(&s->witnesses[i], &v);
		json_array_append_new(list, shown_object(&shown_witness, &v, SHOWN_LIST));
	}
	return list;
}

json_t *ha_status_json(struct control *c)
{
	struct shown_pair *v = c->ha ? malloc(sizeof(*v)) : NULL;
	json_t *out = NULL;

	if (v) {
		ha_status(c->ha, &v->s);
		pair_view(v);
		out = shown_object(&shown_pair, v, SHOWN_LIST);
		if (!v->s.peer.known)
			json_object_set_new(out, "peer", json_null());
		json_object_set_new(out, "paths", paths_json(&v->s));
		json_object_set_new(out, "witnesses", witnesses_json(&v->s));
		json_object_set_new(out, "claims", claims_json(&v->s));
		json_object_set_new(out, "configuration", versions_json(c));
	}
	free(v);
	return out;
}

const char *ha_state_word(const struct control *c)
{
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;
	const char *word = NULL;

	if (s) {
		ha_status(c->ha, s);
		word = role_state_name(s->state);
	}
	free(s);
	return word;
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

static void ask_addresses(struct control *c, struct rpc_request *req, json_t *params)
{
	uint64_t asked = 0;
	const int ms = c->ha ? ha_ask_addresses(c->ha, &asked) : -ENOTCONN;

	(void)params;
	if (ms >= 0)
		rpc_answer(req,
			   json_pack("{s:i, s:I}", "answers_ms", ms, "asked", (json_int_t)asked));
	else
		rpc_fail(req, RPC_INVALID, NULL,
			 ms == -ENOMEM ? "out of memory" : "there is no ha thread");
}

#define FORCE(help)                                                                                \
	{                                                                                          \
		"force", PARAM_BOOLEAN, false, help                                                \
	}
#define SAID "`text`: the outcome in words"

const struct method ha_methods[] = {
	{.name = "ha.status",
	 .run = status,
	 .help = "the pair: state, peer, paths, witnesses, synchronisation",
	 .result = "the keys of a pair; `peer` is null before the peer was heard",
	 .rows = &shown_pair},
	{.name = "ha.ask_addresses",
	 .level = METHOD_CHANGE,
	 .run = ask_addresses,
	 .help = "searches by ARP and ND for other owners of the addresses that are "
		 "active "
		 "here: 256 questions at most; the next request asks for the addresses that "
		 "follow. Stations "
		 "that "
		 "answer are `claims` of `ha.status`",
	 .result = "`answers_ms`: the time until all answers have come; `asked`: questions since "
		   "the start, without those of this request"},
	{.name = "ha.clock",
	 .at_active = true, /* the peer may ask */
	 .run = clock_tell,
	 .help = "the wall clock",
	 .result = "`clock_us`: microseconds since 1970 (CLOCK_REALTIME)"},
	{.name = "ha.peer_clock",
	 .run = clock_compare,
	 .help = "asks the peer for its wall clock and compares",
	 .result = "`ahead_us`: how far the peer's clock is ahead of the clock here, negative: "
		   "behind; `error_us`: the greatest error of that"},
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
	 .help = "the router leaves the pair, handing over first, or returns",
	 .params = {{"mode", PARAM_STRING, true, "`on` or `off`"},
		    FORCE("also without a peer that takes over")},
	 .result = SAID},
	{.name = "ha.force",
	 .level = METHOD_CHANGE,
	 .run = force,
	 .help = "the router becomes active, whatever the state of its peer and the witnesses",
	 .result = SAID},
	{.name = "ha.reset",
	 .level = METHOD_CHANGE,
	 .run = reset,
	 .help = "clears failed failbacks and holds, also at the peer",
	 .result = SAID},
	{.name = NULL},
};
