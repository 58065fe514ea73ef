/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ANSWER_FRAME_H
#define PLVS_DATAPLANE_STAGES_ANSWER_FRAME_H

/*
 * Frames by which a worker answers, of any protocol. An answer goes back to the station that the
 * frame came from, on the same link: no next hop has to be resolved, and a flood of requests asks
 * Linux nothing. Worker context.
 */

#include "dataplane/worker.h"

/* The received packet ends here (answered); its frame goes back as a packet of ours. Takes m. */
void answer_with(struct worker *w, struct rte_mbuf *m, link_id link);

/* A packet of len bytes from its IP header on, as an answer to frame, whose IP header is `at`: the
 * headers before are the frame's own. NULL: no buffer. *l3: the place of the IP header. */
struct rte_mbuf *answer_alloc(struct worker *w, struct rte_mbuf *frame, const uint8_t *at,
			      uint16_t len, uint8_t **l3);
/* Sends it. False: no room for a VLAN tag. Takes m. */
bool answer_send(struct worker *w, struct rte_mbuf *m, link_id link);

#endif
