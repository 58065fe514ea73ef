/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of proxy.h that is compiled once for each address family. */

/* Call for a packet p that made the connection c of a service with this `client_address`. A TCP
 * connection that was not made by a SYN gets no header, since its stream has begun; UDP by version
 * 1 gets none either. */
void FAM_FN(proxy, begin)(struct FAM(conn) *c, const struct FAM(pkt) *p, uint8_t version);

/* The state of a connection for a peer, and the state that a peer sent. */
static inline uint32_t FAM_FN(proxy, first)(const struct worker *w, const struct FAM(conn) *c)
{
	return c->proxy & PROXY_SENDING
		       ? w->FAM(v).proxies[FAM_FN(conn, index)(&w->FAM(v).table, c)].first
		       : 0;
}
void FAM_FN(proxy, copied)(struct worker *w, struct FAM(conn) *c, uint8_t proxy, uint32_t first);

/* Takes a packet of such a connection, in one mbuf, before its headers are rewritten. A packet to
 * be sent before p comes in *ahead, whose mbuf is NULL before the call. False: p has left.
 */
bool FAM_FN(proxy, packet)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead);

/* --- proxy_header.c --- */

/* Writes the header. Returns its length. */
uint32_t FAM_FN(proxy, header)(const struct FAM(conn) *c, uint8_t out[PROXY_HEADER_MAX]);

/* --- proxy_segment.c, for proxy.c --- */

void FAM_FN(proxy, segment_in)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead);
void FAM_FN(proxy, segment_out)(struct worker *w, struct FAM(pkt) *p);

/* Removes data and TCP Fast Open from a SYN, since the server has to read the header first. Without
 * the cookie a later SYN brings no data either. */
void FAM_FN(proxy, syn_strip)(struct worker *w, struct FAM(pkt) *p);

/* --- toa.c, for proxy.c --- */

/* The length of the option, in bytes. */
uint32_t FAM_FN(toa, length)(void);
void FAM_FN(toa, segment_in)(struct worker *w, struct FAM(pkt) *p);
void FAM_FN(toa, segment_out)(struct worker *w, struct FAM(pkt) *p);

/* --- proxy_datagram.c, for proxy.c --- */

bool FAM_FN(proxy, datagram)(struct worker *w, struct FAM(pkt) *p);
/* An ICMP error about a packet to the server, on its way to the client. */
void FAM_FN(proxy, error)(struct FAM(pkt) *p);
