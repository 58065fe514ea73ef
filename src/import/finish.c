/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps that all formats have in common, once the whole file is read: to find the objects that
 * plvs cannot have, the ports of traffic and of checks, and the settings that a service states once
 * for all its servers.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "import/importer.h"

#define MS_MAX	   86400000U
#define CHECKS_MAX 4U /* of one server */

static uint8_t service_family(const struct lvs_service *svc)
{
	if (svc->mark)
		return svc->v6 ? ADDR_V6 : ADDR_V4;
	return svc->listeners ? svc->listeners->addr.family : ADDR_NONE;
}

/* ---- what plvs cannot have ---- */

static const char *service_lost(const struct lvs_service *svc)
{
	if (svc->lost)
		return svc->lost;
	if (svc->protocol == IPPROTO_SCTP)
		return "plvs balances TCP and UDP, not SCTP";
	return NULL;
}

static const char *server_lost(const struct lvs_service *svc, const struct lvs_server *s)
{
	if (s->lost)
		return s->lost;
	if (s->addr.family != service_family(svc) && s->method != METHOD_TUNNEL &&
	    s->method != METHOD_FULLNAT)
		return "server and service are of different address families";
	return NULL;
}

static void servers_sift(struct importer *im, struct lvs_service *svc)
{
	uint32_t n = 0, n_lost = 0;

	for (struct lvs_server *s = svc->servers; s; s = s->next) {
		s->lost = server_lost(svc, s);
		n++;
		n_lost += s->lost != NULL;
	}
	if (n && n == n_lost)
		svc->lost = "none of its real servers can be imported";
	for (struct lvs_server *s = svc->servers; s; s = s->next)
		if (s->lost)
			note(im, s->at, NOTE_LOST, "real server %s of %s: %s", server_text(im, s),
			     service_text(im, svc), s->lost);
}

/* ---- ports ---- */

static void check_port_finish(struct importer *im, const struct lvs_server *s, uint32_t written,
			      struct lvs_check *c)
{
	bool asks = strcmp(c->type, "icmp") != 0 && strcmp(c->type, "exec") != 0;

	if (!asks)
		return;
	if (c->port == 0)
		c->port = written;
	if (c->port == s->port) {
		c->port = 0;
	} else if (s->port && written != s->port) {
		note(im, c->at, NOTE_DIFFERS,
		     "the check asks port %u, as it did, while traffic goes to port %u", c->port,
		     s->port);
	}
}

/* Nothing but NAT rewrites ports: other methods keep that of the packet. */
static void server_port_finish(struct importer *im, const struct lvs_service *svc,
			       struct lvs_server *s)
{
	uint32_t written = s->port, service = svc->listeners ? svc->listeners->port : 0;
	bool fits = false;

	for (const struct lvs_listener *l = svc->listeners; l; l = l->next)
		fits = fits || l->port == written;
	if (s->method == METHOD_NAT || s->method == METHOD_FULLNAT) {
		s->port = written ? written : service;
	} else if (!fits || !written) {
		if (written && written != service)
			note(im, s->port_at.line ? s->port_at : s->at, NOTE_DIFFERS,
			     "real server %s: port %u is not used: only NAT rewrites ports, "
			     "packets "
			     "keep %s",
			     server_text(im, s), written,
			     service ? arena_printf(im, "the service's port %u", service)
				     : "the port that the client asked for");
		s->port = service;
	}
	for (struct lvs_check *c = s->checks; c; c = c->next)
		check_port_finish(im, s, written ? written : s->port, c);
}

static void loopback_finish(struct importer *im, const struct lvs_service *svc,
			    struct lvs_server *s)
{
	if (!addr_is_loopback(&s->addr) || s->method == METHOD_LOCAL)
		return;
	note(im, s->at, NOTE_DIFFERS, "%s %s of %s is this router itself: imported as `local`%s",
	     s->sorry ? "sorry server" : "real server", server_text(im, s), service_text(im, svc),
	     s->method == METHOD_NAT
		     ? "; by NAT the kernel refuses packets from outside to 127/8, so this never "
		       "answered"
		     : ", which delivers here and keeps the packet's port, as IPVS does");
	s->method = METHOD_LOCAL;
}

/* ---- checks ---- */

static void ms_bound(struct importer *im, const struct lvs_check *c, const char *key, uint32_t min,
		     uint32_t max, uint32_t *ms)
{
	uint32_t before = *ms;

	if (before == 0)
		return;
	*ms = before < min ? min : before > max ? max : before;
	if (*ms != before)
		note(im, c->at, NOTE_DIFFERS,
		     "%s of %u ms is out of plvs's range: %u ms is written", key, before, *ms);
}

