/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <stdio.h>

#define GRACE_OPEN_MS 60000 /* how long an incomplete table may prolong the grace */

/* --- Ticks by state ------------------------------------------------------------------- */

static void backup_tick(struct role_call *t)
{
	struct role *r = t->r;
	/* Answers of before the silence prove nothing. */
	const uint64_t since = r->no_active_ms + UINT64_C(2) * r->cfg.keepalive_ms;
	char reason[ROLE_REASON_LEN];

	role_failback_tick(t);
	if (t->now < role_due(r, t->now))
		return;
	if (!role_ports_up(r)) {
		role_go(t, ROLE_ROW_PORT_DOWN, "no router is active, but a port role is down here");
	} else if (!role_witnesses_answer(r, t->now)) {
		role_deaf_text(r, t->now, reason, sizeof(reason));
		role_go(t, ROLE_ROW_DEAF, "%s", reason);
	} else if (role_witnesses_since(r, since)) {
		role_silence_text(r, t->now, reason, sizeof(reason));
		role_take_over(t, ROLE_ROW_SILENCE, false, reason);
	}
}

static void init_tick(struct role_call *t)
{
	struct role *r = t->r;

	if (!r->cfg.has_peer) {
		role_activate(t, ROLE_ROW_ALONE, 1, "no peer is configured");
		return;
	}
	if (!role_ports_up(r) || !role_witnesses_answer(r, t->now)) {
		r->good_since_ms = 0;
		return;
	}
	if (r->good_since_ms == 0)
		r->good_since_ms = t->now;
	if (t->now - r->good_since_ms < r->cfg.start_delay_ms)
		return;
	/* Two that start together: the better one gets its chance, were it slower. */
	if (role_peer_starts_first(r, t->now) &&
	    t->now - r->good_since_ms < UINT64_C(2) * r->cfg.start_delay_ms)
		return;
	if (role_peer_goes_first(r, t->now))
		r->no_active_ms = t->now;
	role_go(t, ROLE_ROW_START_OVER, "started: ports up and witnesses answering for %u ms",
		r->cfg.start_delay_ms);
	backup_tick(t);
}

static void takeover_tick(struct role_call *t)
{
	struct role *r = t->r;
	char reason[ROLE_REASON_LEN];

	if (t->now - r->since_ms < r->cfg.keepalive_ms)
		return;
	snprintf(reason, sizeof(reason), "%.140s; STOP was not answered", r->reason);
	role_activate(t, ROLE_ROW_UNANSWERED, r->takeover_term, reason);
}

static void fault_tick(struct role_call *t)
{
	struct role *r = t->r;

	if (!role_ports_up(r) || !role_witnesses_answer(r, t->now))
		return;
	/* While deaf, the router did not listen. */
	r->no_active_ms = t->now;
	role_go(t, ROLE_ROW_RECOVERED, "ports are up and witnesses answer again");
}

static void deaf_note(struct role_call *t)
{
	struct role *r = t->r;

	if (role_witnesses_answer(r, t->now))
		r->deaf_ms = 0;
	else if (r->deaf_ms == 0)
		r->deaf_ms = t->now;
}

static void serving_tick(struct role_call *t)
{
	struct role *r = t->r;

	if (r->conflict_ms != 0 &&
	    t->now - r->conflict_ms >= role_lease_ms(&r->cfg) + r->cfg.keepalive_ms) {
		role_fence(t, ROLE_ROW_CONFLICT_UNHEARD,
			   "the peer is active too and does not hear this router");
		return;
	}
	if (role_hears_nothing(r, t->now)) {
		role_fence(t, ROLE_ROW_HEARS_NOTHING,
			   "neither the peer nor a witness is heard: this router is deaf, the peer "
			   "may not be");
		return;
	}
	deaf_note(t);
	role_lease_renew(t);
	if (r->grace_open && (r->synchronised || !role_peer_alive(r, t->now) ||
			      t->now - r->activated_ms > GRACE_OPEN_MS))
		r->grace_open = false;
	if (r->grace_open && t->now + r->cfg.grace_ms > r->grace_ms + 1000) {
		r->grace_ms = t->now + r->cfg.grace_ms;
		role_add(t, ROLE_DO_GRACE)->until_ms = r->grace_ms;
	}
	if (r->state == HA_HANDOVER)
		role_give_tick(t);
}

