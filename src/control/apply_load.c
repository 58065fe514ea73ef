/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of an apply that takes long: reading, parsing, comparing, compiling mark rules. */
#include <errno.h>
#include <stdio.h>

#include "base/error_text.h"
#include "control/apply_internal.h"
#include "control/host_check.h"
#include "control/version_config.h"
#include "sched/sched.h"

/* Keys of the new node part that wait for a restart, whatever was applied in between. New
 * reference. */
static json_t *restart_json(const struct config *boot, const struct config *after)
{
	struct config_words *words = NULL;
	json_t *array = json_array();

	if (array && config_node_words(boot, after, &words) == 0)
		for (uint32_t i = 0; i < words->n_restart; i++)
			json_array_append_new(array, json_string(words->restart[i]));
	config_words_destroy(words);
	return array;
}

/* The plan, its words, and the rules that it asks for. 0 or -ENOMEM. */
static int plan_make(struct apply *a)
{
	const uint32_t how = CHANGE_VALUE | CHANGE_PLACE;

	if (config_plan(a->running, a->after, &a->plan) < 0 ||
	    config_words(a->plan, &a->words) < 0) {
		return error_text(a->error, -ENOMEM, "out of memory");
	}
	if (a->kind != APPLY_SWAP || !(config_plan_kinds(a->plan, how) & 1U << OBJECT_MARK))
		return 0;
	return builder_marks_compile(&a->build.marks, a->after, NULL, a->error);
}

void apply_load(void *arg)
{
	struct apply *a = arg;
	char digest[CONFIG_DIGEST_STRLEN];

	if (!version_id_is_none(&a->back))
		(void)version_config(a->pending.control->versions.dir, &a->back, a->running,
				     &a->after, &a->errors);
	else if (a->text)
		(void)config_parse(json_string_value(a->text), json_string_length(a->text), NULL,
				   sched_names(), &a->after, &a->errors);
	else
		(void)config_load(a->path, sched_names(), &a->after, &a->errors);
	if (a->after)
		host_check(a->after, HOST_CHECK_LIVE, &a->errors);
	if (!a->after || a->kind == APPLY_CHECK)
		return;
	/* Now, so that nobody has to wait for it later. */
	config_digest(a->after, digest);
	a->restart = restart_json(a->boot, a->after);
	a->ret = plan_make(a);
}
