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
#include "health/health.h"

/* Keys of health: values that are read, and values that are refused. */

static const char *const schedulers[] = {"rr", "wlc", NULL};

#define DOCUMENT(checks, defaults, service, server)                                                \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}]},\"shared\":{\"checks\":"  \
	"[" checks "],\"defaults\":{" defaults "},\"services\":[{\"protocol\":\"tcp\",\"listen\":" \
	"[\"192.0.2.80:80\"]" service ",\"servers\":[{\"address\":\"10.0.0.1:80\"" server          \
	"},{\"address\":\"10.0.0.2:80\"}]}]}}"
#define TCP "{\"name\":\"up\",\"type\":\"tcp\"}"
#define WEB                                                                                        \
	"{\"name\":\"web\",\"type\":\"http\",\"interval\":\"500ms\",\"rise\":3,\"http\":{"         \
	"\"path\":\"/health\",\"headers\":[\"Accept: text/html\"],\"status\":[\"200-299\",301],"   \
	"\"body_pattern\":\"o[k]\"},\"tls\":{\"on\":true,\"sni\":\"www.example\"}}"
#define CHECK(rest) DOCUMENT("{\"name\":\"v\",\"type\":" rest "}", "", "", "")
#define LABEL63	    "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
#define TALK                                                                                       \
	"{\"name\":\"talk\",\"type\":\"script\",\"steps\":[{\"send\":\"HI\\\\r\\\\n\\\\x00\"},"    \
	"{\"expect_prefix\":\"220\"}]}"

static struct config *parse(const char *text, char said[2048])
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512];

	said[0] = '\0';
	config_errors_init(&errors);
	if (config_parse(text, strlen(text), "f", schedulers, &config, &errors) < 0)
		config = NULL;
	for (uint32_t i = 0; i < errors.errors.n; i++)
		strncat(said, config_error_format(&errors, &errors.errors.v[i], line, 512), 500);
	for (uint32_t i = 0; i < errors.warnings.n; i++)
		strncat(said, config_error_format(&errors, &errors.warnings.v[i], line, 512), 500);
	config_errors_fini(&errors);
	return config;
}

static void checks_are_read_and_written_back(void **state)
{
	static const char text[] =
		DOCUMENT(TCP "," WEB "," TALK, "\"check\":\"up\",\"quorum\":2",
			 ",\"check\":[\"web\",\"talk\"],\"all_down\":\"keep_last\"",
			 ",\"check\":[],\"sorry\":true");
	char said[2048], first[CONFIG_DIGEST_STRLEN], second[CONFIG_DIGEST_STRLEN];
	struct config *c = parse(text, said), *again;
	const struct config_service *svc;
	const struct check_spec *spec;
	char *written;

	(void)state;
	assert_non_null(c);
	svc = c->shared.services[0];
	assert_int_equal(svc->policy.health.quorum, 2);
	assert_int_equal(svc->policy.health.all_down, HEALTH_KEEP_LAST);
	assert_int_equal(svc->servers[0].check.n, 0);
	assert_true(svc->servers[0].sorry);
	assert_int_equal(svc->servers[1].check.n, 2);
	spec = config_check_find(c, "web");
	assert_int_equal(spec->interval_ms, 500);
	assert_int_equal(spec->http.n_statuses, 2);
	assert_int_equal(spec->http.statuses[0].last, 299);
	assert_string_equal(spec->http.headers[0], "Accept: text/html");
	assert_int_equal(spec->http.body.kind, MATCH_PATTERN);
	spec = config_check_find(c, "talk");
	assert_int_equal(spec->steps[0].len, 5);
	assert_memory_equal(spec->steps[0].bytes, "HI\r\n\0", 5);
	written = config_to_text(c);
	again = parse(written, said);
	assert_non_null(again);
	assert_string_equal(config_digest(c, first), config_digest(again, second));
	free(written);
	config_destroy(c);
	config_destroy(again);
}

