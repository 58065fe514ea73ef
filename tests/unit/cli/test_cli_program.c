/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "cli/session.h"
#include "fake_router.h"

#define OK(result)  "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":" result "}\n"
#define ERROR(body) "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"error\":{" body "}}\n"
#define ROWS(rows)                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"method\":\"rows\",\"params\":{\"id\":$ID,\"rows\":" rows "}}\n"

static char out_text[1 << 20], error_text[8192];

static void file_take(FILE *f, char *text, size_t room)
{
	size_t n;

	rewind(f);
	n = fread(text, 1, room - 1, f);
	text[n] = '\0';
	fclose(f);
}

/* Runs plvsctl with the words of a line (and in as standard input) against a socket. */
static int run_at(const char *socket, const char *line, const char *in)
{
	FILE *out = tmpfile(), *errors = tmpfile(), *input = tmpfile();
	char **words,
		*argv[32] = {(char *)"plvsctl", (char *)"--socket", (char *)(uintptr_t)socket};
	size_t n, last;
	int code;

	assert_true(out && errors && input);
	fputs(in, input);
	rewind(input);
	assert_int_equal(line_split(line, &words, &n, &last), 0);
	assert_true(n < 28);
	for (size_t i = 0; i < n; i++)
		argv[i + 3] = words[i];
	code = cli_main((int)n + 3, argv, input, out, errors);
	free(words);
	fclose(input);
	file_take(out, out_text, sizeof(out_text));
	file_take(errors, error_text, sizeof(error_text));
	return code;
}

static char last_request[65536];

static int run(const char *line, const char *answer, int close_after)
{
	struct fake_router *r = fake_router_start(answer, close_after);
	int code = run_at(fake_router_path(r), line, "");

	snprintf(last_request, sizeof(last_request), "%s", fake_router_request(r));
	fake_router_stop(r);
	return code;
}

static int run_import_of(const char *path, const char *before, const char *after)
{
	char line[256];

	snprintf(line, sizeof(line), "import %s %s %s", before, path, after);
	return run_at("/nonexistent/socket", line, "");
}

static void an_import_needs_no_router(void **state)
{
	char path[] = "/tmp/plvs-cli-import-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	fputs("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r box.example:80 -g\n", f);
	fclose(f);
	assert_int_equal(run_import_of(path, "--from=ipvsadm-save", "--host box.example=10.0.0.1"),
			 CLI_OK);
	assert_non_null(strstr(out_text, "\"10.0.0.1:80\""));
	assert_non_null(strstr(error_text, ":2: imported: "));
	assert_int_equal(run_import_of(path, "from ipvsadm-save host box.example=10.0.0.1", ""),
			 CLI_OK);
	assert_int_equal(run_import_of(path, "", "--from keepalived"), CLI_REFUSED);
	assert_string_equal(out_text, "");
	assert_int_equal(run_import_of(path, "--from sendmail", ""), CLI_USAGE);
	assert_int_equal(run_import_of(path, "--host box", ""), CLI_USAGE);
	assert_int_equal(run_import_of(path, "--frmo keepalived", ""), CLI_USAGE);
	assert_int_equal(run_import_of("", "", "--force"), CLI_USAGE);
	unlink(path);
	assert_int_equal(run_import_of(path, "", ""), CLI_REFUSED);
	assert_non_null(strstr(error_text, "cannot be read: No such file"));
}

static void a_request_is_as_the_protocol_says(void **state)
{
	(void)state;
	assert_int_equal(run("server edit web 10.10.0.11:8080 weight 0",
			     OK("{\"generation\":13,\"duration_us\":412}"), 0),
			 CLI_OK);
	assert_string_equal(
		last_request,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.edit\",\"params\":{"
		"\"service\":\"web\",\"server\":\"10.10.0.11:8080\",\"set\":{\"weight\":0}}}");
	assert_string_equal(out_text,
			    "server 10.10.0.11:8080 edited (generation 13, live in 0.412 ms)\n");
	assert_string_equal(error_text, "");
}

static void json_prints_the_result_exactly(void **state)
{
	(void)state;
	assert_int_equal(run("--json status", OK("{\"b\":[1,2.5,null],\"a\":\"\\u001b\"}"), 0),
			 CLI_OK);
	assert_string_equal(out_text, "{\"b\":[1,2.5,null],\"a\":\"\\u001B\"}\n");
	assert_int_equal(run("service list -j", OK("{\"services\":[]}"), 0), CLI_OK);
	assert_string_equal(out_text, "{\"services\":[]}\n");
}

