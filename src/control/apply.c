/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration as a whole: config.check, config.plan, config.apply, SIGHUP. All that
 * takes long is done by a job (parsing, digest, plan, rules, texts) or in short steps
 * (what only the control thread may touch: run-time objects, nodes of the snapshot).
 *
 *	load	job	read, parse, digest; not for check: plan, mark rules
 *	count	steps	connections of what the plan changes
 *	build	steps	nodes into a draft that is held back; then the swap
 *	watch	steps	what is asked of servers, and what is known of them
 *	restore	steps	instead: the draft is discarded, and verdicts with it; in again
 *	write	job	the answer's text; the old configuration is freed
 */
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/apply.h"
#include "publish/builder.h"
#include "control/control_internal.h"
#include "control/audit.h"
#include "control/host_check.h"
#include "control/telnet_program.h"
#include "control/version_config.h"
#include "control/health_watch.h"
#include "sched/sched.h"
#include "rpc/json_dump.h"

#define STEP_US 2000 /* of work before others have their turn */

enum phase {
	PHASE_LOAD,
	PHASE_COUNT,
	PHASE_BUILD,
	PHASE_WATCH,
	PHASE_RESTORE,
	PHASE_WRITE,
};

struct apply {
	struct turn turn;
	struct job job;
	struct control *control;
	struct rpc_request *req; /* NULL: SIGHUP */
	enum apply_kind kind;
	bool pushed; /* by the peer */
	enum phase phase;
	json_t *text; /* one of the three */
	char *path;
	struct version_id back;		/* an earlier version; none: the two above */
	struct version_store *versions; /* owned; NULL: a new version */
	uint64_t change;		/* its number */
	uint64_t start_us;
	struct event *step_ev;

	/* --- what loading made --- */
	struct config_errors errors;
	const struct config *boot, *running; /* nobody changes them until the turn ends */
	struct config *after;		     /* NULL once it is the running one */
	struct config_plan *plan;
	struct config_words *words; /* of the plan */
	json_t *restart;
	struct builder_run build;
	struct watching_run watch;
	int ret;
	char error[256];

	uint64_t *connections; /* of each of the words */
	uint32_t n_counted;
	struct config *old; /* to be freed */
	struct evbuffer *out;
};

/* By a timer: an event that is activated within its call goes before all others. */
static void step_soon(struct apply *a)
{
	static const struct timeval now = {0};

	event_add(a->step_ev, &now);
}

/* --- load: on the other thread --- */

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
		snprintf(a->error, sizeof(a->error), "out of memory");
		return -ENOMEM;
	}
	if (a->kind != APPLY_SWAP || !(config_plan_kinds(a->plan, how) & 1U << OBJECT_MARK))
		return 0;
	return builder_marks_compile(&a->build.marks, a->after, NULL, a->error);
}

