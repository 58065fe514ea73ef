/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/lvs.h"

#include <stdlib.h>
#include <string.h>

#include "import/importer.h"

/* Functions by which readers build objects. Lists keep the order of the file. */

struct lvs_service *service_new(struct importer *im, struct origin at)
{
	struct lvs_service *svc = arena_alloc(im, sizeof(*svc));

	if (++im->n_services > MAX_SERVICES_IN)
		give_up(im, at, "more than %u virtual services", MAX_SERVICES_IN);
	svc->at = at;
	svc->servers_end = &svc->servers;
	*im->lvs.services_end = svc;
	im->lvs.services_end = &svc->next;
	return svc;
}

struct lvs_server *server_new(struct importer *im, struct lvs_service *svc, struct origin at)
{
	struct lvs_server *s = arena_alloc(im, sizeof(*s));

	if (++im->n_servers > MAX_SERVERS_IN)
		give_up(im, at, "more than %u real servers", MAX_SERVERS_IN);
	if (++svc->n_servers > MAX_SERVICE_SERVERS_IN)
		give_up(im, at, "more than %u real servers in one service", MAX_SERVICE_SERVERS_IN);
	s->at = at;
	s->weight = 1;
	*svc->servers_end = s;
	svc->servers_end = &s->next;
	return s;
}

const char *const lvs_tunnel_names[] = {
#define X(NAME, name) #name,
	ENCAP_TYPES(X)
#undef X
};

bool lvs_tunnel_type(const char *word, uint8_t *type)
{
	for (uint8_t i = 0; i < ENCAP_MAX; i++)
		if (strcmp(word, lvs_tunnel_names[i]) == 0) {
			*type = i;
			return true;
		}
	return false;
}

void lvs_tunnel_finish(struct importer *im, struct origin at, struct encap *t)
{
	if (t->type == ENCAP_GUE && !t->port)
		note(im, at, NOTE_ERROR, "a tunnel of type gue needs the port of the server");
	if (t->type != ENCAP_GUE && t->checksum == ENCAP_REMOTE_CHECKSUM)
		note(im, at, NOTE_ERROR, "remcsum is of tunnels of type gue alone");
	if (t->type == ENCAP_IPIP && t->checksum)
		note(im, at, NOTE_DROPPED, "ipip has no checksum");
	if (t->type != ENCAP_GUE)
		t->port = 0;
	if (t->type == ENCAP_IPIP)
		t->checksum = ENCAP_NO_CHECKSUM;
}

bool lvs_engine_take(struct importer *im, struct origin at, const char *what, const char *name,
		     bool persistent)
{
	if (strcmp(name, "sip") != 0) {
		note(im, at, NOTE_ERROR, "%s %.16s: sip is the only engine", what, name);
		return false;
	}
	note(im, at, NOTE_DIFFERS,
	     "%s sip: plvs tells Call-IDs apart by a hash of 16 bits, and keeps clients of TCP by "
	     "their addresses%s",
	     what, persistent ? "" : "; no effect without a time-out of persistence");
	return true;
}

struct lvs_listener *listener_new(struct importer *im, struct lvs_service *svc, struct origin at,
				  const struct addr *addr, uint32_t port)
{
	struct lvs_listener *l = arena_alloc(im, sizeof(*l)), **end = &svc->listeners;

	if (svc->n_listeners >= MAX_LISTENERS_IN)
		give_up(im, at, "a service has at most %u addresses and ports", MAX_LISTENERS_IN);
	while (*end)
		end = &(*end)->next;
	l->at = at;
	l->addr = *addr;
	l->port = port;
	svc->n_listeners++;
	*end = l;
	return l;
}

struct lvs_check *check_make(struct importer *im, struct origin at, const char *type)
{
	struct lvs_check *c = arena_alloc(im, sizeof(*c));

	c->at = at;
	c->type = type;
	return c;
}

void check_add(struct importer *im, struct lvs_server *server, struct lvs_check *check)
{
	struct lvs_check **end = &server->checks;

	uint32_t n = 0;

	while (*end) {
		end = &(*end)->next;
		n++;
	}
	if (n >= MAX_SERVER_CHECKS_IN)
		give_up(im, check->at, "more than %u checks of one real server",
			MAX_SERVER_CHECKS_IN);
	*end = check;
}

struct lvs_check *check_new(struct importer *im, struct lvs_server *server, struct origin at,
			    const char *type)
{
	struct lvs_check *c = check_make(im, at, type);

	check_add(im, server, c);
	return c;
}

void step_add(struct importer *im, struct lvs_check *check, const char *key, const char *text)
{
	struct lvs_step *step = arena_alloc(im, sizeof(*step)), **end = &check->steps;

	while (*end)
		end = &(*end)->next;
	step->key = key;
	step->text = text;
	*end = step;
}

