/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl fleet: the members of a fleet, asked through the router that plvsctl speaks to. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/session.h"
#include "cli/view.h"

#define TIMEOUT_MS 90000 /* a member checks a large configuration, or is not there */
#define PAUSE_MS   2000
#define GATE_MS	   60000
#define LOOK_MS	   500
#define AWAY_CODE  7 /* RPC_AWAY of the router */

struct fleet_run {
	struct session *s;
	char own[128];	 /* the member that plvsctl speaks to */
	json_t *members; /* [{name, address}] */
	json_t *rows;	 /* of the table */
	uint32_t failed;
	bool away;	  /* the member that was asked last cannot be reached */
	bool force, save; /* of fleet push */
	uint32_t gate_ms; /* 0: no gate */
	double wanted;	  /* VIPs that a member which lacks the configuration could announce */
};

static const struct view_column plan_columns[] = {{"MEMBER", "member", FORMAT_TEXT},
						  {"RESULT", "result", FORMAT_STATE},
						  {"CHANGES", "changes", FORMAT_ID},
						  {"WHY", "why", FORMAT_OPEN},
						  {NULL, NULL, FORMAT_TEXT}};
static const struct list_view list_plan = {"members", "no member", plan_columns, NULL};
static const struct view_column status_columns[] = {{"MEMBER", "member", FORMAT_TEXT},
						    {"STATE", "state", FORMAT_STATE},
						    {"ANNOUNCED", "announced", FORMAT_ID},
						    {"WANTED", "wanted", FORMAT_ID},
						    {"DIGEST", "digest", FORMAT_TEXT},
						    {"VERSION", "version", FORMAT_TEXT},
						    {"CONNECTIONS", "connections", FORMAT_COUNT},
						    {"PKT/S", "packets", FORMAT_COUNT},
						    {"WHY", "why", FORMAT_OPEN},
						    {NULL, NULL, FORMAT_TEXT}};
static const struct list_view list_status = {"members", "no member", status_columns, NULL};

/* --- asking --- */

/* The result of the member, or NULL with a sentence in why. */
static json_t *member_ask(struct fleet_run *f, const char *member, const char *method,
			  json_t *params, char why[512])
{
	const bool own = strcmp(member, f->own) == 0;
	json_t *all = own ? json_incref(params)
			  : json_pack("{s:s, s:s, s:O*}", "member", member, "method", method,
				      "params", params);
	json_t *result = NULL;
	struct rpc_failure failure = {0};

	why[0] = '\0';
	f->away = false;
	if (rpc_call(&f->s->rpc, own ? method : "fleet.ask", all, NULL, NULL, &result, &failure) !=
	    RPC_OK) {
		snprintf(why, 512, "%s", failure.text);
		f->away = view_number(failure.error, "code") == AWAY_CODE;
		rpc_failure_clear(&failure);
		result = NULL;
	}
	json_decref(all);
	return result;
}

/* Ends early when the operator interrupts. */
static void wait_ms(uint32_t ms)
{
	const struct timespec step = {.tv_nsec = 100000000};

	for (uint32_t i = 0; i < ms && !cli_interrupted; i += 100)
		nanosleep(&step, NULL);
}

static const char *name_at(const struct fleet_run *f, size_t i)
{
	return view_text(json_array_get(f->members, i), "name");
}

/* CLI_OK, or an exit code after a message. */
static int fleet_open(struct fleet_run *f, struct session *s, bool needs_members)
{
	json_t *status, *config, *params = json_pack("{s:s}", "part", "shared");
	int code;

	*f = (struct fleet_run){.s = s, .rows = json_array()};
	if (s->rpc.timeout_ms < TIMEOUT_MS)
		s->rpc.timeout_ms = TIMEOUT_MS;
	code = session_call(s, "fleet.status", NULL, &status);
	if (code == CLI_OK) {
		snprintf(f->own, sizeof(f->own), "%s", view_text(status, "member"));
		json_decref(status);
		code = session_call(s, "config.get", params, &config);
	}
	if (code == CLI_OK) {
		f->members = json_incref((json_t *)(uintptr_t)view_at(config, "config.shared.ha."
									      "members"));
		json_decref(config);
		if (!f->members && needs_members)
			code = session_error(s, CLI_REFUSED,
					     "shared.ha.members names no member of the fleet");
	}
	if (!f->members)
		f->members = json_pack("[{s:s}]", "name", f->own);
	json_decref(params);
	return code;
}

