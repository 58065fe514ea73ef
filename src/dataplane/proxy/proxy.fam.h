/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of proxy.h that is compiled once for each address family. */

/* Packet p made the connection c of a service with this `client_address`. A TCP connection that
 * was not made by a SYN gets no header, since its stream has begun; nor does UDP by version 1. */
void FAM_FN(proxy, begin)(struct FAM(conn) *c, const struct FAM(pkt) *p, uint8_t version);

/* The state of a connection for a peer, and the state that a peer sent. */
static inline uint32_t FAM_FN(proxy, first)(const struct worker *w, const struct FAM(conn) *c)
{
	return c->proxy & PROXY_SENDING
		       ? w->FAM(v).proxies[FAM_FN(conn, index)(&w->FAM(v).table, c)].first
		       : 0;
}
void FAM_FN(proxy, copied)(struct worker *w, struct FAM(conn) *c, uint8_t proxy, uint32_t first);

/* A packet of such a connection, before its headers are rewritten, in one segment of a frame. A
 * packet that has to go before p is left in *ahead, whose mbuf is NULL before. False: p has left.
 */
bool FAM_FN(proxy, packet)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead);

/* --- proxy_header.c --- */

/* Writes the header. Returns its length. */
uint32_t FAM_FN(proxy, header)(const struct FAM(conn) *c, uint8_t out[PROXY_HEADER_MAX]);

/* --- proxy_segment.c, for proxy.c --- */

void FAM_FN(proxy, segment_in)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead);
void FAM_FN(proxy, segment_out)(struct worker *w, struct FAM(pkt) *p);

/* The first byte that the server reads is the header's, so a SYN brings none, and asks for no
 * cookie with which a later one could. */
void FAM_FN(proxy, syn_strip)(struct worker *w, struct FAM(pkt) *p);

/* --- toa.c, for proxy.c --- */

/* Of the option, in bytes. */
uint32_t FAM_FN(toa, length)(void);
void FAM_FN(toa, segment_in)(struct worker *w, struct FAM(pkt) *p);
void FAM_FN(toa, segment_out)(struct worker *w, struct FAM(pkt) *p);

/* --- proxy_datagram.c, for proxy.c --- */

bool FAM_FN(proxy, datagram)(struct worker *w, struct FAM(pkt) *p);
/* An ICMP error about what the server was sent, on its way to the client. */
void FAM_FN(proxy, error)(struct FAM(pkt) *p);
