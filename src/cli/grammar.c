/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/grammar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TREE_WORDS 64

/* The word of a command at a depth; false when it has fewer. */
static bool command_word(const struct command *c, size_t depth, char word[32])
{
	const char *p = c->words;
	size_t len;

	for (; depth > 0; depth--) {
		p = strchr(p, ' ');
		if (!p)
			return false;
		p++;
	}
	len = strcspn(p, " ");
	if (len == 0 || len > 31)
		return false;
	memcpy(word, p, len);
	word[len] = '\0';
	return true;
}

void tree_root(const struct command *commands, struct tree_node *node)
{
	memset(node, 0, sizeof(*node));
	node->first = commands;
	while (commands[node->n].words)
		node->n++;
}

bool tree_word(const struct tree_node *node, size_t i, char word[32], const char **help)
{
	char before[32] = "", more[32];

	for (size_t k = 0; k < node->n; k++) {
		const struct command *c = &node->first[k];

		if (!command_word(c, node->depth, word) || strcmp(word, before) == 0)
			continue;
		strcpy(before, word);
		if (i-- > 0)
			continue;
		*help = command_word(c, node->depth + 1, more) ? NULL : c->help;
		return true;
	}
	return false;
}

int tree_step(const struct tree_node *node, const char *word, struct tree_node *next)
{
	char candidate[32], found[32] = "";
	size_t len = strlen(word), begins = 0;
	const char *help;
	bool exact = false;

	if (len == 0 || len > 31)
		return -ENOENT;
	for (size_t i = 0; !exact && tree_word(node, i, candidate, &help); i++) {
		exact = strcmp(candidate, word) == 0;
		if (!exact && strncmp(candidate, word, len) != 0)
			continue;
		begins++;
		strcpy(found, candidate);
	}
	if (!begins)
		return -ENOENT;
	if (begins > 1 && !exact)
		return -E2BIG;
	memset(next, 0, sizeof(*next));
	next->depth = node->depth + 1;
	for (size_t k = 0; k < node->n; k++) {
		if (!command_word(&node->first[k], node->depth, candidate) ||
		    strcmp(candidate, found) != 0)
			continue;
		if (!next->first)
			next->first = &node->first[k];
		next->n++;
	}
	next->complete = !command_word(next->first, next->depth, candidate);
	return 0;
}

const struct arg *arg_find(const struct command *command, const char *word, bool exact)
{
	const struct arg *found = NULL;
	size_t len = strlen(word);

	for (const struct arg *a = command->args; a && a->name; a++) {
		if (a->flags & ARG_POSITIONAL)
			continue;
		if (strcmp(a->name, word) == 0)
			return a;
		if (!exact && len && strncmp(a->name, word, len) == 0) {
			if (found)
				return NULL;
			found = a;
		}
	}
	return found;
}

void invocation_clear(struct invocation *inv)
{
	json_decref(inv->params);
	json_decref(inv->local);
	memset(inv, 0, sizeof(*inv));
}

/* "no such word" with what could stand there. begins: only words that begin so. */
static int word_refuse(const struct tree_node *node, const char *path, const char *word, int why,
		       char *error, size_t error_len)
{
	const char *names[TREE_WORDS + 1] = {NULL}, *near, *help;
	char words[TREE_WORDS][32], list[1024] = "";
	size_t n = 0;

	for (size_t i = 0; n < TREE_WORDS && tree_word(node, i, words[n], &help); i++) {
		struct tree_node below;

		if (why == -E2BIG && strncmp(words[n], word, strlen(word)) != 0)
			continue;
		if (tree_step(node, words[n], &below) == 0 &&
		    (below.first->flags & (CMD_HIDDEN | CMD_SHELL)))
			continue;
		if (list[0])
			strncat(list, ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, words[n], sizeof(list) - strlen(list) - 1);
		names[n] = words[n];
		n++;
	}
	if (!*word) {
		snprintf(error, error_len, "\"%s\" is not complete; expected one of: %s", path,
			 list);
		return -EINVAL;
	}
	if (why == -E2BIG) {
		snprintf(error, error_len, "\"%.40s\" could be any of: %s", word, list);
		return -EINVAL;
	}
	near = text_near_miss(word, names);
	snprintf(error, error_len, "%s%s\"%.40s\" is not a command%s%s%s; expected one of: %s",
		 path, *path ? ": " : "", word, near ? " (did you mean \"" : "", near ? near : "",
		 near ? "\"?)" : "", list);
	return -EINVAL;
}

