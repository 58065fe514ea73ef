/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keepalive and deadtime of a pair: measured or configured, and agreed between the two routers.
 *
 * A lease must not outlive the peer's patience: an active router that stands still drops VIP
 * traffic before the peer takes over. So each router keeps three times:
 *
 *	agreed		the larger of both routers' wishes. Each message says it, with a number.
 *	deadtime	how long this router waits before it takes over. Raised at once; lowered
 * when the peer has said the number of the lower announcement.
 *	lease base	what the lease goes by: the smaller of both routers' announcements.
 *
 * A router that says a number goes by the announcement of that number from then on. So a longer
 * deadtime is in force at the waiting router before the other one's lease grows, and a shorter one
 * only after the lease has shrunk. A router that starts does not know what its last life announced,
 * and the peer may still go by that: it waits for the longest measured deadtime until the peer
 * agrees.
 */
#include "ha/role/role_internal.h"

#define TIMES	3  /* the measured lateness, on top of the floor */
#define STEP_MS 10 /* wishes are rounded up, so that they stay the same */
#define SHARE	4  /* keepalives in a deadtime */

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static struct role_lateness *bucket(struct role *r, uint64_t now)
{
	struct role_timers *m = &r->timers;

	if (now - m->bucket_ms >= ROLE_LATENESS_BUCKET_MS) {
		m->bucket_ms = now;
		m->bucket = (uint8_t)((m->bucket + 1) % ROLE_LATENESS_BUCKETS);
		m->lateness[m->bucket] = (struct role_lateness){0};
	}
	return &m->lateness[m->bucket];
}

struct role_lateness role_lateness(const struct role *r)
{
	struct role_lateness worst = {0};

	for (uint8_t i = 0; i < ROLE_LATENESS_BUCKETS; i++) {
		worst.own_ms = larger(worst.own_ms, r->timers.lateness[i].own_ms);
		worst.peer_ms = larger(worst.peer_ms, r->timers.lateness[i].peer_ms);
	}
	return worst;
}

static uint32_t floor_ms(const struct role *r)
{
	return larger(ROLE_DEADTIME_FLOOR_MS, SHARE * r->timers.keepalive_ms);
}

uint32_t role_deadtime_supported(const struct role *r)
{
	const struct role_lateness worst = role_lateness(r);
	const uint32_t late = larger(worst.own_ms, worst.peer_ms);
	uint32_t wish = floor_ms(r);

	if (late > ROLE_LATENESS_USUAL_MS)
		wish += TIMES * late;
	wish = (wish + STEP_MS - 1) / STEP_MS * STEP_MS;
	return smaller(wish, larger(ROLE_DEADTIME_AUTO_MAX_MS, floor_ms(r)));
}

bool role_deadtime_is_measured(const struct role *r, uint64_t now)
{
	return now - r->timers.began_ms >= ROLE_MEASURE_MS;
}

static uint32_t wish_of(const struct role *r, uint64_t now)
{
	const bool unsaid = r->peer.known && r->peer.timers.agreed_ms == 0;

	if (r->timers.deadtime_ms != 0)
		return r->timers.deadtime_ms;
	/* Before enough was measured, beside a peer that has no say, and where stalls are rare. */
	if (unsaid || !role_deadtime_is_measured(r, now) || r->timers.stalled)
		return larger(role_deadtime_supported(r), ROLE_DEADTIME_UNMEASURED_MS);
	return role_deadtime_supported(r);
}

static void keepalive_set(struct role *r, uint64_t now)
{
	const uint32_t base = r->cfg.lease_base_ms;
	uint32_t keepalive = r->timers.keepalive_ms;

	if (keepalive == 0) {
		keepalive = smaller(base / SHARE, ROLE_KEEPALIVE_MAX_MS);
		keepalive = larger(keepalive, ROLE_KEEPALIVE_MIN_MS);
	}
	/* While the two routers have different timers configured. */
	r->cfg.keepalive_ms = larger(smaller(keepalive, base / 3), 1);
	/* A shorter one holds for the heartbeat that is due next as well: by the shorter one that
	 * heartbeat would be late, and the count of silence would begin anew. */
	if (r->next_send_ms > now + r->cfg.keepalive_ms)
		r->next_send_ms = now + r->cfg.keepalive_ms;
}

