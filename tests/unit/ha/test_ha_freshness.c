/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ha/role/freshness.h"

/* Two routers that talk through these; what is lost, kept and replayed is up to the test. */
static struct freshness a, b;

static struct ha_session session(uint8_t n)
{
	struct ha_session s;

	memset(s.byte, n, sizeof(s.byte));
	return s;
}

static void start(struct freshness *f, uint8_t n)
{
	const struct ha_session s = session(n);

	freshness_init(f, &s);
}

static struct ha_message say(struct freshness *f)
{
	struct ha_message m = {.type = HA_MSG_HEARTBEAT};

	freshness_stamp(f, &m);
	return m;
}

static enum ha_verdict hear(struct freshness *f, const struct ha_message *m)
{
	bool newest;

	return freshness_check(f, m, &newest);
}

static struct ha_message answer(struct freshness *f, const struct ha_message *to)
{
	struct ha_message m = {.type = HA_MSG_ANSWER};

	freshness_stamp_answer(f, &m, &to->session, to->sequence);
	return m;
}

/* A says something, B answers it, A believes B and says it: both are acquainted. */
static void acquaint(void)
{
	struct ha_message m = say(&a), n;

	assert_int_equal(hear(&b, &m), HA_STALE);
	n = answer(&b, &m);
	assert_int_equal(hear(&a, &n), HA_FRESH_SESSION);
	m = say(&a);
	assert_int_equal(hear(&b, &m), HA_FRESH_SESSION);
	n = say(&b);
	assert_int_equal(hear(&a, &n), HA_FRESH);
}

static int setup(void **state)
{
	(void)state;
	start(&a, 1);
	start(&b, 2);
	return 0;
}

static void two_strangers_believe_each_other_after_one_answer(void **state)
{
	(void)state;
	acquaint();
	assert_true(ha_session_equal(&a.peer, &b.mine));
	assert_true(ha_session_equal(&b.peer, &a.mine));
}

static void a_message_counts_once_whatever_the_number_of_paths(void **state)
{
	struct ha_message m;

	(void)state;
	acquaint();
	m = say(&a);
	assert_int_equal(hear(&b, &m), HA_FRESH);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hear(&b, &m), HA_COPY);
}

static void the_age_of_a_message_is_bounded_by_what_it_has_heard(void **state)
{
	struct ha_message m = {0};
	struct freshness f = {0};

	(void)state;
	for (uint64_t now = 1000; now < 2000; now += 10) {
		freshness_note_time(&f, now, 200);
		if (now % 50 == 0)
			freshness_stamp(&f, &m);
	}
	/* Sequence n was sent at 950 + 50 n; moments are 20 ms apart, and 16 are kept. */
	m.heard_sequence = 20;
	assert_in_range(freshness_sent_after(&f, &m), 1920, 1950);
	m.heard_sequence = 17;
	assert_in_range(freshness_sent_after(&f, &m), 1770, 1800);
	m.heard_sequence = 1;
	assert_int_equal(freshness_sent_after(&f, &m), 0);
}

static void a_message_that_was_overtaken_is_fresh_but_not_the_newest(void **state)
{
	struct ha_message first, second;
	bool newest;

	(void)state;
	acquaint();
	first = say(&a);
	second = say(&a);
	assert_int_equal(freshness_check(&b, &second, &newest), HA_FRESH);
	assert_true(newest);
	assert_int_equal(freshness_check(&b, &first, &newest), HA_FRESH);
	assert_false(newest);
	assert_int_equal(freshness_check(&b, &first, &newest), HA_COPY);
}

static void a_message_that_fell_out_of_the_window_is_not_fresh(void **state)
{
	struct ha_message old, recorded = {.sequence = 0}, m;

	(void)state;
	acquaint();
	old = say(&a);
	recorded = say(&a);
	for (int i = 0; i < FRESHNESS_WINDOW - 1; i++)
		m = say(&a);
	assert_int_equal(hear(&b, &m), HA_FRESH);
	assert_int_equal(hear(&b, &old), HA_COPY);
	assert_int_equal(hear(&b, &recorded), HA_FRESH);
}

static void the_window_holds_whatever_the_order(void **state)
{
	struct ha_window w = {.highest = 0};
	uint8_t taken[3000] = {0};
	uint32_t x = 12345;

	(void)state;
	assert_false(ha_window_take(&w, 0));
	for (int i = 0; i < 200000; i++) {
		uint64_t base = (uint64_t)i / 100, s;

		x = x * 1664525 + 1013904223;
		s = base + (x >> 16) % 300 + 1;
		if (w.highest >= s && w.highest - s >= FRESHNESS_WINDOW) {
			assert_false(ha_window_take(&w, s));
			continue;
		}
		assert_int_equal(ha_window_take(&w, s), !taken[s]);
		taken[s] = 1;
	}
	assert_true(ha_window_take(&w, UINT64_MAX));
	assert_false(ha_window_take(&w, UINT64_MAX));
	assert_false(ha_window_take(&w, 5));
}

static void a_message_that_does_not_name_me_is_stale_in_any_session(void **state)
{
	struct ha_message m;

	(void)state;
	acquaint();
	m = say(&a);
	m.heard = session(9);
	assert_int_equal(hear(&b, &m), HA_STALE);
	m.heard = session(0);
	assert_int_equal(hear(&b, &m), HA_STALE);
	assert_int_equal(b.window.highest, m.sequence - 1);
}

static void ones_own_message_thrown_back_is_no_message(void **state)
{
	struct ha_message m;

	(void)state;
	acquaint();
	m = say(&a);
	assert_int_equal(hear(&a, &m), HA_REFLECTED);
	m.heard = a.mine;
	assert_int_equal(hear(&a, &m), HA_REFLECTED);
}

