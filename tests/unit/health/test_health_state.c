/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "health/group.h"
#include "base/lateness.h"
#include "health/member.h"
#include "health/timer.h"
#include "health/inquiry.h"
#include "health/weight.h"

#define SECOND	1000000ULL
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* --- inquiry --- */

static bool answer(struct inquiry_state *w, const struct check_spec *spec, enum probe_verdict v)
{
	struct probe_result r = {.verdict = (uint8_t)v};

	return inquiry_answer(w, spec, &r);
}

static void a_inquiry_follows_its_table_in_every_state_and_verdict(void **state)
{
	const struct check_spec spec = {.rise = 2, .fall = 3};
	static const uint32_t count[] = {
		[INQUIRY_SAME] = 0, [INQUIRY_RESET] = 0, [INQUIRY_FIRST] = 1,
		[INQUIRY_RISE] = 2, [INQUIRY_FALL] = 3,
	};

	(void)state;
	for (uint32_t s = 0; s < HEALTH_STATE_MAX; s++) {
		for (uint32_t v = PROBE_OK; v <= PROBE_ERROR; v++) {
			const struct inquiry_rule *rule = &inquiry_rules[s][v];
			struct inquiry_state w = {.state = (uint8_t)s};

			if (count[rule->need] == 0) {
				w.streak = 1;
				assert_false(answer(&w, &spec, v));
				assert_int_equal(w.state, s);
				assert_int_equal(w.streak, rule->need == INQUIRY_SAME ? 1 : 0);
				continue;
			}
			for (uint32_t i = 1; i < count[rule->need]; i++) {
				assert_false(answer(&w, &spec, v));
				assert_int_equal(w.state, s);
				assert_int_equal(w.streak, i);
			}
			assert_true(answer(&w, &spec, v));
			assert_int_equal(w.state, rule->next);
			assert_int_not_equal(w.state, s);
			assert_int_equal(w.streak, 0);
		}
	}
}

static void a_server_is_admitted_by_its_first_success_and_rises_later(void **state)
{
	const struct check_spec spec = {.rise = 3, .fall = 2};
	struct inquiry_state w;

	(void)state;
	inquiry_state_init(&w, &spec);
	assert_int_equal(w.state, HEALTH_UNKNOWN);
	assert_false(answer(&w, &spec, PROBE_FAIL));
	assert_true(answer(&w, &spec, PROBE_OK));
	assert_int_equal(w.state, HEALTH_UP);
	assert_false(answer(&w, &spec, PROBE_FAIL));
	assert_false(answer(&w, &spec, PROBE_OK)); /* the count starts again */
	assert_false(answer(&w, &spec, PROBE_FAIL));
	assert_false(answer(&w, &spec, PROBE_ERROR)); /* counts neither way */
	assert_true(answer(&w, &spec, PROBE_FAIL));
	assert_int_equal(w.state, HEALTH_DOWN);
	assert_false(answer(&w, &spec, PROBE_OK));
	assert_false(answer(&w, &spec, PROBE_OK));
	assert_true(answer(&w, &spec, PROBE_OK));
	assert_int_equal(w.state, HEALTH_UP);
}

static void a_check_that_cannot_be_made_becomes_unknown(void **state)
{
	const struct check_spec spec = {.rise = 2, .fall = 3}, agent = {.type = CHECK_AGENT};
	struct inquiry_state w;

	(void)state;
	for (uint32_t s = HEALTH_UP; s <= HEALTH_DOWN; s++) {
		w = (struct inquiry_state){.state = (uint8_t)s};
		assert_false(answer(&w, &spec, PROBE_ERROR));
		assert_false(answer(&w, &spec, PROBE_ERROR));
		/* A probe that could be made: from the start. */
		assert_false(answer(&w, &spec, s == HEALTH_UP ? PROBE_OK : PROBE_FAIL));
		assert_false(answer(&w, &spec, PROBE_ERROR));
		assert_false(answer(&w, &spec, PROBE_ERROR));
		assert_int_equal(w.state, s);
		assert_false(w.not_made);
		assert_true(answer(&w, &spec, PROBE_ERROR));
		assert_int_equal(w.state, HEALTH_UNKNOWN);
		assert_true(w.not_made);
		assert_false(answer(&w, &spec, PROBE_ERROR));
		assert_true(answer(&w, &spec, PROBE_OK));
		assert_int_equal(w.state, HEALTH_UP);
		assert_false(w.not_made);
	}
	/* Never asked with success: unknown all along, and said to be so. */
	inquiry_state_init(&w, &spec);
	for (int i = 0; i < 3; i++)
		assert_false(answer(&w, &spec, PROBE_ERROR));
	assert_true(w.not_made);
	/* An agent that cannot be asked speaks not against its server. */
	inquiry_state_init(&w, &agent);
	for (int i = 0; i < 10; i++)
		assert_false(answer(&w, &agent, PROBE_ERROR));
	assert_int_equal(w.state, HEALTH_UP);
	assert_false(w.not_made);
}

