/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that are alike share one name, as shared.checks wants it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "import/importer.h"
#include "import/json_put.h"

#define NAMES_MAX  4096U
#define TABLE_SIZE 16384U

/* ---- one check as members of an object ---- */

static void ms_member(FILE *f, const char *key, uint32_t ms)
{
	char text[32];

	if (ms)
		fprintf(f, ", \"%s\": \"%s\"", key, duration_format(ms, text, sizeof(text)));
}

static void number_member(FILE *f, const char *key, uint32_t n)
{
	if (n)
		fprintf(f, ", \"%s\": %u", key, n);
}

static void text_member(FILE *f, const char **sep, const char *key, const char *text)
{
	if (!text)
		return;
	fprintf(f, "%s\"%s\": ", *sep, key);
	json_put(f, text);
	*sep = ", ";
}

static void flag_member(FILE *f, const char **sep, const char *key, bool on)
{
	if (!on)
		return;
	fprintf(f, "%s\"%s\": true", *sep, key);
	*sep = ", ";
}

static void words_member(FILE *f, const char **sep, const char *key, const struct lvs_word *w)
{
	if (!w)
		return;
	fprintf(f, "%s\"%s\": [", *sep, key);
	for (const struct lvs_word *each = w; each; each = each->next) {
		fputs(each == w ? "" : ", ", f);
		json_put(f, each->text);
	}
	fputc(']', f);
	*sep = ", ";
}

static void steps_put(FILE *f, const struct lvs_step *steps)
{
	fputs(", \"steps\": [", f);
	for (const struct lvs_step *s = steps; s; s = s->next) {
		fprintf(f, "%s{ \"%s\": ", s == steps ? "" : ", ", s->key);
		json_put(f, s->text);
		fputs(" }", f);
	}
	fputc(']', f);
}

static void tls_put(FILE *f, const struct lvs_check *c)
{
	const char *sep = ", ";

	fputs(", \"tls\": { \"on\": true", f);
	text_member(f, &sep, "sni", c->sni);
	text_member(f, &sep, "cert_file", c->cert_file);
	text_member(f, &sep, "key_file", c->key_file);
	fputs(" }", f);
}

static void type_put(FILE *f, const struct lvs_check *c)
{
	const char *sep = "";

	if (strcmp(c->type, "http") == 0) {
		fputs(", \"http\": { ", f);
		text_member(f, &sep, "method", c->method);
		text_member(f, &sep, "path", c->path);
		text_member(f, &sep, "host", c->host);
		words_member(f, &sep, "status", c->status);
		text_member(f, &sep, "body_pattern", c->body_pattern);
		text_member(f, &sep, "body_md5", c->body_md5);
		flag_member(f, &sep, "body_not", c->body_not);
		fputs(" }", f);
	} else if (strcmp(c->type, "dns") == 0) {
		fputs(", \"dns\": { ", f);
		text_member(f, &sep, "name", c->dns_name);
		text_member(f, &sep, "qtype", c->dns_qtype);
		fputs(" }", f);
	} else if (strcmp(c->type, "exec") == 0) {
		fputs(", \"exec\": { ", f);
		words_member(f, &sep, "argv", c->argv);
		text_member(f, &sep, "user", c->user);
		text_member(f, &sep, "output_pattern", c->output_pattern);
		flag_member(f, &sep, "any_code", c->any_code);
		flag_member(f, &sep, "code_weight", c->code_weight);
		flag_member(f, &sep, "load", c->load);
		fputs(" }", f);
	}
}

