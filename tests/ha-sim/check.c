/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

/*
 * Rules that must hold. Each rule speaks of what happened in the simulated world; none asks the
 * role machine for its own opinion but for state, term and actions.
 */

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool node_effective(const struct sim *s, const struct node *n)
{
	return n->running && n->serving && (!n->paused || n->stalled) &&
	       (n->lease == ROLE_LEASE_NONE || node_now(s, n) < n->lease);
}

/* The router could serve now if it were asked: the return of service is owed to it. */
static bool node_able(const struct sim *s, const struct node *n)
{
	if (!n->running || n->paused || n->late || n->role.state == HA_MAINTENANCE)
		return false;
	for (uint32_t l = 0; l < SIM_LINKS; l++) {
		if (!n->port_up[l] || (s->n_witnesses[l] > 0 && !n->witness_up[l]))
			return false;
	}
	return true;
}

/* Every way is clean or dead: what is in between may delay things as long as it lasts. */
static bool way_decided(const struct way *w)
{
	return !w->up || (w->loss == 0 && w->jitter <= 2);
}

static bool net_decided(const struct sim *s)
{
	bool decided = true;

	for (uint32_t d = 0; d < 2; d++) {
		for (uint32_t p = 0; p < s->n_paths; p++)
			decided &= way_decided(&s->way[p][d]);
		for (uint32_t l = 0; l < SIM_LINKS; l++)
			decided &= way_decided(&s->frames[l][d]);
	}
	return decided;
}

static uint32_t in_start(const struct node *n)
{
	return n->running && n->init_left == 0;
}

/* When the last condition for service was met: a router may have to wait for start_delay. */
static uint64_t owed_since(const struct sim *s)
{
	const uint32_t starting = in_start(&s->node[0]) + in_start(&s->node[1]);
	uint64_t owed = UINT64_MAX, at;

	for (uint32_t i = 0; i < 2; i++) {
		const struct node *n = &s->node[i];

		if (!node_able(s, n))
			continue;
		/* A router that starts lets a better one that starts too go first, for a
		 * start_delay. */
		at = n->init_left != 0 ? n->init_left
				       : latest(n->started, s->disturbed_at) +
						 (starting == 2 ? 2 : 1) * s->cfg[0].start_delay_ms;
		owed = at < owed ? at : owed;
	}
	return latest(owed, s->disturbed_at);
}

/* Service returns within seven deadtimes once a router is able to give it. */
static void check_service(struct sim *s)
{
	const bool able = node_able(s, &s->node[0]) || node_able(s, &s->node[1]);
	const bool idle = !node_effective(s, &s->node[0]) && !node_effective(s, &s->node[1]);
	uint64_t since;

	if (!idle || !able) {
		s->idle_since = 0;
		return;
	}
	if (s->idle_since == 0)
		s->idle_since = s->now;
	since = latest(s->idle_since, owed_since(s));
	if (!net_decided(s) || s->now <= since)
		return;
	if (s->now - since > s->longest_idle)
		s->longest_idle = s->now - since;
	if (s->now - since > 7 * s->most.deadtime)
		sim_violate(s, "nobody serves for %llu ms though somebody could",
			    (unsigned long long)(s->now - since));
}

static void overlap_with(struct sim *s, const uint64_t clean_since[2], uint64_t since,
			 uint32_t more, const char *what)
{
	const uint64_t clear = latest(since, latest(clean_since[0], clean_since[1]));

	if (clean_since[0] != 0 && clean_since[1] != 0 &&
	    s->now - clear > s->most.overlap + 6 * s->most.keepalive + more)
		sim_violate(s, "both active for %llu ms with clean %s both ways",
			    (unsigned long long)(s->now - clear), what);
}

/* Both active: at most B after the first message that tells of it, and not at all for long
 * while messages get through both ways. */
