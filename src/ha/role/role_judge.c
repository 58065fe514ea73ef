/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <errno.h>
#include <stdio.h>

bool role_peer_alive(const struct role *r, uint64_t now_ms)
{
	return r->peer.fresh_ms != 0 && now_ms - r->peer.fresh_ms < r->cfg.deadtime_ms;
}

bool role_witnesses_since(const struct role *r, uint64_t since)
{
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		bool answered = r->cfg.witnesses[link] == 0;

		for (uint8_t w = 0; w < r->cfg.witnesses[link] && w < ROLE_MAX_WITNESSES; w++)
			answered |= r->witness_ms[link][w] >= since;
		if (!answered)
			return false;
	}
	return true;
}

bool role_peer_in_reach(const struct role *r, uint64_t now)
{
	return r->cfg.has_peer && r->peer.fresh_ms != 0 &&
	       now - r->peer.fresh_ms <= UINT64_C(10) * r->cfg.deadtime_ms;
}

bool role_peer_deaf(const struct role *r, uint64_t now_ms)
{
	return role_peer_alive(r, now_ms) &&
	       r->peer.fresh_ms - r->peer.answered_ms >= r->cfg.deadtime_ms;
}

bool role_is_late(const struct role *r, uint64_t now)
{
	return now - r->last_tick_ms > UINT64_C(2) * r->cfg.keepalive_ms;
}

bool role_ports_up(const struct role *r)
{
	for (uint8_t i = 0; i < r->n_ports; i++) {
		if (r->ports[i].configured > 0 && r->ports[i].up == 0)
			return false;
	}
	return true;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Answers count from this time on. */
static uint64_t witnesses_from(const struct role *r, uint64_t now)
{
	const uint64_t deadtime = r->cfg.deadtime_ms;
	uint64_t window = deadtime > ROLE_CALM_MS ? deadtime : ROLE_CALM_MS;
	uint64_t from = 1;

	if (r->fast_ms != 0 && now - r->fast_ms >= deadtime)
		window = deadtime;
	/* What was too old while they were asked often is not young again. */
	else if (r->calm_ms > deadtime)
		from = r->calm_ms - deadtime;
	return latest(from, now > window ? now - window : 1);
}

static uint16_t link_witnesses(const struct role *r, uint8_t link, uint64_t from)
{
	uint16_t n = 0;

	for (uint8_t w = 0; w < r->cfg.witnesses[link] && w < ROLE_MAX_WITNESSES; w++)
		n += r->witness_ms[link][w] >= from;
	return n;
}

static uint16_t all_witnesses(const struct role *r, uint64_t from)
{
	uint16_t n = 0;

	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++)
		n = (uint16_t)(n + link_witnesses(r, link, from));
	return n;
}

uint16_t role_witnesses(const struct role *r, uint64_t now_ms)
{
	return all_witnesses(r, witnesses_from(r, now_ms));
}

uint16_t role_witnesses_fresh(const struct role *r, uint64_t now)
{
	const uint64_t deadtime = r->cfg.deadtime_ms;

	if (r->fast_ms == 0 || now - r->fast_ms < UINT64_C(2) * r->cfg.keepalive_ms)
		return role_witnesses(r, now);
	return all_witnesses(r, latest(r->fast_ms, now > deadtime ? now - deadtime : 1));
}

bool role_link_answers(const struct role *r, uint8_t link, uint64_t now)
{
	return r->cfg.witnesses[link] == 0 || link_witnesses(r, link, witnesses_from(r, now)) > 0;
}

bool role_witnesses_answer(const struct role *r, uint64_t now)
{
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		if (!role_link_answers(r, link, now))
			return false;
	}
	return true;
}

static bool asks_witnesses(const struct role *r)
{
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		if (r->cfg.witnesses[link] > 0)
			return true;
	}
	return false;
}

static uint64_t asked_twice_ms(const struct role *r)
{
	return UINT64_C(2) * r->cfg.keepalive_ms;
}

bool role_hears_nothing(const struct role *r, uint64_t now)
{
	const uint64_t deadtime = r->cfg.deadtime_ms;
	/* Two questions at keepalive rate have had time for an answer. */
	const bool asked = r->fast_ms != 0 && now - r->fast_ms >= asked_twice_ms(r);

	return asked && role_peer_in_reach(r, now) && !role_peer_alive(r, now) &&
	       asks_witnesses(r) && all_witnesses(r, now > deadtime ? now - deadtime : 1) == 0 &&
	       now - r->watch_ms >= deadtime;
}

bool role_ready(const struct role *r, uint64_t now_ms)
{
	return role_ports_up(r) && role_witnesses_answer(r, now_ms);
}

