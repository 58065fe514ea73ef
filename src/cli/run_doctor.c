/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl doctor: asks the router, shows findings. */
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/nft_rules.h"
#include "cli/session.h"
#include "cli/view.h"

/* NULL where the router refuses: no finding without facts. */
static int ask(struct session *s, const char *method, json_t *params, json_t **result)
{
	struct rpc_failure f = {0};

	*result = NULL;
	if (rpc_call(&s->rpc, method, params, NULL, NULL, result, &f) == RPC_OK)
		return CLI_OK;
	if (f.outcome != RPC_REFUSED)
		return session_fail(s, NULL, &f);
	rpc_failure_clear(&f);
	return CLI_OK;
}

#define PEER_MS 2000 /* for a question that the peer answers */

/* The same of a method whose answer comes from the peer: no answer is no failure, since the peer
 * may be what is wrong. */
static void ask_peer(struct session *s, const char *method, json_t **result)
{
	const uint32_t timeout_ms = s->rpc.timeout_ms;
	struct rpc_failure f = {0};

	*result = NULL;
	if (timeout_ms > PEER_MS)
		s->rpc.timeout_ms = PEER_MS;
	(void)rpc_call(&s->rpc, method, NULL, NULL, NULL, result, &f);
	s->rpc.timeout_ms = timeout_ms;
	rpc_failure_clear(&f);
}

static void finding_put(const struct out *out, const json_t *f)
{
	enum style style =
		strcmp(view_text(f, "severity"), "critical") == 0 ? STYLE_BAD : STYLE_WARN;

	fprintf(out->file, "%s%s%s %s: ", style_on(out, style), view_text(f, "severity"),
		style_off(out, style), view_text(f, "id"));
	text_put(out->file, view_text(f, "what"));
	fprintf(out->file, "\n    why:  %s\n    type: plvsctl %s\n", view_text(f, "why"),
		view_text(f, "type"));
}

#define ANSWERS_MAX_MS 5000
#define SHOWS_MAX      16 /* servers that are asked for one by one */

/* health.show of servers that are down, the first of them. New; NULL: no memory, or *code. */
static json_t *shows_ask(struct session *s, const json_t *health, int *code)
{
	json_t *list = json_array(), *row, *result, *params;
	size_t i;

	json_array_foreach (json_object_get(health, "servers"), i, row) {
		if (strcmp(view_text(row, "standing"), "down") != 0 ||
		    json_array_size(list) == SHOWS_MAX || *code)
			continue;
		params = json_pack("{s:s, s:s}", "service", view_text(row, "service"), "server",
				   view_text(row, "server"));
		*code = ask(s, "health.show", params, &result);
		json_decref(params);
		if (result)
			json_array_append_new(list, result);
	}
	return list;
}

/* Stations that answer by ARP or ND for addresses of the router are claims from then on. Where the
 * router refuses, no station is asked. */
static int addresses_ask(struct session *s)
{
	json_t *result;
	const int code = ask(s, "ha.ask_addresses", NULL, &result);
	const double ms = view_number(result, "answers_ms");

	if (code == CLI_OK && ms > 0 && ms <= ANSWERS_MAX_MS)
		usleep((useconds_t)ms * 1000);
	json_decref(result);
	return code;
}

/* Findings on this machine itself, where the router runs. */
static void machine_look(const json_t *ports, const json_t *config, json_t *findings)
{
	json_t *rules = NULL;

	doctor_look_host(ports, "", findings);
	if (json_array_size(view_at(config, "config.node.ha.paths")))
		rules = nft_rules_read(view_text(config, "config.node.linux.netns"));
	doctor_look_firewall(config, rules, findings);
	json_decref(rules);
}

int run_doctor(struct session *s, const struct invocation *inv)
{
	static const struct {
		const char *method, *object;
	} asked[] = {{"status", NULL},	     {"port.list", NULL},   {"worker.list", NULL},
		     {"nexthop.list", NULL}, {"health.list", NULL}, {"ha.status", NULL},
		     {"service.list", NULL}, {"config.get", NULL},  {"counter.list", "drops"},
		     {"fleet.status", NULL}};
	json_t *r[sizeof(asked) / sizeof(asked[0])] = {NULL}, *shows = NULL, *findings = NULL, *doc;
	json_t *clock = NULL;
	const size_t n = sizeof(asked) / sizeof(asked[0]);
	const json_t *f;
	int code = CLI_OK;
	size_t i;

	(void)inv;
	code = addresses_ask(s);
	for (i = 0; i < n && !code; i++) {
		json_t *params =
			asked[i].object ? json_pack("{s:s}", "object", asked[i].object) : NULL;

		code = ask(s, asked[i].method, params, &r[i]);
		json_decref(params);
	}
	if (!code)
		ask_peer(s, "ha.peer_clock", &clock);
	if (!code)
		shows = shows_ask(s, r[4], &code);
	if (!code)
		findings = doctor_look(&(struct doctor_facts){
			r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], clock, r[9], shows});
	if (findings && !s->restricted)
		machine_look(r[1], r[7], findings);
	if (findings && s->out.json) {
		doc = json_pack("{s:O}", "findings", findings);
		view_json(&s->out, doc);
		json_decref(doc);
	} else if (findings) {
		json_array_foreach (findings, i, f)
			finding_put(&s->out, f);
		if (json_array_size(findings) == 0)
			fputs("nothing is wrong\n", s->out.file);
	}
	if (!code)
		code = findings ? (int)doctor_worst(findings) : CLI_GARBLED;
	json_decref(findings);
	json_decref(shows);
	json_decref(clock);
	for (i = 0; i < n; i++)
		json_decref(r[i]);
	return code;
}