static void an_agent_speaks_against_a_server_and_must_say_up_again(void **state)
{
	const struct check_spec spec = {.type = CHECK_AGENT};
	const struct probe_result down = {.verdict = PROBE_FAIL, .advice = ADVICE_DOWN};
	struct probe_result r = {.verdict = PROBE_OK, .advice = ADVICE_WEIGHT};
	struct inquiry_state w;

	(void)state;
	inquiry_state_init(&w, &spec);
	assert_int_equal(w.state, HEALTH_UP);
	/* An agent that cannot be reached has not spoken. */
	assert_false(answer(&w, &spec, PROBE_FAIL));
	assert_true(inquiry_answer(&w, &spec, &down));
	assert_int_equal(w.state, HEALTH_DOWN);
	assert_false(inquiry_answer(&w, &spec, &r));
	assert_int_equal(w.state, HEALTH_DOWN);
	r.advice |= ADVICE_UP;
	assert_true(inquiry_answer(&w, &spec, &r));
}

static void the_interval_is_fast_while_changing_and_slow_while_down(void **state)
{
	const struct check_spec spec = {
		.interval_ms = 10000, .fast_ms = 1000, .down_ms = 30000, .rise = 2, .fall = 2};
	const struct check_spec plain = {.interval_ms = 5000};
	struct inquiry_state w;

	(void)state;
	inquiry_state_init(&w, &spec);
	assert_int_equal(inquiry_interval_ms(&w, &spec), 1000);
	answer(&w, &spec, PROBE_OK);
	assert_int_equal(inquiry_interval_ms(&w, &spec), 10000);
	answer(&w, &spec, PROBE_FAIL);
	assert_int_equal(inquiry_interval_ms(&w, &spec), 1000);
	answer(&w, &spec, PROBE_FAIL);
	assert_int_equal(inquiry_interval_ms(&w, &spec), 30000);
	answer(&w, &spec, PROBE_OK);
	assert_int_equal(inquiry_interval_ms(&w, &spec), 1000);
	assert_int_equal(inquiry_interval_ms(&w, &plain), 5000);
	assert_int_equal(inquiry_timeout_ms(&plain), 5000);
}

static void starts_spread_over_the_interval_and_keep_its_mean(void **state)
{
	const struct check_spec spec = {.interval_ms = 2000};
	const struct inquiry_state up = {.state = HEALTH_UP};
	uint32_t in_tenth[10] = {0};

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t hash = (i + 1) * 0x9e3779b97f4a7c15ULL;
		uint64_t at = inquiry_first_us(&spec, hash, 0), start;

		assert_in_range(at, 0, SECOND);
		for (uint64_t round = 1; round <= 21; round++) {
			if (round == 2)
				start = at;
			at = inquiry_next_us(&up, &spec, hash, round, at, at);
		}
		assert_in_range(at - start, 20 * 2 * SECOND * 31 / 32, 20 * 2 * SECOND * 33 / 32);
		in_tenth[at % (2 * SECOND) / (SECOND / 5)]++;
	}
	for (uint32_t i = 0; i < 10; i++)
		assert_in_range(in_tenth[i], 800, 1200);
	/* A probe that is behind does not catch up. */
	assert_int_equal(inquiry_next_us(&up, &spec, 1, 5, 0, 9 * SECOND), 9 * SECOND);
}

/* --- member --- */

