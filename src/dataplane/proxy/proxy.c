/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proxy/proxy.h"

#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fullnat/local_end.h"

static bool opens(const struct FAM(pkt) *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static bool by_toa(const struct FAM(conn) *c)
{
	return (c->proxy & PROXY_VERSION) == CLIENT_ADDRESS_TOA;
}

static void length_find(struct FAM(conn) *c)
{
	uint8_t text[PROXY_HEADER_MAX];

	c->proxy_len =
		(uint8_t)(by_toa(c) ? FAM_FN(toa, length)() : FAM_FN(proxy, header)(c, text));
}

void FAM_FN(proxy, begin)(struct FAM(conn) *c, const struct FAM(pkt) *p, uint8_t version)
{
	if (version == CLIENT_ADDRESS_OFF || p->dir != DIR_IN ||
	    !forward_has(c->c.method, FORWARD_REWRITES) || FAM_FN(half, crosses)(c))
		return;
	if (c->c.proto == IPPROTO_TCP ? !opens(p) : version != CLIENT_ADDRESS_PROXY_V2)
		return;
	c->c.flags |= CONN_F_PAYLOAD;
	c->proxy = version;
	length_find(c);
}

void FAM_FN(proxy, copied)(struct worker *w, struct FAM(conn) *c, uint8_t proxy, uint32_t first)
{
	if (!proxy)
		return;
	c->proxy = proxy;
	length_find(c);
	if (by_toa(c) && (proxy & PROXY_DONE))
		return;
	c->c.flags |= CONN_F_PAYLOAD;
	w->FAM(v).proxies[FAM_FN(conn, index)(&w->FAM(v).table, c)] =
		(struct proxy_start){.first = first};
}

static void segment_toa(struct worker *w, struct FAM(pkt) *p)
{
	if (p->dir == DIR_OUT)
		FAM_FN(toa, segment_out)(w, p);
	else if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		FAM_FN(proxy, syn_strip)(w, p);
	else
		FAM_FN(toa, segment_in)(w, p);
}

bool FAM_FN(proxy, packet)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead)
{
	const struct FAM(conn) *c = p->conn;

	if (by_toa(c)) {
		if (!(p->flags & (PKT_RELATED | PKT_FRAGMENT | PKT_FOLLOWS)))
			segment_toa(w, p);
		return true;
	}
	if (unlikely(p->flags & PKT_RELATED)) {
		if (p->dir == DIR_OUT)
			FAM_FN(proxy, error)(p);
		return true;
	}
	if (c->c.proto != IPPROTO_TCP)
		return p->dir == DIR_OUT || FAM_FN(proxy, datagram)(w, p);
	if (unlikely(p->flags & (PKT_FRAGMENT | PKT_FOLLOWS))) {
		if (!(c->proxy & PROXY_DONE)) {
			door_drop(w, p->m, DROP_FRAGMENT);
			return false;
		}
		if (p->flags & PKT_FOLLOWS) /* has no numbers */
			return true;
	}
	if (p->dir == DIR_IN)
		FAM_FN(proxy, segment_in)(w, p, ahead);
	else
		FAM_FN(proxy, segment_out)(w, p);
	return true;
}