static void exit_codes_tell_scripts_what_happened(void **state)
{
	static const struct {
		const char *answer;
		int code;
	} rows[] = {
		{OK("{}"), CLI_OK},
		{ERROR("\"code\":1,\"message\":\"m\""), CLI_REFUSED},
		{ERROR("\"code\":2,\"message\":\"m\""), CLI_NO_OBJECT},
		{ERROR("\"code\":3,\"message\":\"m\""), CLI_EXISTS},
		{ERROR("\"code\":4,\"message\":\"m\""), CLI_REFUSED},
		{ERROR("\"code\":5,\"message\":\"m\""), CLI_PENDING},
		{ERROR("\"code\":-32601,\"message\":\"m\""), CLI_REFUSED},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"m\"}}"
		 "\n",
		 CLI_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(run("service delete web", rows[i].answer, 0), rows[i].code);
		assert_string_equal(error_text, rows[i].code ? "plvsctl: m\n" : "");
	}
	assert_int_equal(run("service dlete web", OK("{}"), 0), CLI_USAGE);
	assert_string_equal(last_request, "");
	assert_int_equal(run("status --jsn", OK("{}"), 0), CLI_USAGE);
	assert_int_equal(run("status --timeout 0", OK("{}"), 0), CLI_USAGE);
	assert_int_equal(run_at("/nonexistent/plvs.sock", "status", ""), CLI_UNREACHABLE);
	assert_non_null(strstr(error_text, "/nonexistent/plvs.sock: No such file or directory"));
}

static void a_refusal_tells_file_place_path_and_suggestion(void **state)
{
	char path[] = "/tmp/plvsctl-test-XXXXXX", line[64], expected[512];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	snprintf(line, sizeof(line), "config check %s", path);
	assert_int_equal(run(line,
			     ERROR("\"code\":1,\"message\":\"2 errors\",\"data\":{\"errors\":["
				   "{\"message\":\"\\\"wlcc\\\" is not a scheduler\",\"path\":"
				   "\"shared.services[2].scheduler\",\"line\":12,\"column\":5,"
				   "\"suggestion\":\"wlc\"},"
				   "{\"message\":\"shared.x: "
				   "bad\",\"path\":\"shared.x\",\"line\":14,\"column\":9,"
				   "\"expected\":\"0 to 65535\"}]}"),
			     0),
			 CLI_REFUSED);
	snprintf(expected, sizeof(expected),
		 "plvsctl: %s:12:5: shared.services[2].scheduler: \"wlcc\" is not a scheduler (did "
		 "you mean "
		 "\"wlc\"?)\nplvsctl: %s:14:9: shared.x: bad; expected 0 to 65535\n",
		 path, path);
	assert_string_equal(error_text, expected);
	assert_non_null(strstr(last_request, "\"params\":{\"text\":\"{}\"}"));
	/* A single error: its message has the place in front, its data has it apart. */
	assert_int_equal(
		run(line,
		    ERROR("\"code\":1,\"message\":\"line 12:5: shared.x: is bad\",\"data\":{"
			  "\"message\":\"is bad\",\"path\":\"shared.x\",\"line\":12,"
			  "\"column\":5}"),
		    0),
		CLI_REFUSED);
	snprintf(expected, sizeof(expected), "plvsctl: %s:12:5: shared.x: is bad\n", path);
	assert_string_equal(error_text, expected);
	assert_int_equal(
		run(line,
		    OK("{\"warnings\":[{\"message\":\"has no effect\",\"path\":\"shared.y\","
		       "\"line\":3,\"column\":1}]}"),
		    0),
		CLI_OK);
	assert_non_null(strstr(out_text, "warning: 3:1: shared.y: has no effect\n"));
	/* A number below zero is a value, and its place says what is wrong with it. */
	assert_int_equal(run("server edit web 10.0.0.1:80 weight -1", OK("{}"), 0), CLI_USAGE);
	assert_string_equal(error_text,
			    "plvsctl: weight: \"-1\" is not valid; expected a number from "
			    "0 to 2147483647\n");
	unlink(path);
}

static void a_refusal_is_a_json_document_too(void **state)
{
	(void)state;
	assert_int_equal(
		run("service show web --json", ERROR("\"code\":2,\"message\":\"none\""), 0),
		CLI_NO_OBJECT);
	assert_string_equal(out_text, "{\"error\":{\"code\":2,\"message\":\"none\"}}\n");
	assert_string_equal(error_text, "plvsctl: none\n");
}

