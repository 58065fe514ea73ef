/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects as the text of a configuration, with the origin's line as a comment at each. */
#include "import/document.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "import/json_put.h"

/* ---- text with lines, commas and comments ---- */

static void newline(struct doc *d)
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
		newline(d);
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
	newline(d);
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
	newline(d);
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

/* ---- services ---- */

static const char *const method_names[] = {
	[METHOD_NAT] = "nat",
	[METHOD_DR] = "dr",
	[METHOD_TUNNEL] = "tunnel",
	[METHOD_LOCAL] = "local",
};

static const char *endpoint_put(struct doc *d, const struct addr *addr, uint32_t port, bool keep0)
{
	struct endpoint ep = {.addr = *addr, .port = be16_from((uint16_t)port)};
	char text[ENDPOINT_STRLEN];

	if (port || keep0)
		return arena_printf(d->im, "%s", endpoint_format(&ep, text, sizeof(text)));
	return arena_printf(d->im, "%s", addr_format(addr, text, sizeof(text)));
}

static bool checks_equal(const struct lvs_check *a, const struct lvs_check *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (strcmp(a->name, b->name) != 0)
			return false;
	return !a && !b;
}

/* The same check twice is one. */
static void checks_put(FILE *f, const struct lvs_check *checks)
{
	const char *sep = "";

	fputc('[', f);
	for (const struct lvs_check *c = checks; c; c = c->next) {
		bool again = false;

		for (const struct lvs_check *e = checks; e != c; e = e->next)
			again = again || strcmp(e->name, c->name) == 0;
		if (again)
			continue;
		fprintf(f, "%s\"%s\"", sep, c->name);
		sep = ", ";
	}
	fputc(']', f);
}

static void server_put(struct doc *d, const struct lvs_service *svc, const struct lvs_server *s,
		       const struct lvs_check *common)
{
	bool keep0 = !svc->mark;

	if (s->lost) {
		doc_comment(d, "%s:%u: left out: real server %s: %s", d->file(s->at.file),
			    s->at.line, server_text(d->im, s), s->lost);
		return;
	}
	doc_comment(d, "%s:%u%s%s", d->file(s->at.file), s->at.line, s->host ? ": " : "",
		    s->host ? s->host : "");
	doc_item(d, s->at);
	fprintf(d->f, "{ \"address\": \"%s\", \"weight\": %u",
		endpoint_put(d, &s->addr, s->port, keep0), s->weight);
	if (s->method != svc->method)
		fprintf(d->f, ", \"forward\": \"%s\"", method_names[s->method]);
	if (s->upper)
		fprintf(d->f, ", \"upper\": %u", s->upper);
	if (s->upper && s->lower)
		fprintf(d->f, ", \"lower\": %u", s->lower);
	if (s->sorry)
		fputs(", \"sorry\": true", d->f);
	if (s->sorry || !checks_equal(s->checks, common)) {
		fputs(", \"check\": ", d->f);
		checks_put(d->f, s->sorry ? NULL : s->checks);
	}
	fputs(" }", d->f);
}

/* The checks of most servers, in the hope that the first ones tell. */
static const struct lvs_check *common_checks(const struct lvs_service *svc)
{
	for (const struct lvs_server *s = svc->servers; s; s = s->next)
		if (!s->lost && !s->sorry)
			return s->checks;
	return NULL;
}

static void listeners_put(struct doc *d, const struct lvs_service *svc)
{
	if (svc->mark) {
		doc_value(d, svc->at, "mark", "%u", svc->mark);
		if (svc->v6)
			doc_value(d, svc->at, "family", "\"ipv6\"");
		return;
	}
	doc_value(d, svc->at, "protocol", "\"%s\"", protocol_name(svc->protocol));
	doc_item(d, svc->at);
	fputs("\"listen\": [", d->f);
	for (const struct lvs_listener *l = svc->listeners; l; l = l->next)
		fprintf(d->f, "%s\"%s\"", l == svc->listeners ? "" : ", ",
			endpoint_put(d, &l->addr, l->port, true));
	fputc(']', d->f);
}

static void scheduling_put(struct doc *d, const struct lvs_service *svc)
{
	const bool v6 =
		svc->mark ? svc->v6 : svc->listeners && svc->listeners->addr.family == ADDR_V6;
	const uint32_t whole = v6 ? 128 : 32;

	doc_value(d, svc->at, "scheduler", "\"%s\"", svc->scheduler ? svc->scheduler : "wlc");
	if (svc->flags)
		doc_value(d, svc->at, "scheduler_flags", "[%s%s%s]",
			  svc->flags & LVS_FALLBACK ? "\"fallback\"" : "",
			  svc->flags == (LVS_FALLBACK | LVS_PORT) ? ", " : "",
			  svc->flags & LVS_PORT ? "\"port\"" : "");
	if (svc->method != d->im->lvs.method)
		doc_value(d, svc->at, "forward", "\"%s\"", method_names[svc->method]);
	if (svc->one_packet)
		doc_value(d, svc->at, "one_packet", "true");
	if (svc->persistence_s && svc->netmask && svc->netmask != whole)
		doc_value(d, svc->at, "persistence", "{ \"timeout\": %u, \"netmask\": %u }",
			  svc->persistence_s, svc->netmask);
	else if (svc->persistence_s)
		doc_value(d, svc->at, "persistence", "{ \"timeout\": %u }", svc->persistence_s);
	if (svc->established_s)
		doc_value(d, svc->at, "timeouts", "{ \"established\": %u }", svc->established_s);
}

