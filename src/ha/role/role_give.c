/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <stdio.h>

/*
 * Planned hand-over, the giving side:
 *
 *	ask	PREPARE until READY		at most 2 x deadtime
 *	sync	the peer is brought up to date	handover_sync_ms
 *	freeze	no new connections; the last	handover_freeze_ms
 *		delta is acknowledged
 *	commit	COMMIT until the peer is	deadtime + keepalive
 *		heard to be active
 *
 * The giver serves until it hears the peer serve, so no frame meets two idle routers; then
 * it relays. Every step ends in an abort when its time is over, the peer refuses or, before
 * the commit, is no longer ready: the giver unfreezes and stays active. If the peer became
 * active all the same, its higher term decides.
 */

/* --- Failback ------------------------------------------------------------------------- */

void role_request(struct role_call *t, bool failback)
{
	struct role *r = t->r;

	r->request_until_ms = t->now + r->cfg.deadtime_ms;
	r->request_failback = failback;
	role_send_about(t, HA_MSG_HANDOVER_REQUEST, 0, 0, HA_REASON_NONE,
			failback ? HA_FLAG_FAILBACK : 0);
}

void role_failback_tick(struct role_call *t)
{
	struct role *r = t->r;
	const char *waits = role_failback_waits(r, t->now);
	const uint8_t failures = role_failback_failures(r);

	if (r->request_until_ms != 0 && t->now >= r->request_until_ms)
		r->request_until_ms = r->failback_since_ms = 0;
	if (!waits || waits[0]) {
		r->failback_since_ms = 0;
		return;
	}
	if (r->failback_since_ms == 0)
		r->failback_since_ms = t->now;
	if (r->request_until_ms == 0 &&
	    t->now - r->failback_since_ms >= (uint64_t)r->cfg.failback_delay_ms << failures)
		role_request(t, true);
}

/* --- The giving side ------------------------------------------------------------------ */

static enum ha_reason peer_unable(const struct role *r, uint64_t now, bool forced)
{
	if (!role_peer_alive(r, now) || r->peer.state != HA_BACKUP ||
	    !(r->peer.flags & HA_FLAG_READY) || (r->peer.flags & HA_FLAG_STOPPING))
		return HA_REASON_NOT_READY;
	if (role_versions_hinder(r) && !forced)
		return HA_REASON_CONFIGURATION;
	if ((!(r->peer.flags & HA_FLAG_SYNCHRONISED) || r->peer.unbound > 0) && !forced)
		return HA_REASON_NOT_SYNCHRONISED;
	return HA_REASON_NONE;
}

enum ha_reason role_give_start(struct role_call *t, enum role_then then, bool failback, bool forced,
			       const char *why)
{
	struct role *r = t->r;
	const enum ha_reason unable = peer_unable(r, t->now, forced);

	if (unable != HA_REASON_NONE)
		return unable;
	if (failback && r->failback_failures >= ROLE_FAILBACK_TRIES)
		return HA_REASON_FAILBACK_HELD;
	r->give.id++;
	r->give.step = ROLE_STEP_ASK;
	r->give.then = then;
	r->give.failback = failback;
	r->give.forced = forced;
	r->give.frozen = false;
	r->give.term = r->term + 1;
	r->give.deadline_ms = t->now + UINT64_C(2) * r->cfg.deadtime_ms;
	role_go(t, ROLE_ROW_GIVE_AWAY, "%s", why);
	role_give_resend(t);
	return HA_REASON_NONE;
}

void role_give_resend(struct role_call *t)
{
	const struct role_handover *g = &t->r->give;
	const uint8_t flags =
		(uint8_t)((g->forced ? HA_FLAG_FORCED : 0) | (g->failback ? HA_FLAG_FAILBACK : 0));

	if (g->step == ROLE_STEP_ASK)
		role_send_about(t, HA_MSG_HANDOVER_PREPARE, g->term, g->id, HA_REASON_NONE, flags);
	else if (g->step == ROLE_STEP_COMMIT)
		role_send_about(t, HA_MSG_HANDOVER_COMMIT, g->term, g->id, HA_REASON_NONE, flags);
}

static void give_abort(struct role_call *t, enum ha_reason reason, const char *what)
{
	struct role *r = t->r;

	if (r->give.frozen)
		role_add(t, ROLE_DO_UNFREEZE);
	r->give.frozen = false;
	role_go(t, ROLE_ROW_ABORTED, "hand-over aborted: %s (%s)", what, role_reason_text(reason));
	role_send_about(t, HA_MSG_HANDOVER_ABORT, 0, r->give.id, reason, 0);
	if (r->give.failback)
		role_failback_failed(t);
	if (r->give.then == ROLE_THEN_QUIT) {
		role_fence(t, ROLE_ROW_ENDING, "the process ends, and could not hand over");
		role_quit(t, true);
	}
}

