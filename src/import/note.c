/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "import/importer.h"

static const char *const kind_words[NOTE_MAX] = {
	[NOTE_IMPORTED] = "imported",
	[NOTE_DROPPED] = "dropped without effect",
	[NOTE_NOTICE] = "notice",
	[NOTE_DIFFERS] = "differs",
	[NOTE_UNSAID] = "cannot be expressed",
	[NOTE_OPENS] = "left out, would be open",
	[NOTE_LOST] = "left out",
	[NOTE_ERROR] = "error",
};

static void note_va(struct importer *im, struct origin at, enum note_kind kind, const char *fmt,
		    va_list ap)
{
	struct note *n;
	char text[1024];

	im->n_kind[kind]++;
	if (im->n_notes >= MAX_NOTES) {
		im->n_more++;
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	n = arena_alloc(im, sizeof(*n));
	n->text = arena_copy(im, text, strlen(text));
	n->at = at;
	n->kind = kind;
	n->order = im->n_notes++;
	*im->notes_end = n;
	im->notes_end = &n->next;
}

void note(struct importer *im, struct origin at, enum note_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_va(im, at, kind, fmt, ap);
	va_end(ap);
}

/* The arena may be the reason: this note takes none of it. */

bool notes_refuse(const struct importer *im)
{
	if (im->n_kind[NOTE_ERROR])
		return true;
	return !im->options->force && (im->n_kind[NOTE_LOST] || im->n_kind[NOTE_OPENS]);
}

/* ---- report ---- */

static int text_cmp(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a ? a : "", b ? b : "");
}

/* By file, line and kind, alike ones together; notes on the whole file come last. */
static int note_cmp(const void *a, const void *b)
{
	const struct note *x = *(const struct note *const *)a;
	const struct note *y = *(const struct note *const *)b;
	uint32_t lx = x->at.line ? x->at.line : UINT32_MAX;
	uint32_t ly = y->at.line ? y->at.line : UINT32_MAX;
	int order = text_cmp(x->at.file, y->at.file);

	if (!x->at.file != !y->at.file)
		return x->at.file ? -1 : 1;
	if (order)
		return order;
	if (lx != ly)
		return lx < ly ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = strcmp(x->text, y->text);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* No control character of a file reaches a terminal. */
static void plain_put(FILE *f, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			fprintf(f, "\\x%02x", *p);
		else
			fputc(*p, f);
}

static void note_put(const struct note *n, FILE *report)
{
	if (n->at.file) {
		plain_put(report, n->at.file);
		if (n->at.line)
			fprintf(report, ":%u", n->at.line);
		fputs(": ", report);
	}
	fprintf(report, "%s: ", kind_words[n->kind]);
	plain_put(report, n->text);
	fputc('\n', report);
}

static void sum_put(const struct importer *im, FILE *report)
{
	const uint32_t *k = im->n_kind;

	if (im->n_more)
		fprintf(report, "%u more notes are not shown\n", im->n_more);
	fprintf(report,
		"%u imported, %u dropped without effect, %u differ, %u cannot be expressed, %u "
		"left out, %u errors: %s\n",
		k[NOTE_IMPORTED], k[NOTE_DROPPED], k[NOTE_DIFFERS], k[NOTE_UNSAID],
		k[NOTE_LOST] + k[NOTE_OPENS], k[NOTE_ERROR],
		k[NOTE_ERROR]	   ? "refused, nothing is written"
		: notes_refuse(im) ? "refused: what is written lacks what was left out (--force "
				     "accepts that)"
				   : "done");
}

void notes_put(struct importer *im, FILE *report)
{
	const struct note **v = calloc(im->n_notes + 1, sizeof(const struct note *));
	uint32_t n = 0;

	for (const struct note *each = im->notes; v && each; each = each->next)
		v[n++] = each;
	if (v)
		qsort(v, n, sizeof(const struct note *), note_cmp);
	/* A definition that is used often says the same each time. */
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || v[i]->at.line != v[i - 1]->at.line || v[i]->kind != v[i - 1]->kind ||
		    strcmp(v[i]->text, v[i - 1]->text) != 0)
			note_put(v[i], report);
	sum_put(im, report);
	free(v);
}