static void health_put(struct doc *d, const struct lvs_service *svc)
{
	const struct lvs_check *common = common_checks(svc);

	if (svc->quiesce == SWITCH_ON)
		doc_value(d, svc->at, "on_server_down", "\"quiesce\"");
	if (svc->quorum) {
		doc_value(d, svc->at, "quorum", "%u", svc->quorum);
		if (svc->hysteresis)
			doc_value(d, svc->at, "quorum_hysteresis", "%u", svc->hysteresis);
		if (svc->quorum_weight)
			doc_value(d, svc->at, "quorum_weight", "true");
	}
	if (common) {
		doc_item(d, svc->at);
		fputs("\"check\": ", d->f);
		checks_put(d->f, common);
	}
}

/* The label, with the line behind it where another service has it. */
static const char *label_unique(struct doc *d, const char *label, uint32_t line)
{
	struct doc_label **slot, *l;
	uint32_t h = 5381;

	for (const char *p = label; *p; p++)
		h = h * 33 + (unsigned char)*p;
	slot = &d->labels[h % DOC_LABELS];
	for (l = *slot; l; l = l->next)
		if (strcmp(l->text, label) == 0)
			return strlen(label) > 63 - 12
				       ? NULL
				       : label_unique(d, arena_printf(d->im, "%s-%u", label, line),
						      line + 1);
	l = arena_alloc(d->im, sizeof(*l));
	l->text = label;
	l->next = *slot;
	*slot = l;
	return label;
}

/* A label that no other service has, made of the file's own name. */
static const char *label_make(struct doc *d, const struct lvs_service *svc)
{
	char label[48];
	size_t n = 0;

	if (!svc->name)
		return NULL;
	for (const char *p = svc->name; *p && n < sizeof(label) - 1; p++) {
		bool good = strchr("._-0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
				   *p) != NULL;

		if (good && (n || strchr("._-", *p) == NULL))
			label[n++] = *p;
		else if (n)
			label[n++] = '-';
	}
	label[n] = '\0';
	if (n == 0)
		return NULL;
	return label_unique(d, arena_printf(d->im, "%s", label), svc->at.line);
}

static void service_put(struct doc *d, const struct lvs_service *svc)
{
	const char *label;

	if (svc->lost) {
		doc_comment(d, "%s:%u: left out: service %s: %s", d->file(svc->at.file),
			    svc->at.line, service_text(d->im, svc), svc->lost);
		return;
	}
	label = label_make(d, svc);
	doc_comment(d, "%s:%u", d->file(svc->at.file), svc->at.line);
	doc_open(d, svc->at, NULL, '{');
	if (label)
		doc_text(d, svc->at, "name", label);
	listeners_put(d, svc);
	scheduling_put(d, svc);
	health_put(d, svc);
	doc_open(d, svc->at, "servers", '[');
	for (const struct lvs_server *s = svc->servers; s; s = s->next)
		server_put(d, svc, s, common_checks(svc));
	doc_close(d, ']');
	doc_close(d, '}');
}

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
		service_put(d, svc);
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
		doc_value(d, none, "forward", "\"%s\"", method_names[lvs->method]);
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
	newline(d);
}

/* ---- what the report says of objects ---- */

static void imported_server(struct importer *im, const struct lvs_service *svc,
			    const struct lvs_server *s)
{
	struct text_buf b = {0};

	buf_printf(im, &b, "%s %s of %s: weight %u, %s", s->sorry ? "sorry server" : "real server",
		   server_text(im, s), service_text(im, svc), s->weight, method_names[s->method]);
	for (const struct lvs_check *c = s->sorry ? NULL : s->checks; c; c = c->next)
		buf_printf(im, &b, "%s%s", c == s->checks ? ", checked by " : ", ", c->name);
	if (s->sorry || !s->checks)
		buf_puts(im, &b, ", without a check: always up");
	note(im, s->at, NOTE_IMPORTED, "%s", b.data);
}

static void imported_notes(struct importer *im)
{
	char text[ADDR_STRLEN];

	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next) {
		if (svc->lost)
			continue;
		note(im, svc->at, NOTE_IMPORTED, "service %s: %s, %s", service_text(im, svc),
		     svc->scheduler ? svc->scheduler : "wlc", method_names[svc->method]);
		for (struct lvs_server *s = svc->servers; s; s = s->next) {
			if (!s->lost)
				imported_server(im, svc, s);
			for (struct lvs_check *c = s->lost ? NULL : s->checks; c; c = c->next)
				if (c->first)
					note(im, c->at, NOTE_IMPORTED, "check %s: type %s", c->name,
					     c->type);
		}
	}
	for (const struct lvs_address *a = im->lvs.addresses; a; a = a->next)
		note(im, a->at, NOTE_IMPORTED, "address %s: %s",
		     addr_format(&a->addr, text, sizeof(text)),
		     a->kind == ADDRESS_GATEWAY ? "gateway" : "vip");
	for (const struct lvs_path *p = im->lvs.pair.paths; p; p = p->next)
		note(im, p->at, NOTE_IMPORTED, "a path to the peer, %s",
		     addr_format(&p->peer, text, sizeof(text)));
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