static void relay_tick(struct role_call *t)
{
	if (t->now - t->r->since_ms >= ROLE_RELAY_LIMIT_MS)
		role_relay_end(t, "frames for the VIPs still came after 30 s: their senders have "
				  "not learnt the new address");
	else if (!role_peer_alive(t->r, t->now))
		role_relay_end(t, "the peer is no longer heard");
}

static void state_tick(struct role_call *t)
{
	struct role *r = t->r;

	/* A router that was told to end takes on no other role while it tidies up. */
	if (r->stopping && !ha_state_serves(r->state) && r->state != HA_RELAY)
		return;
	switch (r->state) {
	case HA_INIT:
		init_tick(t);
		break;
	case HA_BACKUP:
		backup_tick(t);
		break;
	case HA_TAKEOVER:
		takeover_tick(t);
		break;
	case HA_ACTIVE:
	case HA_HANDOVER:
		serving_tick(t);
		break;
	case HA_RELAY:
		relay_tick(t);
		break;
	case HA_FENCED:
		if (t->now >= r->no_active_ms + r->cfg.deadtime_ms)
			role_go(t, ROLE_ROW_WAITED, "no router became active within deadtime");
		break;
	case HA_FAULT:
		fault_tick(t);
		break;
	case HA_MAINTENANCE:
		break;
	}
}

/* --- Events --------------------------------------------------------------------------- */

static void late(struct role_call *t, uint32_t late_ms)
{
	struct role *r = t->r;

	r->no_active_ms = r->listening_ms = t->now;
	r->stale_until_ms = r->deaf_ms = 0;
	if (r->state == HA_TAKEOVER && !r->takeover_forced) {
		role_go(t, ROLE_ROW_NOT_LISTENING,
			"a loop here was %u ms late: the silence may be its own", late_ms);
	} else if (ha_state_serves(r->state)) {
		/* The drained inputs held no higher term, or this would be fenced. What was lost in
		 * full queues meanwhile, or still is in the worker's, has one keepalive to come. A
		 * peer that does not serve shortens nothing: it may be the peer of before. */
		if (r->lease_ms != ROLE_LEASE_NONE && t->now >= r->lease_ms)
			r->lease_hold_ms = t->now + r->cfg.keepalive_ms;
		r->next_send_ms = t->now;
	}
}

static void send_due(struct role_call *t)
{
	struct role *r = t->r;

	if (t->now < r->next_send_ms)
		return;
	r->next_send_ms = t->now + r->cfg.keepalive_ms;
	if (r->state == HA_TAKEOVER) {
		r->next_send_ms = t->now + (r->cfg.keepalive_ms + 1) / 2;
		role_send_about(t, HA_MSG_STOP, r->takeover_term, 0, HA_REASON_NONE,
				r->takeover_forced ? HA_FLAG_FORCED : 0);
		return;
	}
	role_send(t, HA_MSG_HEARTBEAT);
	if (r->state == HA_HANDOVER)
		role_give_resend(t);
	if (t->now < r->request_until_ms)
		role_send_about(t, HA_MSG_HANDOVER_REQUEST, 0, 0, HA_REASON_NONE,
				r->request_failback ? HA_FLAG_FAILBACK : 0);
	if (t->now < r->reset_until_ms)
		role_send(t, HA_MSG_RESET);
}

