/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tunnel/tunnel.h"

#include "dataplane/conn/conn_life.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_split.h"
#include "dataplane/stages/route.h"
#include "dataplane/stages/rewrite.h"
#include "dataplane/tunnel/outer.h"

struct addr FAM(conn_server)(const struct worker *w, const struct FAM(conn) *c)
{
	const struct server_rt *rt;

	if (likely(!FAM_FN(addr, is_zero)(c->daddr)))
		return FAM(addr_from_addr)(c->daddr);
	rt = runtime_server(&w->pub->runtime, c->c.server);
	return rt ? rt->ep.addr : (struct addr){0};
}

static uint32_t client_hash(FAM_ADDR addr, be16 port)
{
	uint64_t h;

#if FAMILY == 4
	h = ((uint64_t)addr << 16 | port) * 0x9e3779b97f4a7c15ULL;
#else
	h = (addr.word[0] * 0xd6e8feb86659fd93ULL ^ addr.word[1] ^ (uint64_t)port << 48) *
	    0x9e3779b97f4a7c15ULL;
#endif
	return (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL >> 32);
}

/* An address of the prefix that is neither its first nor its last, if it has others. At most 32
 * bits of it are spread. */
static struct addr source_spread(const struct mark_prefix *prefix, uint32_t hash)
{
	const uint32_t bits =
		RTE_MIN((prefix->addr.family == ADDR_V6 ? 128U : 32U) - prefix->len, 32U);
	const uint32_t spare = bits > 1 ? 2 : 0;
	const uint64_t n = (1ULL << bits) - spare;
	const be32 host = be32_from((uint32_t)(hash * n >> 32) + spare / 2);
	struct addr a = prefix->addr;

	if (a.family == ADDR_V6)
		a.word[3] |= host;
	else
		a.v4 |= host;
	return a;
}

struct addr FAM_FN(tunnel, source)(const struct worker *w, const struct FAM(conn) *c,
				   const struct addr *server)
{
	const struct service *svc = FAM_FN(conn, service)(w, c);

	if (svc && svc->policy.tunnel_source.len &&
	    svc->policy.tunnel_source.addr.family == server->family)
		return source_spread(&svc->policy.tunnel_source, client_hash(c->caddr, c->cport));
	return route_source(w->env.fib, server);
}

/* A packet that does not fit and must not be cut is refused, and its sender gets the remaining MTU.
 * Other packets that do not fit leave as fragments of the outer packet. */
void FAM_FN(tunnel, send)(struct worker *w, struct FAM(pkt) *p)
{
	const struct addr server = FAM(conn_server)(w, p->conn);
	const struct outer outer = {
		.from = FAM_FN(tunnel, source)(w, p->conn, &server),
		.to = server,
		.encap = runtime_encap(&w->pub->runtime, p->conn->c.server),
		.flow = client_hash(p->conn->caddr, p->conn->cport),
	};
	const uint16_t header = outer_len(server.family, outer.encap);
	uint16_t mtu = tunnel_mtu(w, p->conn->c.server, p->nh->mtu);

	mtu = mtu > header ? (uint16_t)(mtu - header) : 0;
	if (*FAM_FN(ip, hop_limit)(p->l3) <= 1) {
		FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_HOP_LIMIT, DROP_TTL_EXCEEDED, 0);
	} else if (server.family == ADDR_V6 && mtu < TUNNEL_MTU6_MIN) {
		door_drop(w, p->m, DROP_TOO_BIG); /* no sender could make it fit (IPVS) */
	} else if (p->l3_len > mtu && FAM_FN(ip, forbids_fragments)(p->l3)) {
		FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_TOO_BIG, DROP_TOO_BIG, mtu);
	} else if (p->l3_len > UINT16_MAX - header) {
		door_drop(w, p->m, DROP_TOO_BIG);
	} else if (addr_is_zero(&outer.from)) {
		door_drop(w, p->m, DROP_NO_ROUTE);
	} else if (!rte_pktmbuf_prepend(p->m, header)) {
		door_drop(w, p->m, DROP_NO_BUFFER);
	} else {
		uint8_t *l3 = p->l3 - header;

		FAM_FN(ip, csum_change)(p->l3, FAM_FN(ip, hop_down)(p->l3));
		outer_put(w, p->m, l3, &outer, p->l3_len);
		p->l3 = l3;
		p->l3_len = (uint16_t)(p->l3_len + header);
		FAM_FN(ethernet, put)(p);
		if (p->l3_len <= p->nh->mtu)
			door_send(w, p->m, p->nh->port);
		else if (server.family == ADDR_V6)
			fragment6_send(w, p->m, p->l3, p->l3_len, p->nh, p->nh->mtu);
		else
			fragment4_send(w, p->m, p->l3, p->l3_len, p->nh, p->nh->mtu);
	}
}
