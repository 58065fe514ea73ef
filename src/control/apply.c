/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration as a whole: config.check, config.plan, config.apply, SIGHUP. All that
 * takes long is done by a job (parsing, digest, plan, rules, texts) or in short steps
 * (what only the control thread may touch: run-time objects, nodes of the snapshot).
 *
 *	load	job	read, parse, digest; not for check: plan, mark rules
 *	count	steps	connections of what the plan changes
 *	build	steps	nodes into a draft that is held back
 *	checks	steps	what is asked of servers, and what is known of them; then the swap
 *	tables	steps	what follows from all nodes of the draft; then it is let go
 *	restore	steps	instead: the draft is discarded, and verdicts with it; in again
 *	write	job	the answer's text; the old configuration is freed
 */
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "control/apply_internal.h"
#include "control/audit.h"
#include "control/telnet_program.h"
#include "control/trial.h"
#include "control/undo_record.h"

#define STEP_US 2000 /* of work before others run */

/* By a timer: an event that is activated within its call goes before all others. */
static void step_soon(struct apply *a)
{
	static const struct timeval now = {0};

	event_add(a->step_ev, &now);
}

/* --- the end --- */

static void apply_free(struct pending *l)
{
	struct apply *a = (struct apply *)l;
	char error[ERROR_TEXT];

	/* The swap did not come. */
	if (a->recorded && undo_record_remove(l->control->versions.dir, error) < 0)
		log_error(CONTROL_AREA, "the undo record stays: %s", error);
	if (a->step_ev)
		event_free(a->step_ev);
	if (a->out)
		evbuffer_free(a->out);
	builder_run_fini(&a->build);
	config_words_destroy(a->words);
	config_plan_destroy(a->plan);
	config_errors_fini(&a->errors);
	config_destroy(a->after);
	config_destroy(a->old);
	json_decref(a->restart);
	json_decref(a->at_once);
	json_decref(a->before);
	json_decref(a->peers_before);
	free(a->connections);
	free(a->versions);
	apply_source_fini(&a->from);
	free(a);
}

static void apply_end(struct apply *a)
{
	struct control *c = a->pending.control;
	const bool undo = a->undo;

	pending_end(&a->pending);
	turn_end(c);
	memory_trim_soon(c);
	if (undo)
		trial_again(c);
}

/* Turns and jobs have ended. */
static bool apply_stop(struct pending *l, uint64_t deadline_us)
{
	struct apply *a = (struct apply *)l;
	struct publisher *p = &a->pending.control->publisher;
	const bool draft = a->phase >= PHASE_BUILD && a->phase <= PHASE_RESTORE;

	(void)deadline_us;
	if (draft && a->phase != PHASE_TABLES) /* of the configuration that runs by then */
		publisher_discard(p);
	if (draft)
		publisher_release(p);
	return true;
}

/* The request, which the caller ends. */
static struct rpc_request *request_take(struct apply *a)
{
	struct rpc_request *req = a->pending.req;

	a->pending.req = NULL;
	return req;
}

static void not_valid(struct apply *a)
{
	if (!a->pending.req) {
		log_error(CONTROL_AREA, "reload: %s is not valid: nothing was changed",
			  a->from.path ? a->from.path
			  : a->undo    ? "the configuration of before the trial"
				       : "the configuration of before the restart");
		apply_end(a);
		return;
	}
	/* A file that is not there is a configuration that is not valid, not a missing object
	 * of the running one. */
	if (a->errors.reason == -ENOENT || a->errors.reason == -EEXIST)
		a->errors.reason = -EINVAL;
	fail_config(request_take(a), &a->errors);
	apply_end(a);
}

/* ret, error: why not. Nothing has changed. */
static void not_possible(struct apply *a)
{
	if (a->pending.req)
		fail_build(request_take(a), a->ret, a->error);
	else
		log_error(CONTROL_AREA, "reload: %s: nothing was changed", a->error);
	apply_end(a);
}

/* --- write --- */

static void written(void *arg)
{
	struct apply *a = arg;
	struct evbuffer *out = a->out;

	if (a->kind == APPLY_SWAP)
		apply_audit(a);
	if (!out) {
		pending_fail(&a->pending, RPC_INTERNAL, NULL,
			     a->kind == APPLY_SWAP ? "out of memory: the change is made"
						   : "out of memory");
	} else if (a->kind == APPLY_SWAP) {
		a->out = NULL; /* taken over */
		answer_text_when_live(a->pending.control, request_take(a), a->start_us, a->change,
				      a->pushed, out);
	} else {
		rpc_answer_text(request_take(a), out);
	}
	apply_end(a);
}

