/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of removed_server.h that is compiled once for each address family. */

/*
 * Ends connections of removed servers before the burst is scheduled. Packets of a client:
 *	SYN, datagram	conn is NULL afterwards: scheduled anew
 *	other TCP	answered with a RST
 * Packets of the server: TCP is answered with a RST and goes on as a RST to the client, which may
 * wait without sending; datagrams are dropped. Fragments: the first fragment is treated as any
 * packet, later fragments are dropped. Connections that an operator ended: ended.h. Call when
 * env.leavers is not 0. Doors: drop (server_gone, service_gone, ended).
 */
void FAM(removed_server_end)(struct worker *w, struct FAM(burst) *b);
/* The same for a packet of a server whose connection c is of the other family. why: the drop
 * reason. False: the packet has left. */
bool FAM_FN(removed_server, reply)(struct worker *w, struct FAM(pkt) *p, const struct conn *c,
				   enum drop_reason why);
