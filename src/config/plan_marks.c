/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes between two lists of mark rules, and their words. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_diff.h"
#include "config/words_list.h"

/* A rule is what it matches and sets; among equal ones the order decides. */
struct mark_place {
	const struct config_mark *mark;
	uint32_t index;
	bool paired;
};

static int mark_place_cmp(const void *a, const void *b)
{
	const struct mark_place *x = a, *y = b;
	int order = memcmp(&x->mark->rule, &y->mark->rule, sizeof(x->mark->rule));

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static struct mark_place *marks_sort(const struct config *config)
{
	uint32_t n = config ? config->shared.n_marks : 0;
	struct mark_place *v = calloc(n + 1U, sizeof(*v));

	for (uint32_t i = 0; v && i < n; i++)
		v[i] = (struct mark_place){.mark = &config->shared.marks[i], .index = i};
	if (v)
		qsort(v, n, sizeof(*v), mark_place_cmp);
	return v;
}

#define MARK_NEW UINT32_MAX

/* was[i]: where rule i of the new list stood, or MARK_NEW. */
static void marks_pair(struct mark_place *old, uint32_t n_old, const struct mark_place *new,
		       uint32_t n_new, uint32_t *was)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < n_new; k++) {
		int order = 1;

		for (; i < n_old; i++) {
			order = memcmp(&old[i].mark->rule, &new[k].mark->rule,
				       sizeof(old[i].mark->rule));
			if (order >= 0)
				break;
		}
		was[new[k].index] = i < n_old && order == 0 ? old[i].index : MARK_NEW;
		if (i < n_old && order == 0)
			old[i++].paired = true;
	}
}

/* "destination 10.0.0.0/8, mark 7". NULL: out of memory. */
static char *mark_text(const struct config_mark *m)
{
	json_t *json = config_mark_to_json(m), *value;
	char *text = json ? strdup("") : NULL;
	const char *key;

	json_object_foreach (json, key, value) {
		char *v = json_is_string(value) ? strdup(json_string_value(value))
						: json_dumps(value, JSON_ENCODE_ANY);
		char *longer = NULL;

		if (!text || !v ||
		    asprintf(&longer, "%s%s%s %s", text, *text ? ", " : "", key, v) < 0)
			longer = NULL;
		free(v);
		free(text);
		text = longer;
	}
	json_decref(json);
	return text;
}

static int mark_line(struct config_words *words, enum config_action action, uint32_t position,
		     char *detail)
{
	if (!detail)
		return -ENOMEM;
	return config_words_add(words, (struct config_line){.action = action}, detail,
				"mark rule %u", position);
}

static int mark_edit_line(struct config_words *words, const struct config_change *ch)
{
	char *detail = NULL;

	if (json_diff_detail(config_mark_to_json(ch->before.mark),
			     config_mark_to_json(ch->after.mark), &detail) < 0)
		return -ENOMEM;
	return detail ? mark_line(words, CONFIG_EDIT, ch->to, detail) : 0;
}

static int mark_move_line(struct config_words *words, const struct config_change *ch)
{
	char *text = mark_text(ch->after.mark), *detail = NULL;

	if (!text || asprintf(&detail, "position: %u -> %u; %s", ch->from, ch->to, text) < 0)
		detail = NULL;
	free(text);
	return mark_line(words, CONFIG_MOVE, ch->to, detail);
}

/* Deleted rules by their old position, the others by their new one. */
int config_mark_words(struct config_words *words, const struct config_plan *plan,
		      const struct config_change *ch)
{
	int ret = 0;

	(void)plan;
	if (!ch->after.mark)
		return mark_line(words, CONFIG_DELETE, ch->from, mark_text(ch->before.mark));
	if (!ch->before.mark)
		return mark_line(words, CONFIG_ADD, ch->to, mark_text(ch->after.mark));
	if (ch->how & CHANGE_VALUE)
		ret = mark_edit_line(words, ch);
	if (ret == 0 && ch->how & CHANGE_PLACE)
		ret = mark_move_line(words, ch);
	return ret;
}

/* was[] as marks_pair() left it. */
static int marks_left(struct config_plan *plan, const uint32_t *was)
{
	const struct config_shared *a = plan->before ? &plan->before->shared : NULL;
	const struct config_shared *b = &plan->after->shared;
	struct moves m;
	int ret = moves_init(&m, b->n_marks);

	for (uint32_t i = 0; ret == 0 && i < b->n_marks; i++)
		if (was[i] != MARK_NEW)
			m.old_pos[m.n++] = was[i];
	if (ret == 0)
		moves_find(&m);
	for (uint32_t i = 0, k = 0; ret == 0 && i < b->n_marks; i++) {
		const struct config_mark *old = a && was[i] != MARK_NEW ? &a->marks[was[i]] : NULL;
		struct config_change ch = {.kind = OBJECT_MARK,
					   .before.mark = old,
					   .after.mark = &b->marks[i],
					   .from = old ? was[i] : CONFIG_NOWHERE,
					   .to = i};

		if (!old || !config_object_equal(&config_object_mark, old, &b->marks[i]))
			ch.how |= CHANGE_VALUE;
		if (old && m.moved[k++])
			ch.how |= CHANGE_PLACE;
		if (ch.how)
			ret = config_plan_add(plan, &ch);
	}
	moves_fini(&m);
	return ret;
}

static bool marks_same(const struct config *before, const struct config *after)
{
	const struct config_shared *a = &before->shared, *b = &after->shared;
	bool same = a->n_marks == b->n_marks;

	for (uint32_t i = 0; same && i < a->n_marks; i++)
		same = config_object_equal(&config_object_mark, &a->marks[i], &b->marks[i]);
	return same;
}

int config_plan_marks(struct config_plan *plan)
{
	const struct config *before = plan->before, *after = plan->after;
	uint32_t n_old = before ? before->shared.n_marks : 0, n_new = after->shared.n_marks;
	struct mark_place *old = marks_sort(before), *new = marks_sort(after);
	uint32_t *was = calloc(n_new + 1U, sizeof(*was)), *gone = calloc(n_old + 1U, sizeof(*gone));
	int ret = old && new &&was &&gone ? 0 : -ENOMEM;

	if (ret == 0 && before && marks_same(before, after))
		goto out;
	if (ret == 0)
		marks_pair(old, n_old, new, n_new, was);
	for (uint32_t i = 0; ret == 0 && i < n_old; i++)
		gone[old[i].index] = !old[i].paired;
	for (uint32_t i = 0; ret == 0 && i < n_old; i++) {
		const struct config_change ch = {.kind = OBJECT_MARK,
						 .how = CHANGE_VALUE,
						 .before.mark = &before->shared.marks[i],
						 .from = i,
						 .to = CONFIG_NOWHERE};

		if (gone[i])
			ret = config_plan_add(plan, &ch);
	}
	if (ret == 0)
		ret = marks_left(plan, was);
out:
	free(old);
	free(new);
	free(was);
	free(gone);
	return ret;
}