static void start_writing(struct apply *a)
{
	a->phase = PHASE_WRITE;
	a->job = (struct job){.work = apply_write, .done = written, .arg = a};
	jobs_run(a->pending.control->jobs, &a->job);
}

/* --- count --- */

/* Of the object as it is now; rt: of its service. */
static uint64_t item_connections(const struct control *c, const struct config_line *item,
				 const struct service_rt *rt)
{
	if (item->server_before)
		return control_server_connections(c, item->before, rt, item->server_before);
	return item->server_after ? 0 : control_service_connections(c, item->before, rt);
}

/* True: there is more. */
static bool count_step(struct apply *a, uint64_t end)
{
	const struct config_service *last = NULL;
	const struct service_rt *rt = NULL;

	while (a->n_counted < a->words->n && clock_us() < end) {
		const struct config_line *item = &a->words->v[a->n_counted];

		/* Lines of one service's servers are neighbours. */
		if (item->before && item->before != last) {
			last = item->before;
			rt = control_service_rt(a->pending.control, last);
		}
		if (item->before)
			a->connections[a->n_counted] =
				item_connections(a->pending.control, item, rt);
		a->n_counted++;
	}
	return a->n_counted < a->words->n;
}

/* --- build --- */

static void start_building(struct apply *a)
{
	struct publisher *p = &a->pending.control->publisher;

	/* Earlier changes are not undone if this one fails. */
	a->ret = publisher_flush(p);
	if (a->ret < 0) {
		(void)error_text(a->error, a->ret, "out of memory");
		not_possible(a);
		return;
	}
	a->phase = PHASE_BUILD;
	publisher_hold(p);
	builder_run_start(&a->build, p, a->plan);
	step_soon(a);
}

static void trial_switch(struct apply *a, const struct version_id *before)
{
	struct control *c = a->pending.control;
	char author[VERSION_AUTHOR_LEN] = "";

	if (!a->confirm_ms) {
		trial_end(c);
		return;
	}
	if (a->pending.req)
		audit_author(a->pending.req, author, sizeof(author));
	trial_begin(c, a->before, a->confirm_ms, a->left_ms, a->author[0] ? a->author : author,
		    version_id_equal(before, &c->versions.version.id) && !a->on_trial);
	a->before = NULL;
	a->recorded = false;
}

static void swap(struct apply *a)
{
	struct control *c = a->pending.control;
	const struct version_id before = c->versions.version.id;

	a->old = c->config;
	c->config = a->after;
	a->after = NULL;
	c->applied_us = clock_us();
	json_decref(c->restart);
	c->restart = json_incref(a->restart);
	log_set_level((enum log_level)c->config->node.log_level);
	log_set_format((enum log_format)c->config->node.log_format);
	if (a->versions)
		a->change = versions_adopted(c, a->versions);
	else
		a->change = apply_version(a);
	a->versions = NULL;
	if (a->from.path && c->config_path && strcmp(a->from.path, c->config_path) == 0)
		versions_in_file(c);
	trial_switch(a, &before);
	control_pair_changed(c);
	telnet_program_changed(c);
	apply_log(a);
	a->phase = PHASE_TABLES;
	step_soon(a);
}

/* --- steps --- */

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	uint64_t end = clock_us() + STEP_US;
	struct apply *a = arg;
	struct publisher *p = &a->pending.control->publisher;

	(void)fd;
	(void)what;
	if (a->phase == PHASE_COUNT) {
		if (count_step(a, end))
			step_soon(a);
		else if (a->kind == APPLY_SWAP)
			start_building(a);
		else
			start_writing(a);
		return;
	}
	if (a->phase == PHASE_CHECKS) {
		if (checking_step(a->pending.control, &a->checks, end))
			step_soon(a);
		else
			swap(a);
		return;
	}
	if (a->phase == PHASE_TABLES) {
		if (publisher_prepare(p)) {
			step_soon(a);
			return;
		}
		publisher_release(p);
		start_writing(a);
		return;
	}
	if (a->phase == PHASE_RESTORE) {
		if (checking_restore(a->pending.control, &a->checks, end)) {
			step_soon(a);
			return;
		}
		/* Not before: who waits for a verdict's publication gets it with this one. */
		publisher_release(p);
		not_possible(a);
		return;
	}
	a->ret = builder_run_step(&a->build, end, a->error);
	if (a->ret > 0) {
		step_soon(a);
	} else if (a->ret < 0) {
		/* The wishes of leaving servers meanwhile went with the draft. */
		(void)publisher_touch_addrs(p);
		a->phase = PHASE_RESTORE;
		a->checks = (struct checking_run){0};
		step_soon(a);
	} else {
		/* The apply cannot fail from here on. */
		a->phase = PHASE_CHECKS;
		a->checks = (struct checking_run){.plan = a->plan};
		step_soon(a);
	}
}

