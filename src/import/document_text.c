/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of a document: commas, comments, and the origin of each line. */
#include "import/document.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "import/json_put.h"

void doc_newline(struct doc *d)
{
	fputc('\n', d->f);
	d->line++;
}

static void tabs(struct doc *d)
{
	for (uint32_t i = 0; i < d->depth; i++)
		fputc('\t', d->f);
}

/* Comments wait: the comma of what came before goes first. */
void doc_comment(struct doc *d, const char *fmt, ...)
{
	struct lvs_word *w;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	w = arena_alloc(d->im, sizeof(*w));
	w->text = arena_printf(d->im, "%s", text);
	*(d->comments ? &d->comments_last->next : &d->comments) = w;
	d->comments_last = w;
}

static void comments_flush(struct doc *d)
{
	for (const struct lvs_word *w = d->comments; w; w = w->next) {
		tabs(d);
		fprintf(d->f, "// %s", w->text);
		doc_newline(d);
	}
	d->comments = NULL;
}

static void origin_here(struct doc *d, struct origin at)
{
	if (d->line >= d->n_origins) {
		uint32_t n = d->n_origins ? d->n_origins * 2 : 256;
		struct origin *v = arena_alloc(d->im, n * sizeof(*v));

		if (d->n_origins)
			memcpy(v, d->origins, d->n_origins * sizeof(*v));
		d->origins = v;
		d->n_origins = n;
	}
	d->origins[d->line] = at;
}

void doc_item(struct doc *d, struct origin at)
{
	if (!d->first[d->depth])
		fputc(',', d->f);
	doc_newline(d);
	d->first[d->depth] = false;
	comments_flush(d);
	tabs(d);
	origin_here(d, at);
}

void doc_open(struct doc *d, struct origin at, const char *key, char bracket)
{
	doc_item(d, at);
	if (key)
		fprintf(d->f, "\"%s\": ", key);
	fputc(bracket, d->f);
	d->depth++;
	d->first[d->depth] = true;
}

void doc_close(struct doc *d, char bracket)
{
	doc_newline(d);
	comments_flush(d);
	d->depth--;
	tabs(d);
	fputc(bracket, d->f);
}

void doc_value(struct doc *d, struct origin at, const char *key, const char *fmt, ...)
{
	va_list ap;

	doc_item(d, at);
	fprintf(d->f, "\"%s\": ", key);
	va_start(ap, fmt);
	vfprintf(d->f, fmt, ap);
	va_end(ap);
}

void doc_text(struct doc *d, struct origin at, const char *key, const char *text)
{
	doc_item(d, at);
	fprintf(d->f, "\"%s\": ", key);
	json_put(d->f, text);
}

const char *doc_time(struct doc *d, uint32_t ms)
{
	char text[32];

	return arena_printf(d->im, "\"%s\"", duration_format(ms, text, sizeof(text)));
}
