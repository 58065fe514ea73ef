/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_CLAIM_H
#define PLVS_HA_NET_CLAIM_H

/*
 * A stranger says that an address is his that is active here: what to do about it. We
 * announce against him at most once a second, backing off to 30 s, so that two stubborn
 * stations do not flood the link; after five claims an alarm names his MAC. An hour of
 * fighting costs some hundred frames.
 *
 * Pure. Context: one thread, the ha thread. Times in milliseconds, monotonic.
 */

#include "ha/net/discovery.h"

#define CLAIMS_MAX	256 /* addresses fought for at a time: the stalest makes room */
#define CLAIM_FIRST_MS	1000
#define CLAIM_LAST_MS	30000
#define CLAIM_ALARM	5
#define CLAIM_FORGET_MS 120000 /* of silence: begins anew */

#define CLAIM_ANNOUNCE 0x1U /* announce the address again, now */
#define CLAIM_TELL     0x2U /* the alarm: once until it is forgotten, or the MAC changes */

struct claim {
	link_id link;
	struct addr addr;
	struct mac mac; /* who claims it */
	uint32_t n;	/* claims of this MAC */
	bool told;
	uint32_t interval_ms; /* until the next announcement may be */
	uint64_t announced_ms, seen_ms;
};

struct claims {
	uint32_t n;
	struct claim list[CLAIMS_MAX];
};

/* Returns CLAIM_* bits; *out (may be NULL) is the claim, valid until the next call. */
unsigned int claim_seen(struct claims *c, link_id link, const struct addr *addr,
			const struct mac *mac, uint64_t now_ms, const struct claim **out);

#endif
