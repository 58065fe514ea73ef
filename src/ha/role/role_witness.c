/* SPDX-License-Identifier: BSD-3-Clause */
/* Witnesses: their answers, the pace of questions, and the consequences of silence. */
#include "ha/role/role_internal.h"

#include <string.h>

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
	/* An answer that was too old while witnesses were asked at keepalive rate does not become
	 * valid again. */
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

bool role_asks_witnesses(const struct role *r)
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
	       role_asks_witnesses(r) &&
	       all_witnesses(r, now > deadtime ? now - deadtime : 1) == 0 &&
	       now - r->listening_ms >= deadtime;
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

/* A link whose witnesses answered recently may miss a lost answer. */
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
	uint64_t next = r->peer.fresh_ms + role_missed_after_ms(r) + 1;

	if (r->fast_ms != 0)
		return r->fast_ms + asked_twice_ms(r);
	if (next <= r->last_tick_ms)
		next = UINT64_MAX;
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		const uint64_t at = r->peer.path_ms[i] + role_missed_after_ms(r) + 1;

		if (at > r->last_tick_ms && at < next)
			next = at;
	}
	for (uint8_t link = 0; link < r->cfg.n_vip_links; link++) {
		const uint64_t at = r->peer.link_ms[link] + role_missed_after_ms(r) + 1;

		if (r->cfg.no_path[link] && at > r->last_tick_ms && at < next)
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
	    now - r->listening_ms < deadtime || role_is_late(r, now) || !role_peer_alive(r, now) ||
	    p->state != HA_BACKUP || !(p->flags & HA_FLAG_READY))
		return NULL;
	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++)
		if (r->cfg.witnesses[i] > 0 && link_witnesses(r, i, now - deadtime) == 0 &&
		    p->links_answer & link_bit(r, i))
			return r->cfg.vip_link_names[i];
	return NULL;
}
