/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration on trial: taken back, confirmed, and what a restart makes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "control/undo_record.h"
#include "history_bed.h"
#include "router/unconfirmed.h"

#define OLD "10.0.0.2:80/1 10.0.0.1:80/2"
#define NEW "10.0.0.2:80/1 10.0.0.1:80/7"

/* The configuration with weight 7; log_level: of the node part. */
static json_t *tried_json(const struct fixture *f, const char *log_level)
{
	char text[4096], *weight, *level;
	json_t *out;

	snprintf(text, sizeof(text), web, f->path);
	weight = strstr(text, "\"weight\": 2");
	if (!log_level)
		weight[strlen("\"weight\": ")] = '7';
	out = json_loads(text, 0, NULL);
	level = json_dumps(out, 0);
	free(level);
	if (log_level)
		json_object_set_new(json_object_get(out, "node"), "log",
				    json_pack("{s:s}", "level", log_level));
	return out;
}

static char *tried_params(const struct fixture *f, const char *within, const char *log_level)
{
	json_t *json = tried_json(f, log_level), *params;
	char *text = json_dumps(json, 0), *out;

	params = json_pack("{s:s, s:s, s:s}", "text", text, "confirm_within", within, "comment",
			   "more for the first");
	out = json_dumps(params, 0);
	json_decref(params);
	json_decref(json);
	free(text);
	return out;
}

static void try_it(struct fixture *f, const char *within)
{
	char *params = tried_params(f, within, NULL);
	json_t *r, *trial;

	json_decref(stored_history(f));
	r = get(f, "config.apply", params);
	assert_true(json_integer_value(json_object_get(r, "confirm_within_ms")) > 0);
	json_decref(r);
	free(params);
	assert_string_equal(servers_of(f, WEB), NEW);
	r = get(f, "status", "{}");
	trial = json_object_get(r, "trial");
	assert_true(json_number_value(json_object_get(trial, "left_s")) > 0);
	assert_string_equal(text_at(trial, "author"), user_name());
	json_decref(r);
}

static bool is_on_trial(struct fixture *f)
{
	json_t *r = get(f, "status", "{}");
	bool on = json_is_object(json_object_get(r, "trial"));

	json_decref(r);
	return on;
}

static void wait_over(struct fixture *f)
{
	for (int ms = 0; is_on_trial(f); ms += 20) {
		if (ms > DEADLINE_MS)
			fail_msg("the trial does not end");
		usleep(20000);
	}
}

static bool record_is_there(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/unconfirmed.json", state_dir);
	return access(path, F_OK) == 0;
}

static void wait_no_record(void)
{
	for (int ms = 0; record_is_there(); ms += 20) {
		if (ms > DEADLINE_MS)
			fail_msg("the undo record stays");
		usleep(20000);
	}
}

static void a_configuration_that_nobody_confirms_is_taken_back(void **state)
{
	struct fixture *f = *state;
	json_t *h;

	try_it(f, "1s");
	assert_true(record_is_there());
	/* Its own session ends. */
	close(f->fd);
	f->fd = dial(f);
	wait_over(f);
	assert_string_equal(servers_of(f, WEB), OLD);
	wait_no_record();
	h = stored_history(f);
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 3);
	assert_string_equal(text_at(version_at(h, 0), "author"), "plvs");
	assert_string_equal(text_at(version_at(h, 0), "comment"),
			    "config rollback: not confirmed within 1s");
	assert_string_equal(text_at(version_at(h, 1), "author"), user_name());
	assert_string_equal(text_at(version_at(h, 1), "comment"), "more for the first");
	json_decref(h);
	do_it(f, "service.delete", "{\"service\":\"dns\"}");
}

static void a_confirmed_configuration_stays(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	try_it(f, "1s");
	r = get(f, "config.confirm", "{}");
	assert_true(json_is_true(json_object_get(json_object_get(r, "stored"), "here")));
	json_decref(r);
	assert_false(is_on_trial(f));
	assert_false(record_is_there());
	/* Beyond the deadline. */
	usleep(1300000);
	assert_string_equal(servers_of(f, WEB), NEW);
	r = stored_history(f);
	assert_string_equal(text_at(version_at(r, 0), "comment"), "config confirm");
	json_decref(r);
	expect_error(f, "config.confirm", "{}", RPC_INVALID, "nothing is to be confirmed");
	expect_error(f, "config.rollback", "{}", RPC_INVALID, "no configuration waits");
	do_it(f, "service.delete", "{\"service\":\"dns\"}");
}

