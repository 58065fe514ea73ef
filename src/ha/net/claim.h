/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_CLAIM_H
#define PLVS_HA_NET_CLAIM_H

/*
 * The answer to a station that claims an address which is active here. The router announces the
 * address again, at most once a second at first and every 30 s later, so that two stations do not
 * flood the link. After five claims an alarm names the station's MAC. An hour of claims costs some
 * hundred frames.
 *
 * Pure. Context: one thread, the ha thread. Times in milliseconds, monotonic.
 */

#include "ha/net/discovery.h"

#define CLAIMS_MAX	256 /* claimed addresses at a time: the stalest makes room */
#define CLAIM_FIRST_MS	1000
#define CLAIM_LAST_MS	30000
#define CLAIM_ALARM	5
#define CLAIM_FORGET_MS 120000 /* of silence: then a claim is new again */

#define CLAIM_ANNOUNCE 0x1U /* announce the address again, now */
#define CLAIM_TELL     0x2U /* raise the alarm: once for a claim and its MAC */

struct claim {
	link_id link;
	struct addr addr;
	struct mac mac; /* of the station that claims the address */
	uint32_t n;	/* claims of this MAC */
	bool told;
	uint32_t interval_ms; /* least time between two announcements */
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
