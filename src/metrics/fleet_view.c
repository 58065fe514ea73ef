/* SPDX-License-Identifier: BSD-3-Clause */
/* The router as a member of a fleet. */
#include <stdlib.h>
#include <string.h>

#include "metrics/object_view.h"

_Static_assert(sizeof(((struct shown_fleet *)0)->digest_buf) >= CONFIG_DIGEST_STRLEN, "a digest");

static void bgp_view(const struct bgp_look *bgp, struct shown_fleet *out)
{
	const enum bgp_state state = bgp ? bgp->state : BGP_UNKNOWN;

	out->daemon = bgp_state_names[state];
	out->daemon_reason = bgp_state_meanings[state];
	out->daemon_known = state != BGP_UNKNOWN;
	out->daemon_missing = state == BGP_MISSING;
	out->sessions = state == BGP_CONNECTED ? bgp->sessions : 0;
}

void fleet_view(const struct router_parts *p, struct shown_fleet *out)
{
	char head[9] = "";

	memset(out, 0, sizeof(*out));
	out->member = p->boot->node.name;
	out->fleet = p->config->shared.ha.mode == CONFIG_HA_FLEET;
	/* The configuration remembers the digest of its parts: that is no change. */
	config_digest((struct config *)(uintptr_t)p->config, out->digest_buf);
	out->digest_text = out->digest_buf;
	memcpy(head, out->digest_buf, sizeof(head) - 1);
	out->digest = strtoul(head, NULL, 16);
	out->undecided = p->health ? health_undecided(p->health) : 0;
	out->on = p->routes != NULL;
	out->state = "none";
	out->daemon = bgp_state_names[BGP_UNKNOWN];
	if (!out->on)
		return;
	vip_routes_status(p->routes, &out->s);
	out->state = vip_routes_state_names[out->s.state];
	out->reason = vip_routes_state_meanings[out->s.state];
	out->drained = p->drained;
	out->standby = out->s.state == VIP_ROUTES_STANDBY;
	out->fault = out->s.fault[0] ? out->s.fault : NULL;
	bgp_view(p->bgp, out);
}