/* Puts value (stolen) at a dotted key. */
static int key_set(json_t *object, const char *key, json_t *value, bool repeat)
{
	const char *dot = strchr(key, '.');
	char part[64];
	json_t *below;

	if (dot && dot != key) {
		snprintf(part, sizeof(part), "%.*s", (int)(dot - key), key);
		below = json_object_get(object, part);
		if (!json_is_object(below)) {
			below = json_object();
			json_object_set_new(object, part, below);
		}
		return key_set(below, dot + 1, value, repeat);
	}
	if (!repeat)
		return json_object_set_new(object, key, value);
	below = json_object_get(object, key);
	if (!json_is_array(below)) {
		below = json_array();
		json_object_set_new(object, key, below);
	}
	return json_array_append_new(below, value);
}

static bool key_has(const json_t *object, const char *key)
{
	const char *dot = strchr(key, '.');
	char part[64];

	if (!dot)
		return json_object_get(object, key);
	snprintf(part, sizeof(part), "%.*s", (int)(dot - key), key);
	return key_has(json_object_get(object, part), dot + 1);
}

/* Stores one argument in the invocation. */
static int arg_store(struct invocation *inv, const struct arg *arg, const char *text, char *error,
		     size_t error_len)
{
	json_t *value = NULL, *target = inv->params, *member;
	const char *key = arg->key, *name;
	char path[160], why[512];
	int ret;

	if (arg->kind == ARG_FLAG)
		value = json_true();
	else if ((ret = arg_parse(arg, text, &value, why, sizeof(why))) < 0) {
		snprintf(error, error_len, "%s: %s", arg->name, why);
		return ret;
	}
	if (*key == '@') {
		target = inv->local;
		key++;
	}
	switch (arg->kind) {
	case ARG_NEW_SERVICE: /* several keys of the service's object */
		json_object_update(target, value);
		json_decref(value);
		return 0;
	case ARG_ASSIGN:
		json_object_foreach (value, name, member) {
			snprintf(path, sizeof(path), "%s%s", key, name);
			key_set(target, path, json_incref(member), false);
		}
		json_decref(value);
		return 0;
	default:
		return key_set(target, key, value, arg->flags & ARG_REPEAT);
	}
}

/* "one of: weight, forward", and the names for near misses. */
static size_t keywords_list(const struct command *c, const char *names[64], char list[1024])
{
	size_t n = 0;

	list[0] = '\0';
	for (const struct arg *a = c->args; a && a->name && n < 63; a++) {
		if (a->flags & ARG_POSITIONAL)
			continue;
		names[n++] = a->name;
		strncat(list, n > 1 ? ", " : "", 1024 - strlen(list) - 1);
		strncat(list, a->name, 1024 - strlen(list) - 1);
	}
	names[n] = NULL;
	return n;
}

static int keyword_refuse(const struct command *c, const char *word, char *error, size_t error_len)
{
	const char *names[64], *near;
	char list[1024];
	size_t n = keywords_list(c, names, list);

	near = text_near_miss(word, names);
	if (!n)
		snprintf(error, error_len, "%s: \"%.60s\" is too much here", c->words, word);
	else
		snprintf(error, error_len, "%s: \"%.60s\" is not expected%s%s%s; expected %s%s",
			 c->words, word, near ? " (did you mean \"" : "", near ? near : "",
			 near ? "\"?)" : "", n > 1 ? "one of: " : "", list);
	return -EINVAL;
}

