/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <stdio.h>

#define COPY_LAG       4	   /* sequences: a later copy says nothing about its path */
#define DEAF_DEADTIMES UINT64_C(3) /* more than the one in which witnesses may be silent */

static void path_heard(struct role_call *t, const struct role_event *ev)
{
	const uint8_t path = ev->message.path;

	if (path < ROLE_MAX_PATHS)
		t->r->peer.path_ms[path] = t->now;
	else if (path < ROLE_PATH_FRAME(ROLE_MAX_VIP_LINKS))
		t->r->peer.link_ms[path - ROLE_MAX_PATHS] = t->now;
}

/* Authentic, but not proven to be from now: its sender is asked to prove it. It may be the
 * active router restarting, so a takeover waits, once per silence and one deadtime at most. */
static void stale_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	struct role_action *a = role_add(t, ROLE_DO_ANSWER);
	const uint64_t limit = r->no_active_ms + UINT64_C(2) * r->cfg.deadtime_ms;
	const uint64_t until = t->now + r->cfg.deadtime_ms;

	a->send = (struct role_send){
		.type = HA_MSG_ANSWER, .to = msg->session, .to_sequence = msg->sequence};
	r->stale_until_ms = until < limit ? until : limit;
}

/* Once per edge. */
static void clash_tell(struct role_call *t)
{
	struct role *r = t->r;
	const enum role_clash clash = role_clash(r);
	char text[ROLE_REASON_LEN];

	if (clash == r->peer.clash)
		return;
	r->peer.clash = (uint8_t)clash;
	role_clash_text(r, text, sizeof(text));
	role_log(t, clash ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, "%s", text);
}

void role_versions_compare(struct role_call *t)
{
	static const struct version none;
	struct role *r = t->r;
	struct role_peer *p = &r->peer;
	bool diverged;

	if (!p->known)
		return;
	p->relation = version_relate(r->version ? r->version : &none, &p->version);
	/* Without versions nothing tells which of the two is newer. */
	diverged = p->relation == VERSION_DIVERGED ||
		   (p->relation == VERSION_NONE && role_configuration_differs(r));
	if (diverged == p->diverged || p->relation == VERSION_PENDING)
		return;
	p->diverged = diverged;
	if (!diverged)
		role_log(t, LOG_LEVEL_NOTICE,
			 "the shared configuration of one router is that of "
			 "the other, or follows it, again");
	else if (p->relation == VERSION_NONE)
		role_log(t, LOG_LEVEL_WARNING,
			 "the peer's shared configuration differs from the one here; plvsctl "
			 "config push sends it");
	else
		role_log(t, LOG_LEVEL_ERROR,
			 "the shared configurations of the two routers differ and have diverged: "
			 "neither follows the other; no failback and no hand-over");
}

static void peer_learn(struct role_call *t, const struct ha_message *msg, uint64_t sent_after_ms)
{
	struct role *r = t->r;
	struct role_peer *p = &r->peer;

	p->known = true;
	p->state = msg->state;
	p->role = msg->role;
	p->flags = msg->flags;
	/* The peer's connections are later than those that this router kept over its restart. */
	if (ha_state_serves(msg->state) || (role_own_term(msg) > r->kept_term &&
					    msg->flags & (HA_FLAG_SYNCHRONISED | HA_FLAG_KEPT)))
		r->kept = false;
	p->failback_failures = msg->failback_failures;
	p->priority = msg->priority;
	p->witnesses = msg->witnesses;
	p->term = role_own_term(msg);
	p->session = msg->session;
	p->n_ports = msg->n_port_roles < HA_MAX_PORT_ROLES ? msg->n_port_roles : HA_MAX_PORT_ROLES;
	memcpy(p->ports, msg->ports, sizeof(p->ports));
	p->sync = msg->sync;
	p->version = msg->version;
	memcpy(p->version.digest, msg->config_digest, HA_DIGEST_BYTES);
	p->unbound = msg->unbound;
	p->hears_second = msg->hears_second;
	p->asks_frames = msg->asks_frames;
	p->takes_requests = msg->takes_requests;
	p->takes_fullnat = msg->takes_fullnat;
	p->links_answer = msg->links_answer;
	p->sent_after_ms = sent_after_ms;
	p->absurd = false;
	p->servers_up = msg->servers_up;
	p->sequence = msg->sequence;
	if (msg->heard_sequence > p->answered) {
		p->answered = msg->heard_sequence;
		p->answered_ms = t->now;
		if (p->deaf)
			role_log(t, LOG_LEVEL_NOTICE, "the peer hears this router again");
		p->deaf = false;
	}
	role_versions_compare(t);
	clash_tell(t);
	if (p->silent)
		role_log(t, LOG_LEVEL_NOTICE, "the peer is heard again");
	p->silent = false;
}

