/* SPDX-License-Identifier: BSD-3-Clause */
/* The report on objects that were imported: a line for each. */
#include "import/document.h"

const char *const lvs_method_names[] = {
	[METHOD_NAT] = "nat",	  [METHOD_DR] = "dr",		[METHOD_TUNNEL] = "tunnel",
	[METHOD_LOCAL] = "local", [METHOD_FULLNAT] = "fullnat",
};

static void imported_server(struct importer *im, const struct lvs_service *svc,
			    const struct lvs_server *s)
{
	struct text_buf b = {0};

	buf_printf(im, &b, "%s %s of %s: weight %u, %s", s->sorry ? "sorry server" : "real server",
		   server_text(im, s), service_text(im, svc), s->weight,
		   lvs_method_names[s->method]);
	for (const struct lvs_check *c = s->sorry ? NULL : s->checks; c; c = c->next)
		buf_printf(im, &b, "%s%s", c == s->checks ? ", checked by " : ", ", c->name);
	if (s->sorry || !s->checks)
		buf_puts(im, &b, ", without a check: always up");
	note(im, s->at, NOTE_IMPORTED, "%s", b.data);
}

void imported_notes(struct importer *im)
{
	char text[ADDR_STRLEN];

	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next) {
		if (svc->lost)
			continue;
		note(im, svc->at, NOTE_IMPORTED, "service %s: %s, %s", service_text(im, svc),
		     svc->scheduler ? svc->scheduler : "wlc", lvs_method_names[svc->method]);
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
		     a->kind == ADDRESS_GATEWAY ? "gateway"
		     : a->kind == ADDRESS_POOL	? "pool"
						: "vip");
	for (const struct lvs_path *p = im->lvs.pair.paths; p; p = p->next)
		note(im, p->at, NOTE_IMPORTED, "a path to the peer, %s",
		     addr_format(&p->peer, text, sizeof(text)));
}
