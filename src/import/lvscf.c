/* SPDX-License-Identifier: BSD-3-Clause */
/* Piranha's lvs.cf: lines, words, blocks. All faults are noted; none is repaired. */
#include "import/lvscf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct importer *im;
	struct origin at;
	struct lvscf *cf;
	struct lvscf_block *virtual, *server; /* open ones */
	struct lvscf_word words[LVSCF_WORDS];
	int n;
};

/* ---- words ---- */

int lvscf_split(struct importer *im, const char *line, size_t len,
		struct lvscf_word words[LVSCF_WORDS], const char **why)
{
	size_t i = 0, start;
	int n = 0;

	for (;;) {
		char quote;

		while (i < len && (line[i] == ' ' || line[i] == '\t'))
			i++;
		if (i == len)
			return n;
		if (n == LVSCF_WORDS) {
			*why = "more than 100 words";
			return -1;
		}
		quote = line[i] == '"' || line[i] == '\'' ? line[i] : '\0';
		start = quote ? ++i : i;
		while (i < len && (quote ? line[i] != quote : line[i] != ' ' && line[i] != '\t'))
			i++;
		if (quote && i == len) {
			*why = "a quote is not closed";
			return -1;
		}
		words[n].text = arena_copy(im, line + start, i - start);
		words[n].len = i - start;
		words[n++].quoted = quote != '\0';
		i += quote != '\0';
		if (quote && i < len && line[i] != ' ' && line[i] != '\t') {
			*why = "text stands right behind a closing quote";
			return -1;
		}
	}
}

/* ---- values ---- */

static void fault(struct reader *r, const char *name, const char *expected)
{
	note(r->im, r->at, NOTE_ERROR, "%s: expected %s", name, expected);
}

static bool number_base0(const char *text, uint32_t *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 0);
	if (end == text || *end || errno || n < 0 || n > 0x7fffffffL)
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool port_take(struct reader *r, const char *text, uint32_t *out)
{
	if (number_base0(text, out))
		return *out <= 65535;
	if (port_lookup(text, "tcp", out) == 0)
		return true;
	if (port_lookup(text, "udp", out) < 0)
		return false;
	note(r->im, r->at, NOTE_DIFFERS,
	     "port \"%s\" is the name of a UDP port only: %u is taken; lvsd looks names up as TCP "
	     "and "
	     "refuses this file",
	     text, *out);
	return true;
}

static void value_take(struct reader *r, const struct lvscf_row *row, struct lvscf_value *v)
{
	const struct lvscf_word *w = &r->words[2];
	uint32_t mask;

	v->at = r->at;
	v->text = w->text;
	v->len = w->len;
	v->device = row->type == TYPE_ADDRESS_DEVICE ? r->words[3].text : NULL;
	switch (row->type) {
	case TYPE_FLAG:
		if (strcmp(w->text, "0") != 0 && strcmp(w->text, "1") != 0)
			fault(r, row->name, "0 or 1");
		v->number = w->text[0] == '1';
		break;
	case TYPE_NUMBER:
		if (!number_base0(w->text, &v->number))
			fault(r, row->name, "a number");
		else if (w->text[0] == '0' && w->len > 1)
			note(r->im, r->at, NOTE_NOTICE,
			     "%s: %s is %u: numbers are read as C does, octal behind 0", row->name,
			     w->text, v->number);
		break;
	case TYPE_PORT:
		if (!port_take(r, w->text, &v->number))
			fault(r, row->name, "a port from 0 to 65535, or a service's name");
		break;
	case TYPE_MASK:
		if (!netmask_parse(w->text, &mask))
			fault(r, row->name, "a dotted netmask");
		v->number = mask;
		break;
	default:
		break;
	}
}

