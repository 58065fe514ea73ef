/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ended.h that is compiled once for each address family. */

/* A step of CMD_END through the table of the family; n counts the connections. True: its end. */
bool FAM_FN(ended, walk)(struct worker *w, struct worker_command *cmd);
/* CMD_END_ONE: ends the connection with this key, if there is one. */
void FAM_FN(ended, find)(struct worker *w, struct worker_command *cmd);

/* Sends an empty segment with numbers that do not fit to one end, as if from the other. */
void FAM_FN(ended, ask)(struct worker *w, const struct FAM(new_ends) *way);

/* Takes a packet of a marked connection. After a client's SYN conn is NULL, and the SYN is
 * scheduled anew. False: the packet has left. Doors: drop (ended). */
bool FAM_FN(ended, packet)(struct worker *w, struct FAM(pkt) *p);