static void check_overlap(struct sim *s)
{
	const uint32_t bound = s->most.overlap;
	const struct node *a = &s->node[0], *b = &s->node[1];
	uint64_t clear;

	if (!a->running || !b->running || !a->serving || !b->serving) {
		s->overlap_since = s->contact_at = 0;
		return;
	}
	if (s->overlap_since == 0)
		s->overlap_since = s->now;
	if (!node_effective(s, a) || !node_effective(s, b))
		return;
	if (s->contact_at != 0) {
		if (s->now - s->contact_at > s->longest_overlap)
			s->longest_overlap = s->now - s->contact_at;
		if (s->now - s->contact_at > bound)
			sim_violate(s, "both active %llu ms after the first message, B is %u",
				    (unsigned long long)(s->now - s->contact_at), bound);
	}
	if (a->late || b->late || a->paused || b->paused)
		return;
	clear = latest(latest(a->steady_since, b->steady_since), s->overlap_since);
	overlap_with(s, s->clean_since, clear, 0, "paths");
	/* Frames go out once a second to a peer that was silent for long. */
	if (!s->older[0] && !s->older[1])
		overlap_with(s, s->frames_clean_since, latest(clear, s->decided_since),
			     2 * ROLE_FRAME_SLOW_MS, "frames");
}

/* A router that hears neither the other nor a witness leaves the VIPs to one that does. */
static void check_deaf(struct sim *s, struct node *n)
{
	const struct sim_times *t = &s->most;
	uint64_t heard = latest(latest(n->fresh_at, n->late_at), n->steady_since);
	bool asks = false;

	for (uint32_t l = 0; l < SIM_LINKS; l++) {
		asks |= s->n_witnesses[l] > 0;
		heard = latest(heard, n->witnessed[l]);
	}
	if (n->late || n->paused)
		n->was_late = s->now;
	heard = latest(heard, latest(n->active_since, n->was_late));
	heard = latest(heard, n->configured_at);
	if (asks && n->fresh_at != 0 && node_effective(s, n) &&
	    s->now - heard > t->deadtime + 2 * t->keepalive &&
	    heard - n->fresh_at < 8 * n->role.cfg.deadtime_ms)
		sim_violate(s, "router %u serves though it hears nothing for %llu ms", n->id,
			    (unsigned long long)(s->now - heard));
}

