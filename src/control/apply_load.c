/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of an apply that takes long: reading, parsing, comparing, compiling mark rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "control/apply_internal.h"
#include "control/host_check.h"
#include "control/pushed_programs.h"
#include "control/undo_record.h"
#include "control/version_config.h"
#include "sched/sched.h"

/* New reference; NULL: out of memory. */
static json_t *texts_json(char *const *texts, uint32_t n)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

/* Keys of the new node part that wait for a restart, since the start. New reference. */
static json_t *restart_json(const struct config *boot, const struct config *after)
{
	struct config_words *words = NULL;
	json_t *array = NULL;

	if (config_node_words(boot, after, &words) == 0)
		array = texts_json(words->restart, words->n_restart);
	config_words_destroy(words);
	return array;
}

/* The plan, its words, and the rules that it asks for. 0 or -ENOMEM. */
static int plan_make(struct apply *a)
{
	const uint32_t how = CHANGE_VALUE | CHANGE_PLACE;

	if (config_plan(a->running, a->after, &a->plan) < 0 || config_words(a->plan, &a->words) < 0)
		return error_text(a->error, -ENOMEM, "out of memory");
	a->at_once = texts_json(a->words->live, a->words->n_live);
	if (a->kind != APPLY_SWAP || !(config_plan_kinds(a->plan, how) & 1U << OBJECT_MARK))
		return 0;
	return builder_marks_compile(&a->build.marks, a->after, NULL, a->error);
}

/* The configuration that ends the trial. The peer's shared part counts in a trial of the peer: this
 * router may have missed changes that were made before. New reference. */
static json_t *before_json(const struct apply *a)
{
	json_t *json = config_to_json(a->running, CONFIG_ALL);

	if (json && a->peers_before)
		json_object_set(json, "shared", a->peers_before);
	return json;
}

/* The undo record of a trial, durable before anything changes. 0, or -errno with a->error. */
static int record_make(struct apply *a)
{
	const char *dir = a->pending.control->versions.dir;
	json_t *before, *after;
	char *text = NULL;
	bool same;

	if (!a->confirm_ms || a->on_trial)
		return 0;
	if (!dir[0]) {
		snprintf(a->error, sizeof(a->error),
			 "there is no node.state_dir for the undo record: nothing was changed");
		return -EINVAL;
	}
	if (strcmp(a->after->node.state_dir, a->boot->node.state_dir) != 0) {
		snprintf(a->error, sizeof(a->error),
			 "node.state_dir changes: after a restart the undo record would not be "
			 "found; change it without confirm_within");
		return -EINVAL;
	}
	before = before_json(a);
	after = config_to_json(a->after, CONFIG_ALL);
	same = before && after && json_equal(before, after);
	if (before && after && !same)
		text = json_dumps(before, JSON_COMPACT);
	a->before = text ? json_string(text) : NULL;
	free(text);
	if (same)
		a->confirm_ms = 0;
	else if (!a->before)
		a->ret = -ENOMEM;
	else
		a->ret = undo_record_save(dir, a->pending.control->config_path, before, a->error);
	json_decref(before);
	json_decref(after);
	a->recorded = !same && a->ret == 0;
	if (a->ret < 0) {
		char why[256];

		snprintf(why, sizeof(why), "%s", a->ret == -ENOMEM ? "out of memory" : a->error);
		snprintf(a->error, sizeof(a->error),
			 "the undo record is not durable (%.160s): nothing was changed", why);
		a->ret = -EIO;
	}
	return a->ret;
}

/* Refuses a configuration of the peer that would run a program which this router does not
 * allow. */
static void pushed_check(struct apply *a)
{
	pushed_programs_check(a->boot, a->running, a->after, &a->errors);
	if (a->errors.errors.n == 0)
		return;
	config_destroy(a->after);
	a->after = NULL;
}

/* The end of a trial of the peer must be possible here, and run allowed programs only. */
static void peers_before_check(struct apply *a)
{
	json_t *json = before_json(a);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct config *before = NULL;

	if (text && config_parse(text, strlen(text), "before the trial", sched_names(), &before,
				 &a->errors) == 0) {
		host_check(before, HOST_CHECK_LIVE, spawner_permitted(a->pending.control->spawner),
			   &a->errors);
		pushed_programs_check(a->boot, a->running, before, &a->errors);
	}
	if (!before || a->errors.errors.n > 0) {
		config_errors_add(&a->errors, -EINVAL, "",
				  "the configuration from before the trial is not possible here");
		config_destroy(a->after);
		a->after = NULL;
	}
	config_destroy(before);
	free(text);
	json_decref(json);
}

struct config *apply_read(const struct control *c, const struct apply_source *from,
			  const struct config *running, struct config_errors *errors)
{
	struct config *out = NULL;

	if (!version_id_is_none(&from->back))
		(void)version_config(c->versions.dir, &from->back, running, &out, errors);
	else if (from->text)
		(void)config_parse(json_string_value(from->text), json_string_length(from->text),
				   NULL, sched_names(), &out, errors);
	else
		(void)config_load(from->path, sched_names(), &out, errors);
	if (out)
		host_check(out, HOST_CHECK_LIVE, spawner_permitted(c->spawner), errors);
	return out;
}

void apply_load(void *arg)
{
	struct apply *a = arg;
	char digest[CONFIG_DIGEST_STRLEN];

	a->after = apply_read(a->pending.control, &a->from, a->running, &a->errors);
	if (a->after && a->from_peer)
		pushed_check(a);
	if (a->after && a->peers_before)
		peers_before_check(a);
	if (!a->after || a->kind == APPLY_CHECK)
		return;
	/* Now, so that nobody has to wait for it later. */
	config_digest(a->after, digest);
	a->restart = restart_json(a->boot, a->after);
	a->ret = plan_make(a);
	if (a->ret == 0 && a->kind == APPLY_SWAP)
		a->ret = record_make(a);
}
