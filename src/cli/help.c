/* SPDX-License-Identifier: BSD-3-Clause */
/* Help and the manual, both from the command table. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"

static const char *arg_value_name(const struct arg *a)
{
	switch (a->kind) {
	case ARG_SERVICE:
		return "SERVICE";
	case ARG_SERVER:
	case ARG_NEW_SERVER:
	case ARG_ENDPOINT:
		return "ADDRESS:PORT";
	case ARG_PREFIX:
		return "PREFIX";
	case ARG_LINK:
		return "LINK";
	case ARG_UINT:
		return "N";
	case ARG_DURATION:
		return "TIME";
	case ARG_ASSIGN:
		return "KEY=VALUE";
	case ARG_FLAG:
		return "";
	default:
		return "WORD";
	}
}

/* "service web", "weight N", "[FILE]" */
static void arg_synopsis(FILE *f, const struct arg *a)
{
	bool required = a->flags & ARG_REQUIRED;
	const char *value = a->flags & ARG_POSITIONAL ? "" : arg_value_name(a);

	fprintf(f, " %s%s", required ? "" : "[", a->name);
	if (a->kind == ARG_CHOICE && !(a->flags & ARG_POSITIONAL)) {
		for (const char *const *c = a->choices; *c; c++)
			fprintf(f, "%s%s", c == a->choices ? " " : "|", *c);
	} else if (*value) {
		fprintf(f, " %s", value);
	}
	fputs(a->flags & ARG_REPEAT || a->kind == ARG_ASSIGN ? " ..." : "", f);
	fputs(a->kind == ARG_REST ? "..." : "", f);
	fputs(required ? "" : "]", f);
}

static void command_synopsis(FILE *f, const struct command *c)
{
	fputs(c->words, f);
	for (const struct arg *a = c->args; a && a->name; a++)
		arg_synopsis(f, a);
}

/* The values of an argument, beside its help. */
static void arg_limits(FILE *f, const struct arg *a)
{
	char buf[256];

	switch (a->kind) {
	case ARG_FLAG:
	case ARG_REST:
	case ARG_PATH:
	case ARG_TEXT_FILE:
		return;
	case ARG_WORD:
		if (!a->choices)
			return;
		fputs("; ", f);
		for (const char *const *c = a->choices; *c; c++)
			fprintf(f, "%s%s", c == a->choices ? "" : ", ", *c);
		return;
	default:
		fprintf(f, "; %s", arg_expected(a, buf, sizeof(buf)));
	}
}

static void options_print(FILE *f)
{
	char form[48];

	for (const struct cli_option *o = cli_option_list; o->name; o++) {
		snprintf(form, sizeof(form), "--%s%s%s", o->name, o->value ? " " : "",
			 o->value ? o->value : "");
		if (o->letter)
			fprintf(f, "  -%c, %-18s %s\n", o->letter, form, o->help);
		else
			fprintf(f, "      %-18s %s\n", form, o->help);
	}
}

static bool command_shown(const struct session *s, const struct command *c)
{
	return !(c->flags & CMD_HIDDEN) && (s->interactive || !(c->flags & CMD_SHELL));
}

static void node_print(const struct session *s, const struct tree_node *node)
{
	FILE *f = s->out.file;
	size_t width = 0;

	for (size_t i = 0; i < node->n; i++)
		if (command_shown(s, &node->first[i]) && strlen(node->first[i].words) > width)
			width = strlen(node->first[i].words);
	for (size_t i = 0; i < node->n; i++) {
		const struct command *c = &node->first[i];

		if (command_shown(s, c))
			fprintf(f, "  %-*s  %s\n", (int)width, c->words, c->help);
	}
}

static void overview_print(const struct session *s, const struct tree_node *root)
{
	FILE *f = s->out.file;

	if (!s->interactive) {
		fputs("usage: plvsctl [OPTION]... COMMAND [ARGUMENT]...\n"
		      "       plvsctl [OPTION]...            an interactive shell; or, when "
		      "standard\n"
		      "                                      input is no terminal, a command per "
		      "line\n\n",
		      f);
		fputs("Commands (words may be shortened; \"plvsctl help COMMAND\" says more):\n",
		      f);
	}
	node_print(s, root);
	fputs("\nOptions (anywhere on the line):\n", f);
	options_print(f);
	if (s->interactive) {
		fputs("\nTab completes, ? lists what can follow, the arrow keys recall lines.\n",
		      f);
		return;
	}
	fprintf(f,
		"\nEnvironment: PLVS_SOCKET is the socket when --socket is not given "
		"(default\n%s); NO_COLOR.\n",
		CLI_DEFAULT_SOCKET);
	fputs("\nExit codes:\n", f);
	for (const struct cli_exit_text *e = cli_exit_texts; e->text; e++)
		fprintf(f, "  %3d  %s\n", e->code, e->text);
}

