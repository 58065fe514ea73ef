/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer asks this router to stop. */
#include "ha/role/role_internal.h"

#include <stdio.h>

static void stop_refuse(struct role_call *t, enum ha_reason reason)
{
	t->r->refused++;
	role_send_about(t, HA_MSG_REFUSED, 0, 0, reason, 0);
	role_log(t, LOG_LEVEL_WARNING, "refused to stop for the peer: %s",
		 role_reason_text(reason));
}

static void stop_when_serving(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	const uint16_t mine = role_witnesses_fresh(r, t->now);
	char reason[ROLE_REASON_LEN];

	if (msg->term <= r->term) {
		stop_refuse(t, HA_REASON_OLD_TERM);
		return;
	}
	if (msg->witnesses < mine && !(msg->flags & HA_FLAG_FORCED)) {
		stop_refuse(t, HA_REASON_MORE_WITNESSES);
		return;
	}
	snprintf(reason, sizeof(reason),
		 msg->flags & HA_FLAG_FORCED
			 ? "the peer was forced to take over (%u witnesses there, %u here)"
			 : "the peer does not hear this router and takes over (%u witnesses "
			   "there, %u here)",
		 msg->witnesses, mine);
	r->term = msg->term;
	role_fence(t, ROLE_ROW_STOPPED, reason);
	if (msg->flags & HA_FLAG_FORCED)
		r->failback_held = true;
	role_send_about(t, HA_MSG_STOP_ACK, msg->term, 0, HA_REASON_NONE, 0);
}

/* Both take over: more witnesses, then term, priority, session. */
static void stop_when_taking_over(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	const uint16_t mine = role_witnesses_fresh(r, t->now);
	const bool forced = msg->flags & HA_FLAG_FORCED;
	bool they;

	if (forced != r->takeover_forced)
		they = forced;
	else if (!forced && msg->witnesses != mine)
		they = msg->witnesses > mine;
	else
		they = role_conflict_order(r, msg, r->takeover_term - 1) > 0;
	if (!they) {
		stop_refuse(t, HA_REASON_PRIORITY);
		return;
	}
	if (msg->term > r->term)
		r->term = msg->term;
	r->no_active_ms = t->now;
	role_go(t, ROLE_ROW_OUTRANKED, "the peer takes over too and goes first");
	role_send_about(t, HA_MSG_STOP_ACK, msg->term, 0, HA_REASON_NONE, 0);
}

void role_stop_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;

	if (ha_state_serves(r->state)) {
		stop_when_serving(t, msg);
	} else if (r->state == HA_TAKEOVER) {
		stop_when_taking_over(t, msg);
	} else {
		if (msg->term > r->term)
			r->term = msg->term;
		r->no_active_ms = t->now;
		role_send_about(t, HA_MSG_STOP_ACK, msg->term, 0, HA_REASON_NONE, 0);
	}
}