static void loaded(void *arg)
{
	struct apply *a = arg;

	if (!a->pending.req)
		apply_log_errors(&a->errors);
	if (!a->after) {
		not_valid(a);
		return;
	}
	if (a->kind == APPLY_CHECK) {
		pending_answer(&a->pending, json_pack("{s:b, s:o}", "ok", 1, "warnings",
						      config_error_list_json(&a->errors.warnings)));
		apply_end(a);
		return;
	}
	if (a->ret < 0) {
		not_possible(a);
		return;
	}
	a->connections = calloc(a->words->n + 1, sizeof(*a->connections));
	a->step_ev = event_new(a->pending.control->base, -1, 0, on_step, a);
	if (!a->connections || !a->step_ev || !a->restart || !a->at_once) {
		a->ret = -ENOMEM;
		(void)error_text(a->error, a->ret, "out of memory");
		not_possible(a);
		return;
	}
	a->phase = PHASE_COUNT;
	step_soon(a);
}

/* --- the beginning --- */

/* NULL, or why the configuration may not take the place of the one here, now that nothing else
 * changes it. */
static const char *refused(const struct apply *a)
{
	if (a->versions && !versions_may_adopt(a->pending.control, a->versions))
		return "the configurations of the two routers have diverged: the one here was "
		       "changed in the meantime, or never was the same";
	if (a->undo && !a->pending.control->trial.on)
		return "the configuration was confirmed in the meantime";
	/* The trial began after this was asked for. */
	if (a->kind == APPLY_SWAP && !a->versions && !a->undo)
		return changes_refused(a->pending.control);
	return NULL;
}

static void apply_begin(struct control *c, struct turn *t)
{
	struct apply *a = turn_owner(t, struct apply);
	const char *why = refused(a);

	if (why) {
		a->ret = -EINVAL;
		snprintf(a->error, sizeof(a->error), "%s", why);
		not_possible(a);
		return;
	}
	a->boot = c->boot;
	a->running = c->config;
	a->on_trial = c->trial.on;
	builder_marks_start(&a->build.marks, c->publisher.live->marks);
	a->job = (struct job){.work = apply_load, .done = loaded, .arg = a};
	jobs_run(c->jobs, &a->job);
}

int apply_source_take(struct apply_source *to, const struct apply_order *o)
{
	to->text = json_incref(o->text);
	if (o->back)
		to->back = *o->back;
	to->path = o->path ? strdup(o->path) : NULL;
	return o->path && !to->path ? -ENOMEM : 0;
}

void apply_source_fini(struct apply_source *from)
{
	json_decref(from->text);
	free(from->path);
}

static void order_take(struct apply *a, const struct apply_order *o)
{
	a->kind = o->kind;
	a->versions = o->versions;
	a->undo = o->undo;
	a->confirm_ms = o->confirm_ms;
	a->left_ms = o->left_ms ? o->left_ms : o->confirm_ms;
	a->peers_before = json_incref(o->before);
	snprintf(a->author, sizeof(a->author), "%s", o->author ? o->author : "");
	snprintf(a->comment, sizeof(a->comment), "%s", o->comment ? o->comment : "");
}

void apply_start(struct control *c, struct rpc_request *req, const struct apply_order *o)
{
	static const struct pending_kind pending = {.stop = apply_stop, .free = apply_free};
	const bool own = o->kind == APPLY_SWAP && !o->versions;
	const char *why = !own ? NULL : o->undo ? versions_refuse_changes(c) : changes_refused(c);
	struct apply *a = why ? NULL : pending_create(c, req, sizeof(*a), &pending);

	if (!a) {
		if (why && req)
			rpc_fail(req, RPC_INVALID, NULL, "%s", why);
		else if (!req)
			log_error(CONTROL_AREA, "reload: %s: nothing was changed",
				  why ? why : "out of memory");
		free(o->versions);
		if (o->undo)
			trial_again(c);
		return;
	}
	a->turn.begin = apply_begin;
	a->start_us = clock_us();
	a->pushed = o->versions && req;
	a->from_peer = o->from_peer;
	order_take(a, o);
	config_errors_init(&a->errors);
	if (apply_source_take(&a->from, o) < 0) {
		pending_fail(&a->pending, RPC_INTERNAL, NULL, "out of memory");
		pending_end(&a->pending);
		return;
	}
	turn_take(c, &a->turn);
}
