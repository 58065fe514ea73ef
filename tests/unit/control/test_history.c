/* SPDX-License-Identifier: BSD-3-Clause */
/* config.history, config.diff and config.rollback, through the control socket. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "history_bed.h"

/* Three versions: weight 2, 3, 4. */
static void three(struct fixture *f)
{
	weight_set(f, 3);
	weight_set(f, 4);
}

static void expect_diff(struct fixture *f, const char *params, const char *detail)
{
	json_t *r = get(f, "config.diff", params);
	const json_t *changes = json_object_get(r, "changes");

	assert_int_equal(json_array_size(changes), 1);
	assert_string_equal(text_at(json_array_get(changes, 0), "action"), "edit");
	assert_string_equal(text_at(json_array_get(changes, 0), "object"),
			    "server 10.0.0.1:80 of " WEB);
	assert_string_equal(text_at(json_array_get(changes, 0), "detail"), detail);
	json_decref(r);
}

static void history_lists_the_running_version_first(void **state)
{
	static const char *const comments[] = {"server edit web 10.0.0.1:80 weight=4",
					       "server edit web 10.0.0.1:80 weight=3", ""};
	const char *me = user_name();
	struct fixture *f = *state;
	json_t *h;

	three(f);
	h = stored_history(f);
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *v = version_at(h, i);

		assert_int_equal(json_integer_value(json_object_get(v, "number")), i);
		assert_int_equal(strlen(text_at(v, "id")), 32);
		assert_true(json_integer_value(json_object_get(v, "time")) > 1000000000);
		if (i == 2)
			assert_string_equal(text_at(v, "author"), "file");
		else
			assert_string_equal(text_at(v, "author"), me);
		assert_string_equal(text_at(v, "comment"), comments[i]);
		assert_int_equal(json_is_true(json_object_get(v, "running")), i == 0);
		assert_true(json_is_true(json_object_get(v, "kept")));
	}
	assert_true(json_is_null(json_object_get(h, "fault")));
	json_decref(h);
}