static void check_bounds(struct importer *im, struct lvs_check *c)
{
	ms_bound(im, c, "interval", 50, MS_MAX, &c->interval_ms);
	ms_bound(im, c, "fast_interval", 50, MS_MAX, &c->fast_ms);
	ms_bound(im, c, "timeout", 10, MS_MAX, &c->timeout_ms);
	if (c->interval_ms && c->timeout_ms > 10ULL * c->interval_ms)
		ms_bound(im, c, "timeout", 10, 10 * c->interval_ms, &c->timeout_ms);
	if (c->fall > 1000)
		c->fall = 1000;
	if (c->rise > 1000)
		c->rise = 1000;
}

/* A path with what requests cannot have as %HH. */
static const char *path_finish(struct importer *im, const struct lvs_check *c)
{
	struct text_buf b = {0};

	for (const char *p = c->path; *p; p++) {
		if (*p > ' ' && *p < 0x7f)
			buf_put(im, &b, p, 1);
		else
			buf_printf(im, &b, "%%%02X", (unsigned char)*p);
	}
	if (!b.data || strcmp(b.data, c->path) == 0)
		return c->path;
	note(im, c->at, NOTE_DIFFERS,
	     "path \"%s\" has characters that a request cannot have: "
	     "\"%s\" is asked for",
	     c->path, b.data);
	return b.data;
}

static void http_finish(struct importer *im, struct lvs_check *c)
{
	if (c->path)
		c->path = path_finish(im, c);
	if (c->host && (strpbrk(c->host, " /") || !text_is_plain(c->host) || !*c->host)) {
		note(im, c->at, NOTE_UNSAID,
		     "\"%s\" is no host name: the server's address is asked", c->host);
		c->host = NULL;
	}
}

/* Without a port nothing can be connected to: a ping is what is left. */
static void no_port_finish(struct importer *im, const struct lvs_server *s, struct lvs_check *c)
{
	if (c->port || s->port || !strcmp(c->type, "icmp") || !strcmp(c->type, "exec"))
		return;
	note(im, c->at, NOTE_UNSAID,
	     "check of type %s: neither the check, the server %s nor the service has a port: "
	     "imported as icmp, which is weaker",
	     c->type, server_text(im, s));
	*c = (struct lvs_check){.next = c->next,
				.at = c->at,
				.type = "icmp",
				.interval_ms = c->interval_ms,
				.fast_ms = c->fast_ms,
				.timeout_ms = c->timeout_ms,
				.rise = c->rise,
				.fall = c->fall,
				.address = c->address};
}

static void checks_finish(struct importer *im, struct lvs_server *s)
{
	uint32_t n = 0;

	for (struct lvs_check **c = &s->checks; *c;) {
		if (n++ >= CHECKS_MAX) {
			note(im, (*c)->at, NOTE_UNSAID,
			     "a real server has at most %u checks: this one is left out of %s",
			     CHECKS_MAX, server_text(im, s));
			*c = (*c)->next;
			continue;
		}
		if ((*c)->via_vip && s->method != METHOD_DR && s->method != METHOD_TUNNEL)
			(*c)->via_vip = false;
		if ((*c)->via_vip && s->tunnel.type != ENCAP_IPIP) {
			(*c)->via_vip = false;
			note(im, (*c)->at, NOTE_UNSAID,
			     "checks by the VIP travel by ipip alone: %s is asked by its own "
			     "address",
			     server_text(im, s));
		}
		check_bounds(im, *c);
		http_finish(im, *c);
		no_port_finish(im, s, *c);
		c = &(*c)->next;
	}
}

/* ---- what a service says once ---- */

static void quiesce_finish(struct lvs_service *svc)
{
	enum lvs_switch common = SWITCH_UNSET;
	bool mixed = false;

	for (const struct lvs_server *s = svc->servers; s; s = s->next) {
		enum lvs_switch own = s->quiesce ? s->quiesce : svc->quiesce;

		if (s->lost || s->sorry)
			continue;
		own = own ? own : SWITCH_OFF;
		mixed = mixed || (common && common != own);
		common = own;
	}
	if (!mixed) {
		if (common)
			svc->quiesce = common;
		return;
	}
	if (!svc->quiesce)
		svc->quiesce = SWITCH_OFF;
}

static bool rewrites(enum lvs_method method)
{
	return method == METHOD_NAT || method == METHOD_FULLNAT;
}

