/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/owned_port.h"

#include <netinet/in.h>

#include "model/runtime_hosts.h"

/* The wishes of a service for its servers' ports: OWNED_*, 0 = none. */
static uint8_t owned_flags(const struct service *svc)
{
	uint8_t flags = svc->policy.nat_icmp_send ? OWNED_ICMP : 0;

	if (svc->fwmark)
		return flags;
	for (uint32_t i = 0; i < svc->n_listen; i++)
		if (svc->listen[i].port == 0)
			return 0;
	if (svc->policy.unknown_reply != REPLY_ROUTE)
		flags |= OWNED_RESET;
	if (svc->policy.unknown_reply == REPLY_VIP)
		flags |= OWNED_VIP;
	return svc->n_listen > 1 ? flags | OWNED_SHARED : flags;
}

/* Several services may name one port: an option of any of them holds, and the service with the
 * least id owns the port. */
static void port_add(struct FAM(listener_table) *t, const struct FAM(listener) *l)
{
	struct FAM(listener) *at = FAM_FN(listener_table, slot)(t, l);

	if (at->proto != 0) {
		at->flags |= l->flags | OWNED_SHARED;
		if (at->service_id > l->service_id)
			at->service_id = l->service_id;
		return;
	}
	*at = *l;
	t->n++;
}

static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

static void server_add(struct FAM(listener_table) *t, const struct service *svc,
		       const struct server *s, uint8_t flags)
{
	if (!flags || !forward_has(s->method, FORWARD_BY_SOURCE) || s->port == 0 ||
	    s->addr.family != FAM_FAMILY)
		return;
	for (size_t k = 0; k < sizeof(protos); k++) {
		const struct FAM(listener) l = {.addr = FAM_FN(addr, of)(&s->addr),
						.port = s->port,
						.proto = protos[k],
						.flags = flags,
						.service_id = svc->rt->id};

		if (svc->fwmark || svc->proto == protos[k])
			port_add(t, &l);
	}
}

static void service_add(struct FAM(listener_table) *t, const struct service *svc)
{
	const uint8_t flags = svc ? owned_flags(svc) : 0;

	for (uint32_t i = 0; flags && i < svc->n_servers; i++)
		server_add(t, svc, &svc->servers[i], flags);
}

/* At most so many: of this family, and both protocols for a mark. */
static uint32_t ports_count(const struct service *svc)
{
	const uint32_t each = svc->fwmark ? 2 : 1;
	uint32_t n = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++)
		n += svc->servers[i].addr.family == FAM_FAMILY ? each : 0;
	return n;
}

struct FAM(listener_table) *FAM_FN(owned_ports, create)(const struct snapshot *s)
{
	struct FAM(listener_table) *t;
	uint32_t n = 0;

	for (uint32_t id = 1; id <= s->max_service_id; id++)
		n += s->services[id] ? ports_count(s->services[id]) : 0;
	t = FAM_FN(listener_table, reserve)(n);
	for (uint32_t id = 1; t && id <= s->max_service_id; id++)
		service_add(t, s->services[id]);
	return t;
}

static void port_forget(struct FAM(listener_table) *t, const struct endpoint *ep)
{
	for (size_t k = 0; k < sizeof(protos); k++) {
		const struct FAM(listener) l = {
			.addr = FAM_FN(addr, of)(&ep->addr), .port = ep->port, .proto = protos[k]};
		struct FAM(listener) *at = FAM_FN(listener_table, slot)(t, &l);

		if (at->proto != 0)
			FAM_FN(listener_table, del)(t, at);
	}
}

void FAM_FN(owned_ports, patch)(struct FAM(listener_table) *t, const struct snapshot *s,
				const struct runtime *rt, const struct endpoint *servers,
				uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct server_rt *srv = NULL;

		if (servers[i].addr.family != FAM_FAMILY)
			continue;
		port_forget(t, &servers[i]);
		while ((srv = runtime_host_next(rt, &servers[i].addr, srv))) {
			const struct service *svc = snapshot_service(s, srv->service_id);
			const struct server *in = NULL;

			if (srv->ep.port == servers[i].port)
				in = service_server(svc, srv);
			if (in)
				server_add(t, svc, in, owned_flags(svc));
		}
	}
}
