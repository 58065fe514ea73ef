/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "spawn/spawn.h"

/* Keys of high availability: values that are read, and values that are refused. */

static const char *const schedulers[] = {"rr", "wlc", NULL};

#define DOCUMENT(node_more, shared)                                                                \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":["  \
	"\"192.0.2.10/24\"]}},{\"name\":\"private\",\"device\":\"d1\",\"linux\":{\"addresses\":["  \
	"\"10.10.0.2/16\"]}}]" node_more "},\"shared\":{" shared "}}"
#define HA(paths)                                                                                  \
	",\"ha\":{\"role\":\"primary\",\"key_file\":\"/etc/plvs/ha.key\",\"paths\":[" paths "]}"
#define PUBLIC "{\"name\":\"public\",\"local\":\"192.0.2.10\",\"peer\":\"192.0.2.11\"}"

static struct config *parse(const char *text, char errors_text[1024])
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512];

	errors_text[0] = '\0';
	config_errors_init(&errors);
	if (config_parse(text, strlen(text), "f", schedulers, &config, &errors) < 0)
		config = NULL;
	for (uint32_t i = 0; i < errors.errors.n; i++) {
		strncat(errors_text, i ? "\n" : "", 2);
		strncat(errors_text,
			config_error_format(&errors, &errors.errors.v[i], line, sizeof(line)), 500);
	}
	config_errors_fini(&errors);
	return config;
}

static void a_pair_is_read_and_written_back(void **state)
{
	static const char text[] = DOCUMENT(
		HA(PUBLIC ",{\"name\":\"private\",\"local\":\"10.10.0.2:700\",\"peer\":"
			  "\"10.10.0.3:701\"}"),
		"\"ha\":{\"cluster\":7,\"keepalive\":\"10ms\",\"deadtime\":\"50ms\",\"start_"
		"delay\":2,"
		"\"failback\":\"manual\",\"witnesses\":[{\"link\":\"private\",\"addresses\":"
		"[\"10.10.0.9\"]}],\"announce\":{\"count\":3}}");
	char errors[1024];
	struct config *c = parse(text, errors), *again;
	char *written;

	(void)state;
	assert_string_equal(errors, "");
	assert_non_null(c);
	for (int i = 0; i < 2; i++) {
		const struct config_ha_shared *s = &c->shared.ha;

		assert_int_equal(c->node.ha.role, CONFIG_HA_PRIMARY);
		assert_int_equal(c->node.ha.n_paths, 2);
		assert_int_equal(be16_to(c->node.ha.paths[1].peer.port), 701);
		assert_int_equal(c->node.ha.paths[0].local.port, 0);
		assert_int_equal(s->cluster, 7);
		assert_int_equal(s->keepalive_ms, 10);
		assert_int_equal(s->deadtime_ms, 50);
		assert_int_equal(s->start_delay_ms, 2000);
		assert_int_equal(s->failback_delay_ms, 60000);
		assert_int_equal(s->failback, HA_FAILBACK_MANUAL);
		assert_int_equal(s->witnesses[0].link_id, link_id_of(1, 0));
		assert_int_equal(s->announce.count, 3);
		assert_int_equal(s->announce.spacing_ms, 100);
		written = config_to_text(c);
		again = parse(written, errors);
		assert_string_equal(errors, "");
		free(written);
		config_destroy(c);
		c = again;
	}
	config_destroy(c);
}

static void without_paths_there_is_no_peer_and_timers_are_measured(void **state)
{
	char errors[1024];
	struct config *c = parse(DOCUMENT("", ""), errors);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->node.ha.n_paths, 0);
	assert_int_equal(c->shared.ha.keepalive_ms, 0);
	assert_int_equal(c->shared.ha.deadtime_ms, 0);
	assert_string_equal(c->node.state_dir, "/var/lib/plvs");
	config_destroy(c);
}

static void the_peer_is_told_of_timers_and_not_of_paths(void **state)
{
	char errors[1024], a[CONFIG_DIGEST_STRLEN], b[CONFIG_DIGEST_STRLEN];
	struct config *lone = parse(DOCUMENT("", ""), errors);
	struct config *pair = parse(DOCUMENT(HA(PUBLIC), ""), errors);
	struct config *slow = parse(DOCUMENT("", "\"ha\":{\"keepalive\":\"51ms\"}"), errors);

	(void)state;
	assert_string_equal(config_digest(lone, a), config_digest(pair, b));
	assert_string_not_equal(config_digest(lone, a), config_digest(slow, b));
	config_destroy(lone);
	config_destroy(pair);
	config_destroy(slow);
}

static void a_plan_says_which_timer_changes(void **state)
{
	char errors[1024];
	struct config *before = parse(DOCUMENT("", ""), errors);
	struct config *after = parse(DOCUMENT("", "\"ha\":{\"keepalive\":\"20ms\"}"), errors);
	struct config_plan *plan;
	struct config_words *words;

	(void)state;
	assert_int_equal(config_plan(before, after, &plan), 0);
	assert_int_equal(config_words(plan, &words), 0);
	assert_int_equal(words->n, 1);
	assert_string_equal(words->v[0].object, "ha");
	assert_string_equal(words->v[0].detail, "keepalive: auto -> 20ms");
	config_words_destroy(words);
	config_plan_destroy(plan);
	config_destroy(before);
	config_destroy(after);
}

