/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/inquiry.h"

#define FIRST_WITHIN_MS 1000U

const struct inquiry_rule inquiry_rules[HEALTH_STATE_MAX][3] = {
	[HEALTH_UNKNOWN] =
		{
			[PROBE_OK] = {HEALTH_UP, INQUIRY_FIRST},
			[PROBE_FAIL] = {HEALTH_DOWN, INQUIRY_FALL},
			[PROBE_ERROR] = {HEALTH_UNKNOWN, INQUIRY_SAME},
		},
	[HEALTH_UP] =
		{
			[PROBE_OK] = {HEALTH_UP, INQUIRY_RESET},
			[PROBE_FAIL] = {HEALTH_DOWN, INQUIRY_FALL},
			[PROBE_ERROR] = {HEALTH_UP, INQUIRY_SAME},
		},
	[HEALTH_DOWN] =
		{
			[PROBE_OK] = {HEALTH_UP, INQUIRY_RISE},
			[PROBE_FAIL] = {HEALTH_DOWN, INQUIRY_RESET},
			[PROBE_ERROR] = {HEALTH_DOWN, INQUIRY_SAME},
		},
};

static bool inquiry_only_against(const struct check_spec *spec)
{
	return spec->type == CHECK_AGENT || spec->type == CHECK_PASSIVE;
}

void inquiry_state_init(struct inquiry_state *w, const struct check_spec *spec)
{
	bool only_against = inquiry_only_against(spec);

	*w = (struct inquiry_state){.state = only_against ? HEALTH_UP : HEALTH_UNKNOWN};
}

static uint32_t at_least_1(uint32_t n)
{
	return n ? n : 1;
}

static const struct inquiry_rule *
rule_of(const struct inquiry_state *w, const struct check_spec *spec, const struct probe_result *r)
{
	/* An agent that only names a weight has not said that the server is up again; and one
	 * that cannot be reached, or talks nonsense, says nothing of the server. */
	if (spec->type == CHECK_AGENT && !(r->advice & (ADVICE_UP | ADVICE_DOWN)))
		return &inquiry_rules[w->state][PROBE_ERROR];
	return &inquiry_rules[w->state][r->verdict];
}

static uint32_t need_count(const struct inquiry_rule *rule, const struct check_spec *spec)
{
	switch (rule->need) {
	case INQUIRY_FIRST:
		return 1;
	case INQUIRY_RISE:
		return at_least_1(spec->rise);
	case INQUIRY_FALL:
		return at_least_1(spec->fall);
	default:
		return 0;
	}
}

uint32_t inquiry_needed(const struct inquiry_state *before, const struct check_spec *spec,
			const struct probe_result *r)
{
	return need_count(rule_of(before, spec, r), spec);
}

/* A probe that could not be made. Whether the state changed. */
static bool error_count(struct inquiry_state *w, const struct check_spec *spec)
{
	bool known = w->state != HEALTH_UNKNOWN;

	if (w->not_made || ++w->errors < at_least_1(spec->fall))
		return false;
	w->not_made = true;
	w->state = HEALTH_UNKNOWN;
	w->streak = 0;
	return known;
}

bool inquiry_answer(struct inquiry_state *w, const struct check_spec *spec,
		    const struct probe_result *r)
{
	const struct inquiry_rule *rule = rule_of(w, spec, r);
	uint32_t need = need_count(rule, spec);

	if (r->verdict == PROBE_ERROR && !inquiry_only_against(spec))
		return error_count(w, spec);
	w->errors = 0;
	w->not_made = false;
	if (rule->need == INQUIRY_SAME)
		return false;
	if (rule->need == INQUIRY_RESET) {
		w->streak = 0;
		return false;
	}
	if (++w->streak < need)
		return false;
	w->state = rule->next;
	w->streak = 0;
	return true;
}

static uint32_t interval_ms(const struct check_spec *spec)
{
	if (spec->type == CHECK_PASSIVE && spec->passive.window_ms)
		return spec->passive.window_ms;
	return spec->interval_ms ? spec->interval_ms : 1000;
}

uint32_t inquiry_interval_ms(const struct inquiry_state *w, const struct check_spec *spec)
{
	uint32_t all = interval_ms(spec);

	if (spec->type == CHECK_PASSIVE)
		return all;
	if (w->state == HEALTH_UNKNOWN || w->streak > 0)
		return spec->fast_ms ? spec->fast_ms : all;
	if (w->state == HEALTH_DOWN)
		return spec->down_ms ? spec->down_ms : all;
	return all;
}

uint32_t inquiry_timeout_ms(const struct check_spec *spec)
{
	return spec->timeout_ms ? spec->timeout_ms : interval_ms(spec);
}

uint64_t inquiry_detect_us(const struct check_spec *spec)
{
	uint64_t fast = spec->fast_ms ? spec->fast_ms : interval_ms(spec);
	uint64_t timeout = inquiry_timeout_ms(spec);

	/* The first failure is seen an interval later at most, the others follow fast. */
	return 1000 * (interval_ms(spec) + timeout +
		       (at_least_1(spec->fall) - 1) * (fast > timeout ? fast : timeout));
}

uint64_t inquiry_first_us(const struct check_spec *spec, uint64_t hash, uint64_t now_us)
{
	uint32_t within = interval_ms(spec) < FIRST_WITHIN_MS ? interval_ms(spec) : FIRST_WITHIN_MS;

	/* A window must have passed before traffic can be looked at. */
	if (spec->type == CHECK_PASSIVE)
		return now_us + 1000ULL * interval_ms(spec);
	return now_us + hash % (1000ULL * within);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

uint64_t inquiry_next_us(const struct inquiry_state *w, const struct check_spec *spec,
			 uint64_t hash, uint64_t round, uint64_t due_us, uint64_t now_us)
{
	uint64_t interval = 1000ULL * inquiry_interval_ms(w, spec);
	uint64_t random = mix(hash + round * 0x9e3779b97f4a7c15ULL);
	uint64_t next;

	if (round <= 1)
		next = due_us + interval / 2 + random % interval;
	else
		next = due_us + interval - interval / 32 + random % (interval / 16 + 1);
	return next > now_us ? next : now_us;
}

bool check_spec_names_vip(const struct check_spec *spec)
{
	return spec->via_vip || spec->type == CHECK_EXEC || spec->type == CHECK_PASSIVE;
}
