/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of keepalived as plain lines. A line goes through these steps, and through all of them
 * again when one has changed it: condition, definition, sequence, replacement of the first
 * reference, include. References are replaced where they are used, one at a time, since the
 * text of a definition may hold sequences and lines of its own.
 *
 * Bounds: STEPS_MAX for references within references, OUTPUT_MAX for all that comes of them.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import/keepalived_expand.h"

#define STEPS_MAX    200U
#define OUTPUT_MAX   (64U << 20)
#define LINE_COST    64U /* of an empty line, too */
#define FILES_MAX    1000U
#define INCLUDES_MAX 16U
#define SEQUENCE_MAX 65536

static void line_expand(struct expander *e, struct origin at, const char *line, uint32_t steps);

/* ---- references ---- */

/* The line with text in place of [start, end): may have become several lines. */
static void line_replace(struct expander *e, struct origin at, const char *line, size_t start,
			 size_t end, const char *text, uint32_t steps)
{
	size_t len = strlen(line) + strlen(text);
	char *all, *p, *lf;

	e->output += len + LINE_COST;
	if (e->output > OUTPUT_MAX)
		give_up(e->im, at, "definitions and sequences become more than %u MiB",
			OUTPUT_MAX >> 20);
	all = arena_printf(e->im, "%.*s%s%s", (int)start, line, text, line + end);
	for (p = all; (lf = strchr(p, '\n')); p = lf + 1) {
		*lf = '\0';
		line_expand(e, at, p, steps);
	}
	line_expand(e, at, p, steps);
}

/* ---- sequences ---- */

/* The text with all references replaced that are no lines of their own. */
static const char *inline_expand(struct expander *e, struct origin at, const char *text)
{
	size_t start, end;
	const char *value;

	for (uint32_t i = 0; (value = kw_reference_find(e, at, text, &start, &end)); i++) {
		e->output += strlen(text) + strlen(value);
		if (i == STEPS_MAX || e->output > OUTPUT_MAX)
			give_up(e->im, at, "a definition refers to itself");
		text = arena_printf(e->im, "%.*s%s%s", (int)start, text, value, text + end);
	}
	return text;
}

static char *trimmed(char *p)
{
	size_t len;

	p += strspn(p, " \t");
	for (len = strlen(p); len && strchr(" \t", p[len - 1]); len--)
		p[len - 1] = '\0';
	return p;
}

/* Splits at commas outside of braces, in place. */
static size_t list_split(char *p, char *items[], size_t max)
{
	size_t n = 0;
	int depth = 0;

	items[n++] = p;
	for (; *p; p++) {
		depth += *p == '{' ? 1 : *p == '}' ? -1 : 0;
		if (*p == ',' && depth == 0 && n < max) {
			*p = '\0';
			items[n++] = p + 1;
		}
	}
	for (size_t i = 0; i < n; i++)
		items[i] = trimmed(items[i]);
	return n;
}

static char *braces_off(char *p)
{
	size_t len = strlen(p);

	if (len >= 2 && p[0] == '{' && p[len - 1] == '}') {
		p[len - 1] = '\0';
		p++;
	}
	return p;
}

/* ~SEQ(var[, start[, step]], end) */
static void sequence_run(struct expander *e, struct origin at, char *items[], size_t n, bool hex,
			 const char *rest, uint32_t steps)
{
	long v[3] = {1, 1, 1}; /* start, step, end */
	char *tail;

	for (size_t i = 1; i < n; i++) {
		size_t to = i == n - 1 ? 2 : i - 1;

		v[to] = strtol(items[i], &tail, hex ? 16 : 10);
		if (tail == items[i] || *tail || labs(v[to]) > 1000000000L)
			n = 0;
	}
	if (n == 3 && v[0] > v[2])
		v[1] = -1;
	if (n < 2 || n > 4 || v[1] == 0 || labs(v[2] - v[0]) / labs(v[1]) > SEQUENCE_MAX) {
		note(e->im, at, NOTE_ERROR, "~SEQ: expected (NAME, START, STEP, END)");
		return;
	}
	for (long i = v[0]; v[1] > 0 ? i <= v[2] : i >= v[2]; i += v[1]) {
		kw_define(e, items[0], strlen(items[0]),
			  arena_printf(e->im, hex ? "%lx" : "%ld", (unsigned long)i));
		line_replace(e, at, rest, 0, 0, "", steps);
	}
}