static void command_print(const struct session *s, const struct command *c)
{
	FILE *f = s->out.file;

	fprintf(f, "%susage:%s ", style_on(&s->out, STYLE_BOLD), style_off(&s->out, STYLE_BOLD));
	if (!s->interactive)
		fputs("plvsctl ", f);
	command_synopsis(f, c);
	fprintf(f, "\n\n%c%s.\n",
		c->help[0] >= 'a' && c->help[0] <= 'z' ? c->help[0] - 32 : c->help[0], c->help + 1);
	if (c->text)
		fprintf(f, "%s\n", c->text);
	for (const struct arg *a = c->args; a && a->name; a++) {
		if (a == c->args)
			fputc('\n', f);
		fprintf(f, "  %-10s %s", a->name, a->help);
		arg_limits(f, a);
		fputc('\n', f);
	}
}

int help_print(const struct session *s, char *const *words, size_t n)
{
	struct tree_node node, next;

	tree_root(s->commands, &node);
	if (n == 0) {
		overview_print(s, &node);
		return CLI_OK;
	}
	for (size_t i = 0; i < n && !node.complete; i++) {
		struct invocation inv;
		char error[2048];

		if (tree_step(&node, words[i], &next) == 0) {
			node = next;
			continue;
		}
		command_parse(s->commands, words, i + 1, &inv, error, sizeof(error));
		fprintf(s->out.errors, "%s", s->prefix);
		text_put(s->out.errors, error);
		fputc('\n', s->out.errors);
		return CLI_USAGE;
	}
	if (node.complete)
		command_print(s, node.first);
	else
		node_print(s, &node);
	return CLI_OK;
}

int run_help(struct session *s, const struct invocation *inv)
{
	const json_t *list = json_object_get(inv->local, "command"), *v;
	char *words[8];
	size_t i, n = 0;

	json_array_foreach (list, i, v) {
		if (n < 8)
			words[n++] = (char *)(uintptr_t)json_string_value(v);
	}
	return help_print(s, words, n);
}

int run_quit(struct session *s, const struct invocation *inv)
{
	(void)inv;
	s->quit = true;
	return CLI_OK;
}

static void manual_command(FILE *f, const struct command *c)
{
	fprintf(f, "\n### %s\n\n    plvsctl ", c->words);
	command_synopsis(f, c);
	fprintf(f, "\n\n%c%s.",
		c->help[0] >= 'a' && c->help[0] <= 'z' ? c->help[0] - 32 : c->help[0], c->help + 1);
	if (c->text)
		fprintf(f, " %s", c->text);
	if (c->method)
		fprintf(f, " (method `%s`)", c->method);
	fputc('\n', f);
	for (const struct arg *a = c->args; a && a->name; a++) {
		if (a == c->args)
			fputc('\n', f);
		fprintf(f, "- `%s`: %s", a->name, a->help);
		arg_limits(f, a);
		fputc('\n', f);
	}
}

void manual_print(FILE *f, const struct command *commands)
{
	fputs("# plvsctl\n\n"
	      "Made from the command table by `plvsctl --manual`; do not edit.\n\n"
	      "`plvsctl` is the client of the [control socket](control-protocol.md) of `plvs`.\n\n"
	      "    plvsctl [OPTION]... COMMAND [ARGUMENT]...\n"
	      "    plvsctl [OPTION]...\n\n"
	      "Without a command it is an interactive shell: Tab completes words, keywords and "
	      "the\n"
	      "names of objects, `?` lists what can follow, lines are kept in "
	      "`~/.plvsctl_history`\n"
	      "(`PLVSCTL_HISTORY` names another file; empty: none). When standard input is no\n"
	      "terminal, `plvsctl` reads a command per line (`#` begins a comment), and ends at "
	      "the\n"
	      "first command that fails, with its exit code.\n\n"
	      "Words and keywords may be shortened as long as they are unambiguous; scripts "
	      "should\n"
	      "spell them out. Keywords come in any order, as `weight 0` or `weight=0`.\n\n"
	      "## Options\n\nOptions may stand anywhere on the line, up to `--`.\n\n```\n",
	      f);
	options_print(f);
	fprintf(f,
		"```\n\n`PLVS_SOCKET` names the socket when `--socket` is not given "
		"(default\n`%s`). `NO_COLOR` is "
		"respected.\n\n## Output\n\n"
		"Tables: numbers are shortened by powers of 1000 (`12.3k`, `1.23M`), memory by "
		"powers\n"
		"of 1024 (`1.50MiB`), traffic is in bits per second; with `-n` numbers are exact "
		"and\n"
		"traffic is in bytes per second. Control characters in the router's texts are\n"
		"printed escaped.\n\n"
		"With `--json` standard output has one JSON document: the method's result exactly, "
		"on\n"
		"one line (indented on a terminal). When the router refuses or cannot be reached, "
		"the document is\n"
		"`{\"error\": {...}}`; the message goes to standard error as well. Streams\n"
		"(`connection list`) are `{\"rows\":[...],\"count\":N,\"truncated\":false}` with "
		"one row on\n"
		"a line. Each row is printed when it arrives, so that a million rows need no "
		"memory.\n\n"
		"## Exit codes\n\n| code | meaning |\n|---|---|\n",
		CLI_DEFAULT_SOCKET);
	for (const struct cli_exit_text *e = cli_exit_texts; e->text; e++)
		fprintf(f, "| %d | %s |\n", e->code, e->text);
	fputs("\n## Commands\n", f);
	for (const struct command *c = commands; c->words; c++)
		if (!(c->flags & CMD_HIDDEN))
			manual_command(f, c);
}