static void a_member_follows_its_table_in_every_state(void **state)
{
	static const uint8_t next[HEALTH_STATE_MAX][HEALTH_STATE_MAX] = {
		{HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN},
		{HEALTH_UP, HEALTH_UP, HEALTH_DOWN},
		{HEALTH_DOWN, HEALTH_UP, HEALTH_DOWN},
	};
	uint64_t due;

	(void)state;
	for (uint32_t s = 0; s < HEALTH_STATE_MAX; s++) {
		for (uint32_t c = 0; c < HEALTH_STATE_MAX; c++) {
			struct member_state m = {.state = (uint8_t)s};

			assert_int_equal(member_update(&m, c, false, 0, SECOND, &due),
					 next[s][c] != s);
			assert_int_equal(m.state, next[s][c]);
			assert_true(due == UINT64_MAX);
		}
	}
}

static void a_server_that_is_good_again_waits_and_every_failure_restarts_the_wait(void **state)
{
	struct member_state m = {.state = HEALTH_DOWN};
	uint64_t due;

	(void)state;
	assert_false(member_update(&m, HEALTH_UP, false, 10 * SECOND, 100 * SECOND, &due));
	assert_int_equal(due, 110 * SECOND);
	/* A single probe fails, too few for its check to be down. */
	assert_false(member_update(&m, HEALTH_UP, true, 10 * SECOND, 105 * SECOND, &due));
	assert_int_equal(due, 115 * SECOND);
	assert_false(member_update(&m, HEALTH_UP, false, 10 * SECOND, 110 * SECOND, &due));
	/* The check goes down and comes back. */
	assert_false(member_update(&m, HEALTH_DOWN, true, 10 * SECOND, 111 * SECOND, &due));
	assert_true(due == UINT64_MAX);
	assert_false(member_update(&m, HEALTH_UP, false, 10 * SECOND, 120 * SECOND, &due));
	assert_false(member_update(&m, HEALTH_UP, false, 10 * SECOND, 129 * SECOND, &due));
	assert_true(member_update(&m, HEALTH_UP, false, 10 * SECOND, due, &due));
	assert_int_equal(m.state, HEALTH_UP);
}

static void one_check_that_is_down_is_enough_and_none_at_all_means_up(void **state)
{
	const uint8_t up_unknown[] = {HEALTH_UP, HEALTH_UNKNOWN};
	const uint8_t unknown_down[] = {HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN};
	const uint8_t both[] = {HEALTH_UP, HEALTH_UP};

	(void)state;
	assert_int_equal(member_combine(NULL, 0), HEALTH_UP);
	assert_int_equal(member_combine(up_unknown, 2), HEALTH_UNKNOWN);
	assert_int_equal(member_combine(unknown_down, 3), HEALTH_DOWN);
	assert_int_equal(member_combine(both, 2), HEALTH_UP);
}

static void what_operators_say_beats_checks_and_agents(void **state)
{
	static const struct {
		struct member_state m;
		enum standing standing;
	} rows[] = {
		{{.state = HEALTH_UNKNOWN}, STANDING_OUT},
		{{.state = HEALTH_UP}, STANDING_IN},
		{{.state = HEALTH_DOWN}, STANDING_DOWN},
		{{.state = HEALTH_UNKNOWN, .peer = HEALTH_UP}, STANDING_IN},
		{{.state = HEALTH_UNKNOWN, .peer = HEALTH_DOWN}, STANDING_DOWN},
		{{.state = HEALTH_DOWN, .peer = HEALTH_UP}, STANDING_DOWN},
		{{.state = HEALTH_DOWN, .admin = HEALTH_ADMIN_UP}, STANDING_IN},
		{{.state = HEALTH_UP, .admin = HEALTH_ADMIN_DOWN}, STANDING_DOWN},
		{{.state = HEALTH_UP, .admin = HEALTH_ADMIN_MAINT}, STANDING_MAINT},
		{{.state = HEALTH_UP, .maint = true}, STANDING_MAINT},
		{{.state = HEALTH_DOWN, .maint = true}, STANDING_DOWN},
		{{.state = HEALTH_UP, .maint = true, .admin = HEALTH_ADMIN_UP}, STANDING_IN},
	};
	struct member_state m = {0};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_int_equal(member_standing(&rows[i].m), rows[i].standing);
	assert_true(member_advise(&m, ADVICE_DRAIN));
	assert_false(member_advise(&m, ADVICE_DRAIN | ADVICE_WEIGHT));
	assert_true(member_advise(&m, ADVICE_READY));
	assert_false(m.drain);
}

