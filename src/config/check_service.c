/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of a service alone: listeners, servers, thresholds. */
#include "config/config_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listed {
	struct endpoint ep;
	uint32_t index;
};

static int listed_cmp(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = memcmp(&x->ep, &y->ep, sizeof(x->ep));

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Sorted, so that thousands of servers cost n log n. key: "listen" or "servers". */
static void duplicates_check(struct config_context *ctx, struct listed *v, uint32_t n,
			     const char *key, const char *member)
{
	char text[ENDPOINT_STRLEN];
	uint32_t first = 0;

	qsort(v, n, sizeof(*v), listed_cmp);
	for (uint32_t i = 1; i < n; i++) {
		if (!endpoint_equal(&v[i].ep, &v[first].ep)) {
			first = i;
			continue;
		}
		context_push_key(ctx, key);
		context_push_index(ctx, v[i].index);
		if (member)
			context_push_key(ctx, member);
		config_report(ctx, -EEXIST, NULL, "%s stands here twice: it is %s[%u] already",
			      endpoint_format(&v[i].ep, text, sizeof(text)), key, v[first].index);
		if (member)
			context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* ---- listeners ---- */

static void missing(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

static const char *family_name(uint8_t family)
{
	return family == ADDR_V6 ? "IPv6" : "IPv4";
}

static void listener_check(struct config_context *ctx, const struct config_service *svc,
			   const struct endpoint *ep)
{
	char text[ENDPOINT_STRLEN];

	if (svc->claim)
		config_check_usable(ctx, &ep->addr, "");
	else
		config_check_usable_unclaimed(ctx, &ep->addr);
	if (ep->addr.family && ep->addr.family != config_service_family(svc))
		config_report(
			ctx, -EINVAL, NULL,
			"%s is an %s address: the service's first listener has an %s address, "
			"and a service is of one family",
			endpoint_format(ep, text, sizeof(text)), family_name(ep->addr.family),
			family_name(config_service_family(svc)));
	if (ep->port == 0 && svc->policy.service.persist_s == 0)
		config_report(ctx, -EINVAL, NULL,
			      "port 0 (any) needs persistence: expected a port from 1 to 65535");
}

static void listeners_check(struct config_context *ctx, const struct config_service *svc,
			    struct listed *places)
{
	if (svc->mark) {
		if (svc->n_listen || svc->proto)
			missing(ctx, "mark",
				"a service has either a mark, or a protocol and listeners");
		return;
	}
	if (svc->family != ADDR_V4)
		missing(ctx, "family",
			"belongs to \"mark\": listeners say theirs by their addresses");
	if (svc->n_listen == 0)
		missing(ctx, "listen", "missing: expected at least one address:port");
	if (!svc->proto)
		missing(ctx, "protocol", "missing: expected one of tcp, udp");
	for (uint32_t i = 0; i < svc->n_listen; i++) {
		places[i] = (struct listed){.ep = svc->listen[i], .index = i};
		context_push_key(ctx, "listen");
		context_push_index(ctx, i);
		listener_check(ctx, svc, &svc->listen[i]);
		context_pop(ctx);
		context_pop(ctx);
	}
	duplicates_check(ctx, places, svc->n_listen, "listen", NULL);
}

/* ---- servers ---- */

static bool has_listen_port(const struct config_service *svc, be16 port)
{
	for (uint32_t i = 0; i < svc->n_listen; i++)
		if (svc->listen[i].port == port || svc->listen[i].port == 0)
			return true;
	return svc->n_listen == 0;
}

static void server_port_check(struct config_context *ctx, const struct config_service *svc,
			      struct config_server *s)
{
	char text[ENDPOINT_STRLEN], listen[16];
	bool rewrites = forward_has(s->forward, FORWARD_REWRITES);

	/* Without a port of its own a server gets packets at the port that the client asked for. */
	if (s->ep.port == 0 && (rewrites || has_listen_port(svc, 0)))
		return;
	if (s->ep.port == 0) {
		context_push_key(ctx, "address");
		config_report(ctx, -EINVAL, NULL, "%s has no port: expected address:port",
			      addr_format(&s->ep.addr, text, sizeof(text)));
		context_pop(ctx);
	} else if (!rewrites && !has_listen_port(svc, s->ep.port)) {
		/* As IPVS: methods that do not rewrite keep the port. */
		snprintf(listen, sizeof(listen), "%u", be16_to(svc->listen[0].port));
		context_push_key(ctx, "address");
		config_report(ctx, 0, NULL,
			      "%s: with \"%s\" packets keep the service's port: %s is used",
			      endpoint_format(&s->ep, text, sizeof(text)),
			      forward_names[s->forward], listen);
		context_pop(ctx);
		s->ep.port = svc->listen[0].port;
	}
}

/* A tunnel carries packets of one family inside the other, and full NAT translates them. */
static void server_family_check(struct config_context *ctx, const struct config_service *svc,
				const struct config_server *s)
{
	const uint8_t family = config_service_family(svc);
	char text[ENDPOINT_STRLEN];

	if (s->ep.addr.family == family || forward_has(s->forward, FORWARD_CROSSES))
		return;
	config_report(ctx, -EINVAL, NULL,
		      "%s is an %s address of an %s service: needs \"forward\": \"fullnat\" or "
		      "\"tunnel\", not \"%s\"",
		      endpoint_format(&s->ep, text, sizeof(text)), family_name(s->ep.addr.family),
		      family_name(family), forward_names[s->forward]);
}

/* The keys of an encapsulation stand only where they mean something. */
static void server_tunnel_check(struct config_context *ctx, const struct config_server *s)
{
	const bool gue = s->encap.type == ENCAP_GUE;

	if (s->encap.type != ENCAP_IPIP && !forward_has(s->forward, FORWARD_OUTER_HEADER))
		missing(ctx, "tunnel_type", "needs \"forward\": \"tunnel\"");
	else if (gue && s->encap.port == 0)
		missing(ctx, "tunnel_port",
			"expected the server's UDP port: \"tunnel_type\" is \"gue\"");
	if (!gue && s->encap.port != 0)
		missing(ctx, "tunnel_port", "needs \"tunnel_type\": \"gue\"");
	if (s->encap.type == ENCAP_IPIP && s->encap.checksum != ENCAP_NO_CHECKSUM)
		missing(ctx, "tunnel_checksum", "needs \"tunnel_type\": \"gue\" or \"gre\"");
	else if (!gue && s->encap.checksum == ENCAP_REMOTE_CHECKSUM)
		missing(ctx, "tunnel_checksum", "\"remote\" needs \"tunnel_type\": \"gue\"");
}

static void server_check(struct config_context *ctx, const struct config_service *svc,
			 struct config_server *s)
{
	if (s->ep.addr.family == ADDR_NONE)
		return; /* reported where it was parsed */
	context_push_key(ctx, "address");
	server_family_check(ctx, svc, s);
	/* A program of this router may have any of its addresses. */
	if (!forward_has(s->forward, FORWARD_ENDS_HERE) || !addr_is_loopback(&s->ep.addr))
		config_check_usable(ctx, &s->ep.addr,
				    addr_is_loopback(&s->ep.addr)
					    ? ": a program of this router is a real server with "
					      "\"forward\": \"local\""
					    : "");
	context_pop(ctx);
	server_port_check(ctx, svc, s);
	server_tunnel_check(ctx, s);
}

static bool crosses_family(const struct config_service *svc, const struct config_server *s)
{
	return s->ep.addr.family && s->ep.addr.family != config_service_family(svc);
}

/* Said of all services by the defaults it holds for those that can; said of one it must. */
static void ftp_check(struct config_context *ctx, const struct config_service *svc)
{
	if (!svc->policy.service.ftp || !config_policy_states_ftp(&svc->policy))
		return;
	if (svc->mark || (svc->proto && svc->proto != IPPROTO_TCP))
		missing(ctx, "ftp",
			svc->mark ? "needs a service with listeners: not under a mark"
				  : "needs \"protocol\": \"tcp\", not \"udp\"");
	else if (forward_has(svc->policy.service.forward, FORWARD_SERVER_HAS_VIP))
		missing(ctx, "ftp",
			"needs \"forward\": \"nat\" or \"fullnat\": other methods do not see the "
			"answers");
	for (uint32_t i = 0;
	     forward_has(svc->policy.service.forward, FORWARD_REPLIES_PASS) && i < svc->n_servers;
	     i++) {
		const struct config_server *s = &svc->servers[i];
		const bool crosses = crosses_family(svc, s);

		if (!forward_has(s->forward, FORWARD_SERVER_HAS_VIP) && !crosses)
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, s->written);
		missing(ctx, crosses ? "address" : "forward",
			crosses ? "expected a server of the service's address family: the service "
				  "has \"ftp\", whose PORT and 227 name addresses of one family"
				: "expected \"nat\", \"fullnat\" or \"local\": the service has "
				  "\"ftp\"");
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* Said of all services by the defaults it holds for those that can; said of one it must. */
static void client_address_check(struct config_context *ctx, const struct config_service *svc)
{
	const struct service_policy *policy = &svc->policy.service;
	char text[160];

	if (!policy->client_address || !config_policy_states_client_address(&svc->policy))
		return;
	if (policy->client_address == CLIENT_ADDRESS_PROXY_V1 && svc->proto == IPPROTO_UDP)
		missing(ctx, "client_address",
			"\"proxy-v1\" needs \"protocol\": \"tcp\": of the PROXY protocol only "
			"version 2, \"proxy-v2\", knows UDP");
	if (policy->client_address == CLIENT_ADDRESS_TOA && svc->proto == IPPROTO_UDP)
		missing(ctx, "client_address",
			"\"toa\" needs \"protocol\": \"tcp\": an option of TCP tells the address");
	if (policy->ftp && svc->proto == IPPROTO_TCP)
		missing(ctx, "client_address",
			"not with \"ftp\": an FTP control connection is read from its first byte "
			"on");
	if (!forward_has(policy->forward, FORWARD_REWRITES)) {
		snprintf(text, sizeof(text),
			 "needs \"forward\": \"nat\" or \"fullnat\", not \"%s\": replies have to "
			 "pass the router",
			 forward_names[policy->forward]);
		missing(ctx, "client_address", text);
		return;
	}
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];
		const bool crosses = crosses_family(svc, s);

		if (forward_has(s->forward, FORWARD_REWRITES) && !crosses)
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		missing(ctx, crosses ? "address" : "forward",
			crosses ? "expected a server of the service's address family: the service "
				  "has \"client_address\""
				: "expected \"nat\" or \"fullnat\": the service has "
				  "\"client_address\"");
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* Said of all services by the defaults it holds for UDP. Under a mark it holds for UDP, too. */
static void one_packet_check(struct config_context *ctx, const struct config_service *svc)
{
	if (svc->policy.service.one_packet && svc->proto == IPPROTO_TCP &&
	    config_policy_states_one_packet(&svc->policy))
		missing(ctx, "one_packet", "needs \"protocol\": \"udp\", not \"tcp\"");
	for (uint32_t i = 0;
	     svc->policy.service.one_packet && svc->proto != IPPROTO_TCP && i < svc->n_servers;
	     i++) {
		if (!forward_has(svc->servers[i].forward, FORWARD_BY_LOCAL))
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		missing(ctx, "forward",
			"\"fullnat\" needs a connection, which remembers the client: not with "
			"\"one_packet\"");
		context_pop(ctx);
		context_pop(ctx);
	}
}

static void netmask_check(struct config_context *ctx, const struct config_service *svc)
{
	const uint64_t netmask = svc->policy.service.netmask;
	const bool v6 = config_service_family(svc) == ADDR_V6;

	if (v6 ? !(netmask & NETMASK_BITS) : !config_netmask_is_long(netmask))
		return;
	context_push_key(ctx, "persistence");
	context_push_key(ctx, "netmask");
	if (v6)
		config_report(ctx, -EINVAL, NULL,
			      "a netmask of IPv4: expected a prefix length from 0 to 128");
	else
		config_report(ctx, -EINVAL, NULL,
			      "%u is longer than an IPv4 address: expected 0 to 32",
			      (unsigned int)netmask);
	context_pop(ctx);
	context_pop(ctx);
}

/* An engine that has no effect. */
static void engine_check(struct config_context *ctx, const struct config_service *svc)
{
	const struct service_policy *policy = &svc->policy.service;
	const char *why = NULL;

	if (policy->persist_engine != PERSIST_BY_CALL_ID ||
	    !config_policy_states_engine(&svc->policy))
		return;
	if (!policy->persist_s)
		why = "no effect without \"timeout\": no client is kept";
	else if (svc->proto == IPPROTO_TCP)
		why = "\"sip\" reads UDP only: clients by TCP are kept by their addresses";
	if (!why)
		return;
	context_push_key(ctx, "persistence");
	context_push_key(ctx, "engine");
	config_report(ctx, 0, NULL, "%s", why);
	context_pop(ctx);
	context_pop(ctx);
}

void config_check_service(struct config_context *ctx, struct config_service *svc)
{
	uint32_t n = svc->n_servers > svc->n_listen ? svc->n_servers : svc->n_listen;
	struct listed *places = calloc(n + 1, sizeof(*places));

	if (!places) {
		config_report_memory(ctx);
		return;
	}
	listeners_check(ctx, svc, places);
	ftp_check(ctx, svc);
	client_address_check(ctx, svc);
	netmask_check(ctx, svc);
	engine_check(ctx, svc);
	one_packet_check(ctx, svc);
	config_check_adopt(ctx, svc);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		context_push_key(ctx, "servers");
		context_push_index(ctx, svc->servers[i].written);
		server_check(ctx, svc, &svc->servers[i]);
		context_pop(ctx);
		context_pop(ctx);
		places[i] =
			(struct listed){.ep = svc->servers[i].ep, .index = svc->servers[i].written};
	}
	duplicates_check(ctx, places, svc->n_servers, "servers", "address");
	free(places);
}