/* Both believe the other's present life. */
static void check_met(struct sim *s)
{
	const struct freshness *a = &s->node[0].fresh, *b = &s->node[1].fresh;

	if (!ha_session_equal(&a->peer, &b->mine) || !ha_session_equal(&b->peer, &a->mine))
		s->met_since = 0;
	else if (s->met_since == 0)
		s->met_since = s->now;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Bounds go by the longest times of both routers in the last 10 s. */
static void times_note(struct sim *s)
{
	const bool fresh = s->most_at != 0 && s->now - s->most_at < 10000;
	struct sim_times now = {s->keepalive, s->deadtime, 0};

	for (uint32_t i = 0; i < 2; i++) {
		const struct role_config *cfg = &s->node[i].role.cfg;

		if (!s->node[i].running)
			continue;
		now.keepalive = larger(now.keepalive, cfg->keepalive_ms);
		now.deadtime = larger(now.deadtime, cfg->deadtime_ms);
		now.overlap = larger(now.overlap, role_overlap_ms(cfg));
	}
	if (fresh && (now.deadtime < s->most.deadtime || now.keepalive < s->most.keepalive ||
		      now.overlap < s->most.overlap)) {
		s->most.keepalive = larger(s->most.keepalive, now.keepalive);
		s->most.deadtime = larger(s->most.deadtime, now.deadtime);
		s->most.overlap = larger(s->most.overlap, now.overlap);
		return;
	}
	s->most = now;
	s->most_at = s->now;
}

/* An active router that stands still from now on has no lease any more when the other one, which
 * heard it last about now, takes over: whatever timers were changed at either. */
static void check_patience(struct sim *s, const struct node *n, const struct node *peer)
{
	const uint32_t patience = peer->role.cfg.deadtime_ms;

	if (!node_effective(s, n) || n->lease == ROLE_LEASE_NONE || !peer->running ||
	    !peer->role.peer.known || !ha_session_equal(&peer->fresh.peer, &n->fresh.mine))
		return;
	if (n->lease > node_now(s, n) + patience)
		sim_violate(s, "router %u has a lease for %llu ms, and the peer waits for %u ms",
			    n->id, (unsigned long long)(n->lease - node_now(s, n)), patience);
}

void check_time(struct sim *s)
{
	check_met(s);
	times_note(s);
	check_patience(s, &s->node[0], &s->node[1]);
	check_patience(s, &s->node[1], &s->node[0]);
	if (!net_decided(s))
		s->decided_since = s->now;
	check_overlap(s);
	check_service(s);
	for (uint32_t i = 0; i < 2; i++) {
		struct node *n = &s->node[i];

		if (!n->running)
			continue;
		check_deaf(s, n);
		if (n->frozen && n->role.state != HA_HANDOVER)
			sim_violate(s, "router %u refuses new connections in state %s", i,
				    role_state_name(n->role.state));
		if (n->serving != ha_state_serves(n->role.state))
			sim_violate(s, "router %u in state %s %s", i,
				    role_state_name(n->role.state),
				    n->serving ? "has the VIPs" : "lacks the VIPs");
		if (n->relaying && !n->paused && !n->late &&
		    s->now - latest(n->relay_since, n->steady_since) >
			    ROLE_RELAY_LIMIT_MS + 2 * s->most.keepalive)
			sim_violate(s, "router %u relays for more than 30 s", i);
	}
}

/* --- Messages ------------------------------------------------------------------------- */

void check_fresh(struct sim *s, struct node *n, const struct flight *f, enum ha_verdict v,
		 bool newest)
{
	struct record *r = &s->records[f->record % SIM_RECORDS];
	const bool recorded = r->number == f->record && r->to == n->id;
	const struct node *peer = &s->node[n->id ^ 1];

	if (v != HA_FRESH && v != HA_FRESH_SESSION)
		return;
	if (f->replayed && (!recorded || r->processed || r->to_life != n->life))
		sim_violate(s, "router %u believes a replayed message", n->id);
	if (recorded)
		r->processed = true;
	n->fresh_at = s->now;
	if (newest && ha_state_serves(f->msg.state)) {
		n->serving_heard = s->now;
		if (n->serving && peer->running && peer->serving && s->contact_at == 0 &&
		    s->overlap_since != 0 && f->sent >= s->overlap_since)
			s->contact_at = s->now;
	}
}

/* A message that is not fresh is answered; it changes nothing else, but for one deadtime. */
static void check_unbelieved(struct sim *s, struct node *n, const struct role *before,
			     const struct role_event *ev, const struct role_actions *out)
{
	const struct role *r = &n->role;

	if (ev->type != ROLE_MESSAGE || ev->message.verdict == HA_FRESH ||
	    ev->message.verdict == HA_FRESH_SESSION)
		return;
	for (uint32_t i = 0; i < out->n; i++) {
		if (out->action[i].type != ROLE_DO_ANSWER)
			sim_violate(s, "router %u acts on a message that is not fresh", n->id);
	}
	if (r->state != before->state || r->term != before->term ||
	    r->no_active_ms != before->no_active_ms || r->peer.fresh_ms != before->peer.fresh_ms ||
	    (r->stale_until_ms != before->stale_until_ms &&
	     r->stale_until_ms > r->no_active_ms + 2 * r->cfg.deadtime_ms))
		sim_violate(s, "router %u changes by a message that is not fresh", n->id);
}

/* --- Steps ---------------------------------------------------------------------------- */

static void check_witnessed(struct sim *s, const struct node *n, uint32_t within)
{
	for (uint32_t l = 0; l < SIM_LINKS; l++) {
		if (s->n_witnesses[l] > 0 &&
		    (n->witnessed[l] == 0 || s->now - n->witnessed[l] > within))
			sim_violate(s, "router %u takes over, and no witness answered on link %u",
				    n->id, l);
	}
}

static void check_silence(struct sim *s, const struct node *n)
{
	const struct node *peer = &s->node[n->id ^ 1];
	const uint32_t deadtime = n->role.cfg.deadtime_ms, keepalive = n->role.cfg.keepalive_ms;
	const uint64_t clear = latest(latest(s->clean_since[peer->id], peer->steady_since),
				      latest(n->steady_since, peer->active_since));

	check_witnessed(s, n, deadtime + 1);
	for (uint32_t l = 0; l < SIM_LINKS; l++) {
		if (s->n_witnesses[l] > 0 && n->serving_heard != 0 &&
		    n->witnessed[l] < n->serving_heard + 2 * keepalive)
			sim_violate(s, "router %u takes over by answers of before the silence",
				    n->id);
	}
	if (s->now - n->started < deadtime)
		sim_violate(s, "router %u takes over within deadtime of its start", n->id);
	if (n->serving_heard != 0 && s->now - n->serving_heard < deadtime)
		sim_violate(s, "router %u takes over %llu ms after it heard the active one", n->id,
			    (unsigned long long)(s->now - n->serving_heard));
	if (s->now - n->late_at < deadtime)
		sim_violate(s, "router %u takes over in time without listening", n->id);
	/* A router that has never heard the other in this life cannot tell it from a replay. */
	if (node_effective(s, peer) && !peer->paused && !peer->late && !n->late &&
	    s->met_since != 0 && s->clean_since[peer->id] != 0 &&
	    s->now - latest(clear, s->met_since) > deadtime + 2 * s->most.keepalive)
		sim_violate(s, "router %u takes over from an active peer that it can hear", n->id);
}

/* The peer's word may be as old as a deadtime, and so may be its witness's answer then. */
static void check_hole(struct sim *s, const struct node *n)
{
	const struct node *peer = &s->node[n->id ^ 1];
	const uint32_t deadtime = n->role.cfg.deadtime_ms;
	bool worse = false;

	for (uint32_t l = 0; l < SIM_LINKS; l++)
		worse |= s->n_witnesses[l] > 0 && s->now - n->witnessed[l] >= deadtime &&
			 s->now - peer->witnessed[l] <= 2 * s->most.deadtime + s->most.keepalive;
	if (s->now - n->fresh_at > deadtime || s->now - n->late_at < deadtime || !worse)
		sim_violate(s, "router %u fences for a peer that hears no better", n->id);
}

static void check_row(struct sim *s, struct node *n, const struct role *before,
		      const struct role_action *a)
{
	const struct node *peer = &s->node[n->id ^ 1];
	const uint32_t deadtime = n->role.cfg.deadtime_ms, keepalive = n->role.cfg.keepalive_ms;

	switch (a->change.row) {
	case ROLE_ROW_START_OVER:
		if (s->now - n->started < s->cfg[0].start_delay_ms)
			sim_violate(s, "router %u cuts its start_delay short", n->id);
		break;
	case ROLE_ROW_SILENCE:
		check_silence(s, n);
		break;
	case ROLE_ROW_ACKNOWLEDGED:
	case ROLE_ROW_UNANSWERED:
		/* The peer's new life may agree to a shorter deadtime by the message that ends
		 * this. */
		if (!before->takeover_forced)
			check_witnessed(s, n,
					larger(deadtime, before->cfg.deadtime_ms) +
						3 * larger(keepalive, before->cfg.keepalive_ms));
		break;
	case ROLE_ROW_RESTARTED:
		if (!n->synchronised)
			sim_violate(s, "router %u takes over at once without connections", n->id);
		check_witnessed(s, n, ROLE_CALM_MS + 1);
		break;
	case ROLE_ROW_YIELDED:
		check_witnessed(s, n, ROLE_CALM_MS + 1);
		break;
	case ROLE_ROW_PORTS_WORSE:
		if (s->now - n->fresh_at > deadtime)
			sim_violate(s, "router %u fences for a peer that is not heard", n->id);
		break;
	case ROLE_ROW_HEARS_NOTHING:
		for (uint32_t l = 0; l < SIM_LINKS; l++) {
			if (n->witnessed[l] != 0 && s->now - n->witnessed[l] < deadtime)
				sim_violate(s, "router %u hears a witness and says it does not",
					    n->id);
		}
		if (s->now - n->fresh_at < deadtime || s->now - n->late_at < deadtime)
			sim_violate(s, "router %u fences for deafness that is none", n->id);
		break;
	case ROLE_ROW_HEARS_LESS:
		if (strstr(a->text, "nothing crosses"))
			check_hole(s, n);
		else if (s->now - n->fresh_at > deadtime || s->now - n->late_at < 3 * deadtime)
			sim_violate(s, "router %u fences for a peer that is not heard", n->id);
		break;
	case ROLE_ROW_STOPPED:
	case ROLE_ROW_CONFLICT_LOST:
		if (n->fresh_at != s->now || !peer->life)
			sim_violate(s, "router %u fences without a fresh message", n->id);
		if (a->change.row == ROLE_ROW_STOPPED && n->role.term <= before->term)
			sim_violate(s, "router %u obeys a STOP of an old term", n->id);
		break;
	default:
		break;
	}
	if (a->change.row == ROLE_ROW_GIVE_AWAY)
		check_config_given(s, n);
	if (a->change.row == ROLE_ROW_COMMITTED)
		check_config_taken(s, n);
	if (a->change.from == HA_INIT)
		n->init_left = s->now;
	if (a->change.to == HA_ACTIVE && !ha_state_serves(a->change.from)) {
		if (n->role.term <= n->last_term || n->role.term <= before->term)
			sim_violate(s, "router %u serves under a term that is not new", n->id);
		n->last_term = n->role.term;
	}
}

static void check_lease(struct sim *s, const struct node *n, const struct role *before,
			uint64_t until)
{
	const struct role_config *cfg = &n->role.cfg;
	const bool lapsed = before->lease_ms != 0 && before->lease_ms <= node_now(s, n);
	const bool reach =
		n->fresh_at != 0 && s->now - n->fresh_at <= UINT64_C(10) * cfg->deadtime_ms;

	if (lapsed && n->lapsed_late != 0 && s->now - n->lapsed_late < n->lapsed_keepalive)
		sim_violate(s, "router %u forwards at once after it stood still", n->id);
	if (until == ROLE_LEASE_NONE) {
		if (reach)
			sim_violate(s, "router %u needs no lease though its peer was heard", n->id);
	} else if (until > node_now(s, n) + cfg->deadtime_ms - 2 * cfg->keepalive_ms) {
		sim_violate(s, "router %u has a lease of %llu ms", n->id,
			    (unsigned long long)(until - node_now(s, n)));
	}
}

void check_step(struct sim *s, struct node *n, const struct role *before,
		const struct role_event *ev, const struct role_actions *out)
{
	if (ev->type == ROLE_LATE) {
		n->lapsed_late =
			before->lease_ms != 0 && before->lease_ms <= node_now(s, n) ? s->now : 0;
		n->lapsed_keepalive = before->cfg.keepalive_ms;
	}
	if (n->role.term < before->term)
		sim_violate(s, "router %u: its term goes back", n->id);
	check_unbelieved(s, n, before, ev, out);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct role_action *a = &out->action[i];

		if (a->type == ROLE_DO_NOTIFY)
			check_row(s, n, before, a);
		if (a->type == ROLE_DO_LEASE)
			check_lease(s, n, before, a->until_ms);
	}
	if (s->restarts_only && s->activations > 3)
		sim_violate(s, "more than three role changes while one router is killed again and "
			       "again");
}

