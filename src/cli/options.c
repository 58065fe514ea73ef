/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cli/session.h"

const struct cli_option cli_option_list[] = {
	{'j', "json", NULL, "print the result as one JSON document"},
	{'n', "numeric", NULL, "exact numbers (bytes, seconds) instead of 1.2M and 5m00s"},
	{0, "wide", NULL, "all columns of a table, also where the terminal is narrower"},
	{'s', "socket", "PATH", "the router's control socket"},
	{'t', "timeout", "TIME", "give up when no answer comes for so long (default 10s)"},
	{0, "color", "WHEN", "auto (default: on a terminal), always or never"},
	{0, "restricted", NULL,
	 "a shell without files, programs and history, as by telnet; no option may follow"},
	{0, "session", "NAME", "of a front end: the name in the router's audit"},
	{'h', "help", NULL, "help on the command"},
	{'V', "version", NULL, "the version of plvsctl"},
	{0, NULL, NULL, NULL},
};

const struct cli_exit_text cli_exit_texts[] = {
	{CLI_OK, "done"},
	{CLI_REFUSED, "the router refused: the request or the configuration is not valid"},
	{CLI_USAGE, "the command line is wrong; nothing was sent"},
	{CLI_UNREACHABLE, "the router cannot be reached, or did not answer in time"},
	{CLI_NO_OBJECT, "no such object"},
	{CLI_EXISTS, "the object exists already"},
	{CLI_PENDING, "the change is made, but a worker has not taken it up yet"},
	{CLI_GARBLED, "the router's answer is malformed, or output could not be written"},
	{CLI_INTERRUPTED, "interrupted"},
	{0, NULL},
};

static const struct cli_option *option_find(const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (const struct cli_option *o = cli_option_list; o->name; o++) {
		if (word[1] != '-' && o->letter && word[1] == o->letter)
			return o;
		if (word[1] == '-' && strncmp(o->name, word + 2, len) == 0 && !o->name[len])
			return o;
	}
	return NULL;
}

static int option_refuse(const char *word, char *error, size_t error_len)
{
	const char *names[16], *near;
	size_t n = 0;

	for (const struct cli_option *o = cli_option_list; o->name && n < 15; o++)
		names[n++] = o->name;
	names[n] = NULL;
	near = strlen(word) > 2 ? text_near_miss(word + 2, names) : NULL;
	snprintf(error, error_len, "\"%.60s\" is not an option%s%s%s; see --help", word,
		 near ? " (did you mean \"--" : "", near ? near : "", near ? "\"?)" : "");
	return -EINVAL;
}

static int option_set(struct cli_options *options, const struct cli_option *o, const char *value,
		      char *error, size_t error_len)
{
	static const char *const whens[] = {"never", "always", "auto", NULL};

	if (strcmp(o->name, "json") == 0)
		options->json = 1;
	else if (strcmp(o->name, "numeric") == 0)
		options->numeric = 1;
	else if (strcmp(o->name, "wide") == 0)
		options->wide = 1;
	else if (strcmp(o->name, "help") == 0)
		options->help = 1;
	else if (strcmp(o->name, "version") == 0)
		options->version = 1;
	else if (strcmp(o->name, "socket") == 0)
		options->socket = value;
	else if (strcmp(o->name, "timeout") == 0)
		options->timeout = value;
	else if (strcmp(o->name, "restricted") == 0)
		options->restricted = 1;
	else if (strcmp(o->name, "session") == 0)
		options->session = value;
	else {
		options->color = -2;
		for (int i = 0; whens[i]; i++)
			if (strcmp(whens[i], value) == 0)
				options->color = i == 2 ? -1 : i;
		if (options->color == -2) {
			snprintf(error, error_len,
				 "--color: \"%.40s\" is not valid; expected auto, always or never",
				 value);
			return -EINVAL;
		}
	}
	return 0;
}

/* Takes the option at words[*i]. *i moves on to the option's value if that is the next word. */
static int option_take(char **words, size_t n, size_t *i, struct cli_options *options, char *error,
		       size_t error_len)
{
	char *word = words[*i];
	const struct cli_option *o = option_find(word);
	const char *value = NULL;

	if (!o)
		return option_refuse(word, error, error_len);
	if (word[1] == '-' && strchr(word, '='))
		value = strchr(word, '=') + 1;
	else if (word[1] != '-' && word[2] && o->value)
		value = word + 2;
	if (word[1] != '-' && word[2] && !o->value) {
		/* -jn: letters may stand together. */
		if (option_set(options, o, NULL, error, error_len) < 0)
			return -EINVAL;
		word[1] = '-';
		memmove(word + 1, word + 2, strlen(word + 2) + 1);
		return option_take(words, n, i, options, error, error_len);
	}
	if (o->value && !value) {
		if (*i + 1 == n) {
			snprintf(error, error_len, "--%s needs a value: %s", o->name, o->value);
			return -EINVAL;
		}
		value = words[++*i];
	}
	if (!o->value && value) {
		snprintf(error, error_len, "--%s takes no value", o->name);
		return -EINVAL;
	}
	return option_set(options, o, value, error, error_len);
}

/* "plvsctl import --from FORMAT", "config apply FILE --confirm-within 60s" are written as people
 * have them elsewhere: --KEYWORD there is the command's keyword unless it is an option of plvsctl.
 */
static bool is_keyword(const char *word)
{
	return word[1] == '-' && word[2] && !option_find(word);
}

static bool takes_keywords(const char *command)
{
	static const char *const commands[] = {"import", "config", "explain", "trace", "capture"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i], command) == 0)
			return true;
	return false;
}

int options_take(char **words, size_t *n, struct cli_options *options, char *error,
		 size_t error_len)
{
	static char write_word[] = "write"; /* -w, as tcpdump has it */
	size_t n_left = 0, i;

	*options = (struct cli_options){.json = -1, .numeric = -1, .wide = -1, .color = -1};
	for (i = 0; i < *n; i++) {
		if (strcmp(words[i], "--") == 0) {
			i++;
			break;
		}
		/* "-1" is a value, of which the router or the command says what is wrong. */
		if (words[i][0] != '-' || !words[i][1] || isdigit((unsigned char)words[i][1]))
			words[n_left++] = words[i];
		else if (n_left && takes_keywords(words[0]) && is_keyword(words[i]))
			words[n_left++] = words[i] + 2;
		else if (n_left && strcmp(words[0], "capture") == 0 && strcmp(words[i], "-w") == 0)
			words[n_left++] = write_word;
		else if (option_take(words, *n, &i, options, error, error_len) < 0)
			return -EINVAL;
	}
	for (; i < *n; i++)
		words[n_left++] = words[i];
	*n = n_left;
	return 0;
}
