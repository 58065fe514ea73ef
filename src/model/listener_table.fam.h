/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of listener_table.h. */

struct FAM(listener) {
	FAM_ADDR addr;
	be16 port;
	uint8_t proto; /* 0 = free slot */
	uint8_t flags; /* of snapshot.owned4, owned6: OWNED_* */
	uint32_t service_id;
};

struct FAM(listener_table) {
	uint32_t refs;
	uint32_t mask;
	uint32_t n;
	struct FAM(listener) slots[];
};

static inline uint32_t FAM_FN(listener, hash)(uint8_t proto, FAM_ADDR addr, be16 port)
{
	uint64_t h = FAM_FN(addr, mix)(addr);

	h = (h ^ h >> 32 ^ (uint64_t)port << 8 ^ proto) * ADDR_MIX;
	return (uint32_t)(h >> 32);
}

/* The entry, or NULL. */
static inline const struct FAM(listener) *FAM_FN(listener_table,
						 entry)(const struct FAM(listener_table) *t,
							uint8_t proto, FAM_ADDR addr, be16 port)
{
	for (uint32_t i = FAM_FN(listener, hash)(proto, addr, port);; i++) {
		const struct FAM(listener) *l = &t->slots[i & t->mask];

		if (l->proto == 0)
			return NULL;
		if (FAM_FN(addr, equal)(l->addr, addr) && l->port == port && l->proto == proto)
			return l;
	}
}

/* The service id, or 0. */
static inline uint32_t FAM_FN(listener_table, find)(const struct FAM(listener_table) *t,
						    uint8_t proto, FAM_ADDR addr, be16 port)
{
	const struct FAM(listener) *l = FAM_FN(listener_table, entry)(t, proto, addr, port);

	return l ? l->service_id : 0;
}

/* The service id of a mark, or 0. */
static inline uint32_t FAM_FN(listener_table, find_mark)(const struct FAM(listener_table) *t,
							 uint32_t mark)
{
	return FAM_FN(listener_table, find)(t, LISTENER_MARK, FAM_FN(addr, of_mark)(mark), 0);
}

/* Control. NULL with errno ENOMEM, or EEXIST (the same listener twice). */
struct FAM(listener_table) *FAM_FN(listener_table, create)(const struct FAM(listener) *entries,
							   uint32_t n);
/* Control. An empty table with room for n entries, to be filled in place before its publication.
 * NULL with errno ENOMEM. */
struct FAM(listener_table) *FAM_FN(listener_table, reserve)(uint32_t n);
/* Control. The entry, or the free slot where it belongs: the caller writes all of it and counts
 * t->n up. */
struct FAM(listener) *FAM_FN(listener_table, slot)(struct FAM(listener_table) *t,
						   const struct FAM(listener) *l);
/* Control. A copy of t with room for `more` entries, to be changed before its publication. NULL
 * with errno ENOMEM, or ENOSPC: t has too few free slots. */
struct FAM(listener_table) *FAM_FN(listener_table, copy)(const struct FAM(listener_table) *t,
							 uint32_t more);
/* Control. Removes an entry that slot() has found. */
void FAM_FN(listener_table, del)(struct FAM(listener_table) *t, struct FAM(listener) *l);
/* Control. Drops a reference; NULL is allowed. */
void FAM_FN(listener_table, put)(struct FAM(listener_table) *t);