static uint64_t missed_after_ms(const struct role *r)
{
	return r->cfg.keepalive_ms + r->cfg.keepalive_ms / 2;
}

/* Something that came not long ago is late. */
static bool is_missed(const struct role *r, uint64_t at, uint64_t now)
{
	return at != 0 && now - at > missed_after_ms(r) &&
	       now - at <= UINT64_C(10) * r->cfg.deadtime_ms;
}

bool role_misses(const struct role *r, uint64_t now)
{
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		if (is_missed(r, r->peer.path_ms[i], now))
			return true;
	}
	/* A path also brings messages that are not fresh, which say nothing of the peer now. */
	return is_missed(r, r->peer.fresh_ms, now);
}

static uint64_t link_answered(const struct role *r, uint8_t link)
{
	uint64_t at = 0;

	for (uint8_t w = 0; w < r->cfg.witnesses[link] && w < ROLE_MAX_WITNESSES; w++)
		at = latest(at, r->witness_ms[link][w]);
	return at;
}

static uint64_t overdue_after_ms(const struct role *r)
{
	return ROLE_WITNESS_SLOW_MS + r->cfg.keepalive_ms;
}

/* A link whose witnesses answered not long ago misses an answer: it may have been lost. */
static bool answers_overdue(const struct role *r, uint64_t now)
{
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		const uint64_t at = link_answered(r, link);

		if (at != 0 && now - at > overdue_after_ms(r) && now - at <= ROLE_OVERDUE_MAX_MS)
			return true;
	}
	return false;
}

void role_pace(struct role *r, uint64_t now)
{
	const bool alive = role_peer_alive(r, now);
	/* No router is active, and this one is to be as soon as it may. */
	const bool wanted = !(alive && ha_state_serves(r->peer.state)) &&
			    (r->state == HA_BACKUP || r->state == HA_FAULT || r->state == HA_INIT);

	if (!r->cfg.has_peer)
		return;
	if (wanted || r->state == HA_TAKEOVER || role_misses(r, now) || answers_overdue(r, now) ||
	    (alive && r->peer.flags & HA_FLAG_MISSES)) {
		if (r->fast_ms == 0)
			r->fast_ms = now;
		r->fast_until_ms = now + ROLE_FAST_HOLD_MS;
	} else if (r->fast_ms != 0 && now >= r->fast_until_ms) {
		r->fast_ms = 0;
		r->calm_ms = now;
	}
}

uint64_t role_pace_next(const struct role *r)
{
	uint64_t next = r->peer.fresh_ms + missed_after_ms(r) + 1;

	if (r->fast_ms != 0)
		return r->fast_ms + asked_twice_ms(r);
	if (next <= r->last_tick_ms)
		next = UINT64_MAX;
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		const uint64_t at = r->peer.path_ms[i] + missed_after_ms(r) + 1;

		if (at > r->last_tick_ms && at < next)
			next = at;
	}
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		const uint64_t at = link_answered(r, link) + overdue_after_ms(r) + 1;

		if (at > r->last_tick_ms && at < next)
			next = at;
	}
	return next;
}

uint32_t role_witness_period(const struct role *r)
{
	if (!r->cfg.has_peer)
		return 0;
	if (r->fast_ms != 0 || r->cfg.keepalive_ms > ROLE_WITNESS_SLOW_MS)
		return r->cfg.keepalive_ms;
	return ROLE_WITNESS_SLOW_MS;
}

int role_ports_compare(const struct ha_port_role *a, uint8_t n_a, const struct ha_port_role *b,
		       uint8_t n_b)
{
	bool better = false, worse = false;

	if (n_a != n_b)
		return 0;
	for (uint8_t i = 0; i < n_a; i++) {
		/* Shares, so that routers with bonds of different width compare. */
		const int x = a[i].up * b[i].configured, y = b[i].up * a[i].configured;

		better |= x > y;
		worse |= x < y;
	}
	return better == worse ? 0 : better ? 1 : -1;
}

int role_rank(uint16_t priority, enum ha_role role, const struct role_config *mine)
{
	if (priority != mine->priority)
		return priority > mine->priority ? 1 : -1;
	if (role != mine->role)
		return role == HA_ROLE_PRIMARY ? 1 : -1;
	return 0;
}

/* Also of two that are configured alike: both come to the same. Never 0. */
static int rank_order(uint16_t priority, enum ha_role role, const struct ha_session *session,
		      const struct role_config *mine)
{
	const int rank = role_rank(priority, role, mine);

	if (rank != 0)
		return rank;
	return memcmp(session->byte, mine->session.byte, sizeof(session->byte)) > 0 ? 1 : -1;
}

