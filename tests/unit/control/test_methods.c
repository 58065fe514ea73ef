/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of methods and of commands: complete, of one mind, and as the page says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/grammar.h"
#include "control/method.h"
#include "metrics/metrics.h"

#define EACH_METHOD(m)                                                                             \
	for (const struct method *const *table_ = method_tables; *table_; table_++)                \
		for (const struct method *m = *table_; m->name; m++)

static const struct param *param_of(const struct method *m, const char *name, size_t len)
{
	for (const struct param *p = m->params; p->kind != PARAM_END; p++)
		if (strlen(p->name) == len && strncmp(p->name, name, len) == 0)
			return p;
	return NULL;
}

/* Helps are phrases of the page and of error messages. */
static void test_each_row_is_complete(void **state)
{
	(void)state;
	EACH_METHOD(m)
	{
		if (!m->run || !m->help || !m->result || method_find(m->name) != m)
			fail_msg("%s: no handler, help or result, or there twice", m->name);
		if (m->help[0] < 'a' || m->help[0] > 'z' || m->help[strlen(m->help) - 1] == '.')
			fail_msg("%s: help is no phrase: %s", m->name, m->help);
		for (const struct param *p = m->params; p->kind != PARAM_END; p++)
			if (!p->help)
				fail_msg("%s: %s has no help", m->name, p->name);
		if (m->in_turn && m->level != METHOD_CHANGE)
			fail_msg("%s: has a turn and changes nothing", m->name);
	}
}

/* The part of a key before its first dot is the parameter. */
static void arg_check(const struct command *c, const struct method *m, const struct arg *a)
{
	size_t len = a->key ? strcspn(a->key, ".") : 0;

	if (!len || a->key[0] == '@' || m->object)
		return;
	if (!param_of(m, a->key, len))
		fail_msg("plvsctl %s sends \"%s\", which %s does not know", c->words, a->key,
			 m->name);
}

static bool arg_gives(const struct command *c, const char *name)
{
	for (const struct arg *a = c->args; a && a->name; a++)
		if (a->key && strncmp(a->key, name, strlen(name)) == 0 &&
		    (a->key[strlen(name)] == '\0' || a->key[strlen(name)] == '.'))
			return true;
	return false;
}

static void test_each_command_sends_what_its_method_takes(void **state)
{
	(void)state;
	for (const struct command *c = cli_commands; c->words; c++) {
		const struct method *m = c->method ? method_find(c->method) : NULL;

		if (!c->method)
			continue;
		if (!m)
			fail_msg("plvsctl %s: there is no method %s", c->words, c->method);
		for (const struct arg *a = c->args; a && a->name; a++)
			arg_check(c, m, a);
		for (const struct param *p = m->params; p->kind != PARAM_END; p++)
			if (p->required && !arg_gives(c, p->name))
				fail_msg("plvsctl %s cannot give %s of %s", c->words, p->name,
					 m->name);
	}
}

/* Programs alone use what no command names. */
static void test_each_method_has_a_command(void **state)
{
	static const char *const programs[] = {"counter.zero", "ipvsadm.daemon", "health.counters",
					       "session.name", "session.report", "ha.ask_addresses",
					       "ha.clock",     "ha.peer_clock",	 "fleet.apply",
					       "fleet.ask"};

	(void)state;
	EACH_METHOD(m)
	{
		bool found = false;

		for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
			found |= strcmp(programs[i], m->name) == 0;
		for (const struct command *c = cli_commands; c->words && !found; c++)
			found = c->method && strcmp(c->method, m->name) == 0;
		if (!found)
			fail_msg("%s: no command of plvsctl", m->name);
	}
}

/* Their answers are held against the table (answer_check.h). counter.list has several tables. */
static void test_each_method_that_shows_objects_names_their_table(void **state)
{
	static const char *const verbs[] = {"list", "status", "history", "find", "show"};

	(void)state;
	EACH_METHOD(m)
	{
		const char *dot = strrchr(m->name, '.'), *verb = dot ? dot + 1 : m->name;

		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
			if (strcmp(verb, verbs[i]) == 0 && !m->rows &&
			    strcmp(m->name, "counter.list") != 0 &&
			    strcmp(m->name, "drop.show") != 0)
				fail_msg("%s: no table of what it shows", m->name);
	}
}

static char *page_read(const char *name)
{
	const char *source = getenv("PLVS_SOURCE");
	char path[512], *page = NULL;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/docs/%s", source ? source : ".", name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(getdelim(&page, &n, '\0', f) > 0);
	fclose(f);
	return page;
}

static void page_check(const char *name, char *want)
{
	static const char marker[] = "tools/gen-control-docs from the tables. -->\n";
	char *have = page_read(name);

	assert_non_null(want);
	assert_non_null(strstr(have, marker));
	if (strcmp(strstr(have, marker) + strlen(marker), want) != 0)
		fail_msg("docs/%s is old: run gen-control-docs docs", name);
	free(have);
	free(want);
}

static void test_the_pages_are_made_from_the_tables(void **state)
{
	(void)state;
	page_check("control-protocol.md", method_markdown());
	page_check("metrics.md", metrics_markdown());
}

/* `group.word` with a group of methods is a method. */
static void mention_check(const char *text, size_t len)
{
	const char *dot = memchr(text, '.', len);
	char name[64];
	bool group = false;

	if (!dot || len >= sizeof(name) || strspn(text, "abcdefghijklmnopqrstuvwxyz.") < len)
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	EACH_METHOD(m)
	{
		group |= strncmp(m->name, text, (size_t)(dot - text) + 1) == 0;
	}
	if (group && !method_find(name))
		fail_msg("docs/control-protocol.md: there is no method %s", name);
}

static void test_the_page_names_no_other_method(void **state)
{
	char *page = page_read("control-protocol.md");
	size_t n = 0;

	(void)state;
	for (const char *p = strchr(page, '`'); p && strchr(p + 1, '`'); p = strchr(p + 1, '`'))
		if (n++ % 2 == 0)
			mention_check(p + 1, strcspn(p + 1, "`"));
	assert_true(n > 200);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_is_complete),
		cmocka_unit_test(test_each_command_sends_what_its_method_takes),
		cmocka_unit_test(test_each_method_has_a_command),
		cmocka_unit_test(test_each_method_that_shows_objects_names_their_table),
		cmocka_unit_test(test_the_pages_are_made_from_the_tables),
		cmocka_unit_test(test_the_page_names_no_other_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
