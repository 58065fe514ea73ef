/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark rules by single request. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- single changes ---- */

static bool position_check(struct config_context *ctx, uint32_t position, uint32_t n, int reason)
{
	if (position < n)
		return true;
	context_push_key(ctx, "position");
	if (n)
		config_report(ctx, reason, NULL, "there is no rule %u: expected 0 to %u", position,
			      n - 1);
	else
		config_report(ctx, reason, NULL, "there is no rule %u: there are none", position);
	context_pop(ctx);
	return false;
}

static void limits_check(struct config_context *ctx, const struct config_shared *shared,
			 const struct config_mark *added)
{
	uint64_t entries = mark_rule4_entries(&added->rule);

	for (uint32_t i = 0; i < shared->n_marks; i++)
		entries += mark_rule4_entries(&shared->marks[i].rule);
	config_check_mark_entries(ctx, entries);
	if (shared->n_marks >= MAX_MARK_RULES)
		config_report(ctx, -ENOSPC, NULL, "at the limit of %u mark rules (MAX_MARK_RULES)",
			      MAX_MARK_RULES);
}

int config_mark_add(struct config *config, const json_t *rule, uint32_t position,
		    struct config_change *change, struct config_errors *errors)
{
	struct config_shared *shared = &config->shared;
	struct config_context ctx;
	struct config_mark added, *grown;

	memset(&added, 0, sizeof(added));
	config_context_init(&ctx, config, errors, NULL);
	if (position == UINT32_MAX)
		position = shared->n_marks;
	if (!position_check(&ctx, position, shared->n_marks + 1, -EINVAL))
		return errors->reason;
	context_push_key(&ctx, "rule");
	config_object_init(&config_object_mark, config->schedulers, &added);
	if (config_object_parse(&ctx, &config_object_mark, rule, &added) == 0) {
		config_check_mark(&ctx, &config->node, &added);
		limits_check(&ctx, shared, &added);
	}
	if (errors->reason)
		goto err;
	grown = realloc(shared->marks, (shared->n_marks + 1) * sizeof(*grown));
	if (!grown) {
		config_report_memory(&ctx);
		goto err;
	}
	shared->marks = grown;
	*change = (struct config_change){
		.kind = CONFIG_CHANGE_MARK, .added = true, .mark = added, .position = position};
	return 0;
err:
	config_object_fini(&config_object_mark, &added);
	return errors->reason;
}

int config_mark_delete(struct config *config, uint32_t position, struct config_change *change,
		       struct config_errors *errors)
{
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	if (!position_check(&ctx, position, config->shared.n_marks, -ENOENT))
		return errors->reason;
	*change = (struct config_change){.kind = CONFIG_CHANGE_MARK, .position = position};
	return 0;
}

void config_mark_commit(struct config *config, struct config_change *change)
{
	struct config_shared *shared = &config->shared;
	struct config_mark *slot = &shared->marks[change->position];

	config->rest_digest_valid = false;
	if (change->added) {
		memmove(slot + 1, slot, (shared->n_marks - change->position) * sizeof(*slot));
		*slot = change->mark;
		memset(&change->mark, 0, sizeof(change->mark));
		shared->n_marks++;
		return;
	}
	config_object_fini(&config_object_mark, slot);
	shared->n_marks--;
	memmove(slot, slot + 1, (shared->n_marks - change->position) * sizeof(*slot));
}