int64_t role_peer_sees_more(const struct role *r, uint64_t now_ms)
{
	const struct role_peer *p = &r->peer;

	if (!role_peer_alive(r, now_ms) || role_configuration_differs(r) || !r->verdicts ||
	    !(p->flags & HA_FLAG_VERDICTS))
		return 0;
	return (int64_t)p->servers_up - r->servers_up;
}

bool role_peer_speaks(const struct role *r, uint64_t now_ms)
{
	return role_peer_alive(r, now_ms) || (r->peer.fresh_ms != 0 && role_is_late(r, now_ms));
}

/* Its place in the order of names, which is the same at both routers. */
static uint8_t link_bit(const struct role *r, uint8_t link)
{
	uint8_t rank = 0;

	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++)
		rank += strcmp(r->cfg.vip_link_names[i], r->cfg.vip_link_names[link]) < 0;
	return (uint8_t)(1U << rank);
}

uint8_t role_links_answer(const struct role *r, uint64_t now)
{
	const uint64_t deadtime = r->cfg.deadtime_ms;
	uint8_t bits = 0;

	if (r->fast_ms == 0)
		return 0;
	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++)
		if (link_witnesses(r, i, latest(r->fast_ms, now > deadtime ? now - deadtime : 1)))
			bits |= link_bit(r, i);
	return bits;
}

const char *role_black_hole(const struct role *r, uint64_t now)
{
	const uint64_t deadtime = r->cfg.deadtime_ms;
	/* Three questions have had time for an answer. */
	const uint64_t asked = UINT64_C(4) * r->cfg.keepalive_ms;
	const struct role_peer *p = &r->peer;

	if (now - p->sent_after_ms > deadtime)
		return NULL; /* an old word, though it came now */
	if (r->fast_ms == 0 || now - r->fast_ms < (asked > deadtime ? asked : deadtime) ||
	    now - r->watch_ms < deadtime || role_is_late(r, now) || !role_peer_alive(r, now) ||
	    p->state != HA_BACKUP || !(p->flags & HA_FLAG_READY))
		return NULL;
	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++)
		if (r->cfg.witnesses[i] > 0 && link_witnesses(r, i, now - deadtime) == 0 &&
		    p->links_answer & link_bit(r, i))
			return r->cfg.vip_link_names[i];
	return NULL;
}

bool role_is_split(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return ha_state_serves(r->state) && p->claim_ms != 0 && p->fresh_ms < p->claim_ms &&
	       now - p->claim_ms < ROLE_CLAIM_HOLD_MS;
}

bool role_hears_second(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return p->second_ms != 0 && now - p->second_ms < ROLE_SECOND_HOLD_MS &&
	       p->second_ms - p->second_since_ms > r->cfg.deadtime_ms + r->cfg.keepalive_ms;
}

bool role_configuration_differs(const struct role *r)
{
	const struct role_peer *p = &r->peer;

	if (!p->known)
		return false;
	if (p->relation == VERSION_NONE)
		return memcmp(p->version.digest, r->config_digest, HA_DIGEST_BYTES) != 0;
	return p->relation != VERSION_EQUAL;
}

bool role_versions_hinder(const struct role *r)
{
	return r->peer.relation != VERSION_NONE && r->peer.relation != VERSION_EQUAL;
}

enum role_clash role_clash(const struct role *r)
{
	const struct role_peer *p = &r->peer;

	if (!p->known)
		return ROLE_CLASH_NONE;
	if (p->role == r->cfg.role)
		return ROLE_CLASH_ROLE;
	if (p->priority != r->cfg.priority &&
	    (p->priority > r->cfg.priority) != (p->role == HA_ROLE_PRIMARY))
		return ROLE_CLASH_PRIORITY;
	return ROLE_CLASH_NONE;
}

bool role_holds_alone(const struct role *r, uint64_t now)
{
	return !role_peer_alive(r, now) && (r->synchronised || r->kept || r->activated_ms != 0);
}

/* Of two that could serve. */
static bool peer_is_better(const struct role *r)
{
	const struct role_peer *p = &r->peer;
	const bool mine = r->synchronised || r->kept;
	const bool theirs = p->flags & (HA_FLAG_SYNCHRONISED | HA_FLAG_KEPT);
	const int ports = role_ports_compare(p->ports, p->n_ports, r->ports, r->n_ports);

	if (ports != 0)
		return ports > 0;
	if (theirs != mine)
		return theirs;
	return rank_order(p->priority, p->role, &p->session, &r->cfg) > 0;
}

bool role_peer_goes_first(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return role_peer_alive(r, now) && (p->flags & HA_FLAG_READY) &&
	       (p->state == HA_BACKUP || p->state == HA_TAKEOVER || p->state == HA_FENCED) &&
	       peer_is_better(r);
}

