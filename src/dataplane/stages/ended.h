/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ENDED_H
#define PLVS_DATAPLANE_STAGES_ENDED_H

/*
 * Connections that an operator ends (CMD_END, CMD_END_ONE).
 *
 * A datagram connection, or a TCP connection that is closed, is removed at once. Any other TCP
 * connection is marked (GEN_ENDED). An end accepts a RST only with the number that it expects, and
 * a worker does not know these numbers. So the worker sends both ends an empty segment whose
 * numbers do not fit. The receiver answers with an ACK that has its own numbers (RFC 9293,
 * 3.10.7.4), or with a RST if it has no such connection. The next packet of either end, such as
 * this answer, ends both: its sender gets a RST with the number that the packet acknowledges, and
 * the packet goes on as a RST. The connection is then in the state CLOSE until its time is over.
 *
 * Segments are sent only if the next hop is known and the VIP is active here. Without an answer the
 * connection ends by its next packet, or by its time-out. With direct routing and tunnels the
 * server answers the client, so only the client gets a segment.
 *
 * Persistence templates are no connections, and stay. Worker context.
 */

#include "dataplane/dataplane.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/stages/pipeline.h"

#define FAM_TEMPLATE "dataplane/stages/ended.fam.h"
#include "base/both_families.h"

/* True: there may be marked connections. */
static inline bool ended_left(struct worker *w, uint32_t now_tick)
{
	if (likely(!w->ends))
		return false;
	w->ends = (int32_t)(now_tick - w->ends_tick) < 0;
	return w->ends;
}

#endif