static void a_stream_prints_its_rows_in_one_document(void **state)
{
	static const char answer[] = ROWS("[{\"client\":\"a\"},{\"client\":\"b\"}]")
		ROWS("[{\"client\":\"c\"}]") OK("{\"count\":3,\"truncated\":true}");

	(void)state;
	assert_int_equal(run("connection list --json", answer, 0), CLI_OK);
	assert_string_equal(out_text, "{\"rows\":[\n{\"client\":\"a\"},\n{\"client\":\"b\"},\n"
				      "{\"client\":\"c\"}\n],\"count\":3,\"truncated\":true}\n");
	assert_int_equal(run("connection list", answer, 0), CLI_OK);
	assert_string_equal(
		out_text, "PROTO  CLIENT  VIRTUAL  SERVER  STATE  EXPIRES  METHOD  WORKER  ACTIVE\n"
			  "-      a       -        -       -            -  -            -  -\n"
			  "-      b       -        -       -            -  -            -  -\n"
			  "-      c       -        -       -            -  -            -  -\n");
	assert_string_equal(error_text, "plvsctl: there are more; see \"limit\"\n");
	assert_int_equal(run("connection list --json", OK("{\"count\":0}"), 0), CLI_OK);
	assert_string_equal(out_text, "{\"rows\":[],\"count\":0}\n");
	assert_int_equal(run("connection list", OK("{\"count\":0}"), 0), CLI_OK);
	assert_string_equal(out_text, "no connections\n");
}

static void a_stream_that_breaks_says_so_in_its_document(void **state)
{
	json_t *doc;

	(void)state;
	assert_int_equal(run("connection list --json", ROWS("[{\"client\":\"a\"}]"), 1),
			 CLI_UNREACHABLE);
	doc = json_loads(out_text, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(json_object_get(doc, "rows")), 1);
	assert_non_null(json_object_get(json_object_get(doc, "error"), "message"));
	json_decref(doc);
}

static void hostile_answers_end_in_a_clear_error(void **state)
{
	static const struct {
		const char *answer;
		int close_after, code;
		const char *says;
	} rows[] = {
		{"{\"jsonrpc\":\"2.0\",\"id\":$ID,\"resu", 1, CLI_UNREACHABLE,
		 "in the middle of its answer"},
		{"", 1, CLI_UNREACHABLE, "without an answer"},
		{"{\"jsonrpc\":\"2.0\",\"id\":$ID,\"resu\n", 0, CLI_GARBLED, "not JSON"},
		{"\n", 0, CLI_GARBLED, "not JSON"},
		{"\x80\x01\n", 0, CLI_GARBLED, "not JSON"},
		{"[]\n", 0, CLI_GARBLED, "no JSON-RPC object"},
		{"7\n", 0, CLI_GARBLED, "no JSON-RPC object"},
		{"{\"id\":$ID}\n", 0, CLI_GARBLED, "neither result nor error"},
		{"{\"id\":77,\"result\":{}}\n", 0, CLI_GARBLED, "another question"},
		{"{\"id\":\"$ID\",\"result\":{}}\n", 0, CLI_GARBLED, "another question"},
		{"{\"id\":$ID,\"error\":\"x\"}\n", 0, CLI_GARBLED, "no code or no message"},
		{"{\"method\":\"rows\",\"params\":{\"id\":$ID,\"rows\":{}}}\n", 0, CLI_GARBLED,
		 "no array"},
		{NULL, 0, CLI_UNREACHABLE, "does not answer (waited 0.1 s)"},
		{"{\"id\":$ID,", 0, CLI_UNREACHABLE, "does not answer (waited 0.1 s)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			run("connection list --timeout 100ms", rows[i].answer, rows[i].close_after),
			rows[i].code);
		if (!strstr(error_text, rows[i].says))
			fail_msg("row %zu says: %s", i, error_text);
	}
}

static void text_of_the_router_is_printed_escaped(void **state)
{
	(void)state;
	assert_int_equal(run("status", ERROR("\"code\":1,\"message\":\"\\u001b[2Jx\""), 0),
			 CLI_REFUSED);
	assert_string_equal(error_text, "plvsctl: \\x1b[2Jx\n");
	assert_int_equal(run("log level debug", OK("{\"level\":\"\\u001b[2J\\u202e\"}"), 0),
			 CLI_OK);
	assert_string_equal(out_text, "\\x1b[2J\\u{202e}\n");
}

static void notifications_and_results_of_other_types_are_survived(void **state)
{
	(void)state;
	assert_int_equal(run("status", "{\"method\":\"hello\",\"params\":[]}\n" OK("[1,\"x\"]"), 0),
			 CLI_OK);
	assert_int_equal(run("service list", OK("null"), 0), CLI_OK);
	assert_int_equal(run("service list", OK("{\"services\":7}"), 0), CLI_OK);
	assert_string_equal(out_text, "no services\n");
}