static void a_restarted_peer_is_believed_after_one_answer(void **state)
{
	(void)state;
	acquaint();
	start(&a, 3);
	acquaint();
	assert_int_equal(b.generation, 2);
}

static void a_restarted_router_believes_no_message_from_before(void **state)
{
	struct ha_message before, m, n;

	(void)state;
	acquaint();
	before = say(&a);
	start(&b, 4);
	assert_int_equal(hear(&b, &before), HA_STALE);
	n = answer(&b, &before);
	assert_int_equal(hear(&a, &n), HA_FRESH_SESSION);
	m = say(&a);
	assert_int_equal(hear(&b, &m), HA_FRESH_SESSION);
	assert_int_equal(hear(&b, &before), HA_STALE);
}

static void a_replaced_session_is_never_accepted_again(void **state)
{
	struct ha_message old[200], m, n;

	(void)state;
	for (int i = 0; i < 200; i++) {
		start(&a, (uint8_t)(10 + i));
		m = say(&a);
		hear(&b, &m);
		n = answer(&b, &m);
		hear(&a, &n);
		m = say(&a);
		assert_int_equal(hear(&b, &m), HA_FRESH_SESSION);
		old[i] = say(&a); /* names B, and B never saw it */
	}
	for (int i = 0; i < 199; i++) {
		enum ha_verdict v = hear(&b, &old[i]);

		assert_int_equal(v, HA_STALE);
	}
	assert_int_equal(hear(&b, &old[199]), HA_FRESH);
	assert_int_equal(b.generation, 200);
}

/* The clone has the key, and hears what is said to the peer. */
static void a_clone_stays_out_while_the_peer_speaks_and_leaves_no_trace(void **state)
{
	struct freshness clone;
	struct ha_message m, n, recorded;

	(void)state;
	start(&clone, 3);
	acquaint();
	b.speaks = true;
	m = say(&clone);
	assert_int_equal(hear(&b, &m), HA_STALE);
	for (int i = 0; i < 5; i++) {
		n = answer(&b, &m);
		hear(&clone, &n);
		m = say(&clone);
		assert_int_equal(hear(&b, &m), HA_SECOND);
		n = say(&a);
		assert_int_equal(hear(&b, &n), HA_FRESH);
	}
	/* The peer is cut off for a deadtime: the clone takes its place. */
	b.speaks = false;
	assert_int_equal(hear(&b, &m), HA_FRESH_SESSION);
	recorded = say(&a);
	b.speaks = true;
	n = say(&b);
	n.heard = a.mine;
	hear(&a, &n);
	m = say(&a);
	assert_int_equal(hear(&b, &m), HA_SECOND);
	/* The clone ends: the peer is heard again at once, and what it said before is not. */
	b.speaks = false;
	assert_int_equal(hear(&b, &m), HA_FRESH_SESSION);
	assert_true(ha_session_equal(&b.peer, &a.mine));
	assert_int_equal(hear(&b, &recorded), HA_COPY);
	n = say(&a);
	assert_int_equal(hear(&b, &n), HA_FRESH);
}

static void a_message_cannot_have_heard_what_was_not_said(void **state)
{
	struct ha_message m;

	(void)state;
	acquaint();
	m = say(&a);
	m.heard_sequence = b.sent + 1;
	assert_int_equal(hear(&b, &m), HA_STALE);
}

static void a_channel_has_sequences_of_its_own_and_ends_with_the_session(void **state)
{
	struct ha_channel c = {.generation = 0};
	const struct ha_session stranger = session(7);

	(void)state;
	assert_false(freshness_channel(&b, &c, &a.mine, &b.mine, 1));
	acquaint();
	assert_true(freshness_channel(&b, &c, &a.mine, &b.mine, 1));
	assert_false(freshness_channel(&b, &c, &a.mine, &b.mine, 1));
	assert_true(freshness_channel(&b, &c, &a.mine, &b.mine, 2));
	assert_false(freshness_channel(&b, &c, &stranger, &b.mine, 3));
	assert_false(freshness_channel(&b, &c, &a.mine, &stranger, 3));
	start(&a, 3);
	acquaint();
	assert_true(freshness_channel(&b, &c, &a.mine, &b.mine, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_strangers_believe_each_other_after_one_answer, setup),
		cmocka_unit_test_setup(a_message_counts_once_whatever_the_number_of_paths, setup),
		cmocka_unit_test(the_age_of_a_message_is_bounded_by_what_it_has_heard),
		cmocka_unit_test_setup(a_message_that_was_overtaken_is_fresh_but_not_the_newest,
				       setup),
		cmocka_unit_test_setup(a_message_that_fell_out_of_the_window_is_not_fresh, setup),
		cmocka_unit_test_setup(the_window_holds_whatever_the_order, setup),
		cmocka_unit_test_setup(a_message_that_does_not_name_me_is_stale_in_any_session,
				       setup),
		cmocka_unit_test_setup(ones_own_message_thrown_back_is_no_message, setup),
		cmocka_unit_test_setup(a_restarted_peer_is_believed_after_one_answer, setup),
		cmocka_unit_test_setup(a_restarted_router_believes_no_message_from_before, setup),
		cmocka_unit_test_setup(a_replaced_session_is_never_accepted_again, setup),
		cmocka_unit_test_setup(a_clone_stays_out_while_the_peer_speaks_and_leaves_no_trace,
				       setup),
		cmocka_unit_test_setup(a_message_cannot_have_heard_what_was_not_said, setup),
		cmocka_unit_test_setup(a_channel_has_sequences_of_its_own_and_ends_with_the_session,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
