/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark rules. A change compiles them all: on another thread, in a turn of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "publish/builder.h"
#include "control/listing.h"
#include "dataplane/stages/classify.h"
#include "shown/objects.h"

/* --- listing --- */

#define MARK_ROWS 256 /* in one notification */

/* The count of rule i; UINT64_MAX: the rule is not compiled yet. */
static uint64_t mark_hits(const struct control *c, uint32_t i)
{
	const struct mark_table *t = c->publisher.live->marks;
	const struct mark_rule *rules;

	if (i >= classify_rules(t, &rules) ||
	    memcmp(&rules[i], &c->config->shared.marks[i].rule, sizeof(rules[i])) != 0)
		return UINT64_MAX;
	return classify_hits(t, i);
}

static json_t *mark_rows(struct control *c, uint32_t *place)
{
	const struct config_shared *shared = &c->config->shared;
	uint32_t end = *place + MARK_ROWS < shared->n_marks ? *place + MARK_ROWS : shared->n_marks;
	json_t *rows = *place < end ? json_array() : NULL;

	for (uint32_t i = *place; rows && i < end; i++) {
		json_t *o = config_mark_to_json(&shared->marks[i]);
		const struct shown_mark v = {.position = i, .connections = mark_hits(c, i)};

		shown_json(o, &shown_mark, &v, SHOWN_LIST);
		json_array_append_new(rows, o);
		*place = i + 1;
	}
	return rows;
}

static void mark_list(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	listing_stream(c, req, mark_rows);
}

/* --- changes --- */

struct mark_change {
	struct pending pending;
	struct turn turn;
	struct job job;
	uint64_t start_us;
	json_t *rule; /* to be added; NULL: a deletion */
	uint32_t position;
	struct config_change change; /* prepared, or of no kind */
	struct builder_marks marks;
	int ret;
	char error[ERROR_TEXT];
};

static void change_free(struct pending *l)
{
	struct mark_change *m = (struct mark_change *)l;

	config_change_abort(&m->change);
	builder_marks_fini(&m->marks);
	json_decref(m->rule);
	free(m);
}

static void change_end(struct mark_change *m)
{
	struct control *c = m->pending.control;

	pending_end(&m->pending);
	turn_end(c);
}

static void compile(void *arg)
{
	struct mark_change *m = arg;

	m->ret = builder_marks_compile(&m->marks, m->pending.control->config, &m->change, m->error);
}

static void compiled(void *arg)
{
	struct mark_change *m = arg;
	struct control *c = m->pending.control;

	if (m->ret == 0)
		m->ret = builder_marks_put(&m->marks, &c->publisher, m->error);
	if (m->ret < 0) {
		fail_build(m->pending.req, m->ret, m->error);
	} else {
		const struct config_change *ch = &m->change;
		json_t *result =
			json_pack("{s:I}", "position",
				  (json_int_t)(ch->to != CONFIG_NOWHERE ? ch->to : ch->from));

		config_change_commit(c->config, &m->change);
		answer_when_live(c, m->pending.req, m->start_us, result);
	}
	change_end(m);
}

static void change_begin(struct control *c, struct turn *t)
{
	struct mark_change *m = turn_owner(t, struct mark_change);
	struct config_errors errors;

	config_errors_init(&errors);
	if (m->rule)
		m->ret = config_mark_add(c->config, m->rule, m->position, &m->change, &errors);
	else
		m->ret = config_mark_delete(c->config, m->position, &m->change, &errors);
	if (m->ret < 0) {
		fail_config(m->pending.req, &errors);
		change_end(m);
	} else {
		builder_marks_start(&m->marks, c->publisher.live->marks);
		m->job = (struct job){.work = compile, .done = compiled, .arg = m};
		jobs_run(c->jobs, &m->job);
	}
	config_errors_fini(&errors);
}

static const struct pending_kind change_kind = {.free = change_free};

static void change_start(struct control *c, struct rpc_request *req, json_t *params, json_t *rule)
{
	const json_t *position = json_object_get(params, "position");
	struct mark_change *m = pending_create(c, req, sizeof(*m), &change_kind);

	if (!m)
		return;
	m->turn.begin = change_begin;
	m->start_us = clock_us();
	m->rule = json_incref(rule);
	m->position = UINT32_MAX;
	if (position && json_integer_value(position) < UINT32_MAX)
		m->position = (uint32_t)json_integer_value(position);
	else if (position)
		m->position = UINT32_MAX - 1; /* refused as any that is too large */
	turn_take(c, &m->turn);
}

static void mark_add(struct control *c, struct rpc_request *req, json_t *params)
{
	change_start(c, req, params, json_object_get(params, "rule"));
}

static void mark_delete(struct control *c, struct rpc_request *req, json_t *params)
{
	change_start(c, req, params, NULL);
}

const struct method mark_methods[] = {
	{.name = "mark.list",
	 .run = mark_list,
	 .help = "the mark rules in order, with their counters, as a stream",
	 .result = "`count`; before it rows, which also have the keys of `shared.marks[]`",
	 .stream = true,
	 .rows = &shown_mark},
	{.name = "mark.add",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .run = mark_add,
	 .help = "adds a mark rule; all rules are compiled again, which takes a second for "
		 "thousands",
	 .params = {{"rule", PARAM_OBJECT, true, "its object as in the configuration"},
		    {"position", PARAM_NUMBER, false,
		     "before the rule at this position (default: at the end)"}},
	 .result = "`position`; " METHOD_LIVE},
	{.name = "mark.delete",
	 .level = METHOD_CHANGE,
	 .at_active = true,
	 .run = mark_delete,
	 .help = "deletes the mark rule at a position",
	 .params = {{"position", PARAM_NUMBER, true, "from 0"}},
	 .result = "`position`; " METHOD_LIVE},
	{.name = NULL},
};