static void directive_take(struct reader *r)
{
	uint32_t level = r->server ? LEVEL_SERVER : r->virtual ? LEVEL_VIRTUAL : LEVEL_GLOBAL;
	struct lvscf_block *block = r->server	 ? r->server
				    : r->virtual ? r->virtual
						 : &r->cf->globals;
	const struct lvscf_row *row = NULL;
	int want;

	for (int i = 0; i < D_MAX && !row; i++)
		if ((lvscf_rows[i].levels & level) &&
		    strcmp(lvscf_rows[i].name, r->words[0].text) == 0)
			row = &lvscf_rows[i];
	if (!row) {
		note(r->im, r->at, NOTE_ERROR, "\"%.64s\" is no directive %s", r->words[0].text,
		     r->server	  ? "of a server"
		     : r->virtual ? "of a virtual"
				  : "at the top");
		return;
	}
	want = row->type == TYPE_ADDRESS_DEVICE ? 4 : 3;
	if (r->n < 2 || strcmp(r->words[1].text, "=") != 0 || r->words[1].quoted)
		fault(r, row->name, "\" = \" behind it, with blanks");
	else if (r->n < want)
		fault(r, row->name,
		      row->type == TYPE_ADDRESS_DEVICE ? "an address and a device" : "a value");
	else if (r->n > want)
		note(r->im, r->at, NOTE_ERROR, "%s: unexpected \"%.64s\" behind the value",
		     row->name, r->words[want].text);
	else
		value_take(r, row, &block->v[row->id]);
	if (row->dropped && r->n == want && !(block->failover && level == LEVEL_VIRTUAL))
		note(r->im, r->at, NOTE_DROPPED, "%s: %s", row->name, row->dropped);
}

/* ---- blocks ---- */

static struct lvscf_block *block_new(struct reader *r)
{
	struct lvscf_block *b = arena_alloc(r->im, sizeof(*b));

	b->at = r->at;
	b->name = r->words[1].text;
	b->servers_end = &b->servers;
	return b;
}

static void block_open(struct reader *r)
{
	const char *kind = r->words[0].text;

	if (strcmp(kind, "server") == 0) {
		if (!r->virtual || r->server) {
			note(r->im, r->at, NOTE_ERROR, "a server stands in a virtual");
			return;
		}
		r->server = block_new(r);
		r->server->port_so_far = r->virtual->v[D_PORT].at.line
						 ? r->virtual->v[D_PORT].number
						 : 80;
		*r->virtual->servers_end = r->server;
		r->virtual->servers_end = &r->server->next;
		return;
	}
	if (r->virtual) {
		note(r->im, r->at, NOTE_ERROR,
		     "a %s inside of the block of line %u, which is not closed", kind,
		     r->virtual->at.line);
		return;
	}
	r->virtual = block_new(r);
	r->virtual->failover = strcmp(kind, "failover") == 0;
	*r->cf->virtuals_end = r->virtual;
	r->cf->virtuals_end = &r->virtual->next;
}

static void block_close(struct reader *r)
{
	if (r->n > 1)
		note(r->im, r->at, NOTE_ERROR, "unexpected text behind }");
	if (r->server)
		r->server = NULL;
	else if (r->virtual)
		r->virtual = NULL;
	else
		note(r->im, r->at, NOTE_ERROR, "a } without a block that it could close");
}

static bool is_block(const struct reader *r)
{
	const char *w = r->words[0].text;

	return (strcmp(w, "virtual") == 0 || strcmp(w, "failover") == 0 ||
		strcmp(w, "server") == 0) &&
	       !r->words[0].quoted;
}

static void line_take(struct reader *r)
{
	if (r->n == 0 || (r->words[0].text[0] == '#' && !r->words[0].quoted))
		return;
	if (strcmp(r->words[0].text, "}") == 0)
		block_close(r);
	else if (!is_block(r))
		directive_take(r);
	else if (r->n != 3 || strcmp(r->words[2].text, "{") != 0)
		fault(r, r->words[0].text, "a name and { on the same line");
	else
		block_open(r);
}

void lvscf_read(struct importer *im, const char *file, const char *text, size_t len)
{
	struct reader *r = arena_alloc(im, sizeof(*r));
	struct lvscf *cf = arena_alloc(im, sizeof(*cf));
	const char *line, *why;
	struct lines l;
	size_t n;

	r->im = im;
	r->cf = cf;
	cf->virtuals_end = &cf->virtuals;
	lines_init(&l, file, text, len);
	while (line_next(&l, &line, &n)) {
		size_t blank = 0;

		while (blank < n && (line[blank] == ' ' || line[blank] == '\t'))
			blank++;
		if (blank == n || line[blank] == '#')
			continue;
		r->at = l.here;
		r->n = lvscf_split(im, line, n, r->words, &why);
		if (r->n < 0)
			note(im, l.here, NOTE_ERROR, "%s", why);
		else
			line_take(r);
	}
	if (r->server || r->virtual)
		note(im, r->server ? r->server->at : r->virtual->at, NOTE_ERROR,
		     "the block that begins here is not closed");
	if (!im->n_kind[NOTE_ERROR])
		lvscf_map(im, cf);
}