/* ~LST(var, a, b) and ~LST({x,y}, {1,2}, {3,4}) */
static void list_run(struct expander *e, struct origin at, char *items[], size_t n,
		     const char *rest, uint32_t steps)
{
	char *names[16], *values[16];
	size_t n_names = list_split(braces_off(items[0]), names, 16), n_values;

	for (size_t i = 1; i < n; i++) {
		n_values = 1;
		values[0] = items[i];
		if (n_names > 1)
			n_values = list_split(braces_off(items[i]), values, 16);
		if (n_values != n_names) {
			note(e->im, at, NOTE_ERROR, "~LST: expected %zu values in braces", n_names);
			return;
		}
		for (size_t k = 0; k < n_names; k++)
			kw_define(e, names[k], strlen(names[k]), values[k]);
		line_replace(e, at, rest, 0, 0, "", steps);
	}
}

static bool sequence_expand(struct expander *e, struct origin at, const char *line, uint32_t steps)
{
	const char *seq = strstr(line, "~SEQ"), *lst = strstr(line, "~LST");
	const char *p = !lst || (seq && seq < lst) ? seq : lst, *open, *close;
	bool hex = p && p == seq && p[4] == 'x';
	char *items[1024];
	const char *rest;
	size_t n;

	if (!p || p[4 + hex] != '(')
		return false;
	open = p + 5 + hex;
	close = strchr(open, ')');
	if (!close) {
		note(e->im, at, NOTE_ERROR, "%.4s: the bracket is not closed", p);
		return true;
	}
	rest = arena_printf(e->im, "%.*s%s", (int)(p - line), line, close + 1);
	open = inline_expand(e, at, arena_copy(e->im, open, (size_t)(close - open)));
	n = list_split(arena_copy(e->im, open, strlen(open)), items, 1024);
	if (p == seq)
		sequence_run(e, at, items, n, hex, rest, steps);
	else
		list_run(e, at, items, n, rest, steps);
	return true;
}

/* ---- files ---- */

static void file_read(struct expander *e, const char *file, const char *text, size_t len);

static void file_include(struct expander *e, struct origin at, const char *path)
{
	const char *why, *before = e->file, *text;
	size_t len;

	if (++e->n_files > FILES_MAX)
		give_up(e->im, at, "more than %u files are included", FILES_MAX);
	if (e->n_includes >= INCLUDES_MAX)
		give_up(e->im, at,
			"files include each other deeper than %u: a file may include "
			"itself",
			INCLUDES_MAX);
	text = e->im->options->closed ? NULL : input_read(e->im, path, &len, &why);
	if (!text) {
		note(e->im, at, NOTE_ERROR, "include %.256s: %s", path,
		     e->im->options->closed ? "no files are read here" : why);
		return;
	}
	path = arena_copy(e->im, path, strlen(path));
	input_check(e->im, path, text, len);
	e->n_includes++;
	file_read(e, path, text, len);
	e->n_includes--;
	e->file = before;
}

/* keyword: "include", "includer", ... */
static void files_include(struct expander *e, struct origin at, const char *keyword,
			  const char *pattern)
{
	const char *path = pattern;
	struct text_buf found = {0};
	glob_t g;

	if (*pattern != '/')
		path = arena_printf(e->im, "%s/%s", kw_directory(e->im, e->file), pattern);
	if (!strpbrk(pattern, "*?[{")) {
		file_include(e, at, path);
		return;
	}
	if (e->im->options->closed || glob(path, GLOB_BRACE, NULL, &g) != 0) {
		if (strcmp(keyword, "includer") != 0)
			note(e->im, at, NOTE_DIFFERS,
			     "include %.256s matches no file: keepalived complains and goes on",
			     pattern);
		return;
	}
	/* Copied: give_up() would leak what glob() holds. */
	for (size_t i = 0; i < g.gl_pathc && i < FILES_MAX; i++)
		buf_printf(e->im, &found, "%s\n", g.gl_pathv[i]);
	globfree(&g);
	for (char *p = found.data, *lf; p && (lf = strchr(p, '\n')); p = lf + 1) {
		*lf = '\0';
		file_include(e, at, p);
	}
}

/* A file name with braces, which the reader of words takes for blocks; NULL: it has none, or quotes
 * around it. */
static const char *braced_name(struct expander *e, const char *rest)
{
	const char *name = rest + strspn(rest, " \t\f\v");
	const size_t len = strcspn(name, " \t\f\v\r\n#!");
	const char *end = name + len + strspn(name + len, " \t\f\v\r\n");

	if (strchr("\"'", *name) || !memchr(name, '{', len) || (*end && *end != '#' && *end != '!'))
		return NULL;
	return arena_copy(e->im, name, len);
}

static bool include_expand(struct expander *e, struct origin at, const char *line)
{
	const char *p = line + strspn(line, " \t");
	size_t len = strcspn(p, " \t");
	const char *name;
	struct kw_tree words;

	if (strncmp(p, "include", 7) != 0 || len > 8 || (len == 8 && !strchr("rmwba", p[7])) ||
	    !p[len])
		return false;
	name = braced_name(e, p + len);
	if (name) {
		files_include(e, at, arena_copy(e->im, p, len), name);
		return true;
	}
	kw_tree_init(&words, e->im);
	kw_tree_line(&words, at, line);
	if (words.root.children && words.root.children->n == 2)
		files_include(e, at, kw_word(e->im, words.root.children, 0),
			      kw_word(e->im, words.root.children, 1));
	else
		note(e->im, at, NOTE_ERROR, "include: expected one file name");
	return true;
}

