/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects as the text of a configuration, with the origin's line as a comment at each. */
#include "import/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "import/json_put.h"

/* ---- checks ---- */

static void check_put(struct doc *d, const struct lvs_check *c)
{
	doc_comment(d, "%s:%u", d->file(c->at.file), c->at.line);
	doc_item(d, c->at);
	fprintf(d->f, "{ \"name\": \"%s\", %s }", c->name, c->body);
}

static void checks_section(struct doc *d)
{
	struct origin none = {NULL, 0};
	bool open = false;

	for (struct lvs_service *svc = d->im->lvs.services; svc; svc = svc->next) {
		for (struct lvs_server *s = svc->lost ? NULL : svc->servers; s; s = s->next) {
			for (struct lvs_check *c = s->lost ? NULL : s->checks; c; c = c->next) {
				if (!c->first) /* each name once */
					continue;
				if (!open)
					doc_open(d, none, "checks", '[');
				open = true;
				check_put(d, c);
			}
		}
	}
	if (open)
		doc_close(d, ']');
}

static void services_section(struct doc *d)
{
	struct origin none = {NULL, 0};

	doc_open(d, none, "services", '[');
	for (const struct lvs_service *svc = d->im->lvs.services; svc; svc = svc->next)
		doc_service_put(d, svc);
	doc_close(d, ']');
}

/* ---- the rest of shared ---- */

static void defaults_section(struct doc *d)
{
	const struct lvs *lvs = &d->im->lvs;
	struct origin none = {NULL, 0};

	if (!lvs->method && !lvs->established_s && !lvs->fin_wait_s && !lvs->udp_s)
		return;
	doc_open(d, none, "defaults", '{');
	if (lvs->method)
		doc_value(d, none, "forward", "\"%s\"", lvs_method_names[lvs->method]);
	if (lvs->established_s || lvs->fin_wait_s || lvs->udp_s) {
		doc_open(d, none, "timeouts", '{');
		if (lvs->established_s)
			doc_value(d, none, "established", "%u", lvs->established_s);
		if (lvs->fin_wait_s)
			doc_value(d, none, "fin_wait", "%u", lvs->fin_wait_s);
		if (lvs->udp_s)
			doc_value(d, none, "udp", "%u", lvs->udp_s);
		doc_close(d, '}');
	}
	doc_close(d, '}');
}

static const char *link_name(struct doc *d, const char *device)
{
	struct lvs_vlan *vlan;
	struct lvs_port *p = port_of(d->im, (struct origin){NULL, 0}, device, &vlan);

	return vlan->id ? arena_printf(d->im, "%s.%u", p->role, vlan->id) : p->role;
}

static void addresses_section(struct doc *d)
{
	char text[ADDR_STRLEN];
	struct origin none = {NULL, 0};

	if (!d->im->lvs.addresses)
		return;
	doc_open(d, none, "addresses", '[');
	for (const struct lvs_address *a = d->im->lvs.addresses; a; a = a->next) {
		addr_format(&a->addr, text, sizeof(text));
		if (a->kind == ADDRESS_GATEWAY)
			doc_comment(d,
				    "%s:%u: the real servers' gateway; the link is to be checked",
				    d->file(a->at.file), a->at.line);
		else
			doc_comment(d, "%s:%u", d->file(a->at.file), a->at.line);
		doc_item(d, a->at);
		if (a->kind == ADDRESS_GATEWAY)
			fprintf(d->f,
				"{ \"address\": \"%s/%u\", \"kind\": \"gateway\", \"link\": \"%s\" "
				"}",
				text, a->len, link_name(d, a->device));
		else if (a->kind == ADDRESS_POOL)
			fprintf(d->f,
				"{ \"address\": \"%s\", \"kind\": \"pool\", \"link\": \"%s\" }",
				text, link_name(d, a->device));
		else
			fprintf(d->f, "{ \"address\": \"%s\", \"kind\": \"vip\" }", text);
	}
	doc_close(d, ']');
}

