/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/owned_port.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* What the service wants of its servers' ports: OWNED_*, 0 = nothing. */
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

static size_t service_add(const struct service *svc, struct FAM(listener) *out)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	const uint8_t flags = svc ? owned_flags(svc) : 0;
	size_t n = 0;

	for (uint32_t i = 0; flags && i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		if (!forward_has(s->method, FORWARD_REPLIES_PASS) || s->port == 0 ||
		    s->addr.family != FAM_FAMILY)
			continue;
		for (size_t k = 0; k < sizeof(protos); k++)
			if (svc->fwmark || svc->proto == protos[k])
				out[n++] =
					(struct FAM(listener)){.addr = FAM_FN(addr, of)(&s->addr),
							       .port = s->port,
							       .proto = protos[k],
							       .flags = flags,
							       .service_id = svc->rt->id};
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	const struct FAM(listener) *x = a, *y = b;

	const int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	if (order)
		return order;
	if (x->port != y->port)
		return be16_to(x->port) < be16_to(y->port) ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x->service_id > y->service_id) - (x->service_id < y->service_id);
}

static bool same_port(const struct FAM(listener) *a, const struct FAM(listener) *b)
{
	return FAM_FN(addr, equal)(a->addr, b->addr) && a->port == b->port && a->proto == b->proto;
}

/* Several services may name one port: what one of them wants holds. */
static size_t merge(struct FAM(listener) *v, size_t n)
{
	size_t k = 0;

	qsort(v, n, sizeof(*v), compare);
	for (size_t i = 0; i < n; i++) {
		if (k > 0 && same_port(&v[k - 1], &v[i]))
			v[k - 1].flags |= v[i].flags | OWNED_SHARED;
		else
			v[k++] = v[i];
	}
	return k;
}

struct FAM(listener_table) *FAM_FN(owned_ports, create)(const struct snapshot *s)
{
	struct FAM(listener_table) *t;
	struct FAM(listener) *v;
	size_t n = 0;

	for (uint32_t id = 1; id <= s->max_service_id; id++)
		n += s->services[id] ? 2 * (size_t)s->services[id]->n_servers : 0;
	v = calloc(n ? n : 1, sizeof(*v));
	if (!v)
		return NULL;
	n = 0;
	for (uint32_t id = 1; id <= s->max_service_id; id++)
		n += service_add(s->services[id], v + n);
	t = FAM_FN(listener_table, create)(v, (uint32_t)merge(v, n));
	free(v);
	return t;
}
