/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/shell_parts.h"

static bool names_file(const struct arg *a)
{
	return a->kind == ARG_PATH || a->kind == ARG_TEXT_FILE;
}

/* A command that cannot do without a file, or that works on files alone. */
static bool needs_file(const struct command *c)
{
	if (c->flags & CMD_LOCAL)
		return true;
	for (const struct arg *a = c->args; a && a->name; a++)
		if (names_file(a) && a->flags & ARG_REQUIRED)
			return true;
	return false;
}

/* Whatever follows the words of the command. */
static const struct arg any_args[] = {{"...", ARG_REST, ARG_POSITIONAL, "@words", "", NULL, 0, 0},
				      {.name = NULL}};

static int run_refused(struct session *s, const struct invocation *inv)
{
	return session_error(s, CLI_USAGE,
			     "%s works with files of this machine, and this session has none: use "
			     "plvsctl on the router",
			     inv->command->words);
}

static const struct arg *args_restrict(const struct arg *all)
{
	struct arg *args;
	size_t n = 0, n_left = 0;

	while (all && all[n].name)
		n++;
	args = calloc(n + 1, sizeof(*args));
	for (size_t i = 0; args && i < n; i++)
		if (!names_file(&all[i]))
			args[n_left++] = all[i];
	return args;
}

const struct command *commands_restrict(const struct command *all)
{
	struct command *commands;
	size_t n = 0, n_left = 0;

	while (all[n].words)
		n++;
	commands = calloc(n + 1, sizeof(*commands));
	for (size_t i = 0; commands && i < n; i++) {
		/* Known, but neither shown nor completed. */
		if (needs_file(&all[i])) {
			commands[n_left++] = (struct command){.words = all[i].words,
							      .help = all[i].help,
							      .args = any_args,
							      .flags = CMD_HIDDEN,
							      .run = run_refused};
			continue;
		}
		commands[n_left] = all[i];
		commands[n_left].args = args_restrict(all[i].args);
		if (!commands[n_left++].args)
			return NULL;
	}
	return commands;
}
