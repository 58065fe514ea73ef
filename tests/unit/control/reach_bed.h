/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_REACH_BED_H
#define PLVS_TESTS_REACH_BED_H

/*
 * Tries a row of the schema: a router that runs is given a document in which the key has another
 * value. What workers, health and ha read must have changed, and must be what a router reads that
 * starts with the document. Their values are taken from them (readers.h), not from the
 * configuration.
 *
 * A test program includes this file once, after control_bed.h.
 */

#include "control/checking.h"
#include "control/pair.h"
#include "lib/harness.h"
#include "reach_rows.h"
#include "readers.h"
#include "start_readers.h"

/* ---- routers ---- */

/* Unless the document is about the socket. */
static inline void socket_set(json_t *doc, const char *path)
{
	json_t *node = json_object_get(doc, "node");

	if (!json_object_get(node, "control"))
		json_object_set_new(node, "control", json_object());
	if (!json_object_get(json_object_get(node, "control"), "socket"))
		json_object_set_new(json_object_get(node, "control"), "socket", json_string(path));
}

/* 0, or -errno of a router that cannot start. */
static inline int router_open(struct fixture *f, struct told *t, const json_t *doc)
{
	struct control_options opt = {.pub = &f->pub, .link = &f->link};
	json_t *mine = json_deep_copy(doc);
	char error[256] = "", *text;
	int ret;

	memset(f, 0, sizeof(*f));
	memset(t, 0, sizeof(*t));
	strcpy(f->dir, "/tmp/plvs-reach-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	socket_set(mine, f->path);
	text = json_dumps(mine, 0);
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
	ret = control_create(&opt, parse(text), &f->control, error);
	free(text);
	json_decref(mine);
	if (ret < 0) {
		runtime_fini(&f->pub.runtime);
		rmdir(f->dir);
		return ret;
	}
	control_set_ha(f->control, (struct ha *)t);
	control_set_routes(f->control, (struct vip_routes *)t, &t->bgp);
	assert_int_equal(control_start(f->control, error), 0);
	f->fd = dial(f);
	return 0;
}

static inline void router_close(struct fixture *f)
{
	const struct health *h = checking_health(f->control);

	close(f->fd);
	control_stop(f->control);
	checked_forget(h);
	control_destroy(f->control);
	runtime_fini(&f->pub.runtime);
	rmdir(f->dir);
}

static inline char *fresh_text(const json_t *doc)
{
	struct fixture f;
	struct told t;
	char *text;

	assert_int_equal(router_open(&f, &t, doc), 0);
	text = readers_text(&f, &t);
	router_close(&f);
	return text;
}

/* Result of config.apply; the socket stays as it is. */
static inline json_t *apply(struct fixture *f, const json_t *doc)
{
	json_t *mine = json_deep_copy(doc), *params, *result;
	char *text, *said;

	socket_set(mine, f->path);
	text = json_dumps(mine, 0);
	params = json_pack("{s:s}", "text", text);
	said = json_dumps(params, 0);
	result = get(f, "config.apply", said);
	free(said);
	free(text);
	json_decref(params);
	json_decref(mine);
	return result;
}

/* The ha thread is told some milliseconds later. */
static int becomes_ms = 2000;

static inline bool becomes(const struct fixture *f, const struct told *t, const char *expected)
{
	for (int i = 0; i <= becomes_ms / 5; i++) {
		char *text = readers_text(f, t);
		bool same = strcmp(text, expected) == 0;

		free(text);
		if (same)
			return true;
		usleep(5000);
	}
	return false;
}

static inline void first_difference(const char *a, const char *b, char out[512])
{
	size_t i = 0, line = 0;

	for (; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	snprintf(out, 512, "\n%.*s\n%.*s", (int)strcspn(a + line, "\n"), a + line,
		 (int)strcspn(b + line, "\n"), b + line);
}

/* ---- every key ---- */

struct attempt {
	struct fixture f; /* runs documents[at] */
	struct told told;
	struct config *config;
	char *before;
	size_t at;
	uint32_t n_tried, n_failed;
	bool quiet;	    /* failures are expected */
	uint8_t done[1024]; /* ways in which rows had a valid value, by number */
	uint32_t number;
};

static inline void failed(struct attempt *t, const struct row *r, const char *what,
			  const char *more)
{
	if (!t->quiet)
		fprintf(stderr, "%s: %s%s\n", r->name, what, more);
	t->n_failed++;
}

/* A router that starts with the value makes something else of it. */
static inline void start_check(struct attempt *t, const struct row *r, const json_t *changed)
{
	json_t *doc = document_load(documents[t->at]);
	char *before = start_text(doc), *after = start_text(changed);

	if (strcmp(before, after) == 0 && !(r->field->flags & FIELD_REMARK))
		failed(t, r, "reaches nobody at the start", "");
	free(before);
	free(after);
	json_decref(doc);
}

/* The router reads the same as one that starts, and other things than before. */
static inline void reading_check(struct attempt *t, const struct row *r, const json_t *changed)
{
	char *fresh = fresh_text(changed), more[512];

	if (!becomes(&t->f, &t->told, fresh)) {
		char *now = readers_text(&t->f, &t->told);

		first_difference(fresh, now, more);
		failed(t, r, "a router that starts reads other things than one that runs", more);
		free(now);
	}
	if (strcmp(fresh, t->before) == 0 && !(r->field->flags & FIELD_REMARK))
		failed(t, r, "reaches nobody", "");
	if (strcmp(fresh, t->before) != 0 && r->field->flags & FIELD_REMARK)
		failed(t, r, "is for people, and reaches somebody", "");
	free(fresh);
}

/* The log has one level and one format: routers that start do not change them here. */
static inline void log_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	json_t *doc = document_load(documents[t->at]);
	struct told_log before;

	json_decref(apply(&t->f, doc));
	before = told_log;
	json_decref(apply(&t->f, changed));
	if (memcmp(&before, &told_log, sizeof(before)) == 0)
		failed(t, r, "does not reach the log", "");
	json_decref(doc);
}

/* Keys of this machine are said to wait for a restart, and seen where one takes them up; or taken
 * up at once. */
static inline void node_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	const bool live = r->field->flags & FIELD_LIVE;
	json_t *result = apply(&t->f, changed), *restart = json_object_get(result, "restart");
	bool said = false;
	json_t *line;
	size_t i, n = strcspn(r->name + 5, "[.") + 5;

	json_array_foreach (restart, i, line)
		said |= strncmp(json_string_value(line), r->name, n) == 0;
	if (!said && !live)
		failed(t, r, "waits for a restart and nobody is told", "");
	if (!live)
		start_check(t, r, changed);
	if (said && live)
		failed(t, r, "is said to wait for a restart", "");
	if (live && strncmp(r->name, "node.log.", 9) == 0)
		log_key(t, r, changed);
	else if (live)
		reading_check(t, r, changed);
	json_decref(result);
}