const char *check_body(struct importer *im, const struct lvs_check *c)
{
	char *data = NULL, text[ADDR_STRLEN], *copy;
	size_t len = 0;
	FILE *f = open_memstream(&data, &len);

	if (!f)
		give_up(im, c->at, "no memory");
	fprintf(f, "\"type\": \"%s\"", c->type);
	ms_member(f, "interval", c->interval_ms);
	if (c->fast_ms != c->interval_ms)
		ms_member(f, "fast_interval", c->fast_ms);
	ms_member(f, "timeout", c->timeout_ms);
	number_member(f, "rise", c->rise);
	number_member(f, "fall", c->fall);
	if (c->address.family)
		fprintf(f, ", \"address\": \"%s\"", addr_format(&c->address, text, sizeof(text)));
	number_member(f, "port", c->port);
	if (c->source.family)
		fprintf(f, ", \"source\": \"%s\"", addr_format(&c->source, text, sizeof(text)));
	number_member(f, "source_port", c->source_port);
	if (c->via_vip)
		fputs(", \"via_vip\": true", f);
	if (c->tls)
		tls_put(f, c);
	if (c->steps)
		steps_put(f, c->steps);
	type_put(f, c);
	if (c->weight)
		fputs(", \"weight\": true", f);
	fclose(f);
	copy = arena_copy(im, data ? data : "", len);
	free(data);
	return copy;
}

/* ---- names ---- */

struct named {
	struct named *next;
	struct lvs_check *check;
	uint32_t hash;
};

struct table {
	struct named *by_body[TABLE_SIZE], *by_name[TABLE_SIZE];
	uint32_t n;
};

static uint32_t text_hash(const char *text)
{
	uint32_t h = 2166136261U;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		h = (h ^ *p) * 16777619U;
	return h;
}

static void table_put(struct importer *im, struct named **slot, struct lvs_check *c, uint32_t hash)
{
	struct named *n = arena_alloc(im, sizeof(*n));

	n->check = c;
	n->hash = hash;
	n->next = *slot;
	*slot = n;
}

static bool name_taken(const struct table *t, const char *name)
{
	const struct named *n = t->by_name[text_hash(name) % TABLE_SIZE];

	while (n && strcmp(n->check->name, name) != 0)
		n = n->next;
	return n != NULL;
}

/* "https-443", "exec-check_smtp", and with a number behind where that is taken. */
static const char *name_make(struct importer *im, const struct table *t, const struct lvs_check *c)
{
	const char *kind = c->tls && strcmp(c->type, "http") == 0 ? "https" : c->type;
	const char *program = c->argv ? strrchr(c->argv->text, '/') : NULL;
	char stem[24], name[32];
	size_t len;

	if (program && program[1])
		snprintf(stem, sizeof(stem), "exec-%.18s", program + 1);
	else if (c->port)
		snprintf(stem, sizeof(stem), "%s-%u", kind, c->port);
	else
		snprintf(stem, sizeof(stem), "%s", kind);
	for (char *p = stem; *p; p++)
		if (!strchr("._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			    *p))
			*p = '-';
	len = strlen(stem);
	snprintf(name, sizeof(name), "%s", stem);
	for (uint32_t i = 2; name_taken(t, name); i++)
		snprintf(name, sizeof(name), "%.*s-%u", (int)len, stem, i);
	return arena_printf(im, "%s", name);
}

static void check_name(struct importer *im, struct table *t, struct lvs_check *c)
{
	uint32_t hash;
	struct named *n;

	c->body = check_body(im, c);
	hash = text_hash(c->body);
	n = t->by_body[hash % TABLE_SIZE];
	while (n && (n->hash != hash || strcmp(n->check->body, c->body) != 0))
		n = n->next;
	if (n) {
		c->name = n->check->name;
		return;
	}
	if (++t->n > NAMES_MAX)
		give_up(im, c->at, "more than %u different checks: plvs has no more names",
			NAMES_MAX);
	c->first = true;
	c->name = name_make(im, t, c);
	table_put(im, &t->by_body[hash % TABLE_SIZE], c, hash);
	hash = text_hash(c->name);
	table_put(im, &t->by_name[hash % TABLE_SIZE], c, hash);
}

void checks_name(struct importer *im)
{
	struct table *t = arena_alloc(im, sizeof(*t));

	for (struct lvs_service *svc = im->lvs.services; svc; svc = svc->next) {
		if (svc->lost)
			continue;
		for (struct lvs_server *s = svc->servers; s; s = s->next)
			for (struct lvs_check *c = s->lost ? NULL : s->checks; c; c = c->next)
				check_name(im, t, c);
	}
}