bool role_peer_starts_first(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return role_peer_alive(r, now) && p->state == HA_INIT && !(p->flags & HA_FLAG_STOPPING) &&
	       (p->witnesses > 0 || !asks_witnesses(r)) && peer_is_better(r);
}

uint64_t role_due(const struct role *r, uint64_t now)
{
	uint64_t due = r->no_active_ms + r->cfg.deadtime_ms;

	/* Who should go first may still fail to. */
	if (role_peer_goes_first(r, now))
		due += UINT64_C(2) * r->cfg.deadtime_ms;
	return due > r->stale_until_ms ? due : r->stale_until_ms;
}

uint64_t role_own_term(const struct ha_message *msg)
{
	switch (msg->type) {
	case HA_MSG_STOP:
	case HA_MSG_HANDOVER_PREPARE:
	case HA_MSG_HANDOVER_READY:
	case HA_MSG_HANDOVER_COMMIT:
		return msg->term > 0 ? msg->term - 1 : 0;
	default:
		return msg->term;
	}
}

int role_conflict_order(const struct role *r, const struct ha_message *msg, uint64_t my_term)
{
	const uint64_t term = role_own_term(msg);

	if (term != my_term)
		return term > my_term ? 1 : -1;
	return rank_order(msg->priority, msg->role, &msg->session, &r->cfg);
}

/* Counted by the router that was asked, so that the one that failed need not remember. */
uint8_t role_failback_failures(const struct role *r)
{
	return r->failback_failures > r->peer.failback_failures ? r->failback_failures
								: r->peer.failback_failures;
}

static bool ports_all_up(const struct role *r)
{
	for (uint8_t i = 0; i < r->n_ports; i++) {
		if (r->ports[i].up < r->ports[i].configured)
			return false;
	}
	return true;
}

const char *role_failback_waits(const struct role *r, uint64_t now_ms)
{
	if (r->cfg.failback != ROLE_FAILBACK_AUTO || r->failback_held || r->stopping ||
	    r->state != HA_BACKUP || role_failback_failures(r) >= ROLE_FAILBACK_TRIES ||
	    !role_peer_alive(r, now_ms) || r->peer.state != HA_ACTIVE ||
	    role_rank(r->peer.priority, r->peer.role, &r->cfg) >= 0)
		return NULL;
	if (!ports_all_up(r))
		return "a port";
	if (!role_ready(r, now_ms))
		return "a witness on each VIP link";
	if (r->peer.relation == VERSION_DIVERGED)
		return "one configuration: the two have diverged";
	if (role_versions_hinder(r))
		return "the peer's configuration, or the peer for this one";
	if (!r->synchronised)
		return "all connections of the peer";
	if (r->unbound > 0)
		return "services and servers of the peer's connections";
	return r->verdicts ? "" : "a verdict of every health check";
}

void role_config_defaults(struct role_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->has_peer = true;
	cfg->keepalive_ms = 50;
	cfg->deadtime_ms = 200;
	cfg->start_delay_ms = 5000;
	cfg->failback_delay_ms = 60000;
	cfg->grace_ms = 10000;
	cfg->handover_sync_ms = 10000;
	cfg->handover_freeze_ms = 1000;
	cfg->failback = ROLE_FAILBACK_AUTO;
	cfg->role = HA_ROLE_PRIMARY;
	cfg->priority = 100;
}

int role_config_check(const struct role_config *cfg, char *error, size_t len)
{
	if (!cfg->has_peer)
		return 0;
	if (cfg->keepalive_ms < 2)
		snprintf(error, len, "ha.keepalive: %u ms is less than 2 ms", cfg->keepalive_ms);
	else if (cfg->deadtime_ms > 60000)
		snprintf(error, len, "ha.deadtime: %u ms is more than 60 s", cfg->deadtime_ms);
	else if (cfg->deadtime_ms < 3 * cfg->keepalive_ms + 3)
		snprintf(error, len,
			 "ha.deadtime: %u ms is not more than 3 keepalives of %u ms (4 or more are "
			 "better)",
			 cfg->deadtime_ms, cfg->keepalive_ms);
	else if (cfg->n_paths < 1 || cfg->n_paths > ROLE_MAX_PATHS)
		snprintf(error, len, "ha.paths: %u are not 1 to %u", cfg->n_paths, ROLE_MAX_PATHS);
	else if (cfg->n_vip_links > ROLE_MAX_VIP_LINKS)
		snprintf(error, len, "ha: %u links with VIPs are more than %u", cfg->n_vip_links,
			 ROLE_MAX_VIP_LINKS);
	else
		return 0;
	return -EINVAL;
}
