/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ldirectord.cf: lines. virtual= begins a block, whose lines are indented by four blanks or a
 * tab; any other line ends it, an empty one too, but not a line that is only a comment.
 */
#include "import/ldirectord.h"

#include <string.h>

#define G 1U
#define V 2U

#define MAIL "mail is sent by a program of node.notify.health"

enum type {
	TYPE_TEXT,
	TYPE_QUOTED, /* double quotes are needed */
	TYPE_NUMBER, /* the first digits */
	TYPE_YES,
};

static const struct row {
	const char *name;
	uint32_t levels;
	enum type type;
	enum ldir_key key;
	const char *dropped;
} rows[] = {
	{"checktimeout", G | V, TYPE_NUMBER, K_CHECKTIMEOUT, NULL},
	{"negotiatetimeout", G | V, TYPE_NUMBER, K_NEGOTIATETIMEOUT, NULL},
	{"checkinterval", G | V, TYPE_NUMBER, K_CHECKINTERVAL, NULL},
	{"checkcount", G | V, TYPE_NUMBER, K_CHECKCOUNT, NULL},
	{"failurecount", G | V, TYPE_NUMBER, K_FAILURECOUNT, NULL},
	{"quiescent", G | V, TYPE_YES, K_QUIESCENT, NULL},
	{"fallback", G | V, TYPE_TEXT, K_FALLBACK, NULL},
	{"fallback6", G | V, TYPE_TEXT, K_FALLBACK6, NULL},
	{"fallbackcommand", G | V, TYPE_TEXT, K_FALLBACKCOMMAND, NULL},
	{"fork", G, TYPE_YES, K_FORK, NULL},
	{"execute", G, TYPE_TEXT, K_EXECUTE, NULL},
	{"request", V, TYPE_QUOTED, K_REQUEST, NULL},
	{"receive", V, TYPE_QUOTED, K_RECEIVE, NULL},
	{"checktype", V, TYPE_TEXT, K_CHECKTYPE, NULL},
	{"checkcommand", V, TYPE_TEXT, K_CHECKCOMMAND, NULL},
	{"checkport", V, TYPE_TEXT, K_CHECKPORT, NULL},
	{"scheduler", V, TYPE_TEXT, K_SCHEDULER, NULL},
	{"schedflags", V, TYPE_TEXT, K_SCHEDFLAGS, NULL},
	{"persistent", V, TYPE_NUMBER, K_PERSISTENT, NULL},
	{"netmask", V, TYPE_TEXT, K_NETMASK, NULL},
	{"protocol", V, TYPE_TEXT, K_PROTOCOL, NULL},
	{"service", V, TYPE_TEXT, K_SERVICE, NULL},
	{"httpmethod", V, TYPE_TEXT, K_HTTPMETHOD, NULL},
	{"virtualhost", V, TYPE_TEXT, K_VIRTUALHOST, NULL},
	{"login", V, TYPE_QUOTED, K_LOGIN, NULL},
	{"passwd", V, TYPE_QUOTED, K_PASSWD, NULL},
	{"database", V, TYPE_QUOTED, K_DATABASE, NULL},
	{"secret", V, TYPE_QUOTED, K_SECRET, NULL},
	{"servicename", V, TYPE_TEXT, K_SERVICENAME, NULL},
	{"ops", V, TYPE_YES, K_OPS, NULL},
	{"autoreload", G, TYPE_TEXT, K_DROPPED, "plvs reloads on command (config apply, SIGHUP)"},
	{"callback", G, TYPE_TEXT, K_DROPPED,
	 "a change goes to the peer by `plvsctl config push`, no program is run"},
	{"logfile", G, TYPE_TEXT, K_DROPPED, "plvs logs to standard error"},
	{"supervised", G, TYPE_TEXT, K_DROPPED, "plvs stays in the foreground"},
	{"cleanstop", G | V, TYPE_TEXT, K_DROPPED, "services end with plvs"},
	{"maintenancedir", G, TYPE_TEXT, K_DROPPED,
	 "`plvsctl health force SERVICE SERVER maintenance` does it"},
	{"readdquiescent", G | V, TYPE_TEXT, K_DROPPED,
	 "plvs keeps a server that is down in its place"},
	{"smtp", G | V, TYPE_TEXT, K_DROPPED, MAIL},
	{"emailalert", G | V, TYPE_TEXT, K_DROPPED, MAIL},
	{"emailalertfreq", G | V, TYPE_TEXT, K_DROPPED, MAIL},
	{"emailalertstatus", G | V, TYPE_TEXT, K_DROPPED, MAIL},
	{"emailalertfrom", G | V, TYPE_TEXT, K_DROPPED, MAIL},
	{"comment", V, TYPE_TEXT, K_DROPPED, "a comment"},
	{"monitorfile", V, TYPE_TEXT, K_DROPPED, "plvs logs each change of health"},
	{"load", V, TYPE_TEXT, K_DROPPED, "obsolete there, too"},
	{"timeout", G | V, TYPE_TEXT, K_ERROR, "ldirectord refuses it: use checktimeout"},
	{"connecttimeout", G | V, TYPE_TEXT, K_ERROR, "ldirectord refuses it: use checktimeout"},
};