static int fleet_close(struct fleet_run *f, const struct list_view *view, int code)
{
	json_t *doc = json_pack("{s:O}", "members", f->rows);

	if (code == CLI_OK && f->s->out.json)
		view_json(&f->s->out, doc);
	else if (code == CLI_OK)
		view_list(&f->s->out, view, doc);
	json_decref(doc);
	json_decref(f->rows);
	json_decref(f->members);
	return code != CLI_OK ? code : f->failed ? CLI_REFUSED : CLI_OK;
}

/* --- fleet status --- */

static void status_row(struct fleet_run *f, const char *member, const char *first_digest)
{
	char why[512], more[512];
	json_t *fleet = member_ask(f, member, "fleet.status", NULL, why), *row;
	json_t *status = fleet ? member_ask(f, member, "status", NULL, more) : NULL;
	const char *digest = view_text(fleet, "digest");

	if (!fleet) {
		f->failed++;
		json_array_append_new(f->rows, json_pack("{s:s, s:s, s:s}", "member", member,
							 "state", "unreachable", "why", why));
		return;
	}
	if (strcmp(view_text(fleet, "member"), member) != 0) {
		f->failed++;
		snprintf(why, sizeof(why),
			 "calls itself %s: two members of one name, or a wrong address",
			 view_text(fleet, "member"));
	} else if (first_digest && strcmp(first_digest, digest) != 0) {
		f->failed++;
		snprintf(why, sizeof(why), "its configuration differs: plvsctl fleet push");
	} else if (view_text(fleet, "fault")[0]) {
		f->failed++;
		snprintf(why, sizeof(why), "%s", view_text(fleet, "fault"));
	} else if (strcmp(view_text(fleet, "state"), "announcing") != 0) {
		snprintf(why, sizeof(why), "%s", view_text(fleet, "reason"));
	} else if (strcmp(view_text(fleet, "daemon"), "missing") == 0 ||
		   strcmp(view_text(fleet, "daemon"), "idle") == 0) {
		f->failed++;
		snprintf(why, sizeof(why), "%s", view_text(fleet, "daemon_reason"));
	}
	row = json_pack("{s:s, s:s, s:f, s:f, s:s, s:b, s:s%, s:s, s:f, s:f, s:s}", "member",
			member, "state", view_text(fleet, "state"), "announced",
			view_number(fleet, "announced"), "wanted", view_number(fleet, "wanted"),
			"daemon", view_text(fleet, "daemon"), "drained",
			(int)json_is_true(view_at(fleet, "drained")), "digest", digest,
			(size_t)(strlen(digest) < 8 ? strlen(digest) : 8), "version",
			view_text(status, "version"), "connections",
			view_number(status, "connections.live"), "packets",
			view_number(status, "rates.in_pkts"), "why", why);
	json_array_append_new(f->rows, row);
	json_decref(fleet);
	json_decref(status);
}

int run_fleet_status(struct session *s, const struct invocation *inv)
{
	char why[512], digest[128] = "";
	struct fleet_run f;
	int code = fleet_open(&f, s, false);
	json_t *own;

	(void)inv;
	if (code == CLI_OK) {
		/* Held against the router that is asked. */
		own = member_ask(&f, f.own, "fleet.status", NULL, why);
		snprintf(digest, sizeof(digest), "%s", view_text(own, "digest"));
		json_decref(own);
	}
	for (size_t i = 0; code == CLI_OK && i < json_array_size(f.members); i++)
		status_row(&f, name_at(&f, i), digest);
	return fleet_close(&f, &list_status, code);
}

/* --- fleet plan, fleet push --- */