static void other_changes_are_refused_meanwhile(void **state)
{
	static const char edit[] =
		"{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":5}}";
	struct fixture *f = *state;
	char *params;

	try_it(f, "1h");
	params = tried_params(f, "1h", NULL);
	expect_error(f, "server.edit", edit, RPC_INVALID, "is not confirmed");
	expect_error(f, "server.edit", edit, RPC_INVALID, "plvsctl config confirm");
	expect_error(f, "config.apply", params, RPC_INVALID, "is not confirmed");
	expect_error(f, "config.apply", "{}", RPC_INVALID, "is not confirmed");
	expect_error(f, "config.save", "{}", RPC_INVALID, "is not confirmed");
	expect_error(f, "config.rollback", "{\"version\":\"1\"}", RPC_INVALID, "is not confirmed");
	last_log[0] = '\0';
	control_reload(f->control);
	for (int ms = 0; !strstr(last_log, "is not confirmed"); ms += 20) {
		assert_true(ms < DEADLINE_MS);
		usleep(20000);
	}
	assert_string_equal(servers_of(f, WEB), NEW);
	do_it(f, "config.rollback", "{}");
	assert_string_equal(servers_of(f, WEB), OLD);
	do_it(f, "server.edit", edit);
	free(params);
}

/* The request waits for its turn while the trial begins. */
static void a_change_behind_the_application_is_refused(void **state)
{
	struct fixture *f = *state;
	char *params = tried_params(f, "1h", NULL), request[256];
	json_t *first;
	int fd = dial(f), n;
	ssize_t got;

	json_decref(stored_history(f));
	say(f, "config.apply", params);
	n = snprintf(request, sizeof(request),
		     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.delete\",\"params\":"
		     "{\"service\":\"dns\"}}\n");
	assert_int_equal(send(fd, request, (size_t)n, 0), n);
	first = hear(f);
	assert_non_null(json_object_get(first, "result"));
	json_decref(first);
	got = recv(fd, request, sizeof(request) - 1, 0);
	assert_true(got > 0);
	request[got] = '\0';
	if (!strstr(request, "is not confirmed"))
		fail_msg("%s", request);
	close(fd);
	free(params);
}

static void without_a_durable_record_nothing_changes(void **state)
{
	struct fixture *f = *state;
	char *params = tried_params(f, "1m", NULL), path[160];

	json_decref(stored_history(f));
	snprintf(path, sizeof(path), "%s/unconfirmed.json.new", state_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_error(f, "config.apply", params, RPC_INVALID, "the undo record is not durable");
	assert_string_equal(servers_of(f, WEB), OLD);
	assert_false(is_on_trial(f));
	do_it(f, "service.delete", "{\"service\":\"dns\"}");
	free(params);
}

static void times_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {"0", "1ms", "2d", "soon", ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *params = tried_params(f, bad[i], NULL);

		expect_error(f, "config.apply", params, RPC_BAD_PARAMS, "from 1s to 1d");
		free(params);
	}
	assert_string_equal(servers_of(f, WEB), OLD);
}

static void the_node_part_comes_back_as_well(void **state)
{
	struct fixture *f = *state;
	char *params = tried_params(f, "1s", "debug");

	do_it(f, "config.apply", params);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	wait_over(f);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	free(params);
}

/* The control thread ends, as in a restart; *config is what main would start with. */
static struct config *config_of_restart(struct fixture *f, char digest[CONFIG_DIGEST_STRLEN],
					bool *undone)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[160], path[80];

	control_end(f);
	config_errors_init(&errors);
	assert_int_equal(config_load(f->file, sched_names(), &config, &errors), 0);
	config_errors_fini(&errors);
	snprintf(path, sizeof(path), "%s", f->path);
	snprintf(text, sizeof(text), "%s", state_dir);
	free(config->node.state_dir);
	config->node.state_dir = strdup(text);
	*undone = unconfirmed_take(f->file, &config, digest);
	return config;
}

static void tried_write(const struct fixture *f)
{
	json_t *json = tried_json(f, NULL);
	char *text = json_dumps(json, JSON_INDENT(1));

	write_file(f, text);
	free(text);
	json_decref(json);
}

static void a_restart_within_the_trial_brings_back_what_was_confirmed(void **state)
{
	struct fixture *f = *state;
	char digest[CONFIG_DIGEST_STRLEN];
	struct config *config;
	bool undone;
	json_t *h;

	json_decref(stored_history(f));
	tried_write(f);
	do_it(f, "config.apply", "{\"confirm_within\":\"1h\"}");
	assert_string_equal(servers_of(f, WEB), NEW);
	config = config_of_restart(f, digest, &undone);
	assert_true(undone);
	f->file_digest = digest;
	start(f, config);
	assert_string_equal(servers_of(f, WEB), OLD);
	assert_false(is_on_trial(f));
	assert_false(record_is_there());
	h = get(f, "status", "{}");
	assert_true(json_is_true(json_object_get(json_object_get(h, "configuration"), "unsaved")));
	json_decref(h);
	h = stored_history(f);
	assert_string_equal(text_at(version_at(h, 0), "author"), "file");
	assert_int_equal(json_array_size(json_object_get(h, "versions")), 1);
	json_decref(h);
}

