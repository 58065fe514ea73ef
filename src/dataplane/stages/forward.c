/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stages resolve, track, rewrite and transmit of a burst, packet by packet. Nearly all packets are
 * plain: the next hop is known, no payload is written, and the packet fits. For such a packet the
 * checks of all stages come first and the writes of all stages follow, so that nothing is read
 * twice. Any other packet goes through the stages one by one.
 *
 * Doors: those of the stages; sent.
 */
#include "dataplane/stages/forward_internal.h"

/* The stages from resolve on. */
void FAM_FN(forward, staged)(struct worker *w, struct FAM(pkt) *p)
{
	if (!FAM_FN(resolve, packet)(w, p))
		return;
	FAM_FN(track, packet)(w, p);
	if (FAM_FN(rewrite, packet)(w, p))
		door_send(w, p->m, p->nh->port);
}

void FAM_FN(pipeline, finish)(struct worker *w, struct FAM(burst) *b)
{
	struct FAM(pkt) *const end = b->pkts + b->n;
	struct last_out last = {.port = NO_PORT};

	if (unlikely(w->OTHER_FAM(v).n_others)) {
		FAM_FN(pipeline, finish_halves)(w, b);
		return;
	}
	for (struct FAM(pkt) *p = b->pkts; p < end; p++)
		if (unlikely(!forward_plain(w, p, &last)))
			FAM_FN(forward, staged)(w, p);
	b->n = 0;
}
