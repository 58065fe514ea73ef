/* SPDX-License-Identifier: BSD-3-Clause */
/* Detection of the peer: by which paths, in which frames, and under which session. */
#include "ha/role/role_internal.h"

bool role_peer_alive(const struct role *r, uint64_t now_ms)
{
	return r->peer.fresh_ms != 0 && now_ms - r->peer.fresh_ms < r->cfg.deadtime_ms;
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

uint64_t role_missed_after_ms(const struct role *r)
{
	return r->cfg.keepalive_ms + r->cfg.keepalive_ms / 2;
}

/* Something that came not long ago is late. */
static bool is_missed(const struct role *r, uint64_t at, uint64_t now)
{
	return at != 0 && now - at > role_missed_after_ms(r) &&
	       now - at <= UINT64_C(10) * r->cfg.deadtime_ms;
}

bool role_misses(const struct role *r, uint64_t now)
{
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		if (is_missed(r, r->peer.path_ms[i], now))
			return true;
	}
	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++) {
		if (r->cfg.no_path[i] && is_missed(r, r->peer.link_ms[i], now))
			return true;
	}
	/* A path also brings messages that are not fresh, which say nothing of the peer now. */
	return is_missed(r, r->peer.fresh_ms, now);
}

bool role_paths_silent(const struct role *r, uint64_t now)
{
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		const uint64_t at = r->peer.path_ms[i];

		if (at != 0 && now - at <= role_missed_after_ms(r))
			return false;
	}
	return r->cfg.has_peer;
}

static bool is_recent(uint64_t at, uint64_t now, uint64_t ms)
{
	return at != 0 && now - at < ms;
}

uint32_t role_frame_period(const struct role *r, uint8_t link, uint64_t now)
{
	const struct role_peer *p = &r->peer;
	const bool alive = role_peer_alive(r, now);

	if (!r->cfg.has_peer)
		return 0;
	if (alive)
		return r->cfg.no_path[link] || p->asks_frames || role_paths_silent(r, now)
			       ? r->cfg.keepalive_ms
			       : 0;
	if (!role_paths_silent(r, now))
		return 0;
	/* Claims by the peer's MAC, and frames from the peer, show that the peer may hear this
	 * router. */
	if (role_peer_in_reach(r, now) || is_recent(p->claim_ms, now, ROLE_CLAIM_HOLD_MS) ||
	    is_recent(p->frame_ms, now, 2 * ROLE_FRAME_SLOW_MS) ||
	    r->cfg.keepalive_ms > ROLE_FRAME_SLOW_MS)
		return r->cfg.keepalive_ms;
	return ROLE_FRAME_SLOW_MS;
}

bool role_peer_speaks(const struct role *r, uint64_t now_ms)
{
	return role_peer_alive(r, now_ms) || (r->peer.fresh_ms != 0 && role_is_late(r, now_ms));
}

bool role_frames_only(const struct role *r, uint64_t now)
{
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		if (is_recent(r->peer.path_ms[i], now, r->cfg.deadtime_ms))
			return false;
	}
	return role_peer_alive(r, now);
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
