/* SPDX-License-Identifier: BSD-3-Clause */

/* Tunnels of clients of one family, and errors that come by one family: tunnel.h. */

/* The real server's address. For a tunnel it may be of the other family; daddr is zero then. */
struct addr FAM(conn_server)(const struct worker *w, const struct FAM(conn) *c);

/* The source of outer packets: the router's own address towards the server or, with a prefix of the
 * server's family (tunnel_source), an address of the prefix by the client's endpoint, so that
 * devices which spread by addresses spread. Zero: there is no route. */
struct addr FAM_FN(tunnel, source)(const struct worker *w, const struct FAM(conn) *c,
				   const struct addr *server);

/* Sends the packet of a connection by tunnel, or refuses it. Takes the packet. */
void FAM_FN(tunnel, send)(struct worker *w, struct FAM(pkt) *p);

/* --- errors: FAMILY is that of the inner packet --- */

/* Finds ports and protocol of the inner packet. False: no readable TCP or UDP. */
bool FAM_FN(tunnel, inner)(struct tunnel_quote *q);
/* Takes m, an error that quotes an inner packet of the family, if that packet can belong to a
 * connection here: hands m off to the owner, sends an error to the client, or drops m. False: the
 * error may belong to a tunnel of Linux. */
bool FAM_FN(tunnel, tell)(struct worker *w, struct rte_mbuf *m, struct tunnel_quote *q);

/* --- errors: FAMILY is that of the outer packet --- */

/*
 * Takes an ICMP error about an outer packet, found by the quoted inner packet. Unreachable and time
 * exceeded go to the client with the same type and code (IPVS). The MTU of too big is stored, and
 * goes to the client less the outer header. An error about no connection, or that contradicts the
 * connection, is dropped (icmp_unrelated). True: the packet has left. Called for packets that
 * would go to Linux (stages/not_balanced.c).
 */
bool FAM_FN(tunnel, error)(struct worker *w, struct FAM(pkt) *p);