/* Two active routers say so as soon as a frame of one reaches the other. */
void check_claim(struct sim *s, const struct node *n)
{
	char alarm[ROLE_ALARM_LEN];

	if (!n->running || !n->serving || role_peer_alive(&n->role, node_now(s, n)))
		return;
	role_alarm(&n->role, node_now(s, n), alarm, sizeof(alarm));
	if (strstr(alarm, "both routers are active") == NULL)
		sim_violate(s, "router %u is active beside another one, and says nothing", n->id);
}

/* All faults have been over for long: one serves, the other stands by. */
void check_calm(struct sim *s)
{
	uint32_t effective = 0, in_maintenance = 0, moving = 0;

	for (uint32_t i = 0; i < 2; i++) {
		const enum ha_state state = s->node[i].role.state;

		effective += node_effective(s, &s->node[i]);
		in_maintenance += state == HA_MAINTENANCE;
		moving += state == HA_HANDOVER || state == HA_RELAY;
		if (s->node[i].running && !ha_state_serves(state) && state != HA_BACKUP &&
		    state != HA_MAINTENANCE && state != HA_RELAY)
			sim_violate(s, "router %u is in state %s after a long calm", i,
				    role_state_name(state));
	}
	check_config_calm(s);
	if (effective == 0 && in_maintenance < 2)
		sim_violate(s, "nobody serves after a long calm");
	if (effective == 2 && moving == 0)
		sim_violate(s, "both serve after a long calm");
}