static void load(void *arg)
{
	struct apply *a = arg;
	char digest[CONFIG_DIGEST_STRLEN];

	if (!version_id_is_none(&a->back))
		(void)version_config(a->control->versions.dir, &a->back, a->running, &a->after,
				     &a->errors);
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

/* --- the end --- */

static void apply_free(struct apply *a)
{
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
	json_decref(a->text);
	free(a->connections);
	free(a->versions);
	free(a->path);
	free(a);
}

static void apply_end(struct apply *a)
{
	struct control *c = a->control;

	apply_free(a);
	turn_end(c);
}

static void apply_cancel(struct control *c, struct turn *t)
{
	struct apply *a = (struct apply *)t;

	if (a->phase == PHASE_BUILD || a->phase == PHASE_WATCH || a->phase == PHASE_RESTORE) {
		publisher_discard(&c->publisher);
		publisher_release(&c->publisher);
	}
	if (a->req)
		rpc_fail(a->req, RPC_INTERNAL, NULL, "plvs is stopping");
	apply_free(a);
}

static void log_errors(const struct config_errors *errors)
{
	char line[1024];

	for (uint32_t i = 0; i < errors->errors.n; i++)
		log_error(CONTROL_AREA, "%s",
			  config_error_format(errors, &errors->errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors->warnings.n; i++)
		log_warning(
			CONTROL_AREA, "%s",
			config_error_format(errors, &errors->warnings.v[i], line, sizeof(line)));
}

static void not_valid(struct apply *a)
{
	if (!a->req) {
		log_error(CONTROL_AREA, "reload: %s is not valid: nothing was changed",
			  a->path ? a->path : "the configuration of before the restart");
		apply_end(a);
		return;
	}
	/* A file that is not there is a configuration that is not valid, not a missing object
	 * of the running one. */
	if (a->errors.reason == -ENOENT || a->errors.reason == -EEXIST)
		a->errors.reason = -EINVAL;
	fail_config(a->req, &a->errors);
	apply_end(a);
}

/* ret, error: why not. Nothing has changed. */
static void not_possible(struct apply *a)
{
	if (a->req)
		fail_build(a->req, a->ret, a->error);
	else
		log_error(CONTROL_AREA, "reload: %s: nothing was changed", a->error);
	apply_end(a);
}

/* --- write: on the other thread --- */

static json_t *changes_json(const struct apply *a)
{
	json_t *array = json_array();

	for (uint32_t i = 0; array && i < a->words->n; i++) {
		const struct config_line *item = &a->words->v[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:I}", "action",
						config_action_names[item->action], "object",
						item->object, "detail", item->detail, "connections",
						(json_int_t)a->connections[i]));
	}
	return array;
}

/* {"changes", "restart", "warnings"}; after a swap without the closing bracket. */
static void write_answer(void *arg)
{
	struct apply *a = arg;
	json_t *doc;

	config_destroy(a->old);
	a->old = NULL;
	if (!a->req)
		return;
	doc = json_pack("{s:o, s:O, s:o}", "changes", changes_json(a), "restart", a->restart,
			"warnings", config_error_list_json(&a->errors.warnings));
	a->out = evbuffer_new();
	if (!doc || !a->out || evbuffer_add(a->out, "{", 1) < 0 ||
	    json_dump_evbuffer(doc, JSON_COMPACT | JSON_EMBED, a->out) < 0 ||
	    (a->kind != APPLY_SWAP && evbuffer_add(a->out, "}", 1) < 0)) {
		if (a->out)
			evbuffer_free(a->out);
		a->out = NULL;
	}
	json_decref(doc);
}

/* The first of the changes in words, and how many there are. */
static void audit_words(const struct apply *a)
{
	char text[320], file[400];
	size_t n = (size_t)snprintf(text, sizeof(text), "%u change%s", a->words->n,
				    a->words->n == 1 ? "" : "s");

	for (uint32_t i = 0; i < a->words->n && i < 4 && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s%s%s", i ? "; " : ": ",
				      config_action_names[a->words->v[i].action],
				      a->words->v[i].object, *a->words->v[i].detail ? ", " : "",
				      a->words->v[i].detail);
	if (a->req) {
		audit_detail(a->req, text);
		return;
	}
	snprintf(file, sizeof(file), "config apply of the start file: %s", text);
	audit_without_request(a->control, "SIGHUP", file, a->start_us);
}

static void written(void *arg)
{
	struct apply *a = arg;

	if (a->kind == APPLY_SWAP)
		audit_words(a);

	if (!a->req)
		;
	else if (!a->out)
		rpc_fail(a->req, RPC_INTERNAL, NULL,
			 a->kind == APPLY_SWAP ? "out of memory: the change is made"
					       : "out of memory");
	else if (a->kind == APPLY_SWAP)
		answer_text_when_live(a->control, a->req, a->start_us, a->change, a->pushed,
				      a->out);
	else
		rpc_answer_text(a->req, a->out);
	if (a->req && a->kind == APPLY_SWAP)
		a->out = NULL; /* taken over */
	apply_end(a);
}

static void start_writing(struct apply *a)
{
	a->phase = PHASE_WRITE;
	a->job = (struct job){.work = write_answer, .done = written, .arg = a};
	jobs_run(a->control->jobs, &a->job);
}

/* --- count --- */

