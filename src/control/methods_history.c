/* SPDX-License-Identifier: BSD-3-Clause */
/* The versions of the configuration: which there are, how two differ, and back to one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/control_internal.h"
#include "control/pair_apply.h"
#include "control/push.h"
#include "control/version_config.h"
#include "sched/sched.h"
#include "shown/objects.h"

/* --- names of versions --- */

/* Ends req and returns false, where `text` names no version. */
static bool version_named(struct control *c, struct rpc_request *req, const char *text,
			  struct version_id *id)
{
	const int at = version_store_find(&c->versions.store, text);

	if (at >= 0)
		*id = c->versions.store.entry[at].id;
	else if (at == -ENOENT)
		rpc_fail(req, RPC_NO_OBJECT, NULL,
			 "there is no version \"%.40s\": see `plvsctl config history`", text);
	else if (at == -EEXIST)
		rpc_fail(req, RPC_INVALID, NULL, "several versions begin with \"%.40s\"", text);
	else
		rpc_fail(req, RPC_BAD_PARAMS, NULL,
			 "\"%.40s\" is no version: expected how many changes ago, or the first "
			 "digits of an id (%d or more)",
			 text, VERSION_PREFIX_MIN);
	return at >= 0;
}

/* --- config.history --- */

struct history {
	struct pending pending;
	struct job job;
	char dir[256], fault[VERSIONS_WHY];
	struct version_store store;
	bool stored[VERSION_STORE_ENTRIES];
};

static void history_work(void *arg)
{
	struct history *h = arg;

	for (uint32_t i = 0; i < h->store.n && h->dir[0]; i++)
		h->stored[i] = version_store_has_text(h->dir, &h->store.entry[i].id);
}

static json_t *entry_json(const struct history *h, uint32_t i)
{
	const struct version_entry *e = &h->store.entry[i];
	char id[VERSION_ID_STRLEN];

	return shown_object(
		&shown_version,
		&(struct shown_version){.number = i,
					.id = version_id_format(&e->id, id),
					.time = e->time_s ? (uint64_t)e->time_s : UINT64_MAX,
					.author = e->author,
					.comment = e->comment,
					.running = i == 0,
					.kept = h->stored[i]},
		SHOWN_LIST);
}

static void history_done(void *arg)
{
	struct history *h = arg;
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < h->store.n; i++)
		json_array_append_new(list, entry_json(h, i));
	if (list && json_array_size(list) == h->store.n)
		pending_answer(&h->pending, json_pack("{s:O, s:s?, s:o}", "versions", list, "fault",
						      h->fault[0] ? h->fault : NULL, "trial",
						      trial_json(h->pending.control)));
	else
		pending_fail(&h->pending, RPC_INTERNAL, NULL, "out of memory");
	json_decref(list);
	pending_end(&h->pending);
}

static void history_free(struct pending *l)
{
	free(l);
}

static void config_history(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct pending_kind kind = {.free = history_free};
	struct history *h = pending_create(c, req, sizeof(*h), &kind);
	const struct versions *v = &c->versions;

	(void)params;
	if (!h)
		return;
	h->store = v->store;
	snprintf(h->dir, sizeof(h->dir), "%s", v->dir);
	snprintf(h->fault, sizeof(h->fault), "%s",
		 v->dir[0] ? v->fault
			   : "there is no node.state_dir: versions end with the process, and their "
			     "content is not stored");
	h->job = (struct job){.work = history_work, .done = history_done, .arg = h};
	jobs_run(c->jobs, &h->job);
}

/* --- config.diff --- */

/* In a turn: no request changes the running configuration while the other thread reads it. */
struct difference {
	struct pending pending;
	struct turn turn;
	struct job job;
	const char *dir;
	const struct config *running;
	struct version_id id[2], running_id; /* id[1] none: the running one, once the turn begins */
	bool from_file;			     /* id[0] is none: the start file instead */
	struct config_errors errors;
	json_t *result;
	int ret;
};

static json_t *words_json(const struct config_words *words)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < words->n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "action",
						config_action_names[words->v[i].action], "object",
						words->v[i].object, "detail", words->v[i].detail));
	return list;
}

static void compare(struct difference *d, const struct config *const side[2])
{
	struct config_words *words = NULL;
	struct config_plan *plan = NULL;
	char from[VERSION_ID_STRLEN], to[VERSION_ID_STRLEN];

	if (config_plan(side[0], side[1], &plan) == 0 && config_words(plan, &words) == 0)
		d->result =
			json_pack("{s:s, s:s, s:o}", "from",
				  d->from_file ? "file" : version_id_format(&d->id[0], from), "to",
				  version_id_format(&d->id[1], to), "changes", words_json(words));
	config_words_destroy(words);
	config_plan_destroy(plan);
}

