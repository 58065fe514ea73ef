/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SOURCE_LINK_H
#define PLVS_DATAPLANE_STAGES_SOURCE_LINK_H

/*
 * Which sources a link can bring. A packet of a NAT server comes in by a link over which the
 * fib reaches that server (fib_reaches4()), or by a link that the configuration calls loose.
 * A VIP or an address of the router's own comes in by no link.
 *
 * Packets of NAT servers are checked one by one, so each worker remembers what the fib said:
 * two links for each server's address. The memory is indexed by the address' hash, and
 * each slot is valid for one resolve generation, which every change of routes raises. Servers
 * with more than two links, or with a hash in common, ask the fib again.
 *
 * Other sources are checked where a packet makes a connection or goes to Linux: established
 * connections pay nothing for the check. Worker context.
 */

#include "dataplane/worker.h"

/* The slow way: asks the fib, and remembers a yes. */
bool source_look(struct worker *w, struct source_slot *slot, be32 server, link_id link);

/* Whether packets of a NAT server may come in by link. */
static inline bool source_on_link(struct worker *w, be32 server, link_id link)
{
	struct source_slot *s = &w->sources[addr4_hash(server) % SOURCE_SLOTS];

	if (likely(s->addr == server && s->gen == w->env.gen &&
		   (s->link[0] == link || s->link[1] == link)))
		return true;
	return source_look(w, s, server, link);
}

/* Why a packet from saddr that came in by link is dropped, or DROP_MAX: it may pass. */
enum drop_reason source_judge(struct worker *w, be32 saddr, link_id link);

#endif
