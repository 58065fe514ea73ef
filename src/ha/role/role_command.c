/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <errno.h>

/* Also in numbers. */
static void cannot_hand_over(struct role_call *t, enum ha_reason reason, uint32_t unbound)
{
	if ((reason == HA_REASON_NOT_SYNCHRONISED || reason == HA_REASON_CONFIGURATION) &&
	    unbound > 0)
		role_reply(
			t, -EAGAIN,
			"cannot hand over: the backup does not know the service or server of %u "
			"connections, which would end; `plvsctl ha handover force` at the active "
			"router ends them",
			unbound);
	else
		role_reply(t, -EAGAIN, "cannot hand over: %s", role_reason_text(reason));
}

static void handover_command(struct role_call *t, bool force)
{
	struct role *r = t->r;
	const uint32_t unbound = r->state == HA_ACTIVE ? r->peer.unbound : r->unbound;
	enum ha_reason reason;

	if (r->state == HA_ACTIVE) {
		reason = role_give_start(t, ROLE_THEN_BACKUP, false, force, "command handover");
		if (reason != HA_REASON_NONE)
			cannot_hand_over(t, reason, unbound);
		else if (unbound > 0)
			role_reply(t, 0,
				   "handing over to the peer, which does not know the service or "
				   "server of %u connections: these end",
				   unbound);
		else
			role_reply(t, 0, "handing over to the peer");
	} else if (r->state == HA_BACKUP && role_peer_alive(r, t->now) &&
		   r->peer.state == HA_ACTIVE) {
		if (role_versions_hinder(r) || unbound > 0) {
			cannot_hand_over(t,
					 unbound > 0 ? HA_REASON_NOT_SYNCHRONISED
						     : HA_REASON_CONFIGURATION,
					 unbound);
			return;
		}
		role_request(t, false);
		role_reply(t, 0, "asked the active peer to hand over");
	} else {
		role_reply(t, -EAGAIN, "cannot hand over: this router is in state %s",
			   role_state_name(r->state));
	}
}

static void maintenance_command(struct role_call *t, bool force)
{
	struct role *r = t->r;
	enum ha_reason reason;

	switch (r->state) {
	case HA_MAINTENANCE:
		role_reply(t, 0, "this router is in maintenance already");
		return;
	case HA_HANDOVER:
	case HA_RELAY:
		r->give.then = ROLE_THEN_MAINTENANCE;
		role_reply(t, 0, "maintenance follows the hand-over under way");
		return;
	case HA_ACTIVE:
		if (force)
			break;
		reason = role_give_start(t, ROLE_THEN_MAINTENANCE, false, false,
					 "command maintenance");
		if (reason != HA_REASON_NONE)
			role_reply(t, -EAGAIN,
				   "this router is active and cannot hand over: %s; `plvsctl ha "
				   "maintenance on force` stops the service here all the same",
				   role_reason_text(reason));
		else
			role_reply(t, 0, "handing over, then maintenance");
		return;
	default:
		break;
	}
	if (r->state == HA_ACTIVE)
		role_fence(t, ROLE_ROW_MAINTENANCE_ON, "command maintenance on force");
	else
		role_go(t, ROLE_ROW_MAINTENANCE_ON, "command maintenance");
	role_reply(t, 0, "in maintenance");
}

static void force_command(struct role_call *t)
{
	struct role *r = t->r;

	if (ha_state_serves(r->state)) {
		role_reply(t, 0, "this router is active already");
	} else if (ROLE_IDLE & ROLE_IN(r->state)) {
		role_take_over(t, ROLE_ROW_FORCED, true, "command force");
		role_reply(t, 0, "taking over");
	} else {
		role_reply(t, -EAGAIN, "cannot take over in state %s", role_state_name(r->state));
	}
}

static void reset_command(struct role_call *t)
{
	struct role *r = t->r;

	r->failback_failures = 0;
	r->given_back_ms = 0;
	r->failback_held = false;
	r->reset_until_ms = t->now + r->cfg.deadtime_ms;
	role_send(t, HA_MSG_RESET);
	role_reply(t, 0, "failback counts from anew");
}

/* The process ends in any case: a peer with most of the connections, or with another version of the
 * configuration, is better than none. */
static bool hand_over_to_quit(struct role_call *t)
{
	const struct role_peer *p = &t->r->peer;
	const bool most = p->sync.complete && p->unbound > 0 && p->relation != VERSION_DIVERGED;
	const bool related = p->flags & HA_FLAG_SYNCHRONISED && p->relation != VERSION_DIVERGED;

	return t->r->cfg.has_peer && role_give_start(t, ROLE_THEN_QUIT, false, most || related,
						     "the process ends") == HA_REASON_NONE;
}

static void stop_command(struct role_call *t)
{
	struct role *r = t->r;

	r->stopping = true;
	switch (r->state) {
	case HA_ACTIVE:
		if (hand_over_to_quit(t))
			return;
		role_fence(t, ROLE_ROW_ENDING, "the process ends, without a peer to hand over to");
		role_quit(t, true);
		break;
	case HA_HANDOVER:
		r->give.then = ROLE_THEN_QUIT;
		break;
	case HA_RELAY:
		break;
	default:
		role_send(t, HA_MSG_HEARTBEAT);
		role_quit(t, role_holds_alone(r, t->now));
		break;
	}
}

void role_command(struct role_call *t, enum role_command command, bool force)
{
	struct role *r = t->r;

	if (command == ROLE_CMD_STOP) {
		stop_command(t);
		return;
	}
	if (!r->cfg.has_peer) {
		role_reply(t, -ENOTCONN, "no peer is configured (ha.peer)");
		return;
	}
	switch (command) {
	case ROLE_CMD_HANDOVER:
		handover_command(t, force);
		break;
	case ROLE_CMD_MAINTENANCE:
		maintenance_command(t, force);
		break;
	case ROLE_CMD_MAINTENANCE_OFF:
		if (r->state != HA_MAINTENANCE) {
			role_reply(t, -EAGAIN, "this router is not in maintenance");
			break;
		}
		r->no_active_ms = t->now;
		role_go(t, ROLE_ROW_MAINTENANCE_OFF, "command maintenance off");
		role_reply(t, 0, "back in the pair");
		break;
	case ROLE_CMD_FORCE:
		force_command(t);
		break;
	case ROLE_CMD_RESET:
		reset_command(t);
		break;
	case ROLE_CMD_STOP:
		break;
	}
}