/* --- By state ------------------------------------------------------------------------- */

void role_peer_better_check(struct role_call *t)
{
	struct role *r = t->r;
	const struct role_peer *p = &r->peer;
	const char *hole = role_black_hole(r, t->now);
	char reason[ROLE_REASON_LEN];

	if (r->state != HA_ACTIVE || p->state != HA_BACKUP || !(p->flags & HA_FLAG_READY))
		return;
	if (hole) {
		snprintf(reason, sizeof(reason),
			 "nothing crosses %s here, though its port is up, and the peer hears its "
			 "witnesses there",
			 hole);
		role_fence(t, ROLE_ROW_HEARS_LESS, reason);
		return;
	}
	/* A common cause takes the peer's ports too: wait for a report that can know it. */
	if (t->now - r->ports_ms >= r->cfg.keepalive_ms &&
	    role_ports_compare(p->ports, p->n_ports, r->ports, r->n_ports) > 0)
		role_fence(t, ROLE_ROW_PORTS_WORSE,
			   "a port is down here and the peer has better ports");
	/* Ready: it hears witnesses on every VIP link. If ours have died, it will not for long. */
	else if (r->deaf_ms != 0 && t->now - r->deaf_ms >= DEAF_DEADTIMES * r->cfg.deadtime_ms)
		role_fence(t, ROLE_ROW_HEARS_LESS,
			   "no witness is heard on a VIP link here, and the peer hears its own");
}

static void conflict_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	const uint64_t term = role_own_term(msg);
	char reason[ROLE_REASON_LEN];

	if (r->state == HA_HANDOVER && r->give.step == ROLE_STEP_COMMIT &&
	    msg->state == HA_ACTIVE && term >= r->give.term) {
		role_give_message(t, msg);
		return;
	}
	if (role_conflict_order(r, msg, r->term) > 0) {
		snprintf(reason, sizeof(reason),
			 "both were active: the peer has term %llu and priority %u, this router "
			 "%llu and %u",
			 (unsigned long long)term, msg->priority, (unsigned long long)r->term,
			 r->cfg.priority);
		if (term > r->term)
			r->term = term;
		role_fence(t, ROLE_ROW_CONFLICT_LOST, reason);
		return;
	}
	if (r->conflict_ms == 0) {
		r->conflict_ms = t->now;
		role_lease_renew(t);
		if (msg->state != HA_HANDOVER) {
			role_add(t, ROLE_DO_ANNOUNCE);
			role_log(t, LOG_LEVEL_WARNING,
				 "the peer is active too, under the lower term or priority: it has "
				 "to give way");
		}
	}
	role_send(t, HA_MSG_HEARTBEAT);
}

static void serving_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;

	if (ha_state_serves(msg->state)) {
		conflict_message(t, msg);
		return;
	}
	if (role_own_term(msg) > r->term)
		r->term = role_own_term(msg);
	if (r->conflict_ms != 0) {
		r->conflict_ms = 0;
		role_add(t, ROLE_DO_ANNOUNCE);
		role_log(t, LOG_LEVEL_NOTICE, "the peer gave way");
	}
	role_lease_renew(t);
	switch (msg->type) {
	case HA_MSG_HANDOVER_REQUEST:
	case HA_MSG_HANDOVER_READY:
	case HA_MSG_HANDOVER_ABORT:
	case HA_MSG_REFUSED:
		role_give_message(t, msg);
		break;
	default:
		role_peer_better_check(t);
		break;
	}
}

