/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages and texts of routers: reasons, heartbeats, questions to witnesses, timers. */
#include "ha_lab.h"

static void reasons_are_sentences_for_operators(void **state)
{
	char text[2048];

	(void)state;
	lab_be(HA_TAKEOVER);
	assert_string_equal(lab.r.reason,
			    "no heartbeat on public and private for 200 ms; 3 witnesses answer");
	for (uint32_t s = 0; s <= HA_STATE_MAX; s++) {
		lab_be(s);
		assert_true(role_explain(&lab.r, lab.now, text, sizeof(text)) > 60);
		assert_non_null(strstr(text, role_state_name(s)));
		for (size_t len = 0; len < 300; len++) {
			text[len] = '#';
			assert_true(role_explain(&lab.r, lab.now, text, len) <= len);
			assert_int_equal(text[len], '#');
		}
	}
}

static void heartbeats_go_out_every_keepalive(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_pass(10000);
	assert_in_range(lab.sent[HA_MSG_HEARTBEAT], 195, 205);
	lab_be(HA_INIT);
	lab.witnesses = false;
	lab_pass(10000);
	assert_in_range(lab.sent[HA_MSG_HEARTBEAT], 195, 205);
}

static void a_message_tells_how_its_sender_is(void **state)
{
	const struct role_send send = {.type = HA_MSG_HEARTBEAT};
	struct ha_message msg;

	(void)state;
	lab_be(HA_BACKUP);
	memset(&msg, 0, sizeof(msg));
	role_fill(&lab.r, &send, lab.now, &msg);
	assert_int_equal(msg.state, HA_BACKUP);
	assert_int_equal(msg.witnesses, 3);
	assert_int_equal(msg.flags, HA_FLAG_READY | HA_FLAG_SYNCHRONISED | HA_FLAG_VERDICTS);
	assert_int_equal(msg.term, 5);
	lab.now += ROLE_CALM_MS + 1;
	role_fill(&lab.r, &send, lab.now, &msg);
	assert_int_equal(msg.witnesses, 0);
	assert_false(msg.flags & HA_FLAG_READY);
}

static void witnesses_are_asked_once_a_second_while_heartbeats_arrive(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab.peer_speaks = true;
	lab_pass(5000);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
	lab.peer_speaks = false;
	lab_pass(2 * KEEPALIVE);
	assert_int_equal(lab.r.state, HA_BACKUP);
	assert_int_equal(role_witness_period(&lab.r), KEEPALIVE);
	/* For a while after the last one that was missed. */
	lab.peer_speaks = true;
	lab_pass(ROLE_FAST_HOLD_MS / 2);
	assert_int_equal(role_witness_period(&lab.r), KEEPALIVE);
	lab_pass(ROLE_FAST_HOLD_MS);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
}

static void a_heartbeat_that_the_peer_misses_is_a_reason_to_ask(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer_speaks = true;
	lab_pass(2000);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
	lab.peer.flags |= HA_FLAG_MISSES;
	lab_pass(KEEPALIVE + 10);
	assert_int_equal(role_witness_period(&lab.r), KEEPALIVE);
}

static void a_peer_that_is_long_gone_is_no_reason_to_ask_often(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_pass(2 * DEADTIME);
	assert_int_equal(role_witness_period(&lab.r), KEEPALIVE);
	lab_pass(10 * DEADTIME + ROLE_FAST_HOLD_MS);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
}

static void a_router_without_a_peer_asks_no_witness(void **state)
{
	(void)state;
	lab_start();
	lab.r.cfg.has_peer = false;
	lab_pass(5000);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(role_witness_period(&lab.r), 0);
}

static void old_answers_are_not_young_again_when_the_questions_slow_down(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab.peer_speaks = true;
	lab_pass(2000);
	lab.peer.flags |= HA_FLAG_MISSES;
	lab_pass(2 * DEADTIME);
	lab.witnesses = false;
	lab.peer.flags &= (uint8_t)~HA_FLAG_MISSES;
	lab_pass(DEADTIME + 2 * KEEPALIVE);
	assert_int_equal(role_witnesses(&lab.r, lab.now), 0);
	lab_pass(ROLE_FAST_HOLD_MS + 20 - DEADTIME - 2 * KEEPALIVE);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
	assert_int_equal(role_witnesses(&lab.r, lab.now), 0);
}

/* Slow answers that have come to be old say nothing against a STOP, and those of now do. */
static void a_stop_is_held_against_answers_to_fast_questions(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer_speaks = true;
	lab_pass(1000);
	lab.witnesses = false;
	lab.peer_speaks = false;
	lab_pass(4 * KEEPALIVE - 10);
	lab.peer.witnesses = 1;
	lab.peer.term = 6;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.state, HA_FENCED);
	lab_be(HA_ACTIVE);
	lab.peer_speaks = true;
	lab_pass(1000);
	lab.peer_speaks = false;
	lab_pass(4 * KEEPALIVE - 10);
	lab.peer.witnesses = 1;
	lab.peer.term = 6;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.state, HA_ACTIVE);
}

static void grace_grows_while_the_table_is_filled(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab_sync(false);
	lab_hear(HA_MSG_HEARTBEAT, HA_FENCED);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	lab.peer_speaks = true;
	lab_pass(5000);
	assert_in_range(lab.last[ROLE_DO_GRACE].until_ms, lab.now + 9000, lab.now + 10000);
	lab_sync(true);
	lab_pass(5000);
	assert_in_range(lab.last[ROLE_DO_GRACE].until_ms, lab.now + 4000, lab.now + 5000);
}

static void impossible_timers_are_refused_by_name(void **state)
{
	struct role_config cfg;
	char error[ERROR_TEXT];

	(void)state;
	lab_start();
	assert_int_equal(role_config_check(&lab.cfg, error), 0);
	cfg = lab.cfg;
	cfg.deadtime_ms = 152;
	assert_true(role_config_check(&cfg, error) < 0);
	assert_non_null(strstr(error, "deadtime"));
	cfg = lab.cfg;
	cfg.keepalive_ms = 1;
	assert_true(role_config_check(&cfg, error) < 0);
	assert_non_null(strstr(error, "keepalive"));
	cfg = lab.cfg;
	cfg.n_paths = 0;
	assert_true(role_config_check(&cfg, error) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_sentences_for_operators),
		cmocka_unit_test(heartbeats_go_out_every_keepalive),
		cmocka_unit_test(a_message_tells_how_its_sender_is),
		cmocka_unit_test(witnesses_are_asked_once_a_second_while_heartbeats_arrive),
		cmocka_unit_test(a_heartbeat_that_the_peer_misses_is_a_reason_to_ask),
		cmocka_unit_test(a_peer_that_is_long_gone_is_no_reason_to_ask_often),
		cmocka_unit_test(a_router_without_a_peer_asks_no_witness),
		cmocka_unit_test(old_answers_are_not_young_again_when_the_questions_slow_down),
		cmocka_unit_test(a_stop_is_held_against_answers_to_fast_questions),
		cmocka_unit_test(grace_grows_while_the_table_is_filled),
		cmocka_unit_test(impossible_timers_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
