/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ENDED_H
#define PLVS_DATAPLANE_STAGES_ENDED_H

/*
 * Connections that an operator ends (CMD_END, CMD_END_ONE).
 *
 * A datagram connection is removed at once, and so is a TCP connection that is closed: there is
 * nobody to tell. Any other TCP connection is marked (GEN_ENDED). A RST is believed only with the
 * number that its receiver expects, and a worker does not know these numbers. So both ends are
 * asked by an empty segment whose numbers do not fit. The receiver answers with an ACK that has its
 * own numbers (RFC 9293, 3.10.7.4), and a receiver that knows no such connection with a RST. By the
 * next packet of either side, the answer among them, both sides are told: the sender gets a RST
 * with the number that the packet acknowledges, and the packet goes on as a RST. The connection is
 * then in the state CLOSE until its time is over.
 *
 * Segments are sent where the next hop is known and the addresses are this router's to speak for.
 * Where none is sent or answered, the connection ends by the next packet that comes for it, or by
 * its time-out. With direct routing and tunnels the server answers the client, so only the client
 * is asked.
 *
 * Persistence templates are no connections, and stay. Worker context.
 */

#include "dataplane/dataplane.h"
#include "dataplane/fullnat/halves.h"
#include "dataplane/stages/pipeline.h"

#define FAM_TEMPLATE "dataplane/stages/ended.fam.h"
#include "base/both_families.h"

/* Whether marked connections may be left. */
static inline bool ended_left(struct worker *w, uint32_t now_tick)
{
	if (likely(!w->ends))
		return false;
	w->ends = (int32_t)(now_tick - w->ends_tick) < 0;
	return w->ends;
}

#endif