struct reader {
	struct importer *im;
	struct origin at;
	struct ldir *cf;
	struct ldir_virtual *virtual; /* the open block */
	bool cr;		      /* the line ends with CR */
};

/* ---- values ---- */

/* Trailing blanks off. */
static char *trimmed(struct importer *im, const char *text, size_t len)
{
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return arena_copy(im, text, len);
}

static bool number_first(struct reader *r, const struct row *row, struct ldir_value *v)
{
	char digits[16];
	size_t n = strspn(v->text, "0123456789");
	uint64_t number;

	snprintf(digits, sizeof(digits), "%.*s", n < 15 ? (int)n : 15, v->text);
	if (!number_parse(digits, 31 * 86400, &number) ||
	    (number == 0 && row->key != K_PERSISTENT)) {
		note(r->im, r->at, NOTE_ERROR, "%s: expected a number from 1 on", row->name);
		return false;
	}
	if (v->text[n])
		note(r->im, r->at, NOTE_NOTICE, "%s: what stands behind %s is ignored", row->name,
		     digits);
	v->number = (uint32_t)number;
	return true;
}

static void yes_take(struct reader *r, const struct row *row, struct ldir_value *v, size_t len)
{
	if (strcmp(v->text, "yes") != 0 && strcmp(v->text, "no") != 0)
		note(r->im, r->at, NOTE_ERROR, "%s: expected yes or no", row->name);
	else if (strlen(v->text) != len)
		note(r->im, r->at, NOTE_NOTICE,
		     "%s: a blank behind the value, which ldirectord does not take", row->name);
	else if (r->cr)
		note(r->im, r->at, NOTE_NOTICE,
		     "%s: the line ends with CR, which ldirectord refuses behind yes and no",
		     row->name);
	v->number = v->text[0] == 'y';
}

static void quotes_take(struct reader *r, const struct row *row, struct ldir_value *v)
{
	size_t len = strlen(v->text);
	bool quoted = len >= 2 && v->text[0] == '"' && v->text[len - 1] == '"';

	if (quoted)
		v->text = arena_copy(r->im, v->text + 1, len - 2);
	else if (row->type == TYPE_QUOTED)
		note(r->im, r->at, NOTE_ERROR, "%s: expected a value in double quotes", row->name);
}

static void value_take(struct reader *r, const struct row *row, const char *text, size_t len)
{
	struct ldir_value *v = r->virtual ? &r->virtual->v[row->key] : &r->cf->v[row->key];

	if (row->key == K_DROPPED || row->key == K_ERROR) {
		note(r->im, r->at, row->key == K_ERROR ? NOTE_ERROR : NOTE_DROPPED, "%s: %s",
		     row->name, row->dropped);
		return;
	}
	v->at = r->at;
	v->text = trimmed(r->im, text, len);
	if (row->type == TYPE_NUMBER)
		number_first(r, row, v);
	else if (row->type == TYPE_YES)
		yes_take(r, row, v, len);
	else if (row->type == TYPE_QUOTED || row->key == K_CHECKCOMMAND ||
		 row->key == K_FALLBACKCOMMAND || row->key == K_VIRTUALHOST)
		quotes_take(r, row, v);
}