static void difference_work(void *arg)
{
	struct difference *d = arg;
	struct config *loaded[2] = {NULL, NULL};
	const struct config *side[2] = {NULL, NULL};

	for (size_t i = 0; i < 2 && d->ret == 0; i++) {
		/* Its text may not be written yet. */
		if (version_id_equal(&d->id[i], &d->running_id))
			side[i] = d->running;
		else if (i == 0 && d->from_file)
			d->ret = config_load(d->pending.control->config_path, sched_names(),
					     &loaded[i], &d->errors);
		else
			d->ret = version_config(d->dir, &d->id[i], d->running, &loaded[i],
						&d->errors);
		if (loaded[i])
			side[i] = loaded[i];
	}
	if (d->ret == 0)
		compare(d, side);
	config_destroy(loaded[0]);
	config_destroy(loaded[1]);
}

static void difference_done(void *arg)
{
	struct difference *d = arg;
	struct control *c = d->pending.control;

	if (d->ret < 0)
		fail_config(d->pending.req, &d->errors);
	else if (!d->result)
		rpc_fail(d->pending.req, RPC_INTERNAL, NULL, "out of memory");
	else
		rpc_answer(d->pending.req, json_incref(d->result));
	pending_end(&d->pending);
	turn_end(c);
}

static void difference_free(struct pending *l)
{
	struct difference *d = (struct difference *)l;

	config_errors_fini(&d->errors);
	json_decref(d->result);
	free(d);
}

static void difference_begin(struct control *c, struct turn *t)
{
	struct difference *d = turn_owner(t, struct difference);

	d->dir = c->versions.dir;
	d->running = c->config;
	d->running_id = c->versions.version.id;
	if (version_id_is_none(&d->id[1]))
		d->id[1] = d->running_id;
	d->job = (struct job){.work = difference_work, .done = difference_done, .arg = d};
	jobs_run(c->jobs, &d->job);
}

static void config_diff(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct pending_kind kind = {.free = difference_free};
	const char *from = param_string(params, "from"), *to = param_string(params, "to");
	const bool from_file = strcmp(from, "file") == 0;
	struct version_id id[2] = {{{0}}};
	struct difference *d;

	if (from_file && !c->config_path) {
		rpc_fail(req, RPC_INVALID, NULL, "no file was given at start");
		return;
	}
	if ((!from_file && !version_named(c, req, from, &id[0])) ||
	    (to && !version_named(c, req, to, &id[1])))
		return;
	d = pending_create(c, req, sizeof(*d), &kind);
	if (!d)
		return;
	config_errors_init(&d->errors);
	memcpy(d->id, id, sizeof(id));
	d->from_file = from_file;
	d->turn.begin = difference_begin;
	turn_take(c, &d->turn);
}

/* --- config.rollback --- */

/* An earlier version may have other programs of checks: by the control socket alone. */
static void config_rollback(struct control *c, struct rpc_request *req, json_t *params)
{
	struct version_id id;

	if (!param_string(params, "version")) {
		/* The node part on trial is this router's matter alone. */
		if (!c->trial.on || c->trial.alone ||
		    !push_request(c, req, "config.rollback", params))
			trial_rollback(c, req);
		return;
	}
	if (!version_named(c, req, param_string(params, "version"), &id))
		return;
	if (version_id_equal(&id, &c->versions.version.id))
		rpc_fail(req, RPC_INVALID, NULL, "that version is running");
	else
		pair_apply(c, req,
			   &(struct apply_order){.kind = APPLY_SWAP,
						 .back = &id,
						 .comment = param_string(params, "comment")});
}

#define VERSION_HELP                                                                               \
	"how many changes ago, up to 999, or the first digits of an id, 4 or more; `0` is the "    \
	"running version"

const struct method history_methods[] = {
	{.name = "config.history",
	 .run = config_history,
	 .help = "the versions of the shared configuration, the running one first",
	 .result = "`versions`; `fault`: the reason why versions are not stored, or null; `trial`: "
		   "as of `status`",
	 .list = "versions",
	 .rows = &shown_version},
	{.name = "config.diff",
	 .run = config_diff,
	 .help = "the objects that differ between two versions",
	 .params = {{"from", PARAM_STRING, true,
		     VERSION_HELP "; `file`: the file given at start, for unsaved changes"},
		    {"to", PARAM_STRING, false, "the same; default: the running version"}},
	 .result = "`from`, `to`: ids; `changes`: a list of `{action, object, detail}` as of "
		   "`config.plan`"},
	{.name = "config.rollback",
	 .level = METHOD_CHANGE,
	 .run = config_rollback,
	 .help = "restores an earlier version, as a new version; `node` stays. Without a version: "
		 "takes back the configuration that waits for `config.confirm`",
	 .params = {{"version", PARAM_STRING, false, VERSION_HELP, METHOD_ALL},
		    {"comment", PARAM_STRING, false, "the reason, for `config.history`"}},
	 .result = "as of `config.apply`"},
	{.name = NULL},
};