static void what_is_wrong_is_named_with_its_path(void **state)
{
	static const struct {
		const char *text, *expect;
	} rows[] = {
		{DOCUMENT(WEB, "", ",\"check\":\"webb\"", ""),
		 "services[0].check: there is no check \"webb\" in shared.checks (did you mean "
		 "\"web\"?)"},
		{DOCUMENT(TCP, "\"check\":\"down\"", "", ""),
		 "shared.defaults.check: there is no check \"down\""},
		{DOCUMENT(TCP, "", "", ",\"check\":\"x\""), "servers[0].check: there is no check"},
		{DOCUMENT(TCP "," TCP, "", "", ""), "checks[1].name: is that of another check"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"tcp\",\"via_vip\":true}", "",
			  ",\"check\":\"v\"", ""),
		 "services[0].servers[0].check: check \"v\" of server 10.0.0.1:80 has "
		 "\"via_vip\": needs \"forward\": \"dr\" or \"tunnel\""},
		{"{\"shared\":{\"checks\":[{\"name\":\"v\",\"type\":\"tcp\",\"via_vip\":true}],"
		 "\"services\":[{\"protocol\":\"tcp\",\"listen\":\"[2001:db8::80]:80\","
		 "\"forward\":\"tunnel\",\"check\":\"v\",\"servers\":["
		 "{\"address\":\"[2001:db8::1]:80\"},{\"address\":\"10.0.0.1:80\"}]}]}}",
		 "servers[1].check: check \"v\" of server 10.0.0.1:80 has \"via_vip\": needs a "
		 "server of the service's address family"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"tcp\",\"tls\":{\"on\":true}}", "", "", ""),
		 "checks[0].tls: means nothing to a check of type tcp"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"http\",\"tls\":{\"verify\":true}}", "", "",
			  ""),
		 "checks[0].tls.on: missing"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"http\",\"http\":{\"body_pattern\":\"a(\"}}",
			  "", "", ""),
		 "http.body_pattern: not a pattern: missing closing parenthesis"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"http\",\"http\":{\"body_not\":true}}", "", "",
			  ""),
		 "http.body_not: says nothing without"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"http\",\"http\":{\"status\":[\"299-200\"]}}",
			  "", "", ""),
		 "http.status[0]: \"299-200\" is not an HTTP status"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"exec\",\"exec\":{\"argv\":[\"true\"]}}", "",
			  "", ""),
		 "exec.argv: [0] is no absolute path"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"script\"}", "", "", ""),
		 "checks[0].steps: missing"},
		{DOCUMENT("{\"name\":\"v\",\"type\":\"script\",\"steps\":[{\"send\":\"a\\\\q\"}]}",
			  "", "", ""),
		 "steps[0].send: character 2: expected \\r"},
		{DOCUMENT(TCP, "", ",\"weight_min\":50,\"weight_max\":20", ""),
		 "services[0].weight_min: is above"},
		{DOCUMENT(TCP, "", ",\"quorom\":1", ""), "did you mean \"quorum\"?"},
		{DOCUMENT(TCP, "", "", ",\"check\":[\"up\",\"up\"]"), "stands here twice"},
		{CHECK("\"udp\""), "checks[0].steps: of udp: expected one to send"},
		{CHECK("\"udp\",\"steps\":[{\"send\":\"a\"},{\"send\":\"b\"}]"),
		 "checks[0].steps: of udp: expected one to send"},
		{CHECK("\"udp\",\"steps\":[{\"expect\":\"a\"},{\"send\":\"b\"}]"),
		 "checks[0].steps: of udp: expected one to send"},
		{CHECK("\"agent\",\"steps\":[{\"expect\":\"up\"}]"),
		 "checks[0].steps: of agent: expected at most one to send"},
		{CHECK("\"agent\",\"steps\":[{\"send\":\"a\"},{\"send\":\"b\"}]"),
		 "checks[0].steps: of agent: expected at most one to send"},
		{CHECK("\"dns\",\"dns\":{\"name\":\"www..example\"}"),
		 "dns.name: \"www..example\" has an empty label"},
		{CHECK("\"dns\",\"dns\":{\"name\":\"www.ex ample\"}"),
		 "has a character that names do not have"},
		{CHECK("\"dns\",\"dns\":{\"name\":\"" LABEL63 "a.org\"}"),
		 "has a label of more than 63 characters"},
		{CHECK("\"dns\",\"dns\":{\"name\":\"" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63
		       "\"}"),
		 "dns.name"},
		{CHECK("\"dns\",\"dns\":{\"qtype\":\"mx\",\"expect\":\"192.0.2.1\"}"),
		 "dns.expect: is an IPv4 address: needs \"qtype\": \"a\""},
		{CHECK("\"http\",\"http\":{\"path\":\"/a\\r\\nHost: b\"}"), "http.path: "},
		{CHECK("\"http\",\"http\":{\"path\":\"/a\\u0000b\"}"), ":1:"},
		{CHECK("\"http\",\"http\":{\"host\":\"a\\nb\"}"), "http.host: "},
		{CHECK("\"http\",\"http\":{\"method\":\"GET\\r\\n\"}"), "http.method: "},
		{CHECK("\"http\",\"http\":{\"headers\":[\"A: b\\r\\nC: d\"]}"),
		 "http.headers[0]: "},
		{CHECK("\"exec\",\"exec\":{\"argv\":[\"/bin/true\"],\"any_code\":true}"),
		 "exec.any_code: without an output that is expected nothing can fail"},
		{CHECK("\"script\",\"steps\":[{\"expect_pattern\":\"[\"}]"),
		 "steps[0].expect_pattern: not a pattern: "},
		{CHECK("\"exec\",\"exec\":{\"argv\":[\"/bin/"
		       "true\"],\"output_pattern\":\"a{2,1}\"}"),
		 "exec.output_pattern: not a pattern: "},
		{CHECK("\"http\",\"tls\":{\"on\":true,\"verify\":true,\"ca_file\":\"/nowhere/"
		       "ca\"}"),
		 "tls.ca_file: cannot read /nowhere/ca: No such file or directory"},
		{CHECK("\"http\",\"tls\":{\"on\":true,\"cert_file\":\"/dev/null\",\"key_file\":"
		       "\"/nowhere/key\"}"),
		 "tls.key_file: cannot read /nowhere/key"},
		{CHECK("\"http\",\"tls\":{\"on\":true,\"verify\":true,\"ca_file\":\"/tmp\"}"),
		 "tls.ca_file: /tmp is no file"},
	};
	char said[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, said))
			fail_msg("not refused: %s", rows[i].text);
		if (!strstr(said, rows[i].expect))
			fail_msg("expected %s in %s", rows[i].expect, said);
	}
}