static void step_enter(struct role_call *t, enum role_step step, uint32_t limit_ms)
{
	struct role *r = t->r;

	r->give.step = step;
	r->give.deadline_ms = t->now + limit_ms;
	if (step == ROLE_STEP_COMMIT) {
		role_give_resend(t);
		return;
	}
	if (step == ROLE_STEP_FREEZE) {
		r->give.frozen = true;
		role_add(t, ROLE_DO_FREEZE);
	}
	role_add(t, ROLE_DO_SYNC_FLUSH)->flush = ++r->give.flush;
}

void role_give_flushed(struct role_call *t, uint32_t flush)
{
	struct role *r = t->r;

	if (r->state != HA_HANDOVER || flush != r->give.flush)
		return;
	if (r->give.step == ROLE_STEP_SYNC)
		step_enter(t, ROLE_STEP_FREEZE, r->cfg.handover_freeze_ms);
	else if (r->give.step == ROLE_STEP_FREEZE)
		step_enter(t, ROLE_STEP_COMMIT, r->cfg.deadtime_ms + r->cfg.keepalive_ms);
}

void role_give_tick(struct role_call *t)
{
	static const char *const over[] = {
		[ROLE_STEP_ASK] = "the peer did not answer",
		[ROLE_STEP_SYNC] = "the peer could not be brought up to date",
		[ROLE_STEP_FREEZE] = "the last changes were not acknowledged",
		[ROLE_STEP_COMMIT] = "the peer did not become active",
	};
	struct role *r = t->r;
	const enum ha_reason unable = peer_unable(r, t->now, true);

	if (t->now >= r->give.deadline_ms)
		give_abort(t, HA_REASON_TIMEOUT, over[r->give.step]);
	else if (r->give.step != ROLE_STEP_COMMIT && unable != HA_REASON_NONE)
		give_abort(t, unable, "the peer is no longer able");
}

/* The peer is active: late frames are relayed to it. */
static void give_done(struct role_call *t)
{
	struct role *r = t->r;

	role_add(t, ROLE_DO_RELAY_START);
	if (r->give.frozen)
		role_add(t, ROLE_DO_UNFREEZE);
	r->give.frozen = false;
	r->lease_ms = r->conflict_ms = 0;
	r->given_back_ms = r->give.failback ? t->now : 0;
	/* A person wanted it there: only a person moves it back. */
	r->failback_held = !r->give.failback && r->give.then == ROLE_THEN_BACKUP;
	if (r->peer.term > r->term)
		r->term = r->peer.term;
	role_go(t, ROLE_ROW_PEER_ACTIVE, "the peer is active under term %llu",
		(unsigned long long)r->term);
}

void role_give_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	const bool failback = msg->flags & HA_FLAG_FAILBACK;
	enum ha_reason reason;

	if (msg->type == HA_MSG_HANDOVER_REQUEST) {
		if (r->state != HA_ACTIVE)
			return;
		reason =
			role_give_start(t, ROLE_THEN_BACKUP, failback, false,
					failback ? "failback: the peer has the higher priority and "
						   "is ready"
						 : "the peer was told to become active");
		if (reason != HA_REASON_NONE)
			role_send_about(t, HA_MSG_REFUSED, 0, 0, reason, 0);
		return;
	}
	if (r->state != HA_HANDOVER)
		return;
	if (ha_state_serves(msg->state))
		give_done(t);
	else if (msg->handover != r->give.id)
		return;
	else if (msg->type == HA_MSG_HANDOVER_READY && r->give.step == ROLE_STEP_ASK)
		step_enter(t, ROLE_STEP_SYNC, r->cfg.handover_sync_ms);
	else if (msg->type == HA_MSG_REFUSED || msg->type == HA_MSG_HANDOVER_ABORT)
		give_abort(t, msg->reason, "the peer refused");
}

void role_relay_end(struct role_call *t, const char *reason)
{
	struct role *r = t->r;
	const enum role_then then = r->give.then;

	role_add(t, ROLE_DO_RELAY_STOP);
	r->no_active_ms = t->now;
	r->stale_until_ms = 0;
	role_go(t, ROLE_ROW_RELAYED, "%s", reason);
	if (then == ROLE_THEN_MAINTENANCE)
		role_go(t, ROLE_ROW_MAINTENANCE_ON, "maintenance, after the hand-over");
	if (r->stopping)
		role_quit(t, role_holds_alone(r, t->now));
}