static inline void shared_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	json_t *result = apply(&t->f, changed);

	reading_check(t, r, changed);
	if (json_array_size(json_object_get(result, "changes")) == 0)
		failed(t, r, "the answer names no change", "");
	json_decref(result);
}

static inline bool row_try(struct attempt *t, const struct row *r, const json_t *changed)
{
	const char *text = documents[t->at];
	json_t *doc;

	if (!changed || !differs(changed, t->config))
		return false;
	if (strncmp(r->name, "node.", 5) == 0)
		node_key(t, r, changed);
	else
		shared_key(t, r, changed);
	if (t->quiet)
		return true;
	doc = document_load(text);
	json_decref(apply(&t->f, doc));
	if (!becomes(&t->f, &t->told, t->before))
		failed(t, r, "the way back leads elsewhere", "");
	json_decref(doc);
	return true;
}

static inline int trial_open(struct attempt *t, size_t at)
{
	json_t *doc = document_load(documents[at]);
	int ret = router_open(&t->f, &t->told, doc);

	json_decref(doc);
	if (ret < 0)
		return ret;
	t->at = at;
	t->config = parse(documents[at]);
	t->before = readers_text(&t->f, &t->told);
	return 0;
}

static inline void trial_close(struct attempt *t)
{
	router_close(&t->f);
	config_destroy(t->config);
	free(t->before);
}

/* ---- programs ---- */

static inline int reach_run(const char *name, const struct CMUnitTest *tests, size_t n)
{
	int ret;

	log_set_sink(remember);
	if (harness_eal_init(0, 128, NULL) < 0)
		return 1;
	ret = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	harness_eal_fini();
	return ret;
}
#define REACH_RUN(tests) reach_run(#tests, tests, ARRAY_LEN(tests))

#endif
