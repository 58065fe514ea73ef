/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_REWRITE_PLAIN_H
#define PLVS_DATAPLANE_STAGES_REWRITE_PLAIN_H

/* The part of stage rewrite that most packets need, for files that are compiled for each family.
 * Worker context. */

#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/rewrite.h"

/* A server of the same family, and a local port. */
static inline bool rewrite_has_local(const struct FAM(conn) *c)
{
	return c->c.method == FWD_FULLNAT && (c->c.flags & CONN_F_OUT_KEY) &&
	       !FAM_FN(half, crosses)(c);
}

/* True: rewrite_plain() covers the packet's method. */
static inline bool rewrite_is_plain(const struct FAM(conn) *c)
{
	return likely(c->c.method <= FWD_DR) || rewrite_has_local(c);
}
_Static_assert(FWD_NAT == 0 && FWD_DR == 1, "the two methods come first");

/* A datagram whose ports change and that has no checksum, which IPv6 does not allow. */
static inline bool rewrite_needs_checksum(uint8_t method, const uint8_t *l4, uint8_t proto)
{
#if FAMILY == 6
	return method != FWD_DR && FAM_FN(udp_csum, missing)(l4, proto);
#else
	(void)method;
	(void)l4;
	(void)proto;
	return false;
#endif
}

/* Hop limit, addresses, ports and checksums of a packet of rewrite_is_plain(). method: of c. */
static __rte_always_inline void rewrite_plain(const struct worker *w, const struct FAM(conn) *c,
					      uint8_t method, uint8_t *l3, uint32_t l4_off,
					      uint32_t dir, uint8_t proto)
{
	uint16_t delta = FAM_FN(ip, hop_down)(l3);

	if (method == FWD_NAT)
		delta = csum_delta_sum(delta, FAM_FN(nat, apply)(c, l3, l4_off, dir, proto));
	else if (method == FWD_FULLNAT)
		delta = csum_delta_sum(
			delta, FAM_FN(fullnat, apply)(&w->FAM(v).table, c, l3, l4_off, dir, proto));
	FAM_FN(ip, csum_change)(l3, delta);
}

#endif
