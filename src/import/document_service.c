/* SPDX-License-Identifier: BSD-3-Clause */
/* Services and their real servers in a document. */
#include "import/document.h"

#include <string.h>

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

static void tunnel_put(FILE *f, const struct lvs_server *s)
{
	static const char *const sums[] = {
		[ENCAP_CHECKSUM] = "full", [ENCAP_REMOTE_CHECKSUM] = "remote"};

	if (s->method != METHOD_TUNNEL || s->tunnel.type == ENCAP_IPIP)
		return;
	fprintf(f, ", \"tunnel_type\": \"%s\"", lvs_tunnel_names[s->tunnel.type]);
	if (s->tunnel.port)
		fprintf(f, ", \"tunnel_port\": %u", be16_to(s->tunnel.port));
	if (s->tunnel.checksum)
		fprintf(f, ", \"tunnel_checksum\": \"%s\"", sums[s->tunnel.checksum]);
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
		fprintf(d->f, ", \"forward\": \"%s\"", lvs_method_names[s->method]);
	tunnel_put(d->f, s);
	if (s->upper)
		fprintf(d->f, ", \"upper\": %u", s->upper);
	if (s->upper && s->lower)
		fprintf(d->f, ", \"lower\": %u", s->lower);
	if (s->quiesce && s->quiesce != svc->quiesce && !s->sorry)
		fprintf(d->f, ", \"on_server_down\": \"%s\"",
			s->quiesce == SWITCH_ON ? "quiesce" : "remove");
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

static const char *mask_format(uint32_t netmask, char buf[ADDR_STRLEN])
{
	const struct addr a = {.family = ADDR_V4,
			       .v4 = be32_from(netmask == LVS_MASK_ALL ? 0 : netmask)};

	return addr_format(&a, buf, ADDR_STRLEN);
}

/* ", "netmask": VALUE", or nothing where the netmask is the whole address. */
static const char *netmask_member(const struct lvs_service *svc, char buf[2 * ADDR_STRLEN])
{
	const bool v6 =
		svc->mark ? svc->v6 : svc->listeners && svc->listeners->addr.family == ADDR_V6;
	char mask[ADDR_STRLEN];

	buf[0] = '\0';
	if (svc->netmask > 128)
		snprintf(buf, 2 * ADDR_STRLEN, ", \"netmask\": \"%s\"",
			 mask_format(svc->netmask, mask));
	else if (svc->netmask && svc->netmask != (v6 ? 128 : 32))
		snprintf(buf, 2 * ADDR_STRLEN, ", \"netmask\": %u", svc->netmask);
	return buf;
}

static void persistence_put(struct doc *d, const struct lvs_service *svc)
{
	const char *engine = svc->by_call_id ? "\"engine\": \"sip\"" : "";
	char netmask[2 * ADDR_STRLEN];

	if (svc->persistence_s)
		doc_value(d, svc->at, "persistence", "{ \"timeout\": %u%s%s%s }",
			  svc->persistence_s, netmask_member(svc, netmask), *engine ? ", " : "",
			  engine);
	else if (*engine)
		doc_value(d, svc->at, "persistence", "{ %s }", engine);
}

static void scheduling_put(struct doc *d, const struct lvs_service *svc)
{
	doc_value(d, svc->at, "scheduler", "\"%s\"", svc->scheduler ? svc->scheduler : "wlc");
	if (svc->flags)
		doc_value(d, svc->at, "scheduler_flags", "[%s%s%s]",
			  svc->flags & LVS_FALLBACK ? "\"fallback\"" : "",
			  svc->flags == (LVS_FALLBACK | LVS_PORT) ? ", " : "",
			  svc->flags & LVS_PORT ? "\"port\"" : "");
	if (svc->method != d->im->lvs.method)
		doc_value(d, svc->at, "forward", "\"%s\"", lvs_method_names[svc->method]);
	if (svc->client_address)
		doc_value(d, svc->at, "client_address", "\"%s\"", svc->client_address);
	if (svc->one_packet)
		doc_value(d, svc->at, "one_packet", "true");
	persistence_put(d, svc);
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

void doc_service_put(struct doc *d, const struct lvs_service *svc)
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
