/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/grammar.h"

/* Parses a typed line; what would be sent as compact JSON, or the error. */
static char *parse(const char *line, const struct command **command)
{
	struct invocation inv;
	char **words, error[2048], *text;
	size_t n, last;

	assert_int_equal(line_split(line, &words, &n, &last), 0);
	if (command_parse(cli_commands, words, n, &inv, error, sizeof(error)) < 0) {
		free(words);
		return strdup(error);
	}
	text = json_dumps(inv.params, JSON_COMPACT);
	if (command)
		*command = inv.command;
	invocation_clear(&inv);
	free(words);
	return text;
}

struct row {
	const char *line, *expected;
};

static void rows_check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *text = parse(rows[i].line, NULL);

		assert_string_equal(text, rows[i].expected);
		free(text);
	}
}

static void a_line_becomes_the_parameters_of_its_method(void **state)
{
	static const struct row rows[] = {
		{"status", "{}"},
		{"server edit web 10.10.0.11:8080 weight 0",
		 "{\"service\":\"web\",\"server\":\"10.10.0.11:8080\",\"set\":{\"weight\":0}}"},
		{"server edit web 10.10.0.11:8080 weight=7 forward=dr",
		 "{\"service\":\"web\",\"server\":\"10.10.0.11:8080\",\"set\":{\"weight\":7,"
		 "\"forward\":\"dr\"}}"},
		{"server add tcp:192.0.2.80:80 10.10.0.13:8080 weight 3 set upper=100 set x=y",
		 "{\"service\":\"tcp:192.0.2.80:80\",\"server\":{\"address\":\"10.10.0.13:8080\","
		 "\"weight\":3,\"upper\":100,\"x\":\"y\"}}"},
		{"server add fwmark:7 10.10.0.13 weight 3",
		 "{\"service\":\"fwmark:7\",\"server\":{\"address\":\"10.10.0.13\",\"weight\":3}}"},
		{"server edit fwmark:7 10.10.0.13 weight 0",
		 "{\"service\":\"fwmark:7\",\"server\":\"10.10.0.13\",\"set\":{\"weight\":0}}"},
		{"service add tcp:192.0.2.80:80 listen 192.0.2.80:443 scheduler rr name web",
		 "{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\",\"192.0.2.80:443\"],"
		 "\"scheduler\":\"rr\",\"name\":\"web\"}"},
		{"mark add mark 7 destination 10.0.0.0/8 destination_port 80 position 0",
		 "{\"rule\":{\"mark\":7,\"destination\":\"10.0.0.0/"
		 "8\",\"destination_port\":\"80\"},"
		 "\"position\":0}"},
		{"mark delete 3", "{\"position\":3}"},
		{"service add fwmark:7", "{\"mark\":7}"},
		{"service add fwmark:7/ipv6", "{\"mark\":7,\"family\":\"ipv6\"}"},
		{"server add fwmark:7/ipv6 2001:db8::1",
		 "{\"service\":\"fwmark:7/ipv6\",\"server\":{\"address\":\"2001:db8::1\"}}"},
		{"service add udp:[2001:db8::1]:53 forward tunnel",
		 "{\"protocol\":\"udp\",\"listen\":[\"[2001:db8::1]:53\"],\"forward\":\"tunnel\"}"},
		{"service edit web set a.b=[1]",
		 "{\"service\":\"web\",\"set\":{\"a\":{\"b\":[1]}}}"},
		{"connection list limit 5 client 192.0.2.0/24 state established",
		 "{\"limit\":5,\"client\":\"192.0.2.0/24\",\"state\":\"established\"}"},
		{"counters", "{}"},
		{"counters drops", "{\"object\":\"drops\"}"},
		{"config apply", "{}"},
		{"service show 'my \"web\"'", "{\"service\":\"my \\\"web\\\"\"}"},
	};

	(void)state;
	rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void words_may_be_shortened_while_they_are_unambiguous(void **state)
{
	const struct command *c = NULL;
	char *text;

	(void)state;
	text = parse("conn c w 3", &c);
	free(text);
	assert_string_equal(c->words, "connection count");
	text = parse("server e web 10.0.0.1:1 we 3", &c);
	assert_string_equal(c->words, "server edit");
	assert_non_null(strstr(text, "\"weight\":3"));
	free(text);
}

static void errors_name_what_was_expected_and_the_near_miss(void **state)
{
	static const struct row rows[] = {
		{"service lis_",
		 "service: \"lis_\" is not a command (did you mean \"list\"?); expected "
		 "one of: list, show, add, edit, delete"},
		{"config", "\"config\" is not complete; expected one of: show, check, plan, apply, "
			   "confirm, push, save, history, diff, rollback, "
			   "schema"},
		{"serv list", "\"serv\" could be any of: service, server"},
		{"server edit web 10.0.0.1:80 wieght 0",
		 "server edit: \"wieght\" is not expected (did you mean \"weight\"?); expected one "
		 "of: "
		 "weight, forward, upper, lower, set"},
		{"server edit web 10.0.0.1:80", "server edit: nothing to change; expected one of: "
						"weight, forward, upper, lower, set"},
		{"server edit web 10.0.0.1:80 weight",
		 "server edit: \"weight\" needs a value: expected a number from 0 to 2147483647"},
		{"server edit web 10.0.0.1:80 weight -1",
		 "weight: \"-1\" is not valid; expected a number from 0 to 2147483647"},
		{"server edit web 10.0.0.1:80 weight 2147483648",
		 "weight: \"2147483648\" is not valid; expected a number from 0 to 2147483647"},
		{"server edit web 10.0.0.1:80 weight 1 weight 2",
		 "server edit: \"weight\" is given twice"},
		{"server edit web 10.0.0.1:80 forward tunel",
		 "forward: \"tunel\" is not valid (did you mean \"tunnel\"?); expected one of: "
		 "nat, dr, "
		 "tunnel, local, fullnat"},
		{"server edit web 10.0.0",
		 "SERVER: \"10.0.0\" is not valid; expected a real server: ADDRESS:PORT, or "
		 "ADDRESS where packets keep their port"},
		{"server delete web", "server delete: SERVER is missing: expected a real server: "
				      "ADDRESS:PORT, or ADDRESS where packets keep their port"},
		{"service show 192.0.2.80:80",
		 "SERVICE: \"192.0.2.80:80\" is not valid (did you mean \"tcp:192.0.2.80:80\"?); "
		 "expected "
		 "a service: its name, tcp:ADDRESS:PORT, udp:ADDRESS:PORT or fwmark:N[/ipv6]"},
		{"service add fwmark:0", "SERVICE: \"fwmark:0\" is not valid; expected "
					 "tcp:ADDRESS:PORT, udp:ADDRESS:PORT or "
					 "fwmark:N[/ipv6]"},
		{"service add fwmark:1/ipv4", "SERVICE: \"fwmark:1/ipv4\" is not valid; expected "
					      "tcp:ADDRESS:PORT, udp:ADDRESS:PORT or "
					      "fwmark:N[/ipv6]"},
		{"address add 192.0.2.1",
		 "address add: \"kind\" is missing: expected one of: vip, gateway, "
		 "prefix, pool"},
		{"connection list client 192.0.2.1/24",
		 "client: \"192.0.2.1/24\" is not valid; expected a prefix as 192.0.2.0/24, or an "
		 "address"},
		{"status now", "status: \"now\" is too much here"},
		{"config check /nonexistent/x",
		 "FILE: cannot read /nonexistent/x: No such file or directory"},
	};

	(void)state;
	rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_line_splits_at_blanks_with_quotes_and_comments(void **state)
{
	char **words;
	size_t n, last;

	(void)state;
	assert_int_equal(line_split("  a 'b c'\"d\" e\\ f # g", &words, &n, &last), 0);
	assert_int_equal(n, 3);
	assert_string_equal(words[1], "b cd");
	assert_string_equal(words[2], "e f");
	free(words);
	assert_int_equal(line_split("a bc", &words, &n, &last), 0);
	assert_int_equal(last, 2);
	free(words);
	assert_int_equal(line_split("a bc ", &words, &n, &last), 0);
	assert_int_equal(last, 5);
	free(words);
	assert_int_equal(line_split("a 'bc", &words, &n, &last), -EINVAL);
	assert_string_equal(words[1], "bc");
	free(words);
	assert_int_equal(line_split("", &words, &n, &last), 0);
	assert_int_equal(n, 0);
	free(words);
}

static json_t *names_fetch(void *arg, enum arg_kind kind, const char *service)
{
	(void)arg;
	if (kind == ARG_SERVICE)
		return json_pack("[s, s]", "web", "tcp:192.0.2.80:80");
	if (kind == ARG_SERVER)
		return service ? json_pack("[s, s]", "10.10.0.11:8080", "10.10.0.12:8080")
			       : json_pack("[s]", "10.20.0.1:53");
	if (kind == ARG_ASSIGN)
		return strcmp(service, "server") == 0
			       ? json_pack("[s, s]", "weight=", "upper=")
			       : json_pack("[s, s]", "scheduler=", "listen=");
	if (kind == ARG_TEXT_FILE || kind == ARG_PATH)
		return json_pack("[s, s, s]", "/etc/plvs/", "/etc/plvs.json", "lvs.cf");
	return NULL;
}

/* Candidates at the end of a line, joined by blanks; hints as "<help>". */
static void complete_check(const char *line, const char *expected)
{
	struct names names = {names_fetch, NULL};
	struct candidates list = {NULL, 0};
	char **words, joined[1024] = "", empty[] = "", *partial = empty;
	size_t n, last;

	assert_int_equal(line_split(line, &words, &n, &last), 0);
	if (last < strlen(line))
		partial = words[--n];
	complete(cli_commands, words, n, partial, &names, false, &list);
	for (size_t i = 0; i < list.n; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, *list.items[i].text ? list.items[i].text : "<");
		if (!*list.items[i].text)
			strcat(strcat(joined, list.items[i].help), ">");
	}
	assert_string_equal(joined, expected);
	candidates_clear(&list);
	free(words);
}

static void completion_offers_words_keywords_values_and_names(void **state)
{
	(void)state;
	complete_check("se", "service server");
	complete_check("server ", "add edit delete");
	complete_check("server e", "edit");
	complete_check("server edit ", "web tcp:192.0.2.80:80");
	complete_check("server edit t", "tcp:192.0.2.80:80");
	complete_check("server edit web ", "10.10.0.11:8080 10.10.0.12:8080");
	complete_check("server edit web 10.10.0.11:8080 ", "weight forward upper lower set");
	complete_check("server edit web 10.10.0.11:8080 weight 0 ", "forward upper lower set");
	complete_check("server edit web 10.10.0.11:8080 weight ",
		       "<a number from 0 to 2147483647>");
	complete_check("server edit web 10.10.0.11:8080 forward ", "nat dr tunnel local fullnat");
	complete_check("server add web ",
		       "<ADDRESS:PORT, or ADDRESS under a mark, where packets keep their port>");
	complete_check("service add ", "tcp: udp: fwmark:");
	complete_check("service add tcp:192.0.2.80:80 scheduler w", "wlc wrr");
	complete_check("connection list server ", "10.20.0.1:53");
	complete_check("connection list service web server ", "10.10.0.11:8080 10.10.0.12:8080");
	complete_check("counters d", "drops");
	complete_check("service edit web set ", "scheduler= listen=");
	complete_check("service add tcp:192.0.2.80:80 set l", "listen=");
	complete_check("server edit web 10.10.0.11:8080 set w", "weight=");
	complete_check("server add web 10.10.0.13:8080 set u", "upper=");
	complete_check("config apply /etc/plvs.", "/etc/plvs.json");
	complete_check("config check /etc/", "/etc/plvs/ /etc/plvs.json");
	complete_check("import l", "lvs.cf");
	/* A path of the router is not of this machine. */
	complete_check("config save /etc/", "<a file>");
	complete_check("watch service l", "list");
	complete_check("help con", "connection config");
	complete_check("nonsense ", "");
	complete_check("qu", "");
}

static void what_all_candidates_share_is_found_without_hints(void **state)
{
	struct candidate items[] = {{(char *)"", (char *)"hint", false},
				    {(char *)"service", NULL, false},
				    {(char *)"server", NULL, false}};
	struct candidates list = {items, 3};

	(void)state;
	assert_int_equal(candidates_common(&list), 4);
	list.n = 1;
	assert_int_equal(candidates_common(&list), 0);
}

static void the_table_has_no_word_twice_and_groups_stand_together(void **state)
{
	(void)state;
	for (const struct command *c = cli_commands; c->words; c++) {
		size_t group = strcspn(c->words, " ") + 1;
		bool left = false;

		assert_true(c->method || c->run);
		for (const struct command *d = c + 1; d->words; d++) {
			bool same = strncmp(c->words, d->words, group) == 0;

			assert_string_not_equal(c->words, d->words);
			assert_false(same && left);
			left |= !same;
		}
		for (const struct arg *a = c->args; a && a->name; a++) {
			assert_non_null(a->help);
			assert_true(a->kind != ARG_CHOICE || a->choices);
			assert_true(a->kind != ARG_UINT || a->max > a->min);
			for (const struct arg *b = a + 1; b->name; b++)
				assert_string_not_equal(a->name, b->name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_becomes_the_parameters_of_its_method),
		cmocka_unit_test(words_may_be_shortened_while_they_are_unambiguous),
		cmocka_unit_test(errors_name_what_was_expected_and_the_near_miss),
		cmocka_unit_test(a_line_splits_at_blanks_with_quotes_and_comments),
		cmocka_unit_test(completion_offers_words_keywords_values_and_names),
		cmocka_unit_test(what_all_candidates_share_is_found_without_hints),
		cmocka_unit_test(the_table_has_no_word_twice_and_groups_stand_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
