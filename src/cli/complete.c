/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void candidate_add(struct candidates *c, const char *text, const char *help, bool open)
{
	for (size_t i = 0; i < c->n; i++)
		if (*text && strcmp(c->items[i].text, text) == 0)
			return;
	if (array_room(&c->items, c->n, &c->max, sizeof(*c->items)))
		return;
	c->items[c->n] = (struct candidate){strdup(text), help ? strdup(help) : NULL, open};
	if (c->items[c->n].text)
		c->n++;
	else
		free(c->items[c->n].help);
}

static void candidate_offer(struct candidates *c, const char *partial, const char *text,
			    const char *help, bool open)
{
	if (strncmp(text, partial, strlen(partial)) == 0)
		candidate_add(c, text, help, open);
}

void candidates_clear(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].text);
		free(c->items[i].help);
	}
	free(c->items);
	memset(c, 0, sizeof(*c));
}

size_t candidates_common(const struct candidates *c)
{
	const char *first = NULL;
	size_t len = 0;

	for (size_t i = 0; i < c->n; i++) {
		const char *text = c->items[i].text;
		size_t k = 0;

		if (!*text)
			continue;
		if (!first) {
			first = text;
			len = strlen(text);
			continue;
		}
		while (k < len && text[k] == first[k])
			k++;
		len = k;
	}
	/* Not into the middle of a character. */
	while (first && len && ((unsigned char)first[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void tree_offer(const struct tree_node *node, const char *partial, bool shell,
		       struct candidates *out)
{
	const char *help;
	char word[32], below[160];
	struct tree_node next, more;

	for (size_t i = 0; tree_word(node, i, word, &help); i++) {
		if (tree_step(node, word, &next) < 0 || (next.first->flags & CMD_HIDDEN) ||
		    ((next.first->flags & CMD_SHELL) && !shell))
			continue;
		if (!help) {
			/* A group: its words say what it is for. */
			char sub[32];
			const char *ignored;

			below[0] = '\0';
			more = next;
			for (size_t k = 0; tree_word(&more, k, sub, &ignored); k++)
				snprintf(below + strlen(below), sizeof(below) - strlen(below),
					 "%s%s", k ? ", " : "", sub);
		}
		candidate_offer(out, partial, word, help ? help : below, false);
	}
}

/* The argument `of` for the fetch() of struct names, or NULL: the kind has no names. */
static const char *names_of(const struct arg *arg, const char *partial, const char *service)
{
	switch (arg->kind) {
	case ARG_SERVICE:
	case ARG_SERVER:
	case ARG_LINK:
		return service ? service : "";
	case ARG_ADDRESS:
		return arg->flags & ARG_POSITIONAL ? "" : NULL;
	case ARG_ASSIGN:
		/* Once the key is there, a value of the user's own follows. */
		return strchr(partial, '=') ? NULL : arg->min ? "server" : "service";
	case ARG_TEXT_FILE:
		return partial;
	case ARG_PATH:
		/* Of this machine, not of the router. */
		return *arg->key == '@' ? partial : NULL;
	default:
		return NULL;
	}
}

static void value_offer(const struct arg *arg, const char *partial, const struct names *names,
			const char *service, struct candidates *out)
{
	const char *of = names && names->fetch ? names_of(arg, partial, service) : NULL;
	char expected[256];
	json_t *list = NULL, *v;
	size_t i, before = out->n;

	for (const char *const *c = arg->choices; c && *c; c++)
		candidate_offer(out, partial, *c, NULL, false);
	if (arg->kind == ARG_NEW_SERVICE) {
		candidate_offer(out, partial, "tcp:", "tcp:ADDRESS:PORT", true);
		candidate_offer(out, partial, "udp:", "udp:ADDRESS:PORT", true);
		candidate_offer(out, partial, "fwmark:", "fwmark:N[/ipv6]", true);
	}
	if (of)
		list = names->fetch(names->arg, arg->kind, *of || of == partial ? of : NULL);
	json_array_foreach (list, i, v) {
		const char *text = json_is_string(v) ? json_string_value(v) : "";
		const size_t len = strlen(text);

		/* A key waits for its value, a directory for a name in it. */
		if (len > 0)
			candidate_offer(out, partial, text, NULL, strchr("=/", text[len - 1]));
	}
	json_decref(list);
	if (out->n == before)
		candidate_add(out, "", arg_expected(arg, expected, sizeof(expected)), false);
}

static void keywords_offer(const struct command *c, const char *partial,
			   const struct arg *const *given, size_t n_given, struct candidates *out)
{
	for (const struct arg *a = c->args; a && a->name; a++) {
		bool seen = false;

		if (a->flags & ARG_POSITIONAL)
			continue;
		for (size_t i = 0; i < n_given; i++)
			seen |= given[i] == a && !(a->flags & ARG_REPEAT) && a->kind != ARG_ASSIGN;
		if (!seen)
			candidate_offer(out, partial, a->name, a->help, false);
	}
}

static const struct arg *positional_next(const struct arg *a)
{
	while (a && a->name && !(a->flags & ARG_POSITIONAL))
		a++;
	return a && a->name ? a : NULL;
}

static void args_complete(const struct command *commands, const struct command *c,
			  char *const *words, size_t n, const char *partial,
			  const struct names *names, bool shell, struct candidates *out)
{
	const struct arg *positional = positional_next(c->args), *given[64], *arg = NULL;
	const char *service = NULL;
	size_t n_given = 0;

	for (size_t i = 0; i < n; i++) {
		if (positional && positional->kind == ARG_REST) {
			complete(commands, words + i, n - i, partial, names, shell, out);
			return;
		}
		if (positional &&
		    ((positional->flags & ARG_REQUIRED) || !arg_find(c, words[i], true))) {
			if (positional->kind == ARG_SERVICE)
				service = words[i];
			positional = positional_next(positional + 1);
			continue;
		}
		arg = arg_find(c, words[i], false);
		if (!arg || n_given == 64)
			continue;
		given[n_given++] = arg;
		if (arg->kind == ARG_FLAG)
			continue;
		if (++i == n) {
			value_offer(arg, partial, names, service, out);
			return;
		}
		if (arg->kind == ARG_SERVICE)
			service = words[i];
	}
	if (positional && positional->kind == ARG_REST)
		complete(commands, NULL, 0, partial, names, shell, out);
	else if (positional)
		value_offer(positional, partial, names, service, out);
	if (!positional || !(positional->flags & ARG_REQUIRED))
		keywords_offer(c, partial, given, n_given, out);
}

void complete(const struct command *commands, char *const *words, size_t n, const char *partial,
	      const struct names *names, bool shell, struct candidates *out)
{
	struct tree_node node, next;
	size_t i;

	tree_root(commands, &node);
	for (i = 0; i < n && !node.complete; i++) {
		if (tree_step(&node, words[i], &next) < 0)
			return;
		node = next;
	}
	if (node.complete)
		args_complete(commands, node.first, words + i, n - i, partial, names, shell, out);
	else
		tree_offer(&node, partial, shell, out);
}