/* ---- lines ---- */

static void real_take(struct reader *r, const char *text, bool v6)
{
	struct ldir_real *real = arena_alloc(r->im, sizeof(*real));

	if (!ldir_real_parse(r->im, r->at, text, v6, false, real))
		return;
	*r->virtual->reals_end = real;
	r->virtual->reals_end = &real->next;
}

static void virtual_open(struct reader *r, const char *text, bool v6)
{
	struct ldir_virtual *v = arena_alloc(r->im, sizeof(*v));

	v->at = r->at;
	v->text = text;
	v->v6 = v6;
	v->reals_end = &v->reals;
	*r->cf->virtuals_end = v;
	r->cf->virtuals_end = &v->next;
	r->virtual = v;
}

/* "name = value", value up to the end. */
static void directive_take(struct reader *r, const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len), *value;
	size_t name = equals ? (size_t)(equals - line) : len;
	uint32_t level = r->virtual ? V : G;
	char word[32];

	while (name && (line[name - 1] == ' ' || line[name - 1] == '\t'))
		name--;
	snprintf(word, sizeof(word), "%.*s", name < 31 ? (int)name : 31, line);
	if (!equals) {
		note(r->im, r->at, NOTE_ERROR, "\"%s\": expected NAME=VALUE", word);
		return;
	}
	value = equals + 1;
	while (value < line + len && (*value == ' ' || *value == '\t'))
		value++;
	len = (size_t)(line + len - value);
	if (level == V && (strcmp(word, "real") == 0 || strcmp(word, "real6") == 0)) {
		real_take(r, trimmed(r->im, value, len), word[4] == '6');
		return;
	}
	if (level == G && (strcmp(word, "virtual") == 0 || strcmp(word, "virtual6") == 0)) {
		virtual_open(r, trimmed(r->im, value, len), word[7] == '6');
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(rows[i].levels & level) || strcmp(rows[i].name, word) != 0)
			continue;
		value_take(r, &rows[i], value, len);
		return;
	}
	note(r->im, r->at, NOTE_ERROR, "\"%s\" is no directive %s", word,
	     r->virtual ? "of a virtual" : "at the top");
}

/* Columns of indentation: a tab is four. */
static size_t indent_of(const char *line, size_t len, size_t *skip)
{
	size_t columns = 0, i = 0;

	for (; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
		columns += line[i] == '\t' ? 4 : 1;
	*skip = i;
	return columns;
}

static void line_take(struct reader *r, const char *line, size_t len)
{
	size_t skip, columns = indent_of(line, len, &skip);
	const char *hash;

	if (skip < len && line[skip] == '#')
		return;
	if (skip == len) {
		r->virtual = NULL;
		return;
	}
	if (columns < 4)
		r->virtual = NULL;
	if (columns && !r->virtual) {
		note(r->im, r->at, NOTE_ERROR,
		     "an indented line outside of a block: an empty line, or one with less than "
		     "four "
		     "blanks, has ended it");
		return;
	}
	hash = r->virtual ? memchr(line, '#', len) : NULL;
	if (hash)
		len = (size_t)(hash - line);
	directive_take(r, line + skip, len - skip);
}

void ldirectord_read(struct importer *im, const char *file, const char *text, size_t len)
{
	struct reader r = {.im = im};
	const char *line;
	struct lines l;
	size_t n;

	r.cf = arena_alloc(im, sizeof(*r.cf));
	r.cf->virtuals_end = &r.cf->virtuals;
	lines_init(&l, file, text, len);
	while (line_next(&l, &line, &n)) {
		r.at = l.here;
		r.cr = l.cr;
		line_take(&r, line, n);
	}
	if (!im->n_kind[NOTE_ERROR])
		ldir_map(im, r.cf);
}