void word_add(struct importer *im, struct lvs_word **list, const char *text)
{
	struct lvs_word *w = arena_alloc(im, sizeof(*w));
	uint32_t n = 0;

	for (; *list; list = &(*list)->next)
		if (n++ == MAX_WORDS_IN)
			give_up(im, (struct origin){NULL, 0},
				"a list of more than %u words, addresses or routes", MAX_WORDS_IN);
	w->text = text;
	*list = w;
}

void address_add(struct importer *im, struct origin at, const struct addr *addr, uint8_t len,
		 enum lvs_address_kind kind, const char *device)
{
	struct lvs_address *a;

	for (a = im->lvs.addresses; a; a = a->next)
		if (addr_equal(&a->addr, addr))
			return;
	if (++im->n_addresses > MAX_ADDRESSES_IN)
		give_up(im, at, "more than %u addresses", MAX_ADDRESSES_IN);
	a = arena_alloc(im, sizeof(*a));
	a->at = at;
	a->addr = *addr;
	a->len = len;
	a->kind = kind;
	a->device = device;
	*im->lvs.addresses_end = a;
	im->lvs.addresses_end = &a->next;
}

void mark_add(struct importer *im, struct origin at, const struct lvs_mark *rule)
{
	struct lvs_mark *m = arena_alloc(im, sizeof(*m));

	*m = *rule;
	m->next = NULL;
	m->at = at;
	*im->lvs.marks_end = m;
	im->lvs.marks_end = &m->next;
}

struct lvs_port *port_of(struct importer *im, struct origin at, const char *device,
			 struct lvs_vlan **vlan)
{
	const char *dot = strchr(device, '.');
	uint64_t id = 0;
	size_t len = strlen(device);
	struct lvs_port *p;

	if (dot && number_parse(dot + 1, 4094, &id) && id)
		len = (size_t)(dot - device);
	for (p = im->lvs.ports; p; p = p->next)
		if (strlen(p->device) == len && memcmp(p->device, device, len) == 0)
			break;
	if (!p && ++im->n_ports > MAX_PORTS_IN)
		give_up(im, at, "more than %u interfaces: plvs has no more ports", MAX_PORTS_IN);
	if (!p) {
		p = arena_alloc(im, sizeof(*p));
		p->at = at;
		p->device = arena_copy(im, device, len);
		*im->lvs.ports_end = p;
		im->lvs.ports_end = &p->next;
	}
	if (vlan) {
		struct lvs_vlan **v = &p->vlans;

		while (*v && (*v)->id != id)
			v = &(*v)->next;
		if (!*v) {
			*v = arena_alloc(im, sizeof(**v));
			(*v)->id = (uint32_t)id;
		}
		*vlan = *v;
	}
	return p;
}

void path_add(struct importer *im, struct origin at, const char *name, const struct addr *local,
	      const struct addr *peer)
{
	struct lvs_path **end = &im->lvs.pair.paths, *p;

	for (; *end; end = &(*end)->next)
		if (addr_equal(&(*end)->local, local) && addr_equal(&(*end)->peer, peer))
			return;
	p = arena_alloc(im, sizeof(*p));
	p->at = at;
	p->name = name;
	p->local = *local;
	p->peer = *peer;
	*end = p;
}

static const char *endpoint_text(struct importer *im, const struct addr *addr, uint32_t port)
{
	struct endpoint ep = {.addr = *addr, .port = be16_from((uint16_t)port)};
	char text[ENDPOINT_STRLEN];

	if (port == 0)
		return arena_printf(im, "%s", addr_format(addr, text, sizeof(text)));
	return arena_printf(im, "%s", endpoint_format(&ep, text, sizeof(text)));
}

const char *service_text(struct importer *im, const struct lvs_service *svc)
{
	const char *key, *name = svc->name ? svc->name : "";

	if (svc->mark)
		key = arena_printf(im, "fwmark:%u%s", svc->mark, svc->v6 ? "/ipv6" : "");
	else if (svc->listeners)
		key = arena_printf(im, "%s:%s%s%s", protocol_name(svc->protocol),
				   endpoint_text(im, &svc->listeners->addr, svc->listeners->port),
				   svc->listeners->port ? "" : ":0",
				   svc->listeners->next ? " and others" : "");
	else
		key = "without an address";
	return arena_printf(im, "%s%s%.64s%s", key, *name ? " (" : "", name, *name ? ")" : "");
}

const char *server_text(struct importer *im, const struct lvs_server *server)
{
	if (server->addr.family == ADDR_NONE)
		return server->host ? server->host : "without an address";
	return endpoint_text(im, &server->addr, server->port);
}