void role_timers_update(struct role *r, uint64_t now)
{
	const struct ha_timers *said = &r->peer.timers;
	const bool says = r->peer.known && said->agreed_ms != 0;
	struct role_timers *m = &r->timers;
	uint32_t agreed = wish_of(r, now);

	m->wish_ms = agreed;
	if (says)
		agreed = larger(agreed, said->wish_ms);
	if (agreed != m->agreed_ms) {
		m->agreed_ms = agreed;
		m->number = m->number == UINT16_MAX ? 1 : (uint16_t)(m->number + 1);
	}
	if (r->peer.known && (!says || said->echo == m->number))
		r->cfg.deadtime_ms = agreed;
	r->cfg.deadtime_ms = larger(r->cfg.deadtime_ms, agreed);
	if (says)
		r->cfg.deadtime_ms = larger(r->cfg.deadtime_ms, said->lease_base_ms);
	r->cfg.lease_base_ms = says ? smaller(agreed, said->agreed_ms) : agreed;
	keepalive_set(r, now);
}

/* At the start, and when a person changed them: what is in force stays until it may change. */
void role_timers_configure(struct role *r, const struct role_config *cfg, uint32_t in_force_ms,
			   uint64_t now)
{
	r->timers.keepalive_ms = cfg->keepalive_ms;
	r->timers.deadtime_ms = cfg->deadtime_ms;
	r->cfg.deadtime_ms = in_force_ms;
	role_timers_update(r, now);
}

void role_timers_init(struct role *r, const struct role_config *cfg, uint64_t now)
{
	const uint32_t first = larger(ROLE_DEADTIME_AUTO_MAX_MS, SHARE * cfg->keepalive_ms);

	r->timers.began_ms = r->timers.bucket_ms = now;
	role_timers_configure(r, cfg, larger(cfg->deadtime_ms, first), now);
}

/* True while the process starts: lateness in that time says nothing about later. */
static bool is_starting(const struct role *r, uint64_t now)
{
	return now - r->timers.began_ms < ROLE_MEASURE_MS / 2;
}

static void lateness_note(struct role *r, uint32_t *worst, uint64_t ms)
{
	if (ms > ROLE_LATENESS_STALL_MS && ms <= ROLE_DEADTIME_AUTO_MAX_MS)
		r->timers.stalled = true;
	/* Longer is an outage, not jitter. */
	if (ms <= ROLE_DEADTIME_AUTO_MAX_MS && ms > *worst)
		*worst = (uint32_t)ms;
}

void role_timers_late(struct role *r, uint32_t late_ms, uint64_t now)
{
	if (!is_starting(r, now))
		lateness_note(r, &bucket(r, now)->own_ms, late_ms);
}

/* The next message of a session that was heard before. */
void role_timers_heard(struct role *r, uint64_t now)
{
	const uint32_t keepalive = larger(r->cfg.keepalive_ms, r->peer.timers.keepalive_ms);
	const uint64_t gap = now - r->peer.fresh_ms;
	const uint64_t late = gap > keepalive ? gap - keepalive : 0;

	/* Where this router itself did not listen, nothing is known of the peer. */
	if (r->peer.fresh_ms == 0 || r->listening_ms >= r->peer.fresh_ms || role_is_late(r, now) ||
	    is_starting(r, now))
		return;
	lateness_note(r, &bucket(r, now)->peer_ms, late);
	if (gap < r->cfg.deadtime_ms && late > (r->cfg.deadtime_ms - r->cfg.keepalive_ms) / 2)
		r->timers.nearly++;
}

void role_timers_fill(const struct role *r, enum ha_message_type type, struct ha_timers *out)
{
	out->wish_ms = (uint16_t)r->timers.wish_ms;
	out->agreed_ms = (uint16_t)r->timers.agreed_ms;
	out->number = r->timers.number;
	/* An answer goes to a session that was not believed yet: what it announced is not known. */
	out->echo = type == HA_MSG_ANSWER ? 0 : r->peer.timers.number;
	out->lease_base_ms = (uint16_t)r->cfg.lease_base_ms;
	out->keepalive_ms = (uint16_t)r->cfg.keepalive_ms;
}
