/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of local_pool.h. */

struct FAM(local_pool) {
	uint32_t refs; /* control only */
	uint32_t n, n_links;
	struct local_pool_link *links; /* [n_links] */
	FAM_ADDR addrs[];	       /* [n], those of a link together, in order */
};

/* Control. Of the entries of kind ADDR_KIND_POOL. NULL: out of memory. */
struct FAM(local_pool) *FAM_FN(local_pool, create)(const struct FAM(addr_table) *t);
/* Control. Drops a reference; NULL is allowed. */
void FAM_FN(local_pool, put)(struct FAM(local_pool) *p);

/* Worker or any. The addresses of a link, *n of them (0: NULL). A pool of NULL has none. */
static inline const FAM_ADDR *FAM_FN(local_pool, find)(const struct FAM(local_pool) *p,
						       link_id link, uint32_t *n)
{
	for (uint32_t i = 0; p && i < p->n_links; i++) {
		if (p->links[i].link != link)
			continue;
		*n = p->links[i].n;
		return p->addrs + p->links[i].first;
	}
	*n = 0;
	return NULL;
}
