/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of give_way.h that is compiled once for each address family. */

/* For a table of `capacity` entries. 0 or -ENOMEM. Control, before start. */
int FAM_FN(give_way, init)(struct give_way *g, uint32_t capacity, int socket, uint64_t seed);
void FAM_FN(give_way, fini)(struct give_way *g);

/* Moves an entry to the end of the list for its state, flags and evidence, unless the entry is in
 * that list. */
void FAM_FN(give_way, update)(struct worker *w, struct FAM(conn) *c);
/* Moves an entry with new traffic to the end of its list. */
void FAM_FN(give_way, touch)(struct worker *w, struct FAM(conn) *c);
/* Sets or clears EVIDENCE_DOUBT: moves the entry to the head of ENDING, or back to the head of its
 * list. */
void FAM_FN(give_way, doubt)(struct worker *w, struct FAM(conn) *c, bool doubt);
/* Takes an entry that ends out of its list. */
void FAM_FN(give_way, remove)(struct worker *w, struct FAM(conn) *c);

/* The list that most likely gives way when n entries are made; GIVE_WAY_NONE: there is room. */
enum give_way_list FAM_FN(give_way, next)(const struct worker *w, uint32_t n);
/* Prefetches memory that the ends of the first n entries of a list touch, at most BURST_MAX. They
 * have not been touched for long. */
void FAM_FN(give_way, prefetch)(struct worker *w, enum give_way_list list, uint32_t n);
/* Ends an entry to make room. False: no entry may give way. */
bool FAM_FN(give_way, make_room)(struct worker *w);
/* Call before an entry for a client at caddr is made: ends entries of lists that exceed their
 * share. False: the client's network has its share, and none of its entries was near the heads of
 * the lists. */
bool FAM_FN(give_way, admit)(struct worker *w, FAM_ADDR caddr);