static void takeover_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;

	if (r->takeover_term <= r->term)
		r->takeover_term = r->term + 1;
	if (r->takeover_forced && ha_state_serves(msg->state)) {
		/* A peer that refuses STOP still serves. STOP is sent again with a term above the
		 * term that was just learnt. */
		if (msg->type == HA_MSG_REFUSED)
			role_send_about(t, HA_MSG_STOP, r->takeover_term, 0, HA_REASON_NONE,
					HA_FLAG_FORCED);
	} else if (msg->type == HA_MSG_REFUSED) {
		r->no_active_ms = t->now;
		role_go(t, ROLE_ROW_REFUSED, "the peer refused: %s", role_reason_text(msg->reason));
	} else if (ha_state_serves(msg->state)) {
		role_go(t, ROLE_ROW_REFUSED, "the peer is active and heard again");
	} else if (msg->state != HA_TAKEOVER && !role_is_late(r, t->now) && !r->stopping) {
		role_activate(t, ROLE_ROW_ACKNOWLEDGED, r->takeover_term,
			      msg->type == HA_MSG_STOP_ACK ? "the peer acknowledged STOP"
							   : "the peer is not active");
	}
}

static void offer_message(struct role_call *t, const struct ha_message *msg)
{
	struct role *r = t->r;
	enum ha_reason reason = HA_REASON_NONE;

	if (r->state != HA_BACKUP || !role_ready(r, t->now) || r->stopping)
		reason = HA_REASON_NOT_READY;
	else if (role_versions_hinder(r) && !(msg->flags & HA_FLAG_FORCED))
		reason = HA_REASON_CONFIGURATION;
	else if ((!r->synchronised || r->unbound > 0) && !(msg->flags & HA_FLAG_FORCED))
		reason = HA_REASON_NOT_SYNCHRONISED;
	else if (msg->term <= r->term)
		reason = HA_REASON_OLD_TERM;
	if (reason != HA_REASON_NONE) {
		role_send_about(t, HA_MSG_REFUSED, 0, msg->handover, reason, 0);
		return;
	}
	r->offered = true;
	r->offered_id = msg->handover;
	r->offered_term = msg->term;
	r->request_until_ms = 0;
	role_send_about(t, HA_MSG_HANDOVER_READY, msg->term, msg->handover, HA_REASON_NONE, 0);
}

static void backup_message(struct role_call *t, const struct ha_message *msg, bool was_active,
			   bool restarted)
{
	struct role *r = t->r;
	const bool yields =
		was_active && (msg->state == HA_FENCED || msg->state == HA_MAINTENANCE ||
			       (msg->flags & HA_FLAG_STOPPING));

	if (msg->state != HA_HANDOVER)
		r->offered = false;
	if (ha_state_serves(msg->state)) {
		if (msg->type == HA_MSG_HANDOVER_COMMIT && r->offered &&
		    msg->handover == r->offered_id && msg->term == r->offered_term) {
			if (!role_is_late(r, t->now))
				role_activate(t, ROLE_ROW_COMMITTED, msg->term,
					      "the peer handed over");
		} else if (msg->type == HA_MSG_HANDOVER_ABORT || msg->type == HA_MSG_REFUSED) {
			r->offered = false;
			if (r->request_until_ms != 0 || msg->type == HA_MSG_HANDOVER_ABORT)
				role_log(t, LOG_LEVEL_WARNING, "the peer does not hand over: %s",
					 role_reason_text(msg->reason));
			r->request_until_ms = r->failback_since_ms = 0;
		}
		return;
	}
	if (r->stopping || !was_active || role_is_late(r, t->now) || !role_ready(r, t->now))
		return;
	if (restarted && r->synchronised)
		role_activate(t, ROLE_ROW_RESTARTED, r->term + 1,
			      "the active peer restarted, its connections are here");
	else if (!restarted && yields)
		role_activate(t, ROLE_ROW_YIELDED, r->term + 1, "the active peer gave up");
}

