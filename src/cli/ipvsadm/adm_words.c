/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words of a command line as the popt library reads them, which ipvsadm uses: options and
 * other words in any order, clusters of letters ("-Ln"), a value in the same word ("-srr",
 * "-s=rr", "--scheduler=rr") or in the next one, long options by their whole name only.
 */
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

static const struct adm_word *find_long(const struct adm_words *w, const char *name, size_t len)
{
	for (const struct adm_word *o = w->table; o->id; o++)
		if (o->name && strncmp(o->name, name, len) == 0 && !o->name[len])
			return o;
	return NULL;
}

static const struct adm_word *find_letter(const struct adm_words *w, char letter)
{
	for (const struct adm_word *o = w->table; o->id; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

/* inside: what follows in the same word, or NULL. */
static int value_take(struct adm_words *w, const struct adm_word *o, const char *inside,
		      const char **value)
{
	*value = NULL;
	if (o->value == ADM_NONE)
		return o->id;
	w->cluster = NULL;
	if (inside) {
		*value = inside;
		return o->id;
	}
	if (w->next == w->argc || (o->value == ADM_OPTIONAL && w->argv[w->next][0] == '-'))
		return o->value == ADM_OPTIONAL ? o->id : ADM_NO_VALUE;
	*value = w->argv[w->next++];
	return o->id;
}

static int letter_take(struct adm_words *w, const char **value)
{
	const struct adm_word *o = find_letter(w, *w->cluster);
	const char *rest = w->cluster + 1;
	const bool equals = *rest == '=';

	w->cluster = o && *rest && !equals ? rest : NULL;
	if (!o)
		return ADM_BAD;
	if (equals && o->value == ADM_NONE)
		return ADM_UNWANTED;
	/* "-s=" has an empty value. */
	return value_take(w, o, equals ? rest + 1 : w->cluster, value);
}

static int long_take(struct adm_words *w, const char *word, const char **value)
{
	size_t len = strcspn(word, "=");
	const struct adm_word *o = find_long(w, word, len);

	if (!o)
		return ADM_BAD;
	if (o->value == ADM_NONE && word[len])
		return ADM_UNWANTED;
	return value_take(w, o, word[len] ? word + len + 1 : NULL, value);
}

int adm_words_next(struct adm_words *w, const char **value)
{
	if (w->cluster)
		return letter_take(w, value);
	while (w->next < w->argc) {
		char *word = w->argv[w->next++];

		if (w->rest || word[0] != '-' || !word[1]) {
			w->left[w->n_left++] = word;
		} else if (strcmp(word, "--") == 0) {
			w->rest = true;
		} else if (word[1] == '-') {
			return long_take(w, word + 2, value);
		} else {
			w->cluster = word + 1;
			return letter_take(w, value);
		}
	}
	return ADM_END;
}

const char *adm_words_last(const struct adm_words *w)
{
	return w->argv[w->next - 1];
}

const char *adm_words_fault(int code)
{
	return code == ADM_BAD	      ? "unknown option"
	       : code == ADM_NO_VALUE ? "missing argument"
				      : "option does not take an argument";
}

const char *adm_words_left(struct adm_words *w)
{
	return w->taken < w->n_left ? w->left[w->taken++] : NULL;
}
