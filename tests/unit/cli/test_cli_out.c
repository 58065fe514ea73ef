/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <math.h>

#include "cli/live.h"
#include "cli/view.h"

static char *captured;
static size_t captured_len;

static struct out capture(bool numeric)
{
	struct out out = {.numeric = numeric};

	captured = NULL;
	out.file = open_memstream(&captured, &captured_len);
	assert_non_null(out.file);
	return out;
}

static void captured_check(struct out *out, const char *expected)
{
	fclose(out->file);
	assert_string_equal(captured, expected);
	free(captured);
}

static void numbers_are_shortened_to_three_digits(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {{0, "0"},	       {0.5, "0.5"},	   {9.97, "10"},      {12.3, "12"},
		    {9999, "9999"},    {10000, "10.0k"},   {12345, "12.3k"},  {999499, "999k"},
		    {999600, "1.00M"}, {1234567, "1.23M"}, {1.5e12, "1.50T"}, {-12345, "-12.3k"}};
	char buf[UNIT_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(count_format(rows[i].v, false, buf), rows[i].text);
	assert_string_equal(count_format(1234567, true, buf), "1234567");
	assert_string_equal(memory_format(167772160, false, buf), "160MiB");
	assert_string_equal(memory_format(1536, false, buf), "1.50KiB");
	assert_string_equal(age_format(899, false, buf), "14m59s");
	assert_string_equal(age_format(10920, false, buf), "3h02m");
	assert_string_equal(age_format(450000, false, buf), "5d05h");
	assert_string_equal(age_format(899, true, buf), "899");
	assert_string_equal(count_format((double)INFINITY, false, buf), "0");
}

static void text_from_the_router_holds_no_control_characters(void **state)
{
	static const char *const rows[][2] = {
		{"web", "web"},
		{"\033[31mred", "\\x1b[31mred"},
		{"a\nb\tc\x7f", "a\\nb\\tc\\x7f"},
		{"\xc2\x9b"
		 "31m",
		 "\\u{9b}31m"},
		{"\xe2\x80\xae", "\\u{202e}"},
		{"\xff\xc3", "\\xff\\xc3"},
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *safe = text_escape(rows[i][0]);

		assert_string_equal(safe, rows[i][1]);
		free(safe);
	}
}

static void a_table_aligns_and_ends_lines_without_blanks(void **state)
{
	struct out out = capture(false);
	struct table t;

	(void)state;
	table_init(&t, &out);
	table_column(&t, "NAME", false);
	table_column(&t, "N", true);
	table_column(&t, "STATE", false);
	table_cell(&t, STYLE_NONE,
		   "gr\xc3\xbc\xc3\x9f"
		   "e");
	table_cell(&t, STYLE_NONE, "12345");
	table_cell(&t, STYLE_NONE, "up");
	table_row(&t);
	table_cell(&t, STYLE_NONE, "a");
	table_cell(&t, STYLE_NONE, NULL);
	table_cell(&t, STYLE_NONE, "");
	table_row(&t);
	table_end(&t);
	captured_check(&out, "NAME       N  STATE\n"
			     "gr\xc3\xbc\xc3\x9f"
			     "e  12345  up\n"
			     "a          -\n");
}

/* On a terminal of 80 columns. */
static void a_long_name_leaves_room_for_the_other_columns(void **state)
{
	char *text = NULL;
	size_t len = 0;
	struct out out = {.file = open_memstream(&text, &len), .width = 80};
	struct table t;

	(void)state;
	out.errors = out.file;
	table_init(&t, &out);
	table_column(&t, "SERVICE", false);
	table_column(&t, "WEIGHT", true);
	table_column(&t, "STATE", false);
	table_rank(&t, 0);
	table_cell(&t, STYLE_NONE,
		   "tcp:[2001:db8:1234:5678:9abc:def0:1234:5678]:65535 (a name that somebody made "
		   "rather long)");
	table_cell(&t, STYLE_NONE, "65535");
	table_cell(&t, STYLE_NONE, "quorum lost");
	table_row(&t);
	table_end(&t);
	fclose(out.file);
	assert_non_null(strstr(text, "WEIGHT"));
	assert_non_null(strstr(text, "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535 (a"));
	assert_non_null(strstr(text, "...   65535  quorum lost\n"));
	for (const char *line = text, *lf; (lf = strchr(line, '\n')); line = lf + 1)
		assert_true(lf - line <= 80);
	free(text);
}

static void a_long_table_prints_every_row_once(void **state)
{
	struct out out = capture(false);
	struct table t;
	size_t lines = 0;

	(void)state;
	table_init(&t, &out);
	table_column(&t, "N", true);
	for (int i = 0; i < 3 * TABLE_LOOK_AHEAD + 1; i++) {
		table_cellf(&t, STYLE_NONE, "%d", i);
		table_row(&t);
	}
	table_end(&t);
	fclose(out.file);
	for (const char *p = captured; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 3 * TABLE_LOOK_AHEAD + 2);
	assert_non_null(strstr(captured, "\n1536\n"));
	free(captured);
}

#define SERVICES                                                                                   \
	"{\"services\":[{\"key\":\"tcp:192.0.2.80:80\",\"name\":\"web\",\"scheduler\":\"wlc\","    \
	"\"active\":12353,\"inactive\":3,"                                                         \
	"\"forward\":\"nat\",\"rates\":{\"conns\":1.5,\"in_pkts\":20000,\"out_pkts\":5,"           \
	"\"in_bytes\":125000,\"out_bytes\":0},\"servers\":["                                       \
	"{\"address\":\"10.10.0.12:8080\",\"weight\":0,\"active\":12345,\"inactive\":1},"          \
	"{\"address\":\"10.10.0.11:8080\",\"weight\":2,\"active\":8,\"inactive\":2,\"forward\":"   \
	"\"dr\",\"overloaded\":true}]},{\"key\":\"fwmark:7\",\"active\":0,\"inactive\":0,"         \
	"\"servers\":[]}]}"

static void services_look_as_this_golden_text(void **state)
{
	json_t *r = json_loads(SERVICES, 0, NULL);
	struct out out = capture(false);

	(void)state;
	view_services(&out, r, NULL);
	captured_check(&out, "SERVICE / SERVER         METHOD  WEIGHT  ACTIVE  INACTIVE  CONN/S  "
			     "IN PKT/S  OUT PKT/S  "
			     "IN BIT/S  OUT BIT/S  STATE\n"
			     "tcp:192.0.2.80:80 (web)  wlc              12.4k         3     1.5    "
			     " 20.0k          5  "
			     "   1.00M          0\n"
			     "  10.10.0.12:8080        nat          0   12.3k         1       -    "
			     "     -          -  "
			     "       -          -  quiesced\n"
			     "  10.10.0.11:8080        dr           2       8         2       -    "
			     "     -          -  "
			     "       -          -  overloaded\n"
			     "fwmark:7                 -                    0         0       -    "
			     "     -          -  "
			     "       -          -  no servers\n");
	out = capture(true);
	out.width = 90;
	view_services(&out, r, NULL);
	captured_check(
		&out,
		"SERVICE / SERVER         METHOD  WEIGHT  ACTIVE  INACTIVE  CONN/S  STATE\n"
		"tcp:192.0.2.80:80 (web)  wlc              12353         3   1.500\n"
		"  10.10.0.12:8080        nat          0   12345         1       -  quiesced\n"
		"  10.10.0.11:8080        dr           2       8         2       -  overloaded\n"
		"fwmark:7                 -                    0         0       -  no servers\n");
	json_decref(r);
}

static void plain_lists_look_as_this_golden_text(void **state)
{
	json_t *r = json_loads(
		"{\"nexthops\":[{\"id\":1,\"link\":\"private\",\"address\":\"10.10.0.11\","
		"\"mac\":\"02:00:00:00:00:11\",\"state\":\"reachable\",\"mtu\":1500,"
		"\"used_s\":3},{\"id\":12}]}",
		0, NULL);
	struct out out = capture(false);

	(void)state;
	view_list(&out, &list_nexthops, r);
	captured_check(&out, "ID  LINK     ADDRESS     MAC                STATE       MTU  USED\n"
			     " 1  private  10.10.0.11  02:00:00:00:00:11  reachable  1500    3s\n"
			     "12  -        -           -                  -             -     -\n");
	json_decref(r);
	out = capture(false);
	r = json_loads("{\"workers\":[{\"worker\":0,\"socket\":-1,\"load\":0.25,\"queues\":[{"
		       "\"port\":\"public\","
		       "\"queue\":0},{\"port\":\"private\",\"queue\":1}]}]}",
		       0, NULL);
	view_list(&out, &list_workers, r);
	captured_check(&out,
		       "WORKER  LCORE  CPU  NUMA  LOAD  CONNS  EMBRYONIC  RECEIVED  RING IN  SENT  "
		       "HANDED OFF  QUEUES\n"
		       "     0      -    -     -   25%      -          -         -        -     -  "
		       "         -  public:0, private:1\n");
	json_decref(r);
}

#define HEALTH                                                                                     \
	"{\"servers\":[{\"service\":\"tcp:192.0.2.80:80\",\"name\":\"web\",\"server\":"            \
	"\"10.10.0.11:80\",\"standing\":\"down\",\"admin\":\"none\",\"state_s\":12,"               \
	"\"chosen\":false,\"weight\":10,\"effective_weight\":10,\"reason\":"                       \
	"\"HTTP 503 from 10.10.0.11:80/health after 12 ms, 3rd of 3\"},"                           \
	"{\"service\":\"tcp:192.0.2.80:80\",\"name\":\"web\",\"server\":\"10.10.0.12:80\","        \
	"\"standing\":\"up\",\"admin\":\"up\",\"state_s\":7200,\"chosen\":true,\"weight\":10,"     \
	"\"effective_weight\":5,\"reason\":\"an operator said so\"}]}"

static void a_narrow_terminal_leaves_columns_out_or_shortens_texts(void **state)
{
	json_t *r = json_loads("{\"nexthops\":[{\"id\":1,\"link\":\"private\",\"address\":"
			       "\"10.10.0.11\",\"mac\":\"02:00:00:00:00:11\",\"state\":"
			       "\"reachable\",\"mtu\":1500,\"used_s\":3}]}",
			       0, NULL);
	struct out out = capture(false);

	(void)state;
	out.width = 60;
	view_list(&out, &list_nexthops, r);
	captured_check(&out, "ID  LINK     ADDRESS     MAC                STATE       MTU\n"
			     " 1  private  10.10.0.11  02:00:00:00:00:11  reachable  1500\n");
	out = capture(false);
	out.width = 20;
	out.named = NULL;
	view_list(&out, &list_nexthops, r);
	captured_check(&out, "ID  LINK\n 1  private\n");
	json_decref(r);
	r = json_loads("{\"changes\":[{\"action\":\"edit\",\"object\":\"service "
		       "tcp:192.0.2.80:80\",\"detail\":\"scheduler: wlc -> rr; persistent: off -> "
		       "on; timeout: 5m -> 15m\",\"connections\":12}]}",
		       0, NULL);
	out = capture(false);
	out.width = 80;
	view_plan(&out, r, NULL);
	captured_check(
		&out,
		"ACTION  OBJECT                     DETAIL                            CONNECTIONS\n"
		"edit    service tcp:192.0.2.80:80  scheduler: wlc -> rr; persist...           "
		"12\n");
	json_decref(r);
	r = json_loads("{\"changes\":[],\"at_once\":[\"node.log.level: info -> debug\"],"
		       "\"restart\":[\"node.name: lb1 -> lb2\"]}",
		       0, NULL);
	out = capture(false);
	view_plan(&out, r, NULL);
	captured_check(&out, "at once: node.log.level: info -> debug\n"
			     "needs a restart: node.name: lb1 -> lb2\n");
	json_object_clear(r);
	json_object_set_new(r, "changes", json_array());
	json_object_set_new(r, "at_once", json_array());
	out = capture(false);
	view_plan(&out, r, NULL);
	captured_check(&out, "no changes\n");
	json_decref(r);
}

static void health_looks_as_this_golden_text(void **state)
{
	json_t *r = json_loads(HEALTH, 0, NULL);
	struct out out = capture(false);

	(void)state;
	view_health_list(&out, r, NULL);
	captured_check(
		&out,
		"SERVICE / SERVER         STATE        FOR  CHOSEN   WEIGHT  REASON\n"
		"tcp:192.0.2.80:80 (web)\n"
		"  10.10.0.11:80          down         12s  no           10  HTTP 503 from "
		"10.10.0.11:80/health after 12 ms, 3rd of 3\n"
		"  10.10.0.12:80          forced up  2h00m  yes     5 of 10  an operator said "
		"so\n");
	out = capture(false);
	out.width = 80;
	view_health_list(&out, r, NULL);
	captured_check(
		&out,
		"SERVICE / SERVER         STATE        FOR  CHOSEN   WEIGHT  REASON\n"
		"tcp:192.0.2.80:80 (web)\n"
		"  10.10.0.11:80          down         12s  no           10  HTTP 503 from 10....\n"
		"  10.10.0.12:80          forced up  2h00m  yes     5 of 10  an operator said "
		"so\n");
	json_decref(r);
}

#define SERVER(rest) "{\"address\":\"10.0.0.1:80\",\"weight\":5," rest "}"

static void a_server_shows_its_weight_in_effect_and_why_it_is_passed_over(void **state)
{
	static const struct {
		const char *server, *expect;
	} rows[] = {
		{SERVER("\"effective_weight\":5,\"health\":\"up\""), "       5   "},
		{SERVER("\"effective_weight\":2,\"health\":\"up\""), "  2 of 5   "},
		{SERVER("\"effective_weight\":0,\"health\":\"up\""), "  quiesced\n"},
		{SERVER("\"down\":true,\"health\":\"down\""), "  down\n"},
		{SERVER("\"down\":true,\"health\":\"unknown\""), "  unknown\n"},
		{SERVER("\"down\":true,\"health\":\"up\""), "  not chosen\n"},
		{SERVER("\"down\":true,\"health\":\"up\",\"sorry\":true"), "  in reserve\n"},
		{SERVER("\"health\":\"up\",\"admin\":\"up\""), "  forced up\n"},
		{SERVER("\"down\":true,\"health\":\"down\",\"admin\":\"down\""), "  forced down\n"},
		{SERVER("\"down\":true,\"health\":\"maintenance\""), "  maintenance\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct out out = capture(false);
		char text[256];
		json_t *r;

		snprintf(text, sizeof(text), "{\"services\":[{\"key\":\"k\",\"servers\":[%s]}]}",
			 rows[i].server);
		r = json_loads(text, 0, NULL);
		assert_non_null(r);
		view_services(&out, r, NULL);
		fclose(out.file);
		if (!strstr(captured, rows[i].expect))
			fail_msg("%s: %s", rows[i].server, captured);
		free(captured);
		json_decref(r);
	}
}

static void views_survive_results_of_any_shape(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"services\":{}}",
		"{\"services\":[1,null,\"x\",[],{\"servers\":5,\"key\":7,\"rates\":[]}]}",
		"{\"service\":{\"servers\":[{\"weight\":\"x\",\"address\":5}],\"name\":{}}}",
		("{\"services\":[{\"rates\":{\"conns\":\"\\u001b\"},\"servers\":[1]}],\"drops\":[1]"
		 ","
		 "\"ports\":[[]],\"workers\":[{\"queues\":[1,{}],\"load\":1e300}],\"punts\":3}"),
		"{\"warnings\":[1,{}],\"connections\":5,\"rates\":\"x\",\"doors\":{\"a\":1e308}}",
		"{\"connection\":[1]}",
		"{\"servers\":[1,{\"standing\":5,\"reason\":[]}],\"health\":[1,{}]}",
		"{\"history\":[1,{\"at_ms\":1e300}],\"checks\":[1,{\"name\":{}}],\"quorum\":{}}",
		"{\"connection\":{\"a\":{\"b\":{\"c\":1}}}}",
		"{\"changes\":[1,{\"action\":5}],\"restart\":{},\"generation\":\"x\"}",
		"{\"versions\":[1,{\"id\":5,\"time\":9000000000000000000,\"author\":\"\\u001b[1m\"}"
		"],"
		"\"fault\":\"\\u001b[1m\"}",
	};
	void (*const views[])(const struct out *, const json_t *, const struct invocation *) = {
		view_version,	 view_status,  view_services,  view_service, view_count,
		view_connection, view_rates,   view_counters,  view_config,  view_check,
		view_plan,	 view_saved,   view_level,     view_health,  view_health_list,
		view_forced,	 view_history, view_difference};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *r = json_loads(texts[i], 0, NULL);

		assert_non_null(r);
		for (size_t k = 0; k < sizeof(views) / sizeof(views[0]); k++) {
			struct out out = capture(false);

			views[k](&out, r, NULL);
			fclose(out.file);
			assert_null(strchr(captured, '\033'));
			free(captured);
		}
		json_decref(r);
	}
}