static void what_cannot_be_is_said_with_its_path(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{DOCUMENT(",\"ha\":{\"paths\":[" PUBLIC "]}", ""),
		 "node.ha.role: missing: expected primary or backup, one of each in a pair"},
		{DOCUMENT(",\"ha\":{\"role\":\"backup\",\"paths\":[" PUBLIC "]}", ""),
		 "node.ha.key_file: missing: heartbeats are not sent without a key"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"10.10.0.2\"}"),
			  ""),
		 "node.ha.paths[0].peer: is an address of this router's ports"},
		{DOCUMENT(HA(PUBLIC "," PUBLIC), ""),
		 "node.ha.paths[1].name: is that of another path already"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\"}"), ""),
		 "node.ha.paths[0].peer: missing"},
		{DOCUMENT("", "\"ha\":{\"keepalive\":\"50ms\",\"deadtime\":\"149ms\"}"),
		 "shared.ha.deadtime: 149 ms is less than three keepalives of 50 ms"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"0.0.0.0\"}"), ""),
		 "node.ha.paths[0].peer: 0.0.0.0 is the unspecified address"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"224.0.0.18\"}"),
			  ""),
		 "node.ha.paths[0].peer: 224.0.0.18 is a multicast address"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"192.0.2.255\"}"),
			  ""),
		 "node.ha.paths[0].peer: 192.0.2.255 is the broadcast or network address"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"255.255.255."
			     "255\"}"),
			  ""),
		 "node.ha.paths[0].peer: 255.255.255.255 is a reserved or broadcast address"},
		{DOCUMENT(HA("{\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"192.0.2.11:0\"}"),
			  ""),
		 "node.ha.paths[0].peer: \"192.0.2.11:0\" is out of range"},
		{DOCUMENT(HA(PUBLIC),
			  "\"services\":[{\"protocol\":\"tcp\",\"listen\":\"192.0.2.11:80\"}]"),
		 "shared.services[0].listen[0]: 192.0.2.11 is a router's own address "
		 "(node.ha.paths[0])"},
		{DOCUMENT("", "\"ha\":{\"witnesses\":[{\"link\":\"public\",\"addresses\":[\"0.0.0."
			      "0\"]}]}"),
		 "shared.ha.witnesses[0].addresses[0]: 0.0.0.0 is the unspecified address"},
		{DOCUMENT("", "\"ha\":{\"keepalive\":\"1ms\"}"),
		 "shared.ha.keepalive: \"1ms\" is out of range: expected \"auto\", or a time, as "
		 "\"200ms\" or \"5s\", from 5ms to 1m"},
		{DOCUMENT("", "\"ha\":{\"witnesses\":[{\"link\":\"dmz\",\"addresses\":[\"10.0.0."
			      "1\"]}]}"),
		 "shared.ha.witnesses[0].link: \"dmz\" is no link of this router"},
		{DOCUMENT("", "\"ha\":{\"failback\":\"never\"}"),
		 "shared.ha.failback: \"never\" is not a way to fail back"},
	};
	char errors[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *c = parse(bad[i].text, errors);

		if (c || !strstr(errors, bad[i].error))
			fail_msg("expected \"%s\", got \"%s\"", bad[i].error, errors);
	}
}

static void a_program_has_as_many_arguments_as_can_be_given_to_one(void **state)
{
	char text[1024], errors[1024], list[2048] = "\"/usr/bin/tell\"", document[8192];
	struct config *config;

	(void)state;
	for (int n = 1; n <= SPAWN_MAX_ARGV; n++) {
		if (n == SPAWN_MAX_ARGV) {
			snprintf(document, sizeof(document),
				 DOCUMENT(",\"notify\":{\"ha\":[%s],\"health\":[%s]}", ""), list,
				 list);
			config = parse(document, errors);
			assert_non_null(config);
			assert_int_equal(config->node.notify.n_ha, SPAWN_MAX_ARGV);
			config_destroy(config);
		}
		strcat(list, ",\"x\"");
	}
	snprintf(document, sizeof(document), DOCUMENT(",\"notify\":{\"ha\":[%s]}", ""), list);
	assert_null(parse(document, errors));
	snprintf(text, sizeof(text), "node.notify.ha: %d entries are more than the limit of %d",
		 SPAWN_MAX_ARGV + 1, SPAWN_MAX_ARGV);
	assert_non_null(strstr(errors, text));
}

/* Piranha's own timers: a deadtime of exactly three keepalives. */
static void timers_of_the_field_are_taken(void **state)
{
	static const struct {
		const char *ha;
		uint32_t keepalive_ms;
	} rows[] = {{"\"keepalive\":6,\"deadtime\":18", 4500},
		    {"\"keepalive\":2,\"deadtime\":30", 2000},
		    {"\"keepalive\":\"50ms\",\"deadtime\":\"150ms\"", 37},
		    {"\"keepalive\":\"50ms\",\"deadtime\":\"200ms\"", 50}};
	char errors[1024], text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c;

		snprintf(text, sizeof(text), "{\"shared\":{\"ha\":{%s}}}", rows[i].ha);
		c = parse(text, errors);
		assert_string_equal(errors, "");
		assert_int_equal(ha_keepalive_ms(&c->shared.ha.timing), rows[i].keepalive_ms);
		config_destroy(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_has_as_many_arguments_as_can_be_given_to_one),
		cmocka_unit_test(a_pair_is_read_and_written_back),
		cmocka_unit_test(without_paths_there_is_no_peer_and_timers_are_measured),
		cmocka_unit_test(the_peer_is_told_of_timers_and_not_of_paths),
		cmocka_unit_test(a_plan_says_which_timer_changes),
		cmocka_unit_test(timers_of_the_field_are_taken),
		cmocka_unit_test(what_cannot_be_is_said_with_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
