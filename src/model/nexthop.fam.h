/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of nexthop.h: the index of one family. */

struct FAM(nexthop_slot) {
	FAM_ADDR addr;
	link_id link;
	uint32_t id; /* 0 = free, NEXTHOP_TOMB = was used */
};

/* Any. The id, or 0: send a resolve request to the link thread. */
uint32_t FAM(nexthop_find)(const struct nexthop_table *t, link_id link, FAM_ADDR addr);

/* For nexthop_find*() and tests: true if the slot, whose id was just read, is and stays that of
 * (link, addr). */
bool FAM_FN(nexthop_slot, matches)(const struct FAM(nexthop_slot) *s, uint32_t id, link_id link,
				   FAM_ADDR addr);

/* Link. A new id for (link, addr), which the index does not hold; 0 when the table is full.
 * nh (from malloc) has link and addr filled in; its id is set, the table takes it over. */
uint32_t FAM(nexthop_add)(struct nexthop_table *t, link_id link, FAM_ADDR addr, struct nexthop *nh);
/* Link. Removes the id, of this family, from the index; the object stays readable. Then raise the
 * generation, wait for a grace period and call nexthop_free_id(). */
void FAM(nexthop_unlink)(struct nexthop_table *t, uint32_t id);
