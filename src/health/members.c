/* SPDX-License-Identifier: BSD-3-Clause */
/* Members as objects: answers of their inquiries, edges, history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "health/health_internal.h"

struct member *member_create(struct group *g, const struct health_server *server, bool first)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->group = g;
	m->ep = server->ep;
	m->gm.first = first;
	m->gm.configured = server->weight;
	m->gm.source = "configuration";
	m->reentry.fire = member_reentry;
	m->since_ms = g->h->hooks.now_ms(g->h->hooks.arg);
	return m;
}

int member_reserve_history(struct member *m)
{
	if (!m->history)
		m->history = calloc(HEALTH_HISTORY, sizeof(*m->history));
	return m->history ? 0 : -ENOMEM;
}

void member_destroy(struct member *m)
{
	timer_disarm(&m->group->h->timers, &m->reentry);
	for (uint32_t i = 0; i < m->n_history; i++)
		free(m->history[i].reason);
	free(m->history);
	free(m->why);
	free(m->links);
	free(m);
}

/* Down beats what counts towards another state, that beats what was asked last. */
static uint32_t says(const struct inquiry *w)
{
	if (w->last.checked_ms == 0)
		return 0;
	if (w->state.state == HEALTH_DOWN)
		return 3;
	return w->state.streak ? 2 : 1;
}

const struct inquiry *member_telling(const struct member *m)
{
	const struct inquiry *best = NULL;

	for (uint32_t i = 0; i < m->n_links; i++) {
		const struct inquiry *w = m->links[i]->inquiry;

		if (says(w) == 0)
			continue;
		if (!best || says(w) > says(best) ||
		    (says(w) == says(best) && w->last.checked_ms > best->last.checked_ms))
			best = w;
	}
	return best;
}

void member_log(const struct member *m)
{
	static const char *const words[STANDING_MAX] = {
		[STANDING_OUT] = "is not known yet",
		[STANDING_IN] = "is up",
		[STANDING_DOWN] = "is down",
		[STANDING_MAINT] = "is in maintenance",
	};
	static const char *const forced[HEALTH_ADMIN_MAX] = {
		[HEALTH_ADMIN_NONE] = "",
		[HEALTH_ADMIN_UP] = ", forced",
		[HEALTH_ADMIN_DOWN] = ", forced",
		[HEALTH_ADMIN_MAINT] = "",
	};
	const struct transition *t = &m->history[0];
	char ep[ENDPOINT_STRLEN];
	/* The first state of a server is no notice if the server is IN. */
	bool first = m->n_history == 1 && t->standing == STANDING_IN;

	log_write(NULL, first ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE, "health",
		  "%s: real server %s %s%s%s: %s", m->group->key,
		  endpoint_format(&m->ep, ep, sizeof(ep)), words[t->standing],
		  t->drained ? ", drained" : "", forced[t->admin], t->reason ? t->reason : "");
}

/* Something people want to know of has changed: history; log and notification follow when the
 * group is settled, since ten thousand lines take their time. */
static void edge(struct member *m, const char *reason)
{
	struct health *h = m->group->h;

	if (m->edge)
		member_log(m);
	if (m->n_history == HEALTH_HISTORY)
		free(m->history[--m->n_history].reason);
	memmove(&m->history[1], &m->history[0], m->n_history * sizeof(m->history[0]));
	m->n_history++;
	m->since_ms = h->hooks.now_ms(h->hooks.arg);
	m->history[0] = (struct transition){.at_ms = m->since_ms,
					    .state = m->state.state,
					    .admin = m->state.admin,
					    .standing = (uint8_t)member_standing(&m->state),
					    .drained = m->state.drain,
					    .reason = strdup(reason)};
	m->edge = true;
	m->n_edges++;
	h->totals.edges++;
}

/* Whether all checks that are down are passive ones. */
static bool only_passive(const struct member *m)
{
	for (uint32_t i = 0; i < m->n_links; i++)
		if (m->links[i]->inquiry->state.state == HEALTH_DOWN &&
		    m->links[i]->inquiry->spec.type != CHECK_PASSIVE)
			return false;
	return m->n_links > 0;
}

static enum health_state combine(const struct member *m)
{
	enum health_state all = HEALTH_UP;

	for (uint32_t i = 0; i < m->n_links && all != HEALTH_DOWN; i++) {
		uint8_t both[] = {(uint8_t)all, m->links[i]->inquiry->state.state};

		all = member_combine(both, 2);
	}
	return all;
}