static void two_versions_are_compared(void **state)
{
	struct fixture *f = *state;
	char params[128];
	json_t *h, *r;

	three(f);
	/* The running version needs no file yet. */
	expect_diff(f, "{\"from\":\"1\"}", "weight: 3 -> 4");
	h = stored_history(f);
	expect_diff(f, "{\"from\":\"2\",\"to\":\"1\"}", "weight: 2 -> 3");
	expect_diff(f, "{\"from\":\"0\",\"to\":\"2\"}", "weight: 4 -> 2");
	snprintf(params, sizeof(params), "{\"from\":\"%.8s\",\"to\":\"%s\"}",
		 text_at(version_at(h, 2), "id"), text_at(version_at(h, 0), "id"));
	expect_diff(f, params, "weight: 2 -> 4");
	r = get(f, "config.diff", "{\"from\":\"1\",\"to\":\"1\"}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 0);
	json_decref(r);
	json_decref(h);
}

static void a_rollback_is_a_new_version(void **state)
{
	struct fixture *f = *state;
	char id[3][33], comment[64];
	json_t *h, *r;

	three(f);
	h = stored_history(f);
	for (size_t i = 0; i < 3; i++)
		snprintf(id[i], sizeof(id[i]), "%s", text_at(version_at(h, i), "id"));
	json_decref(h);
	/* Parts that belong to no version stay. */
	r = get(f, "config.rollback", "{\"version\":\"2\"}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 1);
	assert_string_equal(text_at(json_array_get(json_object_get(r, "changes"), 0), "detail"),
			    "weight: 4 -> 2");
	assert_int_equal(json_array_size(json_object_get(r, "restart")), 0);
	assert_true(json_is_integer(json_object_get(r, "generation")));
	assert_true(json_is_true(json_object_get(json_object_get(r, "stored"), "here")));
	json_decref(r);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/2");
	h = stored_history(f);
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 4);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(text_at(version_at(h, i + 1), "id"), id[i]);
	assert_string_equal(text_at(version_at(h, 0), "author"), user_name());
	snprintf(comment, sizeof(comment), "config rollback to %.8s", id[2]);
	assert_string_equal(text_at(version_at(h, 0), "comment"), comment);
	json_decref(h);
	r = get(f, "config.get", "{\"part\":\"node\"}");
	assert_string_equal(
		text_at(json_object_get(json_object_get(json_object_get(r, "config"), "node"),
					"control"),
			"socket"),
		f->path);
	json_decref(r);
	/* And forth again. */
	do_it(f, "config.rollback", "{\"version\":\"1\"}");
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/4");
}

static void a_rollback_is_told(void **state)
{
	struct fixture *f = *state;
	char *text;
	json_t *r;

	weight_set(f, 3);
	json_decref(stored_history(f));
	do_it(f, "config.rollback", "{\"version\":\"1\"}");
	/* The rows come first. */
	r = ask(f, "event.follow", "{\"once\":true,\"last\":1}");
	text = json_dumps(r, 0);
	if (!strstr(text, "config rollback version=1: 1 change: edit server 10.0.0.1:80"))
		fail_msg("%s", text);
	free(text);
	json_decref(r);
}

static void versions_that_are_not_there_are_refused(void **state)
{
	struct fixture *f = *state;

	three(f);
	json_decref(stored_history(f));
	expect_error(f, "config.diff", "{\"from\":\"3\"}", RPC_NO_OBJECT, "no version \"3\"");
	expect_error(f, "config.diff",
		     "{\"from\":\"0\",\"to\":\"ffffffffffffffffffffffffffffffff\"}", RPC_NO_OBJECT,
		     "no version");
	expect_error(f, "config.diff", "{\"from\":\"../x\"}", RPC_BAD_PARAMS, "is no version");
	expect_error(f, "config.diff", "{\"from\":\"\"}", RPC_BAD_PARAMS, "is no version");
	expect_error(f, "config.rollback", "{\"version\":\"-1\"}", RPC_BAD_PARAMS, "is no version");
	expect_error(f, "config.rollback", "{\"version\":\"999\"}", RPC_NO_OBJECT, "no version");
	expect_error(f, "config.rollback", "{\"version\":\"0\"}", RPC_INVALID, "running");
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/4");
}

/* The file of what a version says gets this text; NULL: it goes. */
static void file_damage(struct fixture *f, size_t version, const char *text)
{
	json_t *h = stored_history(f);
	char path[192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/configurations/%s.json", state_dir,
		 text_at(version_at(h, version), "id"));
	json_decref(h);
	assert_int_equal(unlink(path), 0);
	if (!text)
		return;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void a_damaged_file_changes_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *h;

	three(f);
	file_damage(f, 2, "{\"shared\": {\"services\": [{\"name\":");
	expect_error(f, "config.rollback", "{\"version\":\"2\"}", RPC_INVALID, "is damaged");
	expect_error(f, "config.diff", "{\"from\":\"2\"}", RPC_INVALID, "is damaged");
	file_damage(f, 2, "{\"shared\": {\"services\": 7}}");
	expect_error(f, "config.rollback", "{\"version\":\"2\"}", RPC_INVALID, "shared.services");
	expect_error(f, "config.diff", "{\"from\":\"2\"}", RPC_INVALID, "shared.services");
	file_damage(f, 2, NULL);
	expect_error(f, "config.rollback", "{\"version\":\"2\"}", RPC_INVALID, "is not kept");
	expect_error(f, "config.diff", "{\"from\":\"2\"}", RPC_NO_OBJECT, "is not kept");
	h = stored_history(f);
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 3);
	assert_true(json_is_false(json_object_get(version_at(h, 2), "kept")));
	json_decref(h);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/4");
	do_it(f, "config.rollback", "{\"version\":\"1\"}");
}

static void without_a_state_dir_history_says_so(void **state)
{
	struct fixture *f = *state;
	json_t *h;

	do_it(f, "service.delete", "{\"service\":\"dns\"}");
	h = get(f, "config.history", "{}");
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 2);
	assert_true(json_is_false(json_object_get(version_at(h, 1), "kept")));
	assert_non_null(strstr(text_at(h, "fault"), "there is no node.state_dir"));
	json_decref(h);
	expect_error(f, "config.rollback", "{\"version\":\"1\"}", RPC_INVALID,
		     "there is no node.state_dir");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(history_lists_the_running_version_first),
		B(two_versions_are_compared),
		B(a_rollback_is_a_new_version),
		B(a_rollback_is_told),
		B(versions_that_are_not_there_are_refused),
		B(a_damaged_file_changes_nothing),
		T(without_a_state_dir_history_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