/* --- weight --- */

static void advice_moves_the_weight_within_bounds_and_says_so(void **state)
{
	const struct weight_bounds none = {0, 0}, narrow = {25, 200};
	struct weight_advice a = {0};
	const char *source;

	(void)state;
	assert_int_equal(weight_advised(&a, none, 40, &source), 40);
	assert_string_equal(source, "configuration");
	a.has_percent = true;
	a.percent = 150;
	assert_int_equal(weight_advised(&a, none, 40, &source), 40);
	assert_int_equal(weight_advised(&a, narrow, 40, &source), 60);
	assert_string_equal(source, "agent");
	a.percent = 1;
	assert_int_equal(weight_advised(&a, none, 40, &source), 1);
	assert_int_equal(weight_advised(&a, narrow, 40, &source), 10);
	a.percent = 0;
	assert_int_equal(weight_advised(&a, none, 40, &source), 0);
	assert_int_equal(weight_advised(&a, narrow, 0, &source), 0);
	a.percent = 200;
	assert_int_equal(weight_advised(&a, narrow, 2000000000, &source), MAX_WEIGHT);
}

static void a_load_number_moves_the_weight_by_piranhas_rule(void **state)
{
	const struct weight_bounds none = {0, 0};
	struct weight_advice a = {0};
	const char *source;

	(void)state;
	weight_load(&a, none, 100, 0); /* + 50 * cbrt(1) */
	assert_int_equal(weight_advised(&a, none, 100, &source), 150);
	assert_string_equal(source, "load");
	weight_load(&a, none, 100, 0.95); /* + 50 * cbrt(0.05) = 18: under a quarter */
	assert_int_equal(weight_advised(&a, none, 100, &source), 150);
	weight_load(&a, none, 100, 2); /* - 50 */
	assert_int_equal(weight_advised(&a, none, 100, &source), 100);
	weight_load(&a, none, 100, 9); /* never under the configured weight */
	assert_int_equal(weight_advised(&a, none, 100, &source), 100);
	for (int i = 0; i < 100; i++)
		weight_load(&a, none, 100, 0);
	assert_int_equal(weight_advised(&a, none, 100, &source), 1000);
	weight_load(&a, none, 100, (double)NAN);
	weight_load(&a, none, 100, -1);
	assert_int_equal(weight_advised(&a, none, 100, &source), 1000);
}

/* --- group --- */

struct team {
	struct group_state g;
	struct health_policy policy;
	struct group_member member[128], *list[128];
	uint32_t n;
	uint64_t window_us, due_us;
};

static void team_init(struct team *t, uint32_t n, struct health_policy policy)
{
	memset(t, 0, sizeof(*t));
	t->n = n;
	t->policy = policy;
	t->window_us = 5 * SECOND;
	for (uint32_t i = 0; i < n; i++) {
		t->list[i] = &t->member[i];
		t->member[i] = (struct group_member){.standing = STANDING_IN,
						     .configured = 10,
						     .first = true,
						     .by_checks = true};
	}
}

static bool settle(struct team *t, uint64_t now_us)
{
	return group_settle(&t->g, &t->policy, t->list, t->n, t->window_us, now_us, &t->due_us);
}

/* The chosen ones as bits. */
static uint32_t chosen(const struct team *t)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < t->n; i++)
		bits |= t->member[i].effect.down ? 0 : 1U << i;
	return bits;
}

