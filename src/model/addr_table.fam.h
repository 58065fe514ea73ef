/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of addr_table.h. */

struct FAM(addr_entry) {
	FAM_ADDR addr;
	uint32_t kinds; /* 0 = free slot */
	link_id link;	/* ARP or ND for the address is answered here; or LINK_ANY */
};

/* Open addressing with linear probing. The slots are a power of two; at most half of them are in
 * use, a quarter in a table built anew. */
struct FAM(addr_table) {
	uint32_t refs; /* control only */
	uint32_t mask; /* slots - 1 */
	uint32_t n;
	uint32_t any; /* kinds of all entries, those of the table copied from included */
	struct FAM(addr_entry) slots[];
};

/* Worker or any. The entry of addr, or NULL. */
static inline const struct FAM(addr_entry) *
FAM_FN(addr_table, find)(const struct FAM(addr_table) *t, FAM_ADDR addr)
{
	for (uint32_t i = FAM_FN(addr, hash)(addr);; i++) {
		const struct FAM(addr_entry) *e = &t->slots[i & t->mask];

		if (e->kinds == 0)
			return NULL;
		if (FAM_FN(addr, equal)(e->addr, addr))
			return e;
	}
}

/* The slot where the search for an address begins: most often its entry, or a free one. */
static inline const struct FAM(addr_entry) *
FAM_FN(addr_table, first)(const struct FAM(addr_table) *t, FAM_ADDR addr)
{
	return &t->slots[FAM_FN(addr, hash)(addr) & t->mask];
}

/* Control. Entries for one address are merged by or-ing their kinds. NULL with errno ENOMEM. */
struct FAM(addr_table) *FAM_FN(addr_table, create)(const struct FAM(addr_entry) *entries,
						   uint32_t n);
/* Control. A copy of t with room for `more` entries. NULL with errno ENOMEM, or ENOSPC: t has too
 * few free slots. */
struct FAM(addr_table) *FAM_FN(addr_table, copy)(const struct FAM(addr_table) *t, uint32_t more);
/* Control. Sets the kinds of an address in a table that is not published yet; 0 removes the entry.
 * A new entry has LINK_ANY. */
void FAM_FN(addr_table, set)(struct FAM(addr_table) *t, FAM_ADDR addr, uint32_t kinds);
/* Control. Drops a reference; NULL is allowed. */
void FAM_FN(addr_table, put)(struct FAM(addr_table) *t);
/* Control. Writes the n entries, in no order. */
void FAM_FN(addr_table, list)(const struct FAM(addr_table) *t, struct addr_entry *out);