/* The shared part with a weight of one digit. */
static json_t *shared_json(const struct fixture *f, char weight)
{
	json_t *whole, *shared;
	char text[4096];

	snprintf(text, sizeof(text), web, f->path);
	*(strstr(text, "\"weight\": 2") + strlen("\"weight\": ")) = weight;
	whole = json_loads(text, 0, NULL);
	shared = json_incref(json_object_get(whole, "shared"));
	json_decref(whole);
	return shared;
}

/* The peer sends the configuration of tried_json(), on trial for 500 ms, as a child of the version
 * here. Takes `before` over. */
static void peer_tries(struct fixture *f, char digit, json_t *before)
{
	json_t *versions = version_store_json(&f->control->versions.store), *doc;
	char id[VERSION_ID_STRLEN], digest[CONFIG_DIGEST_STRLEN], *text;

	memset(id, digit, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	memset(digest, digit, sizeof(digest) - 1);
	digest[sizeof(digest) - 1] = '\0';
	json_array_insert_new(json_object_get(versions, "versions"), 0,
			      json_pack("{s:s, s:s, s:i, s:s, s:s}", "id", id, "digest", digest,
					"time", 1, "author", "ann", "comment", ""));
	doc = json_pack("{s:{s:b, s:o, s:o, s:{s:i, s:i, s:s, s:o}}}", "result", "apply", 1,
			"shared", shared_json(f, '7'), "versions", versions, "trial", "within_ms",
			60000, "left_ms", 500, "author", "ann", "before", before);
	assert_non_null(doc);
	text = json_dumps(doc, JSON_COMPACT);
	control_pushed(f->control, 1, text, strlen(text));
	free(text);
	json_decref(doc);
}

/* The peer was changed to weight 5 before the trial, and this router was down then. */
static void a_trial_of_the_peer_ends_in_what_the_peer_had_before(void **state)
{
	struct fixture *f = *state;
	json_t *h, *v;
	size_t i;

	json_decref(stored_history(f));
	peer_tries(f, 'a', json_pack("{s:s}", "services", "none of this can be"));
	peer_tries(f, 'b', shared_json(f, '5'));
	for (int ms = 0; !is_on_trial(f); ms += 20) {
		assert_true(ms < DEADLINE_MS);
		usleep(20000);
	}
	assert_string_equal(servers_of(f, WEB), NEW);
	wait_over(f);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/5");
	wait_no_record();
	h = stored_history(f);
	json_array_foreach (json_object_get(h, "versions"), i, v)
		assert_int_not_equal(strncmp(text_at(v, "id"), "aaaaaaaa", 8), 0);
	json_decref(h);
}

static void a_file_that_was_written_since_counts_at_a_restart(void **state)
{
	struct fixture *f = *state;
	char digest[CONFIG_DIGEST_STRLEN];
	struct config *config;
	bool undone;

	try_it(f, "1h");
	tried_write(f);
	config = config_of_restart(f, digest, &undone);
	assert_false(undone);
	start(f, config);
	assert_string_equal(servers_of(f, WEB), NEW);
	assert_false(record_is_there());
}

static void changes_by_command_are_shown_until_they_are_saved(void **state)
{
	struct fixture *f = *state;
	json_t *r, *changes;

	r = get(f, "config.diff", "{\"from\":\"file\"}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 0);
	json_decref(r);
	weight_set(f, 5);
	r = get(f, "status", "{}");
	assert_true(json_is_true(json_object_get(json_object_get(r, "configuration"), "unsaved")));
	json_decref(r);
	r = get(f, "config.diff", "{\"from\":\"file\"}");
	changes = json_object_get(r, "changes");
	assert_int_equal(json_array_size(changes), 1);
	assert_string_equal(text_at(json_array_get(changes, 0), "detail"), "weight: 2 -> 5");
	json_decref(r);
	do_it(f, "config.save", "{}");
	r = get(f, "status", "{}");
	assert_true(json_is_false(json_object_get(json_object_get(r, "configuration"), "unsaved")));
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(a_configuration_that_nobody_confirms_is_taken_back),
		B(a_confirmed_configuration_stays),
		B(other_changes_are_refused_meanwhile),
		B(a_change_behind_the_application_is_refused),
		B(without_a_durable_record_nothing_changes),
		B(times_that_are_none_are_refused),
		B(the_node_part_comes_back_as_well),
		B(a_restart_within_the_trial_brings_back_what_was_confirmed),
		B(a_trial_of_the_peer_ends_in_what_the_peer_had_before),
		B(a_file_that_was_written_since_counts_at_a_restart),
		B(changes_by_command_are_shown_until_they_are_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
