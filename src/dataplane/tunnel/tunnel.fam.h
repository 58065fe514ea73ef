/* SPDX-License-Identifier: BSD-3-Clause */

/* Tunnels of clients of one family, and errors that come by one family: tunnel.h. */

/* The real server's address. Of a tunnel it may be of the other family, then daddr is zero. */
struct addr FAM(conn_server)(const struct worker *w, const struct FAM(conn) *c);

/* The router's own address towards the server or, with a prefix of the server's family
 * (tunnel_source), one of it by the client's endpoint, so that what spreads by addresses spreads.
 * Zero: there is no route. */
struct addr FAM_FN(tunnel, source)(const struct worker *w, const struct FAM(conn) *c,
				   const struct addr *server);

/* The packet of a connection by tunnel goes on its way, or is refused. Takes the packet. */
void FAM_FN(tunnel, send)(struct worker *w, struct FAM(pkt) *p);

/* --- errors: FAMILY is that of the inner packet --- */

/* The inner packet's place of its ports and protocol. False: no TCP or UDP to be read. */
bool FAM_FN(tunnel, inner)(struct tunnel_quote *q);
/* Takes m, an error that quotes an inner packet of the family, when that packet can be of a
 * connection here: handed to its owner, told to its client, or dropped. hdr_room: bytes before the
 * inner packet that may be written. False: Linux may have a tunnel of its own. */
bool FAM_FN(tunnel, tell)(struct worker *w, struct rte_mbuf *m, struct tunnel_quote *q);

/* --- errors: FAMILY is that of the outer packet --- */

/*
 * An ICMP error about an outer packet, found by the inner packet that it quotes: unreachable
 * and time exceeded go to the client with the same type and code (IPVS), too big is learnt and
 * told less the outer header. An error about no connection, or that contradicts the connection,
 * is dropped (icmp_unrelated). True: it was one, the packet has left. Stage steer calls it for what
 * would go to Linux.
 */
bool FAM_FN(tunnel, error)(struct worker *w, struct FAM(pkt) *p);