static uint64_t server_connections(const struct control *c, const struct config_service *svc,
				   const struct config_server *server)
{
	const struct service_rt *rt = control_service_rt(c, svc);
	const struct server_rt *srv =
		rt ? runtime_server_find(&c->pub->runtime, rt, &server->ep) : NULL;
	uint64_t counts = srv ? server_rt_counts(srv) : 0;

	return (uint64_t)counts_active(counts) + counts_inactive(counts);
}

/* Of the object as it is now. */
static uint64_t item_connections(const struct control *c, const struct config_line *item)
{
	uint64_t sum = 0;

	if (!item->before)
		return 0;
	if (item->server_before)
		return server_connections(c, item->before, item->server_before);
	if (item->server_after)
		return 0;
	for (uint32_t i = 0; i < item->before->n_servers; i++)
		sum += server_connections(c, item->before, &item->before->servers[i]);
	return sum;
}

/* True: there is more. */
static bool count_step(struct apply *a, uint64_t end)
{
	while (a->n_counted < a->words->n && clock_us() < end) {
		a->connections[a->n_counted] =
			item_connections(a->control, &a->words->v[a->n_counted]);
		a->n_counted++;
	}
	return a->n_counted < a->words->n;
}

/* --- build --- */

static void start_building(struct apply *a)
{
	struct publisher *p = &a->control->publisher;

	/* What was changed before this is not undone if this fails. */
	a->ret = publisher_flush(p);
	if (a->ret < 0) {
		snprintf(a->error, sizeof(a->error), "out of memory");
		not_possible(a);
		return;
	}
	a->phase = PHASE_BUILD;
	publisher_hold(p);
	builder_run_start(&a->build, p, a->plan);
	step_soon(a);
}

static void log_applied(const struct apply *a)
{
	const struct control *c = a->control;
	uint64_t ended = 0;

	for (uint32_t i = 0; i < a->words->n; i++)
		if (a->words->v[i].action == CONFIG_DELETE)
			ended += a->connections[i];
	if (ended > 0)
		log_warning(CONTROL_AREA,
			    "the new configuration lacks services or servers of %llu connections",
			    (unsigned long long)ended);
	if (a->pushed) {
		log_notice(CONTROL_AREA, "the peer's configuration is taken: %u changes",
			   a->words->n);
		return;
	}
	if (!a->req && !a->path) {
		log_notice(CONTROL_AREA,
			   "the configuration that ran before the restart is in "
			   "place again: %u changes",
			   a->words->n);
		return;
	}
	if (a->req) {
		return; /* the audit says so */
	}
	for (size_t i = 0; i < json_array_size(c->restart); i++)
		log_warning(CONTROL_AREA, "takes effect after a restart: %s",
			    json_string_value(json_array_get(c->restart, i)));
	log_notice(CONTROL_AREA, "reload: %s is applied", a->path);
}

static uint64_t new_version(struct apply *a)
{
	char id[VERSION_ID_STRLEN], comment[64];

	if (version_id_is_none(&a->back))
		return versions_changed(a->control, a->path ? "file" : "config apply", NULL);
	snprintf(comment, sizeof(comment), "to %.8s", version_id_format(&a->back, id));
	return versions_changed(a->control, "config rollback", comment);
}

static void swap(struct apply *a)
{
	struct control *c = a->control;

	a->old = c->config;
	c->config = a->after;
	a->after = NULL;
	c->applied_us = clock_us();
	json_decref(c->restart);
	c->restart = json_incref(a->restart);
	log_set_level((enum log_level)c->config->node.log_level);
	log_set_format((enum log_format)c->config->node.log_format);
	publisher_release(&c->publisher);
	if (a->versions)
		a->change = versions_adopted(c, a->versions);
	else
		a->change = new_version(a);
	a->versions = NULL;
	control_pair_changed(c);
	telnet_program_changed(c);
	log_applied(a);
	start_writing(a);
}

