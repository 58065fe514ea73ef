/* SPDX-License-Identifier: BSD-3-Clause */
/* Definitions of a keepalived.conf, "$NAME=text", and the references to them. */
#include "import/keepalived_expand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

size_t kw_name_len(const char *p)
{
	size_t n = 0;

	while (is_name(p[n]))
		n++;
	return n;
}

static struct definition **slot_of(struct expander *e, const char *name, size_t len)
{
	uint32_t h = 5381;
	struct definition **d;

	for (size_t i = 0; i < len; i++)
		h = h * 33 + (unsigned char)name[i];
	d = &e->table[h % KW_TABLE];
	while (*d && (strncmp((*d)->name, name, len) != 0 || (*d)->name[len]))
		d = &(*d)->next;
	return d;
}

void kw_define(struct expander *e, const char *name, size_t len, const char *text)
{
	struct definition **d = slot_of(e, name, len);

	if (!*d) {
		*d = arena_alloc(e->im, sizeof(**d));
		(*d)->name = arena_copy(e->im, name, len);
	}
	(*d)->text = text;
}

/* "$NAME=..." at p: the length of NAME, else 0. */
size_t kw_definition_len(const char *p)
{
	size_t n = *p == '$' ? kw_name_len(p + 1) : 0;

	return n && p[1 + n] == '=' ? n : 0;
}

/* Where the file is, from the root where that can be told. */
static const char *working_directory(struct importer *im, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *dir = slash ? arena_copy(im, file, (size_t)(slash - file)) : ".";
	char *real = im->options->closed ? NULL : realpath(dir, NULL);

	if (real)
		dir = arena_printf(im, "%s", real);
	free(real);
	return dir;
}

const char *kw_directory(struct importer *im, const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? arena_copy(im, file, (size_t)(slash - file)) : ".";
}

/* ${_NAME ...}: what keepalived defines itself. NULL: it does not. */
static const char *builtin(struct expander *e, struct origin at, const char *name, size_t len)
{
	const char *text = arena_copy(e->im, name, len), *value;

	if (strcmp(text, "_PWD") == 0)
		return working_directory(e->im, e->file);
	if (strcmp(text, "_INSTANCE") == 0)
		return e->id;
	if (strcmp(text, "_HASH") == 0)
		return "#";
	if (strcmp(text, "_BANG") == 0)
		return "!";
	if (strncmp(text, "_ENV ", 5) == 0) {
		value = e->im->options->closed ? NULL : getenv(text + 5);
		note(e->im, at, NOTE_DIFFERS, "${%.64s} is taken from this machine: %s", text,
		     value ? "it is set here" : "it is not set here, nothing is put in");
		return value ? arena_printf(e->im, "%s", value) : "";
	}
	if (strncmp(text, "_RANDOM", 7) == 0) {
		note(e->im, at, NOTE_DIFFERS, "${%.32s} differs at each start: 0 is put in", text);
		return "0";
	}
	return NULL;
}

/* The first reference of the line that is defined: where it stands and what it is. */
const char *kw_reference_find(struct expander *e, struct origin at, const char *line, size_t *start,
			      size_t *end)
{
	for (const char *p = strchr(line, '$'); p; p = strchr(p + 1, '$')) {
		bool braces = p[1] == '{';
		const char *name = p + 1 + braces, *close = braces ? strchr(name, '}') : NULL;
		size_t len = kw_name_len(name);
		const struct definition *d;
		const char *text = NULL;

		*start = (size_t)(p - line);
		if (braces && close && *name == '_')
			text = builtin(e, at, name, (size_t)(close - name));
		*end = close ? (size_t)(close + 1 - line) : *start + 1 + len;
		if (text)
			return text;
		if (!len || (braces ? name[len] != '}' : name[len] && !strchr(" \t", name[len])))
			continue;
		d = *slot_of(e, name, len);
		if (d)
			return d->text;
	}
	return NULL;
}
