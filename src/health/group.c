/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/group.h"

#define SLOW_STEPS 32U

const char *const quorum_names[QUORUM_MAX] = {
	[QUORUM_START] = "start",
	[QUORUM_HELD] = "held",
	[QUORUM_LOST] = "lost",
};

enum quorum_state quorum_step(enum quorum_state q, const struct health_policy *policy, uint64_t n,
			      uint64_t total)
{
	uint64_t need = policy->quorum ? policy->quorum : 1;
	uint64_t again = need + policy->quorum_hysteresis;

	if (again > total)
		again = total > need ? total : need;
	switch (q) {
	case QUORUM_START:
		return n >= need ? QUORUM_HELD : QUORUM_START;
	case QUORUM_HELD:
		return n >= need ? QUORUM_HELD : QUORUM_LOST;
	default:
		return n >= again ? QUORUM_HELD : QUORUM_LOST;
	}
}

/* Changes of each server since the last call, and the sums of those that are in. */
static void note_changes(struct group_state *g, const struct health_policy *policy,
			 struct group_member *const *m, uint32_t n, uint64_t now_us)
{
	g->n_in = g->weight_in = 0;
	for (uint32_t i = 0; i < n; i++) {
		bool in = m[i]->standing == STANDING_IN;

		if (in && !m[i]->is_in) {
			bool at_start = m[i]->first && !m[i]->was_in;

			m[i]->slow_us = policy->slow_start_s && !at_start ? now_us : 0;
			m[i]->out_us = 0;
			m[i]->was_in = true;
		} else if (!in && m[i]->is_in) {
			m[i]->slow_us = 0;
			m[i]->out_us =
				m[i]->standing == STANDING_DOWN && m[i]->by_checks ? now_us : 0;
		}
		if (m[i]->standing == STANDING_MAINT ||
		    (m[i]->standing == STANDING_DOWN && !m[i]->by_checks))
			m[i]->out_us = 0;
		m[i]->is_in = in;
		if (in && !m[i]->sorry) {
			g->n_in++;
			g->weight_in += m[i]->configured;
		}
	}
}

static void step_quorum(struct group_state *g, const struct health_policy *policy,
			struct group_member *const *m, uint32_t n)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!m[i]->sorry)
			total += policy->quorum_weight ? m[i]->configured : 1;
	g->quorum = (uint8_t)quorum_step((enum quorum_state)g->quorum, policy,
					 policy->quorum_weight ? g->weight_in : g->n_in, total);
}

static bool sorry_is_in(struct group_member *const *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (m[i]->sorry && m[i]->standing == STANDING_IN)
			return true;
	return false;
}

/* Lines 3 and 4: until when a server must have been up to stay; UINT64_MAX: none stays. */
static uint64_t stays_since(const struct health_policy *policy, struct group_member *const *m,
			    uint32_t n, uint64_t window_us, bool *passive)
{
	uint64_t last = 0, last_passive = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (m[i]->sorry || m[i]->out_us == 0)
			continue;
		if (m[i]->out_us > last)
			last = m[i]->out_us;
		if (m[i]->passive && m[i]->out_us > last_passive)
			last_passive = m[i]->out_us;
	}
	*passive = last_passive != 0;
	if (last_passive)
		return last_passive;
	if (last == 0 || policy->all_down != HEALTH_KEEP_LAST)
		return UINT64_MAX;
	return last > window_us ? last - window_us : 1;
}

static void set_effect(struct group_member *m, const struct health_policy *policy, bool chosen,
		       uint64_t now_us, uint64_t *due_us)
{
	struct weight_bounds bounds = {policy->weight_min_percent, policy->weight_max_percent};
	uint64_t total_us = 1000000ULL * policy->slow_start_s;
	struct health_effect e = {0};

	e.weight = weight_advised(&m->advice, bounds, m->configured, &m->source);
	e.down = !chosen;
	e.as_removed = !chosen && m->standing == STANDING_DOWN && m->consequence == HEALTH_REMOVE;
	if (m->slow_us && now_us - m->slow_us >= total_us)
		m->slow_us = 0;
	if (m->slow_us) {
		uint64_t step = total_us / SLOW_STEPS;
		uint64_t next = now_us + step - (now_us - m->slow_us) % step;

		/* Only at steps, or every other event would move the weight a little. */
		e.weight = weight_slow(e.weight, (now_us - m->slow_us) / step * step, total_us);
		m->source = "slow start";
		if (next < *due_us)
			*due_us = next;
	}
	if (m->drain && m->standing == STANDING_IN) {
		e.weight = 0;
		m->source = "agent";
	}
	m->effect = e;
}

bool group_settle(struct group_state *g, const struct health_policy *policy,
		  struct group_member *const *m, uint32_t n, uint64_t window_us, uint64_t now_us,
		  uint64_t *due_us)
{
	bool sorry, changed = false, passive = false;
	uint64_t since = UINT64_MAX;

	*due_us = UINT64_MAX;
	note_changes(g, policy, m, n, now_us);
	step_quorum(g, policy, m, n);
	sorry = g->quorum != QUORUM_HELD && sorry_is_in(m, n);
	if (!sorry && g->n_in == 0)
		since = stays_since(policy, m, n, window_us, &passive);
	g->holds = since != UINT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		struct health_effect old = m[i]->effect;
		bool in = m[i]->standing == STANDING_IN;
		bool stays = g->holds && m[i]->out_us >= since && (!passive || m[i]->passive);

		set_effect(m[i], policy, m[i]->sorry ? sorry && in : !sorry && (in || stays),
			   now_us, due_us);
		changed |= old.down != m[i]->effect.down ||
			   old.as_removed != m[i]->effect.as_removed ||
			   old.weight != m[i]->effect.weight;
	}
	return changed;
}

void group_takeover(struct group_member *const *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		m[i]->slow_us = 0;
}