/* ---- lines ---- */

/* The text behind a condition, whoever it is for. */
static const char *condition_skip(const char *line)
{
	const char *p = line + strspn(line, " \t");

	if (*p == '@')
		p += strcspn(p, " \t");
	return p + strspn(p, " \t");
}

/* "@id rest", "@^id rest": NULL: not for this router. */
static const char *condition_take(struct expander *e, const char *line)
{
	const char *p = line + strspn(line, " \t");
	bool negate = p[0] == '@' && p[1] == '^', same;
	size_t len;

	if (*p != '@')
		return line;
	p += 1 + negate;
	len = strcspn(p, " \t");
	same = strlen(e->id) == len && strncmp(p, e->id, len) == 0;
	return same != negate ? p + len : NULL;
}

/* keepalived looks for includes before it looks at conditions. */
static void conditional_line(struct expander *e, struct origin at, const char *line)
{
	if (strncmp(line, "include", 7) == 0 && strchr(line, ' '))
		note(e->im, at, NOTE_DIFFERS,
		     "an include behind a condition: keepalived does not read the file, and so "
		     "does the import; it is likely meant");
	else
		kw_tree_line(e->tree, at, line);
}

static void line_expand(struct expander *e, struct origin at, const char *line, uint32_t steps)
{
	const char *p = condition_take(e, line), *text;
	size_t len, start, end;

	if (!p) {
		note(e->im, at, NOTE_DROPPED,
		     "a line for another router: this import is for \"%s\" (--id)", e->id);
		return;
	}
	if (steps == STEPS_MAX)
		give_up(e->im, at, "a definition refers to itself");
	p += strspn(p, " \t");
	len = kw_definition_len(p);
	if (len) {
		kw_define(e, p + 1, len, arena_copy(e->im, p + 2 + len, strlen(p + 2 + len)));
		return;
	}
	if (sequence_expand(e, at, p, steps + 1))
		return;
	text = kw_reference_find(e, at, p, &start, &end);
	if (text)
		line_replace(e, at, p, start, end, text, steps + 1);
	else if (p != line && *(line + strspn(line, " \t")) == '@')
		conditional_line(e, at, p);
	else if (!include_expand(e, at, p))
		kw_tree_line(e->tree, at, p);
}

/* A comment runs from # or ! to the end, but not inside of double quotes; a backslash
 * before it takes its meaning away. */
static char *comment_off(struct importer *im, const char *line, size_t len)
{
	char *copy = arena_copy(im, line, len);
	bool quoted = false;

	for (char *p = copy; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted && (*p == '#' || *p == '!')) {
			*p = '\0';
			break;
		}
	}
	return copy;
}

/* A definition may go on behind a backslash: its lines are kept apart. */
static bool continues(char *line)
{
	size_t len = strlen(line);

	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (!len || line[len - 1] != '\\')
		return false;
	line[len - 1] = '\0';
	return true;
}

static const char *definition_read(struct expander *e, struct lines *l, char *first)
{
	struct text_buf b = {0};
	const char *raw;
	char *line = first;
	size_t len;
	bool more = continues(line);

	buf_puts(e->im, &b, line);
	while (more && line_next(l, &raw, &len)) {
		line = comment_off(e->im, raw, len);
		more = continues(line);
		buf_puts(e->im, &b, "\n");
		buf_puts(e->im, &b, line);
	}
	return b.data;
}

static void file_read(struct expander *e, const char *file, const char *text, size_t len)
{
	struct lines l;
	const char *raw;
	size_t n;

	e->file = file;
	lines_init(&l, file, text, len);
	while (line_next(&l, &raw, &n)) {
		struct origin at = l.here;
		char *line = comment_off(e->im, raw, n);
		const char *p = condition_skip(line);

		line_expand(e, at, kw_definition_len(p) ? definition_read(e, &l, line) : line, 0);
	}
}

void kw_read(struct importer *im, const char *file, const char *text, size_t len,
	     struct kw_tree *tree)
{
	struct expander *e = arena_alloc(im, sizeof(*e));
	char host[256] = "";

	e->im = im;
	e->tree = tree;
	e->id = im->options->id;
	if (!e->id) {
		gethostname(host, sizeof(host) - 1);
		host[strcspn(host, ".")] = '\0';
		e->id = arena_printf(im, "%s", host);
	}
	file_read(e, file, text, len);
	kw_tree_end(tree);
}