static void alarms_note(struct role_call *t)
{
	struct role *r = t->r;
	const bool second = role_hears_second(r, t->now), split = role_is_split(r, t->now);
	const bool frames = role_frames_only(r, t->now);

	if (split != r->peer.split)
		role_log(t, split ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
			 split ? "both routers are active: the peer is not heard, and claims "
				 "addresses that this router has"
			       : "the peer no longer claims addresses unheard");
	r->peer.split = split;
	if (frames != r->peer.frames_only)
		role_log(t, frames ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
			 frames ? "the peer is heard in Ethernet frames only, on no path: is UDP "
				  "filtered?"
				: "the peer is heard on a path again, or in no frame");
	r->peer.frames_only = frames;
	if (second == r->peer.second)
		return;
	r->peer.second = second;
	role_log(t, second ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
		 second ? "two routers say that they are the peer: the one that was heard first "
			  "counts; find the other one, which has the same key"
			: "one router alone says again that it is the peer");
}

static void tick(struct role_call *t)
{
	struct role *r = t->r;
	char paths[ROLE_MAX_PATHS * ROLE_NAME_LEN];

	if (role_is_late(r, t->now))
		late(t, (uint32_t)(t->now - r->last_tick_ms));
	r->last_tick_ms = t->now;
	if (r->peer.known && !r->peer.silent && !role_peer_alive(r, t->now)) {
		r->peer.silent = true;
		role_names(r->cfg.path_names, r->cfg.n_paths, paths, sizeof(paths));
		if (r->peer.flags & HA_FLAG_STOPPING)
			role_log(t, LOG_LEVEL_NOTICE, "the peer has ended in order");
		else
			role_log(t, LOG_LEVEL_WARNING, "the peer is not heard on %s", paths);
	}
	if (!r->peer.deaf && role_peer_deaf(r, t->now)) {
		r->peer.deaf = true;
		role_log(t, LOG_LEVEL_WARNING,
			 "the peer is heard, but does not hear this router: its answers stand "
			 "still");
	}
	alarms_note(t);
	role_lease_bound(t);
	state_tick(t);
	send_due(t);
}

static void ports_changed(struct role_call *t, const struct role_event *ev)
{
	struct role *r = t->r;
	const uint8_t n = ev->ports.n < HA_MAX_PORT_ROLES ? ev->ports.n : HA_MAX_PORT_ROLES;

	if (n == r->n_ports && memcmp(r->ports, ev->ports.port, n * sizeof(r->ports[0])) == 0)
		return;
	memset(r->ports, 0, sizeof(r->ports));
	memcpy(r->ports, ev->ports.port, n * sizeof(r->ports[0]));
	r->n_ports = n;
	r->ports_ms = t->now;
	role_send(t, HA_MSG_HEARTBEAT);
}

static void sync_changed(struct role_call *t, const struct role_event *ev)
{
	struct role *r = t->r;

	r->synchronised = ev->sync.synchronised;
	r->verdicts = ev->sync.verdicts;
	r->servers = ev->sync.servers;
	r->servers_up = ev->sync.servers_up;
	r->sync = ev->sync.progress;
	memcpy(r->config_digest, ev->sync.config_digest, HA_DIGEST_BYTES);
	memcpy(r->verdict_digest, ev->sync.verdict_digest, HA_DIGEST_BYTES);
	r->unbound = ev->sync.unbound;
	r->version = ev->sync.version;
	if (r->version && !version_id_equal(&r->version->id, &r->version_id)) {
		r->version_id = r->version->id;
		role_send(t, HA_MSG_HEARTBEAT);
	}
	role_versions_compare(t);
}

static bool has_duties(const struct role *r)
{
	return ha_state_serves(r->state) || r->state == HA_RELAY;
}

/* A router that is to end and was made to give up first (STOP, conflict) may end now. */
static void end_without_duties(struct role_call *t)
{
	for (uint32_t i = 0; i < t->out->n; i++) {
		if (t->out->action[i].type == ROLE_DO_QUIT)
			return;
	}
	role_quit(t, role_holds_alone(t->r, t->now));
}