static void the_quorum_follows_its_drawing(void **state)
{
	const struct health_policy p = {.quorum = 3, .quorum_hysteresis = 2};
	static const struct {
		enum quorum_state from;
		uint64_t n;
		enum quorum_state to;
	} rows[] = {
		{QUORUM_START, 2, QUORUM_START}, {QUORUM_START, 3, QUORUM_HELD},
		{QUORUM_HELD, 3, QUORUM_HELD},	 {QUORUM_HELD, 2, QUORUM_LOST},
		{QUORUM_LOST, 3, QUORUM_LOST},	 {QUORUM_LOST, 4, QUORUM_LOST},
		{QUORUM_LOST, 5, QUORUM_HELD},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_int_equal(quorum_step(rows[i].from, &p, rows[i].n, 8), rows[i].to);
	/* With four servers five are never up: all of them must do. */
	assert_int_equal(quorum_step(QUORUM_LOST, &p, 4, 4), QUORUM_HELD);
}

static void what_is_down_is_left_out_and_gone_only_where_the_policy_removes(void **state)
{
	struct team t;

	(void)state;
	team_init(&t, 4, (struct health_policy){0});
	t.member[1].standing = STANDING_DOWN;
	t.member[2].standing = STANDING_OUT;
	t.member[3].standing = STANDING_MAINT;
	assert_true(settle(&t, SECOND));
	assert_int_equal(chosen(&t), 0x1);
	assert_true(t.member[1].effect.as_removed);
	assert_false(t.member[2].effect.as_removed);
	assert_false(t.member[3].effect.as_removed);
	assert_false(settle(&t, 2 * SECOND)); /* nothing new */
	t.member[1].consequence = HEALTH_QUIESCE;
	assert_true(settle(&t, 3 * SECOND));
	assert_false(t.member[1].effect.as_removed);
	assert_int_equal(chosen(&t), 0x1);
}

static void a_sorry_server_serves_only_while_the_quorum_is_lost(void **state)
{
	struct team t;

	(void)state;
	team_init(&t, 4, (struct health_policy){.quorum = 2, .quorum_hysteresis = 1});
	t.member[3].sorry = true;
	settle(&t, SECOND);
	assert_int_equal(chosen(&t), 0x7);
	t.member[0].standing = STANDING_DOWN;
	settle(&t, 2 * SECOND);
	assert_int_equal(chosen(&t), 0x6);
	t.member[1].standing = STANDING_DOWN;
	settle(&t, 3 * SECOND);
	assert_int_equal(chosen(&t), 0x8);
	assert_false(t.member[2].effect.as_removed); /* it is well: its connections go on */
	t.member[0].standing = STANDING_IN;
	settle(&t, 4 * SECOND);
	assert_int_equal(chosen(&t), 0x8); /* hysteresis */
	t.member[1].standing = STANDING_IN;
	settle(&t, 5 * SECOND);
	assert_int_equal(chosen(&t), 0x7);
	/* Without a sorry server that is well, those that are well go on. */
	t.member[0].standing = t.member[1].standing = t.member[3].standing = STANDING_DOWN;
	settle(&t, 6 * SECOND);
	assert_int_equal(t.g.quorum, QUORUM_LOST);
	assert_int_equal(chosen(&t), 0x4);
}

static void when_all_are_down_nobody_is_chosen_or_those_that_were_up_last(void **state)
{
	struct team t;

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		team_init(&t, 4,
			  (struct health_policy){.all_down =
							 keep ? HEALTH_KEEP_LAST : HEALTH_REFUSE});
		settle(&t, SECOND);
		t.member[0].standing = STANDING_DOWN; /* long before the others */
		settle(&t, 60 * SECOND);
		t.member[1].standing = STANDING_DOWN;
		settle(&t, 100 * SECOND);
		t.member[3].standing = STANDING_DOWN; /* by an operator */
		t.member[3].by_checks = false;
		settle(&t, 101 * SECOND);
		assert_int_equal(chosen(&t), 0x4);
		t.member[2].standing = STANDING_DOWN;
		settle(&t, 102 * SECOND);
		assert_int_equal(chosen(&t), keep ? 0x6 : 0);
		assert_int_equal(t.g.holds, keep);
		assert_int_equal(t.member[2].effect.as_removed, !keep);
		t.member[0].standing = STANDING_IN;
		settle(&t, 103 * SECOND);
		assert_int_equal(chosen(&t), 0x1);
		assert_false(t.g.holds);
	}
}

