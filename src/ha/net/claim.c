/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/claim.h"

#include <string.h>

static struct claim *claim_find(struct claims *c, link_id link, const struct addr *addr)
{
	struct claim *stalest = NULL;

	for (uint32_t i = 0; i < c->n; i++) {
		struct claim *k = &c->list[i];

		if (addr_equal(&k->addr, addr) && k->link == link)
			return k;
		if (!stalest || k->seen_ms < stalest->seen_ms)
			stalest = k;
	}
	if (c->n < CLAIMS_MAX)
		stalest = &c->list[c->n++];
	*stalest = (struct claim){.link = link, .addr = *addr};
	return stalest;
}

unsigned int claim_seen(struct claims *c, link_id link, const struct addr *addr,
			const struct mac *mac, uint64_t now_ms, const struct claim **out)
{
	struct claim *k = claim_find(c, link, addr);
	unsigned int todo = 0;

	if (k->n && now_ms - k->seen_ms > CLAIM_FORGET_MS)
		*k = (struct claim){.link = link, .addr = *addr};
	if (k->n == 0 || memcmp(&k->mac, mac, sizeof(*mac)) != 0) {
		/* Another stranger: named as well, but fought no faster. */
		k->mac = *mac;
		k->n = 0;
		k->told = false;
	}
	k->n++;
	k->seen_ms = now_ms;
	if (k->interval_ms == 0 || now_ms - k->announced_ms >= k->interval_ms) {
		k->interval_ms = k->interval_ms ? k->interval_ms * 2 : CLAIM_FIRST_MS;
		if (k->interval_ms > CLAIM_LAST_MS)
			k->interval_ms = CLAIM_LAST_MS;
		k->announced_ms = now_ms;
		todo |= CLAIM_ANNOUNCE;
	}
	if (k->n >= CLAIM_ALARM && !k->told) {
		k->told = true;
		todo |= CLAIM_TELL;
	}
	if (out)
		*out = k;
	return todo;
}