/* --- steps --- */

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	uint64_t end = clock_us() + STEP_US;
	struct apply *a = arg;
	struct publisher *p = &a->control->publisher;

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
	if (a->phase == PHASE_WATCH) {
		if (watching_step(a->control, &a->watch, end))
			step_soon(a);
		else
			swap(a);
		return;
	}
	if (a->phase == PHASE_RESTORE) {
		if (watching_restore(a->control, &a->watch, end)) {
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
		/* What leaving servers asked for meanwhile went with the draft. */
		(void)publisher_touch_addrs(p);
		a->phase = PHASE_RESTORE;
		a->watch = (struct watching_run){0};
		step_soon(a);
	} else {
		/* It cannot fail from here on. */
		a->phase = PHASE_WATCH;
		a->watch = (struct watching_run){.plan = a->plan};
		step_soon(a);
	}
}

static void loaded(void *arg)
{
	struct apply *a = arg;

	if (!a->req)
		log_errors(&a->errors);
	if (!a->after) {
		not_valid(a);
		return;
	}
	if (a->kind == APPLY_CHECK) {
		rpc_answer(a->req, json_pack("{s:b, s:o}", "ok", 1, "warnings",
					     config_error_list_json(&a->errors.warnings)));
		apply_end(a);
		return;
	}
	if (a->ret < 0) {
		not_possible(a);
		return;
	}
	a->connections = calloc(a->words->n + 1, sizeof(*a->connections));
	a->step_ev = event_new(a->control->base, -1, 0, on_step, a);
	if (!a->connections || !a->step_ev || !a->restart) {
		a->ret = -ENOMEM;
		snprintf(a->error, sizeof(a->error), "out of memory");
		not_possible(a);
		return;
	}
	a->phase = PHASE_COUNT;
	step_soon(a);
}

/* --- the beginning --- */

static void apply_begin(struct control *c, struct turn *t)
{
	struct apply *a = (struct apply *)t;

	if (a->versions && !versions_may_adopt(c, a->versions)) {
		a->ret = -EINVAL;
		snprintf(a->error, sizeof(a->error),
			 "the configurations of the two routers have diverged: the one here was "
			 "changed in the meantime, or never was the same");
		not_possible(a);
		return;
	}
	a->boot = c->boot;
	a->running = c->config;
	builder_marks_start(&a->build.marks, c->publisher.live->marks);
	a->job = (struct job){.work = load, .done = loaded, .arg = a};
	jobs_run(c->jobs, &a->job);
}

static void start(struct control *c, struct rpc_request *req, enum apply_kind kind, json_t *text,
		  const char *path, struct version_store *versions, const struct version_id *back)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (a && path)
		a->path = strdup(path);
	if (!a || (path && !a->path)) {
		free(a);
		free(versions);
		if (req)
			rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		else
			log_error(CONTROL_AREA, "reload: out of memory: nothing was changed");
		return;
	}
	a->turn = (struct turn){.begin = apply_begin, .cancel = apply_cancel};
	a->control = c;
	a->req = req;
	a->kind = kind;
	a->text = json_incref(text);
	a->start_us = clock_us();
	a->versions = versions;
	a->pushed = versions && req;
	if (back)
		a->back = *back;
	config_errors_init(&a->errors);
	turn_take(c, &a->turn);
}

void apply_start(struct control *c, struct rpc_request *req, enum apply_kind kind, json_t *text,
		 const char *path)
{
	const char *why = kind == APPLY_SWAP ? versions_refuse_changes(c) : NULL;

	if (!why)
		start(c, req, kind, text, path, NULL, NULL);
	else if (req)
		rpc_fail(req, RPC_INVALID, NULL, "%s", why);
	else
		log_error(CONTROL_AREA, "reload: %s", why);
}

void apply_start_version(struct control *c, struct rpc_request *req, json_t *text,
			 struct version_store *versions)
{
	start(c, req, APPLY_SWAP, text, NULL, versions, NULL);
}

void apply_start_rollback(struct control *c, struct rpc_request *req, const struct version_id *id)
{
	const char *why = versions_refuse_changes(c);

	if (why)
		rpc_fail(req, RPC_INVALID, NULL, "%s", why);
	else
		start(c, req, APPLY_SWAP, NULL, NULL, NULL, id);
}

void control_apply_file(struct control *c)
{
	if (!c->config_path)
		log_warning(CONTROL_AREA, "reload: no file was given at start");
	else
		apply_start(c, NULL, APPLY_SWAP, NULL, c->config_path);
}