/* Brings the state up to what checks say, and what the group is to know of it. */
static void refresh(struct member *m, bool failed, uint64_t now_us)
{
	struct timers *timers = &m->group->h->timers;
	struct group_member old = m->gm;
	const struct inquiry *w;
	uint64_t due_us;

	if (member_update(&m->state, combine(m), failed, m->reentry_us, now_us, &due_us)) {
		group_changed(m->group);
		w = member_telling(m);
		if (m->n_links)
			edge(m, w && w->last.sentence ? w->last.sentence : "as its checks say");
		else if (m->n_history)
			edge(m, "it has no checks");
	}
	if (due_us == UINT64_MAX)
		timer_disarm(timers, &m->reentry);
	else
		timer_arm(timers, &m->reentry, due_us);
	m->gm.standing = (uint8_t)member_standing(&m->state);
	m->gm.by_checks = m->state.admin == HEALTH_ADMIN_NONE;
	m->gm.passive = m->gm.standing == STANDING_DOWN && m->gm.by_checks && only_passive(m);
	m->gm.drain = m->state.drain && m->state.admin != HEALTH_ADMIN_UP;
	/* Most answers change nothing: then the group need not look. */
	if (m->gm.standing != old.standing || m->gm.by_checks != old.by_checks ||
	    m->gm.passive != old.passive || m->gm.drain != old.drain || m->edge)
		group_mark(m->group);
}

static void take_advice(struct member *m, const struct inquiry *w, const struct probe_result *r)
{
	struct weight_bounds bounds = {m->group->policy.weight_min_percent,
				       m->group->policy.weight_max_percent};

	if (w->has_percent) {
		m->gm.advice.has_percent = true;
		m->gm.advice.percent = w->percent;
	}
	if (w->has_units) {
		m->gm.advice.has_units = true;
		m->gm.advice.units = w->units;
	}
	if (!r)
		return;
	if (r->advice & ADVICE_LOAD && w->spec.weight)
		weight_load(&m->gm.advice, bounds, m->gm.configured, r->load);
	if (r->advice)
		group_mark(m->group);
	if (member_advise(&m->state, r->advice))
		edge(m, w->last.sentence ? w->last.sentence : "as its agent says");
}

void member_heard(struct member *m, const struct inquiry *w, const struct probe_result *r,
		  uint64_t now_us)
{
	if (w)
		take_advice(m, w, r);
	refresh(m, r && r->verdict == PROBE_FAIL, now_us);
}

void member_reentry(struct timer *t, uint64_t now_us)
{
	struct member *m = (struct member *)((char *)t - offsetof(struct member, reentry));

	refresh(m, false, now_us);
}

void member_takeover(struct member *m, uint64_t now_us)
{
	uint64_t reentry_us = m->reentry_us;

	m->reentry_us = 0;
	refresh(m, false, now_us);
	m->reentry_us = reentry_us;
}

int member_force(struct member *m, enum health_admin admin, const char *why, uint64_t now_us)
{
	static const char *const words[HEALTH_ADMIN_MAX] = {
		[HEALTH_ADMIN_NONE] = "left to its checks again",
		[HEALTH_ADMIN_UP] = "forced up",
		[HEALTH_ADMIN_DOWN] = "forced down",
		[HEALTH_ADMIN_MAINT] = "put into maintenance",
	};
	char reason[HEALTH_SENTENCE_LEN];
	char *copy = why && why[0] ? strdup(why) : NULL;
	bool paused = false;

	if ((why && why[0] && !copy) || member_reserve_history(m) < 0) {
		free(copy);
		return -ENOMEM;
	}
	free(m->why);
	m->why = copy;
	if (m->state.admin == admin)
		return 0;
	m->state.admin = (uint8_t)admin;
	group_changed(m->group); /* a server in maintenance is not asked */
	for (uint32_t i = 0; i < m->n_links; i++) {
		paused |= m->links[i]->inquiry->paused;
		inquiry_resume(m->links[i]->inquiry, now_us);
	}
	/* No probe was made meanwhile: the first success admits the server again. */
	if (paused && member_asked(&m->state))
		m->state.state = HEALTH_UNKNOWN;
	snprintf(reason, sizeof(reason), "%s%s%.160s", words[admin], copy ? ": " : "",
		 copy ? copy : "");
	edge(m, reason);
	refresh(m, false, now_us);
	return 0;
}
