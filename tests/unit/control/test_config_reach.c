/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every key of the configuration reaches its readers. reach_rows.h finds the keys and values for
 * them, reach_bed.h tries a value in a router that runs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "control_bed.h"
#include "reach_bed.h"

/* ---- every key ---- */

static bool value_try(void *arg, const struct row *r, const json_t *changed)
{
	return row_try(arg, r, changed);
}

static void row_of_document(void *arg, const struct row *r)
{
	struct attempt *t = arg;
	uint8_t *done = &t->done[t->number++];
	const bool before = *done;

	assert_true(t->number <= ARRAY_LEN(t->done));
	if (!row_wanted(r))
		return;
	*done = (uint8_t)ways_try(documents[t->at], r, *done, value_try, t);
	t->n_tried += *done && !before;
}

static void row_left_over(void *arg, const struct row *r)
{
	struct attempt *t = arg;

	if (!t->done[t->number++] && row_wanted(r))
		failed(t, r, "no value of values_of() is valid in any of the documents", "");
}

static void every_key_reaches_whoever_goes_by_it(void **state)
{
	static struct attempt t;
	const struct row root = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		assert_int_equal(trial_open(&t, i), 0);
		t.number = 0;
		rows_walk(&config_object_root, &root, row_of_document, &t);
		trial_close(&t);
	}
	t.number = 0;
	rows_walk(&config_object_root, &root, row_left_over, &t);
	if (!getenv("REACH_ONLY"))
		assert_true(t.n_tried > 150);
	assert_int_equal(t.n_failed, 0);
}

/* ---- what did not change ---- */

static uint32_t sets(void)
{
	uint32_t n;

	pthread_mutex_lock(&told_lock);
	n = n_set;
	pthread_mutex_unlock(&told_lock);
	return n;
}

/* With every policy of each service spelled out. */
static json_t *spelled_out(const json_t *doc)
{
	struct config *config = parse_or_null(doc);
	json_t *out = json_deep_copy(doc), *services, *service;
	size_t i;

	services = json_object_get(json_object_get(out, "shared"), "services");
	json_array_foreach (services, i, service) {
		const struct config_policy *policy = &config->shared.services[i]->policy;
		json_t *full =
			config_object_to_json(&config_object_policy, policy, policy, STYLE_FULL);

		json_object_update_missing(service, full);
		json_decref(full);
	}
	config_destroy(config);
	return out;
}

static void what_means_the_same_is_not_built_again(void **state)
{
	json_t *doc = document_load(documents[0]), *again = spelled_out(doc);
	const struct snapshot *snapshot;
	static struct attempt t;
	uint32_t n;

	(void)state;
	assert_int_equal(trial_open(&t, 0), 0);
	snapshot = t.f.pub.snapshot;
	n = sets();
	json_decref(apply(&t.f, doc));
	json_decref(apply(&t.f, again));
	do_it(&t.f, "service.edit", "{\"service\":\"web\",\"set\":{\"scheduler\":\"wlc\"}}");
	do_it(&t.f, "server.edit",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":1}}");
	assert_ptr_equal(t.f.pub.snapshot, snapshot);
	assert_int_equal(sets(), n);
	trial_close(&t);
	json_decref(doc);
	json_decref(again);
}

static void a_change_of_one_service_builds_that_service_alone(void **state)
{
	json_t *doc = document_load(documents[0]);
	const struct service *first, *other, *marked;
	static struct attempt t;
	struct row row = {
		.path = {{.key = "shared"}, {.key = "services"}, {.index = 0}, {.key = "quorum"}},
		.depth = 4};
	uint32_t n;

	(void)state;
	assert_int_equal(trial_open(&t, 0), 0);
	first = node_of(&t.f, WEB);
	other = node_of(&t.f, DNS);
	marked = node_of(&t.f, "fwmark:7");
	assert_non_null(marked);
	n = sets();
	json_object_set_new(container(doc, &row), "quorum", json_integer(2));
	json_decref(apply(&t.f, doc));
	assert_ptr_not_equal(node_of(&t.f, WEB), first);
	assert_ptr_equal(node_of(&t.f, DNS), other);
	assert_ptr_equal(node_of(&t.f, "fwmark:7"), marked);
	assert_int_equal(sets(), n + 1);
	/* A check is asked otherwise: health is told, and no list is built. */
	first = node_of(&t.f, WEB);
	row.path[1].key = "checks";
	json_object_set_new(container(doc, &row), "fall", json_integer(7));
	json_decref(apply(&t.f, doc));
	assert_ptr_equal(node_of(&t.f, WEB), first);
	assert_int_equal(sets(), n + 2);
	trial_close(&t);
	json_decref(doc);
}

/* ---- the other ways to change ---- */

/* Sends set as a change of the first service or of its first server. */
static void key_by_request(void *arg, const struct row *r)
{
	struct attempt *t = arg;
	const bool server = strstr(r->name, ".servers[0]") != NULL;
	json_t *values, *value;
	bool done = false;
	size_t i;

	if (strncmp(r->name, "shared.services[0].", 19) != 0 || !row_wanted(r))
		return;
	values = values_of(r->field);
	json_array_foreach (values, i, value) {
		json_t *changed = document_with(documents[t->at], r, value, WAY_SET);
		json_t *object = changed ? container(changed, r) : NULL, *params;
		char *said, *fresh;

		if (done || !object || !differs(changed, t->config)) {
			json_decref(changed);
			continue;
		}
		done = true;
		fresh = fresh_text(changed);
		object = json_object_get(json_object_get(changed, "shared"), "services");
		object = json_array_get(object, 0);
		if (server)
			object = json_array_get(json_object_get(object, "servers"), 0);
		params = server ? json_pack("{s:s, s:s, s:O}", "service", "web", "server",
					    "10.0.0.1:80", "set", object)
				: json_pack("{s:s, s:O}", "service", "web", "set", object);
		said = json_dumps(params, 0);
		do_it(&t->f, server ? "server.edit" : "service.edit", said);
		if (!becomes(&t->f, &t->told, fresh))
			failed(t, r, "a request leads elsewhere than the file", "");
		free(said);
		free(fresh);
		json_decref(params);
		json_decref(changed);
		changed = document_load(documents[t->at]);
		json_decref(apply(&t->f, changed));
		if (!becomes(&t->f, &t->told, t->before))
			failed(t, r, "the way back leads elsewhere", "");
		json_decref(changed);
	}
	t->n_tried += done;
	json_decref(values);
}

static void a_request_reaches_whom_a_file_reaches(void **state)
{
	static struct attempt t;
	const struct row root = {0};

	(void)state;
	assert_int_equal(trial_open(&t, 0), 0);
	rows_walk(&config_object_root, &root, key_by_request, &t);
	trial_close(&t);
	if (!getenv("REACH_ONLY"))
		assert_true(t.n_tried > 40);
	assert_int_equal(t.n_failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_reaches_whoever_goes_by_it),
		cmocka_unit_test(what_means_the_same_is_not_built_again),
		cmocka_unit_test(a_change_of_one_service_builds_that_service_alone),
		cmocka_unit_test(a_request_reaches_whom_a_file_reaches),
	};

	return REACH_RUN(tests);
}