static void marks_section(struct doc *d)
{
	char text[ADDR_STRLEN];
	struct origin none = {NULL, 0};

	if (!d->im->lvs.marks)
		return;
	doc_comment(d, "Guessed: the rules that set marks were netfilter's and are in no file.");
	doc_open(d, none, "marks", '[');
	for (const struct lvs_mark *m = d->im->lvs.marks; m; m = m->next) {
		addr_format(&m->dest, text, sizeof(text));
		doc_comment(d, "%s:%u", d->file(m->at.file), m->at.line);
		doc_item(d, m->at);
		fprintf(d->f, "{ \"destination\": \"%s/%u\", \"protocol\": \"%s\", ", text,
			m->dest.family == ADDR_V6 ? 128 : 32, protocol_name(m->protocol));
		if (m->first == m->last)
			fprintf(d->f, "\"destination_port\": %u, ", m->first);
		else
			fprintf(d->f, "\"destination_port\": \"%u-%u\", ", m->first, m->last);
		fprintf(d->f, "\"mark\": %u, \"comment\": \"guessed by the import\" }", m->mark);
	}
	doc_close(d, ']');
}

static void ha_section(struct doc *d)
{
	const struct lvs_pair *p = &d->im->lvs.pair;
	bool announce = p->announce_count || p->refresh;

	if (!p->any || (!p->manual && !p->failback_delay_ms && !announce))
		return;
	doc_open(d, p->at, "ha", '{');
	if (p->manual)
		doc_value(d, p->at, "failback", p->manual == SWITCH_ON ? "\"manual\"" : "\"auto\"");
	if (p->failback_delay_ms)
		doc_value(d, p->at, "failback_delay", "%s", doc_time(d, p->failback_delay_ms));
	if (announce) {
		doc_open(d, p->at, "announce", '{');
		if (p->announce_count)
			doc_value(d, p->at, "count", "%u", p->announce_count);
		if (p->refresh)
			doc_value(d, p->at, "refresh", "%u", p->refresh_s);
		doc_close(d, '}');
	}
	doc_close(d, '}');
}

static void shared_section(struct doc *d)
{
	struct origin none = {NULL, 0};

	doc_open(d, none, "shared", '{');
	doc_comment(d, "As IPVS by default: connections of a removed server wait for its return. "
		       "Without it plvs resets them.");
	doc_value(d, none, "compat", "\"ipvs\"");
	defaults_section(d);
	ha_section(d);
	addresses_section(d);
	marks_section(d);
	checks_section(d);
	services_section(d);
	doc_close(d, '}');
}

static const char *base_name(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return slash && slash[1] ? slash + 1 : file ? file : "?";
}

static void losses_comment(struct doc *d)
{
	const uint32_t *k = d->im->n_kind;

	if (k[NOTE_LOST] + k[NOTE_OPENS])
		fprintf(d->f, "// INCOMPLETE: %u objects are left out: see the report.\n",
			k[NOTE_LOST] + k[NOTE_OPENS]);
	d->line += k[NOTE_LOST] + k[NOTE_OPENS] ? 1 : 0;
}

static void doc_write(struct doc *d)
{
	const char *path = d->im->options->path ? d->im->options->path : "standard input";
	struct text_buf b = {0};

	buf_puts(d->im, &b, path);
	for (char *p = b.data; *p; p++)
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	fprintf(d->f, "// Imported from %s (%s) by plvsctl import.\n", b.data, d->im->format);
	d->line = 2;
	losses_comment(d);
	fputc('{', d->f);
	d->depth = 1;
	d->first[1] = true;
	node_section(d);
	shared_section(d);
	doc_close(d, '}');
	doc_newline(d);
}

void document_make(struct importer *im, struct document *out)
{
	struct doc *d = arena_alloc(im, sizeof(*d));

	d->im = im;
	d->file = base_name;
	ports_name(im);
	checks_name(im);
	imported_notes(im);
	im->stream = open_memstream(&im->stream_data, &im->stream_len);
	if (!im->stream)
		give_up(im, (struct origin){NULL, 0}, "no memory");
	d->f = im->stream;
	doc_write(d);
	fflush(d->f);
	out->text = arena_copy(im, im->stream_data ? im->stream_data : "", im->stream_len);
	out->len = im->stream_len;
	out->origins = d->origins;
	out->n_lines = d->n_origins;
}