static void what_each_type_takes_comes_out_in_its_spec(void **state)
{
	struct config *c;
	const struct check_spec *spec;
	char said[2048];

	(void)state;
	c = parse(CHECK("\"agent\",\"weight\":true,\"steps\":[{\"send\":\"web\\\\n\"}]"), said);
	if (!c)
		fail_msg("%s", said);
	spec = config_check_find(c, "v");
	assert_int_equal(spec->n_steps, 1);
	assert_int_equal(spec->steps[0].kind, MATCH_SEND);
	assert_string_equal(spec->steps[0].bytes, "web\n");
	assert_true(spec->weight);
	config_destroy(c);
	c = parse(CHECK("\"exec\",\"exec\":{\"argv\":[\"/bin/true\"],\"output\":\"ok\","
			"\"any_code\":true}"),
		  said);
	if (!c)
		fail_msg("%s", said);
	assert_true(config_check_find(c, "v")->exec.any_code);
	config_destroy(c);
	c = parse(CHECK("\"dns\",\"dns\":{\"name\":\"_http._tcp.xn--abc.example.\","
			"\"qtype\":\"srv\",\"any_rcode\":true}"),
		  said);
	if (!c)
		fail_msg("%s", said);
	spec = config_check_find(c, "v");
	assert_int_equal(spec->dns.qtype, 33);
	assert_true(spec->dns.any_rcode);
	config_destroy(c);
}

static void a_plan_names_checks(void **state)
{
	struct config *a, *b;
	struct config_plan *plan;
	struct config_words *words;
	char said[2048];

	(void)state;
	a = parse(DOCUMENT(TCP "," WEB, "", "", ""), said);
	b = parse(DOCUMENT("{\"name\":\"up\",\"type\":\"tcp\",\"fall\":9}," TALK, "",
			   ",\"check\":\"up\"", ""),
		  said);
	assert_int_equal(config_plan(a, b, &plan), 0);
	assert_int_equal(config_words(plan, &words), 0);
	assert_true(words->n >= 4);
	assert_string_equal(words->v[0].object, "check web");
	assert_int_equal(words->v[0].action, CONFIG_DELETE);
	assert_string_equal(words->v[1].object, "check talk");
	assert_string_equal(words->v[2].object, "check up");
	assert_string_equal(words->v[2].detail, "fall: 3 -> 9");
	assert_non_null(strstr(words->v[3].detail, "check: [] -> up"));
	config_words_destroy(words);
	config_plan_destroy(plan);
	config_destroy(a);
	config_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_are_read_and_written_back),
		cmocka_unit_test(what_is_wrong_is_named_with_its_path),
		cmocka_unit_test(what_each_type_takes_comes_out_in_its_spec),
		cmocka_unit_test(a_plan_names_checks),
	};

	return cmocka_run_group_tests_name("configuration of health", tests, NULL, NULL);
}