static void passive_checks_never_take_the_last_server(void **state)
{
	struct team t;

	(void)state;
	team_init(&t, 3, (struct health_policy){0});
	settle(&t, SECOND);
	t.member[0].standing = STANDING_DOWN;
	t.member[1].standing = STANDING_DOWN;
	t.member[1].passive = true;
	settle(&t, 2 * SECOND);
	assert_int_equal(chosen(&t), 0x4);
	t.member[2].standing = STANDING_DOWN;
	settle(&t, 3 * SECOND);
	assert_int_equal(chosen(&t), 0x2);
	t.member[1].passive = false; /* now another check says so too */
	settle(&t, 4 * SECOND);
	assert_int_equal(chosen(&t), 0);
}

static void slow_start_grows_in_steps_but_not_at_the_start_of_a_service(void **state)
{
	struct team t;
	uint32_t last, steps = 0;

	(void)state;
	team_init(&t, 2, (struct health_policy){.slow_start_s = 32});
	t.member[0].configured = 1000;
	settle(&t, SECOND);
	assert_int_equal(t.member[0].effect.weight, 1000);
	assert_true(t.due_us == UINT64_MAX);
	t.member[0].standing = STANDING_DOWN;
	settle(&t, 2 * SECOND);
	t.member[0].standing = STANDING_IN;
	settle(&t, 10 * SECOND);
	assert_int_equal(t.member[0].effect.weight, 1);
	assert_string_equal(t.member[0].source, "slow start");
	last = 1;
	while (t.due_us != UINT64_MAX && steps < 100) {
		assert_true(settle(&t, t.due_us));
		assert_true(t.member[0].effect.weight > last);
		last = t.member[0].effect.weight;
		steps++;
	}
	assert_int_equal(last, 1000);
	assert_int_equal(steps, 32);
	assert_string_equal(t.member[0].source, "configuration");
	/* A takeover does not wait. */
	t.member[0].standing = STANDING_DOWN;
	settle(&t, 100 * SECOND);
	t.member[0].standing = STANDING_IN;
	settle(&t, 101 * SECOND);
	group_takeover(t.list, t.n);
	settle(&t, 101 * SECOND);
	assert_int_equal(t.member[0].effect.weight, 1000);
}

static void a_drained_server_keeps_its_place_with_weight_0(void **state)
{
	struct team t;

	(void)state;
	team_init(&t, 2, (struct health_policy){0});
	t.member[1].drain = true;
	settle(&t, SECOND);
	assert_int_equal(chosen(&t), 0x3);
	assert_int_equal(t.member[1].effect.weight, 0);
	assert_string_equal(t.member[1].source, "agent");
}

/* --- timers, lateness --- */

static void timers_fire_in_order_after_adding_moving_and_deleting(void **state)
{
	enum { N = 1000 };
	static struct timer t[N];
	struct timers q = {0};
	struct timer *due;
	uint64_t last = 0;
	uint32_t fired = 0;

	(void)state;
	srand(7);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(timer_arm(&q, &t[i], (uint64_t)rand() % 5000), 0);
	for (uint32_t i = 0; i < N; i += 3)
		assert_int_equal(timer_arm(&q, &t[i], (uint64_t)rand() % 5000), 0);
	for (uint32_t i = 0; i < N; i += 5)
		timer_disarm(&q, &t[i]);
	assert_null(timers_due(&q, timers_next(&q) - 1));
	while ((due = timers_due(&q, 5000)) != NULL) {
		assert_true(due->at_us >= last);
		assert_false(timer_armed(due));
		assert_int_not_equal((due - t) % 5, 0);
		last = due->at_us;
		fired++;
	}
	assert_int_equal(fired, N - N / 5);
	assert_true(timers_next(&q) == UINT64_MAX);
	timers_fini(&q);
}

static void lateness_is_of_the_last_ten_seconds(void **state)
{
	static struct lateness l;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		lateness_add(&l, 1000 * SECOND + i * 5000, i);
	assert_in_range(lateness_quantile(&l, 1005 * SECOND, 500), 500, 563);
	assert_in_range(lateness_quantile(&l, 1005 * SECOND, 990), 990, 1000);
	assert_int_equal(lateness_quantile(&l, 1005 * SECOND, 1000), 1000);
	lateness_add(&l, 1012 * SECOND, 3);
	assert_in_range(lateness_quantile(&l, 1012 * SECOND, 10), 600, 675);
	assert_int_equal(lateness_quantile(&l, 1020 * SECOND, 1000), 3);
	assert_int_equal(lateness_quantile(&l, 1022 * SECOND, 1000), 0);
	lateness_add(&l, 5000 * SECOND, ~0ULL);
	assert_int_equal(lateness_quantile(&l, 5000 * SECOND, 990), UINT32_MAX);
}