static void newest_message(struct role_call *t, const struct role_event *ev)
{
	struct role *r = t->r;
	const struct ha_message *msg = ev->message.msg;
	const bool was_active = r->peer.known && ha_state_serves(r->peer.state);

	if (ev->message.verdict == HA_FRESH_SESSION) {
		memset(r->peer.path_ms, 0, sizeof(r->peer.path_ms));
		memset(r->peer.link_ms, 0, sizeof(r->peer.link_ms));
		r->peer.answered = 0;
		r->peer.answered_ms = t->now;
	} else {
		role_timers_heard(r, t->now);
	}
	path_heard(t, ev);
	r->peer.fresh_ms = t->now;
	peer_learn(t, msg, ev->message.sent_after_ms);
	r->peer.timers = msg->timers;
	role_timers_update(r, t->now);
	role_lease_bound(t);
	if (ha_state_serves(msg->state)) {
		r->no_active_ms = t->now;
		r->stale_until_ms = 0;
	}
	if (msg->type == HA_MSG_RESET) {
		r->failback_failures = 0;
		r->given_back_ms = 0;
		r->failback_held = false;
	}
	if (!ha_state_serves(r->state) && role_own_term(msg) > r->term)
		r->term = role_own_term(msg);
	if (msg->type == HA_MSG_STOP) {
		role_stop_message(t, msg);
		return;
	}
	if (msg->type == HA_MSG_HANDOVER_PREPARE && !ha_state_serves(r->state)) {
		offer_message(t, msg);
		if (r->state == HA_BACKUP)
			return;
	}
	if (msg->type == HA_MSG_HANDOVER_REQUEST && !ha_state_serves(r->state))
		role_send_about(t, HA_MSG_REFUSED, 0, 0, HA_REASON_NOT_ACTIVE, 0);
	if (r->state == HA_RELAY && !ha_state_serves(msg->state))
		role_relay_end(t, "the peer is no longer active");
	switch (r->state) {
	case HA_ACTIVE:
	case HA_HANDOVER:
		serving_message(t, msg);
		break;
	case HA_TAKEOVER:
		takeover_message(t, msg);
		break;
	case HA_BACKUP:
		backup_message(t, msg, was_active, ev->message.verdict == HA_FRESH_SESSION);
		break;
	case HA_INIT:
	case HA_FENCED:
	case HA_FAULT:
		if (ha_state_serves(msg->state))
			role_go(t, ROLE_ROW_PEER_SERVES, "the peer is active");
		break;
	case HA_RELAY:
	case HA_MAINTENANCE:
		break;
	}
	if (ev->message.verdict == HA_FRESH_SESSION)
		role_send(t, HA_MSG_HEARTBEAT);
}

/* A peer that restarts is such a second session for a deadtime at most. */
static void second_heard(struct role_call *t)
{
	struct role_peer *p = &t->r->peer;

	if (p->second_ms == 0 || t->now - p->second_ms >= ROLE_SECOND_HOLD_MS)
		p->second_since_ms = t->now;
	p->second_ms = t->now;
}

/* A term grows by one with each takeover. */
static bool term_is_absurd(struct role_call *t, const struct ha_message *msg)
{
	const uint64_t term = role_own_term(msg);

	if (term <= t->r->term || term - t->r->term <= ROLE_TERM_STEP)
		return false;
	if (!t->r->peer.absurd)
		role_log(t, LOG_LEVEL_ERROR,
			 "the peer says term %llu, after %llu here: what it says is ignored",
			 (unsigned long long)term, (unsigned long long)t->r->term);
	t->r->peer.absurd = true;
	return true;
}

void role_message(struct role_call *t, const struct role_event *ev)
{
	struct role *r = t->r;

	if (ev->message.path >= ROLE_MAX_PATHS && ev->message.verdict != HA_REFLECTED)
		r->peer.frame_ms = t->now;
	switch (ev->message.verdict) {
	case HA_FRESH:
	case HA_FRESH_SESSION:
		if (term_is_absurd(t, ev->message.msg))
			break;
		if (ev->message.newest) {
			newest_message(t, ev);
			break;
		}
		/* Overtaken: what it says is past, but its sender lives. */
		path_heard(t, ev);
		r->peer.fresh_ms = t->now;
		break;
	case HA_COPY:
		if (ev->message.msg->sequence + COPY_LAG > r->peer.sequence)
			path_heard(t, ev);
		break;
	case HA_STALE:
		stale_message(t, ev->message.msg);
		break;
	case HA_SECOND:
		second_heard(t);
		break;
	case HA_REFLECTED:
		break;
	}
}
