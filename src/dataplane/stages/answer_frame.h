/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ANSWER_FRAME_H
#define PLVS_DATAPLANE_STAGES_ANSWER_FRAME_H

/*
 * Frames by which a worker answers, of any protocol. An answer goes back to the station that sent
 * the frame, on the same link (answer.h). Worker context.
 */

#include "dataplane/worker.h"

/* Counts the received packet as answered and sends its frame back as a generated packet. Takes
 * m. */
void answer_with(struct worker *w, struct rte_mbuf *m, link_id link);

/* Makes an answer of len bytes from its IP header on, with the Ethernet and VLAN headers of frame,
 * whose IP header is at `at`. NULL: no buffer. *l3: the place of the IP header. */
struct rte_mbuf *answer_alloc(struct worker *w, struct rte_mbuf *frame, const uint8_t *at,
			      uint16_t len, uint8_t **l3);
/* Sends an answer. False: no room for a VLAN tag. Takes m. */
bool answer_send(struct worker *w, struct rte_mbuf *m, link_id link);

#endif
