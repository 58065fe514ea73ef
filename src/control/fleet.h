/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_FLEET_H
#define PLVS_CONTROL_FLEET_H

/*
 * The VIPs that are announced to the network: those whose services have their quorum, as
 * shared.ha.withdraw says. announce/vip_routes.h keeps their routes. Once a second control looks
 * for a routing daemon that exports them (announce/bgp_look.h).
 *
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <event2/event.h>
#include <stdbool.h>

#include "announce/bgp_look.h"
#include "announce/vip_routes.h"

struct control;

struct fleet {
	struct vip_routes *routes; /* or NULL: no announcements */
	struct bgp_look *bgp;	   /* or NULL: no look for the routing daemon */
	struct event *soon_ev, *second_ev;
	bool drained;
	struct spawn_client *programs; /* or NULL */
	struct notify *notify;	       /* or NULL */
	struct fleet_wire *wire;       /* or NULL */
	struct fleet_keys *keys;       /* of wire; NULL: no connections to members */
};

int fleet_start(struct control *c);
void fleet_stop(struct control *c);
/* Configuration or verdicts changed: the list is made anew in the next round of the loop. Ignored
 * before fleet_start(). */
static inline void fleet_changed(struct fleet *f)
{
	static const struct timeval now;

	if (f->soon_ev && !evtimer_pending(f->soon_ev, NULL))
		evtimer_add(f->soon_ev, &now);
}

#endif