void role_step(struct role *r, const struct role_event *ev, uint64_t now_ms,
	       struct role_actions *out)
{
	struct role_call t = {.r = r, .now = now_ms, .out = out};
	const bool had_duties = has_duties(r);

	out->n = 0;
	switch (ev->type) {
	case ROLE_TICK:
		role_timers_late(r, ev->late_ms, now_ms);
		role_timers_update(r, now_ms);
		tick(&t);
		break;
	case ROLE_MESSAGE:
		if (r->cfg.has_peer)
			role_message(&t, ev);
		break;
	case ROLE_LATE:
		role_timers_late(r, ev->late_ms, now_ms);
		late(&t, ev->late_ms);
		r->last_tick_ms = now_ms;
		break;
	case ROLE_WITNESS:
		if (ev->witness.link < ROLE_MAX_VIP_LINKS &&
		    ev->witness.witness < ROLE_MAX_WITNESSES)
			r->witness_ms[ev->witness.link][ev->witness.witness] = now_ms;
		break;
	case ROLE_PORTS:
		ports_changed(&t, ev);
		break;
	case ROLE_SYNC:
		sync_changed(&t, ev);
		break;
	case ROLE_FLUSHED:
		role_give_flushed(&t, ev->flush);
		break;
	case ROLE_RELAY_IDLE:
		if (r->state == HA_RELAY)
			role_relay_end(&t, "all frames go to the peer by themselves");
		break;
	case ROLE_CLAIM:
		/* Anybody can send such a frame: an alarm, and nothing else. */
		if (ha_state_serves(r->state) && !role_peer_alive(r, now_ms))
			r->peer.claim_ms = now_ms;
		break;
	case ROLE_COMMAND:
		role_command(&t, ev->command.command, ev->command.force);
		break;
	}
	if (r->stopping && had_duties && !has_duties(r))
		end_without_duties(&t);
	role_pace(r, now_ms);
}

/* --- Life ----------------------------------------------------------------------------- */

void role_init(struct role *r, const struct role_config *cfg, uint64_t now_ms)
{
	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	role_timers_init(r, cfg, now_ms);
	r->state = HA_INIT;
	r->since_ms = r->no_active_ms = r->last_tick_ms = r->next_send_ms = r->listening_ms =
		now_ms;
	snprintf(r->reason, sizeof(r->reason), "started");
}

void role_set_kept(struct role *r, uint64_t term)
{
	r->kept = true;
	r->kept_term = r->term = term;
}

void role_configure(struct role *r, const struct role_config *cfg, uint64_t now_ms)
{
	const struct ha_session session = r->cfg.session;
	const uint32_t deadtime = r->cfg.deadtime_ms;

	r->cfg = *cfg;
	r->cfg.session = session;
	role_timers_configure(r, cfg, deadtime, now_ms);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t role_next(const struct role *r)
{
	const uint32_t lease = role_lease_ms(&r->cfg), keepalive = r->cfg.keepalive_ms;
	uint64_t next = r->next_send_ms;

	switch (r->state) {
	case HA_BACKUP:
		next = earlier(next, role_due(r, r->last_tick_ms));
		break;
	case HA_TAKEOVER:
		next = earlier(next, r->since_ms + keepalive);
		break;
	case HA_ACTIVE:
	case HA_HANDOVER:
		if (r->lease_ms != ROLE_LEASE_NONE)
			next = earlier(next, r->lease_ms + lease / 3 - lease);
		if (r->conflict_ms != 0)
			next = earlier(next, r->conflict_ms + lease + keepalive);
		if (role_pace_next(r) > r->last_tick_ms)
			next = earlier(next, role_pace_next(r));
		if (r->state == HA_HANDOVER)
			next = earlier(next, r->give.deadline_ms);
		break;
	case HA_FENCED:
		next = earlier(next, r->no_active_ms + r->cfg.deadtime_ms);
		break;
	default:
		break;
	}
	return next > r->last_tick_ms ? next : r->last_tick_ms + 1;
}