/* words[0] is a keyword, alone, with its value in the next word, or as keyword=value. */
static int keyword_take(struct invocation *inv, char *const *words, size_t n, size_t *used,
			char *error, size_t error_len)
{
	const struct command *c = inv->command;
	const struct arg *arg = arg_find(c, words[0], false);
	const char *value = NULL, *key;
	char name[32], expected[128];

	*used = 1;
	if (!arg && strchr(words[0], '=')) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(words[0], "="), words[0]);
		arg = arg_find(c, name, false);
		value = strchr(words[0], '=') + 1;
		if (arg && arg->kind == ARG_FLAG)
			arg = NULL;
	}
	if (!arg)
		return keyword_refuse(c, words[0], error, error_len);
	key = arg->key + (*arg->key == '@');
	if (!(arg->flags & ARG_REPEAT) && arg->kind != ARG_ASSIGN &&
	    key_has(*arg->key == '@' ? inv->local : inv->params, key)) {
		snprintf(error, error_len, "%s: \"%s\" is given twice", c->words, arg->name);
		return -EINVAL;
	}
	if (!value && arg->kind != ARG_FLAG) {
		if (n < 2) {
			snprintf(error, error_len, "%s: \"%s\" needs a value: expected %s",
				 c->words, arg->name,
				 arg_expected(arg, expected, sizeof(expected)));
			return -EINVAL;
		}
		value = words[1];
		*used = 2;
	}
	return arg_store(inv, arg, value, error, error_len);
}

static const struct arg *positional_next(const struct arg *a)
{
	while (a && a->name && !(a->flags & ARG_POSITIONAL))
		a++;
	return a && a->name ? a : NULL;
}

/* "from", "from=VALUE": a keyword as it stands, not shortened. */
static bool is_keyword(const struct command *c, const char *word)
{
	char name[32];
	size_t len = strcspn(word, "=");

	if (len >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	return arg_find(c, name, true) != NULL;
}

static int args_parse(struct invocation *inv, char *const *words, size_t n, char *error,
		      size_t error_len)
{
	const struct command *c = inv->command;
	const struct arg *positional = positional_next(c->args);
	const char *names[64];
	char expected[128], list[1024];
	bool changed = false;
	size_t used;
	int ret;

	for (size_t i = 0; i < n; i += used) {
		/* A keyword wins over a positional argument that may stay empty. */
		bool by_position = positional &&
				   ((positional->flags & ARG_REQUIRED) || !is_keyword(c, words[i]));

		used = 1;
		if (by_position && positional->kind == ARG_REST) {
			for (used = 0; i + used < n; used++)
				key_set(inv->local, positional->key + 1,
					json_string(words[i + used]), true);
			positional = NULL;
			continue;
		}
		if (by_position) {
			ret = arg_store(inv, positional, words[i], error, error_len);
			inv->object = words[i];
			positional = positional_next(positional + 1);
		} else {
			ret = keyword_take(inv, words + i, n - i, &used, error, error_len);
			changed = true;
		}
		if (ret < 0)
			return ret;
	}
	if (positional && (positional->flags & ARG_REQUIRED)) {
		snprintf(error, error_len, "%s: %s is missing: expected %s", c->words,
			 positional->name, arg_expected(positional, expected, sizeof(expected)));
		return -EINVAL;
	}
	for (const struct arg *a = c->args; a && a->name; a++) {
		const bool local = *a->key == '@';

		if ((a->flags & ARG_POSITIONAL) || !(a->flags & ARG_REQUIRED) ||
		    key_has(local ? inv->local : inv->params, a->key + local))
			continue;
		snprintf(error, error_len, "%s: \"%s\" is missing: expected %s", c->words, a->name,
			 arg_expected(a, expected, sizeof(expected)));
		return -EINVAL;
	}
	if ((c->flags & CMD_CHANGE) && !changed) {
		keywords_list(c, names, list);
		snprintf(error, error_len, "%s: nothing to change; expected one of: %s", c->words,
			 list);
		return -EINVAL;
	}
	return 0;
}

int command_parse(const struct command *commands, char *const *words, size_t n,
		  struct invocation *inv, char *error, size_t error_len)
{
	struct tree_node node, next;
	char path[96] = "";
	size_t i = 0;
	int ret;

	memset(inv, 0, sizeof(*inv));
	tree_root(commands, &node);
	while (!node.complete) {
		char word[32];

		if (i == n)
			return word_refuse(&node, path, "", 0, error, error_len);
		ret = tree_step(&node, words[i], &next);
		if (ret < 0)
			return word_refuse(&node, path, words[i], ret, error, error_len);
		node = next;
		i++;
		command_word(node.first, node.depth - 1, word);
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s", *path ? " " : "",
			 word);
	}
	inv->command = node.first;
	inv->params = json_object();
	inv->local = json_object();
	ret = args_parse(inv, words + i, n - i, error, error_len);
	if (ret < 0)
		invocation_clear(inv);
	return ret;
}
