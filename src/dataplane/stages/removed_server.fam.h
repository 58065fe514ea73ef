/* SPDX-License-Identifier: BSD-3-Clause */

/* One family's part of removed_server.h. */

/*
 * Ends such connections before the burst is scheduled. What a client sends:
 *	SYN, datagram	conn is NULL afterwards: scheduled anew
 *	other TCP	answered with a RST
 * What the server sends: TCP is answered with a RST and goes on as a RST to the client, who
 * may be waiting and have nothing to send; datagrams are dropped. Fragments: the first one as
 * any packet, those that follow it are dropped.
 * To be called when env.leavers is not 0. Doors: drop (server_gone, service_gone).
 */
void FAM(removed_server_end)(struct worker *w, struct FAM(burst) *b);
