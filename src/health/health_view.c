/* SPDX-License-Identifier: BSD-3-Clause */
/* Health as people, metrics and the peer see it, and the words of operators and the peer. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health/health_internal.h"

struct health_effect health_effect(const struct health *h, const char *service_key,
				   const struct endpoint *server, uint32_t weight)
{
	const struct member *m = health_member(h, service_key, server);

	return m ? m->gm.effect : (struct health_effect){.weight = weight};
}

int health_force(struct health *h, const char *service_key, const struct endpoint *server,
		 enum health_admin admin, const char *why)
{
	struct member *m = health_member(h, service_key, server);

	return m ? member_force(m, admin, why, health_now(h)) : -ENOENT;
}

static void view_reason(const struct member *m, const struct inquiry *telling, char *buf,
			size_t len)
{
	const char *last = telling && telling->last.sentence ? telling->last.sentence : NULL;
	uint64_t now_us = health_now(m->group->h);

	if (m->state.admin != HEALTH_ADMIN_NONE)
		snprintf(buf, len, "%s", m->why ? m->why : "an operator said so");
	else if (m->n_links == 0)
		snprintf(buf, len, "it has no checks");
	else if (!last)
		snprintf(buf, len, "not asked yet");
	else if (timer_armed(&m->reentry) && m->reentry.at_us > now_us)
		snprintf(buf, len, "it comes back in %" PRIu64 " s: %s",
			 (m->reentry.at_us - now_us + 999999) / 1000000, last);
	else
		snprintf(buf, len, "%s", last);
}

static void view_fill(const struct member *m, struct health_view *out)
{
	const struct inquiry *telling = member_telling(m);
	const struct health_policy *policy = &m->group->policy;
	struct weight_bounds bounds = {policy->weight_min_percent, policy->weight_max_percent};

	memset(out, 0, offsetof(struct health_view, history));
	out->state = m->state.state;
	out->admin = m->state.admin;
	out->standing = (uint8_t)member_standing(&m->state);
	out->edges = m->n_edges;
	out->drain = m->state.drain;
	out->maint = m->state.maint;
	out->effect = m->gm.effect;
	out->weight = m->gm.configured;
	out->weight_source = m->gm.source;
	weight_range(&m->gm.advice, bounds, m->gm.configured, &out->weight_low, &out->weight_high);
	out->since_ms = m->since_ms;
	if (telling) {
		out->duration_us = telling->last.duration_us;
		out->streak = telling->last.streak;
		out->needed = telling->last.needed;
	}
	for (uint32_t i = 0; i < m->n_links; i++) {
		const struct inquiry *w = m->links[i]->inquiry;

		out->probes += w->probes;
		out->failures += w->failures;
		out->errors += w->errors;
		if (w->last.checked_ms > out->checked_ms)
			out->checked_ms = w->last.checked_ms;
	}
	view_reason(m, telling, out->reason, sizeof(out->reason));
}

int health_get_now(const struct health *h, const char *service_key, const struct endpoint *server,
		   struct health_view *out)
{
	const struct member *m = health_member(h, service_key, server);

	if (!m)
		return -ENOENT;
	view_fill(m, out);
	return 0;
}

int health_get(const struct health *h, const char *service_key, const struct endpoint *server,
	       struct health_view *out)
{
	const struct member *m = health_member(h, service_key, server);

	if (!m)
		return -ENOENT;
	view_fill(m, out);
	memset(out->history, 0, sizeof(out->history));
	out->n_history = m->n_history;
	for (uint32_t i = 0; i < m->n_history; i++) {
		out->history[i].at_ms = m->history[i].at_ms;
		out->history[i].state = m->history[i].state;
		out->history[i].admin = m->history[i].admin;
		snprintf(out->history[i].reason, sizeof(out->history[i].reason), "%s",
			 m->history[i].reason ? m->history[i].reason : "");
	}
	return 0;
}

uint32_t health_get_checks(const struct health *h, const char *service_key,
			   const struct endpoint *server, struct health_check_view *out,
			   uint32_t max)
{
	const struct member *m = health_member(h, service_key, server);

	if (!m)
		return 0;
	for (uint32_t i = 0; i < m->n_links && i < max; i++) {
		const struct inquiry *w = m->links[i]->inquiry;

		out[i] = (struct health_check_view){
			.name = m->links[i]->name,
			.type = w->spec.type,
			.state = w->state.state,
			.checked_ms = w->last.checked_ms,
			.duration_us = w->last.duration_us,
			.streak = w->last.streak,
			.needed = w->last.needed,
			.probes = w->probes,
			.failures = w->failures,
			.errors = w->errors,
		};
		snprintf(out[i].reason, sizeof(out[i].reason), "%s",
			 w->last.sentence ? w->last.sentence : "not asked yet");
	}
	return m->n_links;
}

int health_get_service(const struct health *h, const char *service_key,
		       struct health_service_view *out)
{
	const struct group *g = group_find(h, service_key);

	if (!g)
		return -ENOENT;
	*out = (struct health_service_view){
		.n_servers = g->n,
		.n_up = g->state.n_in,
		.weight_up = g->state.weight_in,
		.has = g->policy.quorum_weight ? g->state.weight_in : g->state.n_in,
		.needed = g->policy.quorum ? g->policy.quorum : 1,
		.quorum = g->state.quorum == QUORUM_HELD,
		.lost = group_lost(g),
		.holds = g->state.holds,
	};
	for (uint32_t i = 0; i < g->n; i++) {
		const struct group_member *m = g->gms[i];

		out->n_unknown += m->standing == STANDING_OUT;
		out->n_sorry += m->sorry;
		out->n_sorry_up += m->sorry && m->standing == STANDING_IN;
	}
	return 0;
}

uint32_t health_lost(const struct health *h, const char **keys, uint32_t max)
{
	const struct group *g;
	uint32_t n = 0;

	TAILQ_FOREACH(g, &h->all, of_all)
	{
		if (!group_lost(g))
			continue;
		if (n < max)
			keys[n] = g->key;
		n++;
	}
	return n;
}

void health_counters(const struct health *h, struct health_counters *out)
{
	uint64_t now_us = health_now(h);

	*out = h->totals;
	out->not_made = h->n_not_made;
	out->checks = h->inquiries.n;
	out->members = h->n_members;
	out->in_flight = h->in_flight;
	out->queued = h->n_queued;
	out->late_us[0] = lateness_quantile(&h->lateness, now_us, 500);
	out->late_us[1] = lateness_quantile(&h->lateness, now_us, 990);
	out->late_us[2] = lateness_quantile(&h->lateness, now_us, 1000);
}

/* Of one service: whose verdicts they are, in the configuration's order. */
static uint64_t group_hash(const struct group *g)
{
	uint64_t hash = hash_text(HASH_START, g->key);

	for (uint32_t i = 0; i < g->n; i++) {
		hash = hash_bytes(hash, &g->members[i]->ep, sizeof(g->members[i]->ep));
		hash = hash_bytes(hash, &g->members[i]->state.state, 1);
	}
	return hash;
}