static void row_add(struct fleet_run *f, const char *member, const char *result, json_t *answer,
		    const char *why)
{
	json_array_append_new(
		f->rows,
		json_pack("{s:s, s:s, s:I, s:s}", "member", member, "result", result, "changes",
			  (json_int_t)json_array_size(json_object_get(answer, "changes")), "why",
			  why));
}

/* Asks all to check the text. The members that cannot take it are rows that say why. */
static void plan_all(struct fleet_run *f, json_t *text)
{
	json_t *params = json_pack("{s:O, s:b}", "text", text, "plan", 1);
	char why[512];

	for (size_t i = 0; i < json_array_size(f->members); i++) {
		json_t *answer = member_ask(f, name_at(f, i), "fleet.apply", params, why);

		f->failed += !answer && !(f->away && f->force);
		row_add(f, name_at(f, i),
			answer	  ? "can"
			: f->away ? "away"
				  : "cannot",
			answer, why);
		json_decref(answer);
	}
	json_decref(params);
}

/* The text of the file, or what this router runs. New; NULL after a message, with *code. */
static json_t *text_of(struct fleet_run *f, const struct invocation *inv, int *code)
{
	json_t *text = json_object_get(inv->params, "text"), *config, *params;
	char *dump;

	if (text)
		return json_incref(text);
	params = json_pack("{s:s}", "part", "shared");
	*code = session_call(f->s, "config.get", params, &config);
	json_decref(params);
	if (*code != CLI_OK)
		return NULL;
	dump = json_dumps(view_at(config, "config"), JSON_COMPACT);
	text = dump ? json_string(dump) : NULL;
	free(dump);
	json_decref(config);
	return text;
}

int run_fleet_plan(struct session *s, const struct invocation *inv)
{
	struct fleet_run f;
	int code = fleet_open(&f, s, true);
	json_t *text = code == CLI_OK ? text_of(&f, inv, &code) : NULL;

	if (text)
		plan_all(&f, text);
	json_decref(text);
	return fleet_close(&f, &list_plan, code);
}

/* Announcements and unknown states of a member before the push. */
struct gate {
	double announced, undecided;
};

static struct gate gate_of(const json_t *status)
{
	return (struct gate){view_number(status, "announced"), view_number(status, "undecided")};
}

/* All checks have spoken, new ones included, and as much is announced as before. */
static bool gate_open(const struct gate *before, const json_t *status)
{
	const struct gate now = gate_of(status);

	return now.undecided <= before->undecided &&
	       (now.announced >= before->announced || json_is_true(view_at(status, "drained")));
}

/* VIPs that members could announce which the plan says have another configuration: the most of one
 * member. */
static double wanted_of_others(struct fleet_run *f)
{
	double most = 0;
	char why[512];

	for (size_t i = 0; i < json_array_size(f->rows); i++) {
		const json_t *row = json_array_get(f->rows, i);
		json_t *status =
			view_number(row, "changes") > 0
				? member_ask(f, view_text(row, "member"), "fleet.status", NULL, why)
				: NULL;

		if (view_number(status, "wanted") > most)
			most = view_number(status, "wanted");
		json_decref(status);
	}
	return most;
}

/* A member that has the configuration from a push before this one, which its gate may have
 * stopped: the member could announce as much as those that lack the configuration, or something
 * else than its services keeps the member from announcing. False: not within the gate's time. */
static bool had_it_passes(struct fleet_run *f, const char *member, char why[512])
{
	bool passes = f->gate_ms == 0;
	double wanted = 0;

	for (uint32_t ms = 0; !passes && ms < f->gate_ms && !cli_interrupted; ms += LOOK_MS) {
		json_t *status = member_ask(f, member, "fleet.status", NULL, why);

		wanted = view_number(status, "wanted");
		passes = status && (wanted >= f->wanted ||
				    strcmp(view_text(status, "state"), "announcing") != 0);
		json_decref(status);
		if (!passes)
			wait_ms(LOOK_MS);
	}
	if (!passes && !why[0])
		snprintf(why, 512,
			 "has it, and services for %.0f VIPs have their quorum there, for %.0f "
			 "where it is not pushed yet: the rest is not pushed",
			 wanted, f->wanted);
	return passes;
}

