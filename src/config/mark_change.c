/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of objects that a single change inserts into or deletes from; mark rules by request. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

int config_list_reserve(void *list, uint32_t n, size_t size)
{
	void *old, *wider;

	memcpy(&old, list, sizeof(old));
	wider = realloc(old, ((size_t)n + 1) * size);
	if (!wider)
		return -ENOMEM;
	memcpy(list, &wider, sizeof(wider));
	return 0;
}

void config_list_commit(const struct config_object *o, void *list, uint32_t *n,
			struct config_change *change)
{
	const bool added = change->after.any != NULL;
	char *slot = (char *)list + (size_t)(added ? change->to : change->from) * o->size;

	if (added) {
		memmove(slot + o->size, slot, (size_t)(*n - change->to) * o->size);
		memcpy(slot, change->after.any, o->size);
		free((void *)(uintptr_t)change->after.any);
		change->after.any = NULL;
		++*n;
		return;
	}
	config_object_fini(o, slot);
	--*n;
	memmove(slot, slot + o->size, (size_t)(*n - change->from) * o->size);
}

/* ---- mark rules ---- */

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
	uint64_t entries = mark_rule_entries(&added->rule);

	for (uint32_t i = 0; i < shared->n_marks; i++)
		entries += mark_rule_entries(&shared->marks[i].rule);
	config_check_mark_entries(ctx, entries);
	if (shared->n_marks >= MAX_MARK_RULES)
		config_report(ctx, -ENOSPC, NULL, "at the limit of %u mark rules (MAX_MARK_RULES)",
			      MAX_MARK_RULES);
}

int config_mark_add(struct config *config, const json_t *rule, uint32_t position,
		    struct config_change *change, struct config_errors *errors)
{
	struct config_shared *shared = &config->shared;
	struct config_mark *added = calloc(1, sizeof(*added));
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	if (position == UINT32_MAX)
		position = shared->n_marks;
	if (!added)
		config_report_memory(&ctx);
	if (!added || !position_check(&ctx, position, shared->n_marks + 1, -EINVAL)) {
		free(added);
		return errors->reason;
	}
	context_push_key(&ctx, "rule");
	config_object_init(&config_object_mark, config->schedulers, added);
	if (config_object_parse(&ctx, &config_object_mark, rule, added) == 0) {
		config_check_mark(&ctx, &config->node, added);
		limits_check(&ctx, shared, added);
	}
	if (errors->reason)
		goto err;
	if (config_list_reserve(&shared->marks, shared->n_marks, sizeof(*added)) < 0) {
		config_report_memory(&ctx);
		goto err;
	}
	*change = (struct config_change){.kind = OBJECT_MARK,
					 .how = CHANGE_VALUE,
					 .after.mark = added,
					 .from = CONFIG_NOWHERE,
					 .to = position};
	return 0;
err:
	config_object_fini(&config_object_mark, added);
	free(added);
	return errors->reason;
}

int config_mark_delete(struct config *config, uint32_t position, struct config_change *change,
		       struct config_errors *errors)
{
	struct config_context ctx;

	config_context_init(&ctx, config, errors, NULL);
	if (!position_check(&ctx, position, config->shared.n_marks, -ENOENT))
		return errors->reason;
	*change = (struct config_change){.kind = OBJECT_MARK,
					 .how = CHANGE_VALUE,
					 .before.mark = &config->shared.marks[position],
					 .from = position,
					 .to = CONFIG_NOWHERE};
	return 0;
}
