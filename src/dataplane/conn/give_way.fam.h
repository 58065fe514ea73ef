/* SPDX-License-Identifier: BSD-3-Clause */

/* One family's part of give_way.h. */

/* For a table of `capacity` entries. 0 or -ENOMEM. Control, before start. */
int FAM_FN(give_way, init)(struct give_way *g, uint32_t capacity, int socket, uint64_t seed);
void FAM_FN(give_way, fini)(struct give_way *g);

/* To the end of the list where its state, flags and evidence put it, unless it is there. */
void FAM_FN(give_way, update)(struct worker *w, struct FAM(conn) *c);
/* Traffic came: to the end of its list. */
void FAM_FN(give_way, touch)(struct worker *w, struct FAM(conn) *c);
/* Sets or clears EVIDENCE_DOUBT: to the head of ENDING, or back to the head of its list. */
void FAM_FN(give_way, doubt)(struct worker *w, struct FAM(conn) *c, bool doubt);
/* Its entry ends. */
void FAM_FN(give_way, remove)(struct worker *w, struct FAM(conn) *c);

/* One entry gives way. False: none may. */
bool FAM_FN(give_way, make_room)(struct worker *w);
/* Before an entry for a client at caddr is made: what is over its share gives way. False: the
 * client's network has its share, and none of its entries was near the heads of the lists. */
bool FAM_FN(give_way, admit)(struct worker *w, FAM_ADDR caddr);
