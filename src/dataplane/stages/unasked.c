/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets without a connection and without a service: clients' packets go to Linux; packets of NAT
 * servers are distinguished from replies whose connection has ended.
 */
#include "dataplane/stages/unasked.h"

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/answer.h"
#include "model/mark.h"
#include "model/owned_port.h"

/* No connection and no service: Linux answers for a VIP and for its own addresses, and routes the
 * rest: packets that a mark rule could have matched. */
void FAM(leave_to_linux)(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(addr_entry) *e =
		FAM_FN(addr_table, find)(w->env.snap->FAM(addrs), p->key.daddr);
	const bool own = (e && (e->kinds & ADDR_KIND_VIP)) ||
			 FAM_FN(fib, find_local)(w->env.fib->FAM(v), p->key.daddr);

	if ((p->flags & PKT_RELATED) && own)
		door_drop(w, p->m, DROP_ICMP_UNRELATED);
	else
		door_punt(w, p->m, own ? PUNT_OWN : PUNT_TRANSIT);
}

/* The peer's own addresses are in the rules for its heartbeats. */
bool FAM(to_peer)(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct punt_rules *rules = w->pub->punt_rules;

	for (uint32_t i = 0; rules && i < rules->n; i++) {
		const struct punt_rule *r = &rules->rule[i];

		if (r->class == PUNT_HA && r->peer.family == FAM_FAMILY &&
		    FAM_FN(addr, equal)(FAM_FN(addr, of)(&r->peer), p->key.daddr))
			return true;
	}
	return false;
}

/* Whether a packet that a NAT server sends from the port of a service is nevertheless traffic of
 * the server's own: the packet opens a TCP connection, or asks a server by UDP, as NTP and DNS do
 * with one port at both ends. */
static bool servers_own(const struct FAM(pkt) *p)
{
	if (p->key.proto == IPPROTO_UDP)
		return be16_to(p->key.dport) < UNASKED_PORT_CLIENTS;
	return !(p->flags & (PKT_RELATED | PKT_FOLLOWS)) &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* A datagram of a NAT server leaves as the VIP of the only listener that its port belongs to. */
static bool reply_as_vip(struct worker *w, const struct FAM(listener) *own, struct FAM(pkt) *p)
{
	const struct service *svc = w->env.snap->services[own->service_id];
	struct FAM_FN(conn, new) n = {.caddr = p->key.daddr,
				      .cport = p->key.dport,
				      .vaddr = FAM_FN(addr, of)(&svc->listen[0].addr),
				      .vport = svc->listen[0].port,
				      .daddr = p->key.saddr,
				      .dport = p->key.sport,
				      .proto = p->key.proto,
				      .svc = svc};

	for (uint32_t i = 0; i < svc->n_servers && !n.server; i++) {
		const struct server *s = &svc->servers[i];

		if (!FAM_FN(addr, equal)(FAM_FN(addr, of)(&s->addr), p->key.saddr) ||
		    s->port != p->key.sport)
			continue;
		n.method = s->method; /* its port is owned, so replies are told by its address */
		n.server = s->rt;
		n.server_id = s->id;
	}
	if (!n.server)
		return false;
	p->conn = FAM_FN(conn, once)(w, &n);
	p->dir = DIR_OUT;
	p->flags |= PKT_NEW;
	return true;
}

/*
 * A packet of a NAT server without a connection goes to Linux to be routed, unless its port
 * belongs to a service. Then a client would get the packet from an address that the client never
 * spoke to, so the server is told that there is no connection (unknown_reply, nat_icmp_send).
 * A packet to the peer answers the peer's check, so Linux routes the packet.
 * True: p->conn is set; false: the packet has left.
 */
bool FAM(unasked)(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(listener) *own =
		FAM_FN(owned_port, find)(w->env.snap, p->key.proto, p->key.saddr, p->key.sport);
	const bool told = p->flags & (PKT_RELATED | PKT_FOLLOWS); /* no header to answer */
	uint8_t wants = own && !FAM(to_peer)(w, p) ? own->flags : 0;

	if ((wants & OWNED_RESET) && servers_own(p))
		wants = 0;
	else if (!(wants & OWNED_RESET) && ((p->flags & PKT_RELATED) || (p->tcp_flags & TCP_RST)))
		wants = 0;
	if (!(wants & (OWNED_RESET | OWNED_ICMP))) {
		door_punt(w, p->m, PUNT_TRANSIT);
		return false;
	}
	if (p->key.proto == IPPROTO_UDP && !(p->flags & PKT_RELATED) &&
	    (wants & (OWNED_VIP | OWNED_SHARED)) == OWNED_VIP && reply_as_vip(w, own, p))
		return true;
	if (!told && p->key.proto == IPPROTO_TCP && (wants & OWNED_RESET))
		FAM_FN(tcp, reset)(w, p);
	else if (!told && (wants & OWNED_ICMP))
		FAM_FN(icmp, error)(w, p, FAM(own_address)(w, p), ICMP_REASON_PORT, 0);
	door_drop(w, p->m, DROP_NO_REPLY);
	return false;
}

/* For a packet of a NAT server, or to an address of a pool, that is not a reply. Unless a mark may
 * lead the packet to a service, the packet is unasked. False: the packet has left. True: p->conn is
 * set, or the packet is tried as `in`. */
bool FAM(try_as_in)(struct worker *w, struct FAM(pkt) *p)
{
	const struct snapshot *s = w->env.snap;
	const struct FAM(addr_entry) *e = FAM_FN(addr_table, find)(s->FAM(addrs), p->key.daddr);
	unsigned int owner;

	if (e && (e->kinds & ADDR_KIND_POOL)) {
		door_drop(w, p->m, DROP_POOL_UNKNOWN);
		return false;
	}

	if (likely(!s->FAM(cover)) || (p->flags & PKT_RELATED) || w->env.lease_off ||
	    !FAM_FN(mark_cover, has)(s->FAM(cover), p->key.daddr))
		return FAM(unasked)(w, p);
	owner = FAM(owner)(w->owners, p->key.saddr, p->key.sport);
	if (owner != w->id) {
		door_handoff(w, p->m, owner, PKT_TRIED_OUT);
		return false;
	}
	p->flags |= PKT_TRIED_OUT;
	p->dir = DIR_IN;
	p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, DIR_IN);
	return true;
}