/* Sums over services, whose order is none. Their servers are looked at only when something has
 * changed: forty thousand cost 20 ms, most of it for memory that is in no cache. */
void health_digest(const struct health *h, uint8_t out[32])
{
	struct {
		uint64_t sum, squares, n;
	} all = {0};
	struct group *g;

	TAILQ_FOREACH(g, &h->all, of_all)
	{
		if (g->stale)
			g->verdicts = group_hash(g);
		g->stale = false;
		all.sum += g->verdicts;
		all.squares += g->verdicts * g->verdicts;
		all.n++;
	}
	if (!EVP_Digest(&all, sizeof(all), out, NULL, EVP_sha256(), NULL))
		memset(out, 0, 32);
}

void health_peer_verdict(struct health *h, const char *service_key, const struct endpoint *server,
			 enum health_state state)
{
	struct member *m = health_member(h, service_key, server);

	if (!m || m->state.peer == state)
		return;
	m->state.peer = (uint8_t)state;
	member_heard(m, NULL, NULL, health_now(h));
}

void health_takeover(struct health *h)
{
	uint64_t now_us = health_now(h);
	struct group *g;

	TAILQ_FOREACH(g, &h->all, of_all)
	{
		for (uint32_t i = 0; i < g->n; i++) {
			member_takeover(g->members[i], now_us);
			for (uint32_t k = 0; k < g->members[i]->n_links; k++)
				inquiry_hurry(g->members[i]->links[k]->inquiry, now_us);
		}
		/* Members whose re-entry delay ends here do not start slowly either. */
		g->tell = group_run(g, now_us);
		group_takeover(g->gms, g->n);
		group_mark(g);
	}
}

static void group_count(struct group *g)
{
	g->n_up = g->n_undecided = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct member_state *m = &g->members[i]->state;

		g->n_up += m->state == HEALTH_UP;
		g->n_undecided += m->state == HEALTH_UNKNOWN && member_asked(m);
	}
	g->uncounted = false;
}

bool health_count(const struct health *h, uint32_t *n, uint32_t *up)
{
	uint32_t n_undecided = 0;
	struct group *g;

	*n = *up = 0;
	TAILQ_FOREACH(g, &h->all, of_all)
	{
		if (g->uncounted)
			group_count(g);
		*n += g->n;
		*up += g->n_up;
		n_undecided += g->n_undecided;
	}
	return n_undecided == 0;
}

static bool member_undecided(const struct member *m)
{
	for (uint32_t i = 0; i < m->n_links; i++)
		if (m->links[i]->inquiry->state.state == HEALTH_UNKNOWN)
			return member_asked(&m->state);
	return false;
}

uint32_t health_undecided(const struct health *h)
{
	const struct group *g;
	uint32_t n = 0;

	TAILQ_FOREACH(g, &h->all, of_all)
	for (uint32_t i = 0; i < g->n; i++)
		n += member_undecided(g->members[i]);
	return n;
}

bool health_complete(const struct health *h)
{
	uint32_t n, up;

	return health_count(h, &n, &up);
}
