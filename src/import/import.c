/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

#include "import/importer.h"

static const struct {
	const char *name;
	void (*read)(struct importer *im, const char *file, const char *text, size_t len);
} formats[] = {
	{"lvs.cf", lvscf_read},
	{"ipvsadm-save", ipvsadm_read},
	{"keepalived", keepalived_read},
	{"ldirectord", ldirectord_read},
};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const char *const import_formats[] = {"lvs.cf", "ipvsadm-save", "keepalived", "ldirectord", NULL};

/* ---- which format ---- */

/* The first word of a line that is no comment, and what follows it. */
static bool line_word(const char *line, size_t len, char *word, size_t size, const char **rest)
{
	size_t i = 0, n = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i == len || line[i] == '#' || line[i] == '!')
		return false;
	while (i < len && line[i] != ' ' && line[i] != '\t' && line[i] != '=' && line[i] != '{') {
		if (n + 1 < size)
			word[n++] = line[i];
		i++;
	}
	word[n] = '\0';
	*rest = line + i;
	return true;
}

static bool word_is(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/* Points for each format; a word that only one format has decides. */
static int line_format(const char *word, const char *rest, const char *end)
{
	static const char *const keepalived[] = {"virtual_server",	"virtual_server_group",
						 "vrrp_instance",	"global_defs",
						 "vrrp_script",		"vrrp_sync_group",
						 "real_server",		"static_ipaddress",
						 "local_address_group", NULL};
	static const char *const lvscf[] = {
		"serial_no",	 "primary", "heartbeat", "keepalive", "deadtime", "network",
		"backup_active", "service", "virtual",	 "server",    NULL};
	static const char *const ldirectord[] = {
		"checktimeout", "checkinterval", "virtual", "virtual6", "quiescent", "autoreload",
		"logfile",	"real",		 "real6",   "fallback", NULL};
	bool equals = false, glued = rest < end && *rest == '=';

	while (rest < end && (*rest == ' ' || *rest == '\t'))
		rest++;
	equals = rest < end && *rest == '=';
	if (word[0] == '-' && (strchr("AaEeDdCR", word[1]) || word[1] == '-'))
		return 1;
	if (word_is(word, keepalived) || (word[0] == '$' && glued) || word[0] == '@' ||
	    strcmp(word, "include") == 0)
		return 2;
	if (equals && word_is(word, ldirectord))
		return 3;
	if ((equals || strcmp(word, "virtual") == 0) && word_is(word, lvscf))
		return 0;
	return -1;
}

static int format_recognise(const char *text, size_t len)
{
	uint32_t points[N_FORMATS] = {0};
	struct lines l;
	const char *line, *rest;
	size_t n, best = 0;
	char word[64];

	lines_init(&l, NULL, text, len);
	while (line_next(&l, &line, &n)) {
		int f = line_word(line, n, word, sizeof(word), &rest)
				? line_format(word, rest, line + n)
				: -1;

		if (f >= 0)
			points[f]++;
	}
	for (size_t i = 1; i < N_FORMATS; i++)
		if (points[i] > points[best])
			best = i;
	return points[best] ? (int)best : -1;
}

static int format_find(const char *name)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* ---- one import ---- */

static bool services_there(struct importer *im, const char *file)
{
	if (im->lvs.services)
		return true;
	note(im, (struct origin){file, 0}, NOTE_ERROR,
	     "no virtual service in it: there is nothing to import");
	return false;
}

static bool document_write(struct importer *im, const char *file, FILE *out)
{
	struct document doc;

	if (im->n_kind[NOTE_ERROR] || !services_there(im, file))
		return false;
	lvs_finish(im);
	if (im->n_kind[NOTE_ERROR])
		return false;
	document_make(im, &doc);
	if (!document_verify(im, &doc))
		return false;
	return fwrite(doc.text, 1, doc.len, out) == doc.len;
}

static void text_read(struct importer *im, const char *file, const char *text, size_t len)
{
	const char *wanted = im->options->format;
	int format;

	input_check(im, file, text, len);
	format = wanted ? format_find(wanted) : format_recognise(text, len);
	if (format < 0 && wanted)
		give_up(im, (struct origin){NULL, 0},
			"\"%.40s\" is no format: expected lvs.cf, ipvsadm-save, keepalived or "
			"ldirectord",
			wanted);
	if (format < 0)
		give_up(im, (struct origin){file, 0},
			"no line of it is known: expected lvs.cf, ipvsadm-save, keepalived or "
			"ldirectord (--from FORMAT)");
	im->format = formats[format].name;
	note(im, (struct origin){file, 0}, NOTE_NOTICE, "read as %s%s", im->format,
	     wanted ? "" : ", as its lines look");
	if (!formats[format].read)
		give_up(im, (struct origin){file, 0}, "%s is not read yet", im->format);
	formats[format].read(im, file, text, len);
}

/* The way out by give_up(). */
static void import_do(struct importer *im, const char *text, size_t len, FILE *out)
{
	const char *path = im->options->path, *why = NULL;
	const char *file = path && strcmp(path, "-") != 0 ? path : "standard input";

	if (!text)
		text = input_read(im, path, &len, &why);
	if (!text)
		give_up(im, (struct origin){file, 0}, "cannot be read: %s", why);
	text_read(im, file, text, len);
	document_write(im, file, out);
}

static int import_run(struct importer *im, const char *text, size_t len, FILE *out, FILE *report)
{
	int result;

	im->notes_end = &im->notes;
	im->lvs.services_end = &im->lvs.services;
	im->lvs.addresses_end = &im->lvs.addresses;
	im->lvs.marks_end = &im->lvs.marks;
	im->lvs.ports_end = &im->lvs.ports;
	if (setjmp(im->out) == 0)
		import_do(im, text, len, out);
	result = notes_refuse(im) ? IMPORT_REFUSED : IMPORT_OK;
	notes_put(im, report);
	arena_free(im);
	return result;
}

int import_text(const struct import_options *options, const char *text, size_t len, FILE *out,
		FILE *report)
{
	struct importer *im = calloc(1, sizeof(*im));
	int result;

	if (!im) {
		fputs("error: no memory\n", report);
		return IMPORT_REFUSED;
	}
	im->options = options;
	result = import_run(im, text, len, out, report);
	free(im);
	return result;
}

int import_file(const struct import_options *options, FILE *out, FILE *report)
{
	return import_text(options, NULL, 0, out, report);
}