static void an_exit_code_is_a_weight_within_bounds(void **state)
{
	const struct weight_advice a = {.has_units = true, .units = 7, .has_percent = true};
	const char *source;

	(void)state;
	assert_int_equal(weight_advised(&a, (struct weight_bounds){0, 0}, 40, &source), 7);
	assert_string_equal(source, "exit code");
	assert_int_equal(weight_advised(&a, (struct weight_bounds){50, 100}, 40, &source), 20);
	assert_int_equal(weight_advised(&a, (struct weight_bounds){0, 10}, 40, &source), 4);
	assert_int_equal(weight_advised(&a, (struct weight_bounds){0, 0}, 0, &source), 0);
}

static void where_advice_may_put_a_weight_is_known(void **state)
{
	static const struct {
		struct weight_advice advice;
		struct weight_bounds bounds;
		uint32_t configured, low, high;
	} rows[] = {
		{{0}, {0, 0}, 40, 40, 40},
		{{.has_percent = true}, {0, 0}, 40, 0, 40},
		{{.has_percent = true}, {25, 150}, 40, 10, 60},
		{{.has_percent = true}, {1, 100}, 5, 1, 5},
		{{.has_load = true}, {0, 0}, 40, 40, 400},
		{{.has_load = true}, {0, 0}, 2000000000, 2000000000, MAX_WEIGHT},
		{{.has_percent = true}, {50, 100}, 0, 0, 0},
		{{.has_units = true}, {0, 0}, 40, 0, 253},
		{{.has_units = true}, {50, 100}, 40, 20, 40},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t low = 9, high = 9;

		weight_range(&rows[i].advice, rows[i].bounds, rows[i].configured, &low, &high);
		assert_int_equal(low, rows[i].low);
		assert_int_equal(high, rows[i].high);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_inquiry_follows_its_table_in_every_state_and_verdict),
		cmocka_unit_test(a_server_is_admitted_by_its_first_success_and_rises_later),
		cmocka_unit_test(a_check_that_cannot_be_made_becomes_unknown),
		cmocka_unit_test(an_agent_speaks_against_a_server_and_must_say_up_again),
		cmocka_unit_test(the_interval_is_fast_while_changing_and_slow_while_down),
		cmocka_unit_test(starts_spread_over_the_interval_and_keep_its_mean),
		cmocka_unit_test(a_member_follows_its_table_in_every_state),
		cmocka_unit_test(
			a_server_that_is_good_again_waits_and_every_failure_restarts_the_wait),
		cmocka_unit_test(one_check_that_is_down_is_enough_and_none_at_all_means_up),
		cmocka_unit_test(what_operators_say_beats_checks_and_agents),
		cmocka_unit_test(advice_moves_the_weight_within_bounds_and_says_so),
		cmocka_unit_test(a_load_number_moves_the_weight_by_piranhas_rule),
		cmocka_unit_test(the_quorum_follows_its_drawing),
		cmocka_unit_test(what_is_down_is_left_out_and_gone_only_where_the_policy_removes),
		cmocka_unit_test(a_sorry_server_serves_only_while_the_quorum_is_lost),
		cmocka_unit_test(when_all_are_down_nobody_is_chosen_or_those_that_were_up_last),
		cmocka_unit_test(passive_checks_never_take_the_last_server),
		cmocka_unit_test(slow_start_grows_in_steps_but_not_at_the_start_of_a_service),
		cmocka_unit_test(a_drained_server_keeps_its_place_with_weight_0),
		cmocka_unit_test(timers_fire_in_order_after_adding_moving_and_deleting),
		cmocka_unit_test(lateness_is_of_the_last_ten_seconds),
		cmocka_unit_test(an_exit_code_is_a_weight_within_bounds),
		cmocka_unit_test(where_advice_may_put_a_weight_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