static void a_script_ends_at_the_first_line_that_fails(void **state)
{
	struct fake_router *r = fake_router_start(OK("{\"count\":5}"), 0);

	(void)state;
	assert_int_equal(
		run_at(fake_router_path(r), "",
		       "# comment\n\nconnection count\nconection count\nconnection count\n"),
		CLI_USAGE);
	assert_string_equal(out_text, "5\n");
	assert_non_null(strstr(error_text, "plvsctl: line 4: \"conection\" is not a command"));
	assert_int_equal(
		run_at(fake_router_path(r), "--json", "connection count\nquit\nnonsense\n"),
		CLI_OK);
	assert_string_equal(out_text, "{\"count\":5}\n");
	fake_router_stop(r);
}

static void a_router_that_closes_between_commands_is_asked_again(void **state)
{
	struct fake_router *r = fake_router_start(OK("{\"count\":5}"), 1);
	struct rpc rpc;
	struct rpc_failure f;
	json_t *result = NULL;

	(void)state;
	assert_int_equal(rpc_init(&rpc, fake_router_path(r), 2000), 0);
	assert_int_equal(rpc_call(&rpc, "a", NULL, NULL, NULL, &result, &f), RPC_OK);
	json_decref(result);
	/* The end of the connection has been seen before the next call. */
	while (recv(rpc.fd, &(char){0}, 1, MSG_PEEK) < 0)
		usleep(1000);
	assert_int_equal(rpc_call(&rpc, "b", NULL, NULL, NULL, &result, &f), RPC_OK);
	json_decref(result);
	rpc_fini(&rpc);
	fake_router_stop(r);
}

static void plain_top_prints_one_picture_after_another(void **state)
{
	(void)state;
	assert_int_equal(run("top count 2 interval 100ms",
			     OK("{\"name\":\"lb1\",\"services\":[],\"drops\":[]}"), 0),
			 CLI_OK);
	assert_null(strchr(out_text, '\033'));
	assert_non_null(strstr(strstr(out_text, "no services") + 1, "no services"));
	assert_int_equal(run("watch watch status", OK("{}"), 0), CLI_USAGE);
	assert_int_equal(run("top", ERROR("\"code\":1,\"message\":\"m\""), 0), CLI_REFUSED);
}

static void help_needs_no_router(void **state)
{
	(void)state;
	assert_int_equal(run_at("/nonexistent", "help server edit", ""), CLI_OK);
	assert_int_equal(
		strncmp(out_text, "usage: plvsctl server edit SERVICE SERVER [weight N]", 50), 0);
	assert_int_equal(run_at("/nonexistent", "server edit --help", ""), CLI_OK);
	assert_int_equal(run_at("/nonexistent", "--help", ""), CLI_OK);
	assert_non_null(strstr(out_text, "  130  interrupted\n"));
	assert_int_equal(run_at("/nonexistent", "help nonsense", ""), CLI_USAGE);
	assert_int_equal(run_at("/nonexistent", "--version", ""), CLI_OK);
}

static void the_manual_is_up_to_date(void **state)
{
	const char *source = getenv("PLVS_SOURCE");
	static char text[1 << 17];
	char path[512], *manual = NULL;
	size_t len;
	FILE *f;

	(void)state;
	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/docs/plvsctl.md", source);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	f = open_memstream(&manual, &len);
	manual_print(f, cli_commands);
	fclose(f);
	if (strcmp(manual, text) != 0)
		fail_msg("docs/plvsctl.md is old: plvsctl --manual > docs/plvsctl.md");
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_as_the_protocol_says),
		cmocka_unit_test(json_prints_the_result_exactly),
		cmocka_unit_test(exit_codes_tell_scripts_what_happened),
		cmocka_unit_test(a_refusal_tells_file_place_path_and_suggestion),
		cmocka_unit_test(a_refusal_is_a_json_document_too),
		cmocka_unit_test(a_stream_prints_its_rows_in_one_document),
		cmocka_unit_test(a_stream_that_breaks_says_so_in_its_document),
		cmocka_unit_test(hostile_answers_end_in_a_clear_error),
		cmocka_unit_test(text_of_the_router_is_printed_escaped),
		cmocka_unit_test(notifications_and_results_of_other_types_are_survived),
		cmocka_unit_test(a_script_ends_at_the_first_line_that_fails),
		cmocka_unit_test(a_router_that_closes_between_commands_is_asked_again),
		cmocka_unit_test(plain_top_prints_one_picture_after_another),
		cmocka_unit_test(help_needs_no_router),
		cmocka_unit_test(the_manual_is_up_to_date),
		cmocka_unit_test(an_import_needs_no_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