/* False: not within the gate's time. */
static bool gate_passes(struct fleet_run *f, const char *member, const struct gate *before,
			char why[512])
{
	json_t *status = NULL;
	bool passes = f->gate_ms == 0;

	for (uint32_t ms = 0; !passes && ms < f->gate_ms && !cli_interrupted; ms += LOOK_MS) {
		json_decref(status);
		status = member_ask(f, member, "fleet.status", NULL, why);
		passes = status && gate_open(before, status);
		if (!passes)
			wait_ms(LOOK_MS);
	}
	if (!passes && status)
		snprintf(why, 512,
			 "announces %.0f VIPs, and %.0f before; checks of %.0f real servers have "
			 "not answered: the rest is not pushed",
			 view_number(status, "announced"), before->announced,
			 view_number(status, "undecided"));
	json_decref(status);
	return passes;
}

/* False: it runs there, and is not in the member's file. */
static bool save_there(struct fleet_run *f, const char *member, char why[512])
{
	json_t *saved = f->save ? member_ask(f, member, "config.save", NULL, why) : NULL;

	json_decref(saved);
	return saved != NULL || !f->save;
}

static bool push_one(struct fleet_run *f, const char *member, json_t *params)
{
	char why[512];
	json_t *status = member_ask(f, member, "fleet.status", NULL, why);
	const struct gate before = gate_of(status);
	json_t *answer = status ? member_ask(f, member, "fleet.apply", params, why) : NULL;
	bool passes = answer != NULL;

	if (!answer && f->away && f->force) {
		row_add(f, member, "away", NULL, why);
		json_decref(status);
		return true;
	}
	if (passes && json_array_size(json_object_get(answer, "changes")))
		passes = gate_passes(f, member, &before, why);
	else if (passes)
		passes = had_it_passes(f, member, why);
	passes = passes && save_there(f, member, why);
	row_add(f, member,
		!answer						      ? "failed"
		: !passes					      ? "not well"
		: json_array_size(json_object_get(answer, "changes")) ? "applied"
								      : "had it",
		answer, why);
	f->failed += !passes;
	if (!f->s->out.json) {
		fprintf(f->s->out.errors, "%s: ", member);
		text_put(f->s->out.errors, passes ? "has it" : why); /* of the member */
		fputc('\n', f->s->out.errors);
	}
	json_decref(status);
	json_decref(answer);
	return passes;
}

int run_fleet_push(struct session *s, const struct invocation *inv)
{
	uint32_t pause_ms = PAUSE_MS;
	struct fleet_run f;
	int code = fleet_open(&f, s, true);
	json_t *text = code == CLI_OK ? text_of(&f, inv, &code) : NULL, *params;
	bool passes = true;

	if (!text)
		return fleet_close(&f, &list_plan, code);
	if (view_text(inv->local, "pause")[0])
		(void)duration_parse(view_text(inv->local, "pause"), &pause_ms);
	f.gate_ms = GATE_MS;
	if (view_text(inv->local, "gate")[0])
		(void)duration_parse(view_text(inv->local, "gate"), &f.gate_ms);
	f.force = json_is_true(json_object_get(inv->local, "force"));
	f.save = json_is_true(json_object_get(inv->local, "save"));
	plan_all(&f, text);
	if (f.failed) { /* nothing has changed anywhere */
		json_decref(text);
		return fleet_close(&f, &list_plan, code);
	}
	f.wanted = wanted_of_others(&f);
	json_array_clear(f.rows);
	params = json_pack("{s:O, s:s}", "text", text, "comment", "fleet push");
	for (size_t i = 0; i < json_array_size(f.members); i++) {
		if (passes && i)
			wait_ms(pause_ms);
		if (passes && !cli_interrupted) {
			passes = push_one(&f, name_at(&f, i), params);
		} else {
			row_add(&f, name_at(&f, i), "not asked", NULL, "repeat the command");
			f.failed++;
		}
	}
	json_decref(params);
	json_decref(text);
	return fleet_close(&f, &list_plan, code);
}