/* The PROXY protocol goes with the methods whose replies pass, within one family. */
static void client_address_finish(struct importer *im, struct lvs_service *svc)
{
	const char *why = NULL;
	bool option;

	if (!svc->client_address)
		return;
	option = strcmp(svc->client_address, CLIENT_ADDRESS_OPTION) == 0;
	if (!rewrites(svc->method))
		why = "NAT and full NAT alone have it";
	else if (svc->protocol == IPPROTO_UDP && strcmp(svc->client_address, "proxy-v1") == 0)
		why = "version 1 knows no UDP";
	for (const struct lvs_server *s = svc->servers; s && !why; s = s->next)
		if (!s->lost && (!rewrites(s->method) || s->addr.family != service_family(svc)))
			why = "a server of another method or address family cannot have it";
	if (!why && option)
		return;
	if (!why) {
		note(im, svc->client_address_at, NOTE_NOTICE,
		     "proxy_protocol is the service's `client_address`; checks go without the "
		     "header unless they have `proxy_header`");
		return;
	}
	note(im, svc->client_address_at, NOTE_UNSAID, "%s: left out: %s; %s",
	     option ? "the option toa" : "proxy_protocol", why,
	     option ? "servers see addresses of the pool alone"
		    : "servers that expect the header refuse what comes");
	svc->client_address = NULL;
}

struct listed {
	struct lvs_server *server;
	uint32_t order;
};

static int listed_cmp(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = addr_cmp(&x->server->addr, &y->server->addr);

	if (order)
		return order;
	if (x->server->port != y->server->port)
		return x->server->port < y->server->port ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The same endpoint twice: the first one stays. Sorted, so that many cost n log n. */
static void duplicates_drop(struct importer *im, struct lvs_service *svc)
{
	struct lvs_server **link = &svc->servers;
	struct listed *v;
	uint32_t n = 0, first = 0;

	for (struct lvs_server *s = svc->servers; s; s = s->next)
		n++;
	v = arena_alloc(im, (n + 1) * sizeof(*v));
	n = 0;
	for (struct lvs_server *s = svc->servers; s; s = s->next)
		if (!s->lost)
			v[n] = (struct listed){s, n}, n++;
	qsort(v, n, sizeof(*v), listed_cmp);
	for (uint32_t i = 1; i < n; i++) {
		const struct lvs_server *known = v[first].server;

		if (known->port != v[i].server->port ||
		    !addr_equal(&known->addr, &v[i].server->addr)) {
			first = i;
			continue;
		}
		note(im, v[i].server->at, NOTE_DIFFERS,
		     "real server %s stands in %s already (line %u): this one is dropped",
		     server_text(im, v[i].server), service_text(im, svc), known->at.line);
		v[i].server->lost = "";
	}
	while (*link) {
		if ((*link)->lost && !*(*link)->lost)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
}

/* Where the method stands at the servers, the service says that of the first one. */
static void method_finish(struct importer *im, struct lvs_service *svc)
{
	for (const struct lvs_server *s = svc->servers; s && !svc->method; s = s->next)
		if (!s->sorry && !addr_is_loopback(&s->addr))
			svc->method = s->method;
	if (!svc->method)
		svc->method = im->lvs.method ? im->lvs.method : METHOD_NAT;
}

static void service_finish(struct importer *im, struct lvs_service *svc)
{
	method_finish(im, svc);
	for (struct lvs_server *s = svc->servers; s; s = s->next) {
		if (!s->method)
			s->method = svc->method;
		loopback_finish(im, svc, s);
	}
	svc->lost = service_lost(svc);
	if (!svc->lost)
		servers_sift(im, svc);
	if (svc->lost) {
		note(im, svc->at, NOTE_LOST, "service %s: %s", service_text(im, svc), svc->lost);
		return;
	}
	for (struct lvs_server *s = svc->servers; s; s = s->next)
		if (!s->lost)
			server_port_finish(im, svc, s);
	duplicates_drop(im, svc);
	for (struct lvs_server *s = svc->servers; s; s = s->next)
		checks_finish(im, s);
	quiesce_finish(svc);
	client_address_finish(im, svc);
	if (svc->mark && svc->flags && !svc->scheduler)
		svc->flags = 0;
}

void lvs_finish(struct importer *im)
{
	uint32_t n = 0;

	for (struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		service_finish(im, svc);
	for (struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		n += !svc->lost;
	if (n == 0)
		note(im, (struct origin){NULL, 0}, NOTE_ERROR, "no service can be imported");
}