static void versions_are_a_table_with_short_ids(void **state)
{
	json_t *r = json_loads("{\"versions\":[{\"number\":0,\"id\":\"0123456789abcdef\",\"time\":"
			       "86400,\"author\":\"config rollback\",\"comment\":\"to 89abcdef\","
			       "\"running\":true,\"kept\":false},{\"number\":1,\"id\":"
			       "\"89abcdef01234567\",\"time\":null,\"author\":\"peer\","
			       "\"comment\":\"\",\"running\":false,\"kept\":false},{\"number\":2,"
			       "\"id\":\"9\",\"time\":null,\"author\":\"file\",\"comment\":\"\","
			       "\"running\":false,\"kept\":true}],\"fault\":\"no disk\"}",
			       0, NULL);
	struct out out = capture(false);

	(void)state;
	setenv("TZ", "UTC", 1);
	view_history(&out, r, NULL);
	captured_check(&out,
		       "N  VERSION   STATE     TIME                 AUTHOR           COMMENT\n"
		       "0  01234567  running   1970-01-02 00:00:00  config rollback  to 89abcdef\n"
		       "1  89abcdef  not kept  -                    peer\n"
		       "2  9         kept      -                    file\n"
		       "not stored: no disk\n");
	json_decref(r);
}

static void a_line_is_cut_at_the_edge_with_its_styles_whole(void **state)
{
	const char line[] = "\033[1mab\xc3\xbc"
			    "cd\033[0m";
	struct out out = capture(false);

	(void)state;
	live_line_put(out.file, line, strlen(line), 3);
	captured_check(&out, "\033[1mab\xc3\xbc\033[0m");
	out = capture(false);
	live_line_put(out.file, line, strlen(line), 0);
	captured_check(&out, line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_shortened_to_three_digits),
		cmocka_unit_test(text_from_the_router_holds_no_control_characters),
		cmocka_unit_test(a_table_aligns_and_ends_lines_without_blanks),
		cmocka_unit_test(a_long_name_leaves_room_for_the_other_columns),
		cmocka_unit_test(a_long_table_prints_every_row_once),
		cmocka_unit_test(services_look_as_this_golden_text),
		cmocka_unit_test(plain_lists_look_as_this_golden_text),
		cmocka_unit_test(a_narrow_terminal_leaves_columns_out_or_shortens_texts),
		cmocka_unit_test(health_looks_as_this_golden_text),
		cmocka_unit_test(a_server_shows_its_weight_in_effect_and_why_it_is_passed_over),
		cmocka_unit_test(views_survive_results_of_any_shape),
		cmocka_unit_test(versions_are_a_table_with_short_ids),
		cmocka_unit_test(a_line_is_cut_at_the_edge_with_its_styles_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
