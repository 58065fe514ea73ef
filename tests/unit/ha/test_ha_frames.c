/* SPDX-License-Identifier: BSD-3-Clause */
/* Heartbeats in Ethernet frames: when they are sent, and what they change. */
#include "ha_lab.h"

#define LONG_MS (20 * DEADTIME)

static uint32_t period(void)
{
	return role_frame_period(&lab.r, 0, lab.now);
}

/* A message of the peer in a frame on VIP link 0. */
static void hear_frame(enum ha_verdict verdict)
{
	const struct role_event ev = {.type = ROLE_MESSAGE,
				      .message = {.msg = &lab.peer,
						  .verdict = verdict,
						  .newest = verdict == HA_FRESH,
						  .path = ROLE_PATH_FRAME(0)}};

	lab.peer.sequence++;
	lab_step(&ev);
}

static void claim(void)
{
	const struct role_event ev = {.type = ROLE_CLAIM};

	lab_step(&ev);
}

static void frames_go_out_from_the_first_heartbeat_that_no_path_brings(void **state)
{
	struct ha_message msg = {0};
	const struct role_send send = {.type = HA_MSG_HEARTBEAT};

	(void)state;
	lab_be(HA_ACTIVE);
	assert_int_equal(period(), 0);
	lab_pass(KEEPALIVE + KEEPALIVE / 2);
	assert_int_equal(period(), 0);
	lab_pass(1);
	assert_int_equal(period(), KEEPALIVE);
	role_fill(&lab.r, &send, lab.now, &msg);
	assert_true(msg.asks_frames);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(period(), 0);
}

static void a_router_that_hears_the_peer_sends_frames_when_asked(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer.asks_frames = true;
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(period(), KEEPALIVE);
	lab.peer.asks_frames = false;
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(period(), 0);
}

static void frames_keep_the_pair_together_and_are_an_alarm(void **state)
{
	char alarm[ROLE_ALARM_LEN];

	(void)state;
	lab_be(HA_BACKUP);
	lab.peer.state = HA_ACTIVE;
	for (int i = 0; i < 40; i++) {
		lab_pass(KEEPALIVE);
		hear_frame(HA_FRESH);
	}
	assert_int_equal(lab.r.state, HA_BACKUP);
	assert_true(role_peer_alive(&lab.r, lab.now));
	assert_int_equal(period(), KEEPALIVE);
	role_alarm(&lab.r, lab.now, alarm, sizeof(alarm));
	assert_non_null(strstr(alarm, "in Ethernet frames only"));
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	role_alarm(&lab.r, lab.now, alarm, sizeof(alarm));
	assert_string_equal(alarm, "");
}

static void a_conflict_is_settled_by_frames(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_pass(LONG_MS);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	lab.peer.state = HA_ACTIVE;
	lab.peer.term = 6;
	hear_frame(HA_FRESH);
	assert_int_equal(lab.r.state, HA_FENCED);
}

static void a_peer_that_is_long_silent_gets_a_frame_a_second_until_it_shows_itself(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_pass(LONG_MS);
	assert_int_equal(period(), ROLE_FRAME_SLOW_MS);
	claim();
	assert_int_equal(period(), KEEPALIVE);
	lab_pass(ROLE_CLAIM_HOLD_MS);
	assert_int_equal(period(), ROLE_FRAME_SLOW_MS);
	/* A recording as well: one that sends it gets no more than a heartbeat. */
	hear_frame(HA_STALE);
	assert_int_equal(period(), KEEPALIVE);
	lab_pass(2 * ROLE_FRAME_SLOW_MS);
	assert_int_equal(period(), ROLE_FRAME_SLOW_MS);
}

static void a_link_without_a_path_has_frames_always_and_misses_them(void **state)
{
	(void)state;
	lab_start();
	lab.cfg.no_path[0] = true;
	role_init(&lab.r, &lab.cfg, lab.now);
	lab_ports(1, 1);
	lab.peer.state = HA_ACTIVE;
	lab.peer_speaks = true;
	lab_pass(6000);
	assert_int_equal(lab.r.state, HA_BACKUP);
	assert_int_equal(period(), KEEPALIVE);
	/* An older router never sends one: nothing is missed. */
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
	hear_frame(HA_FRESH);
	lab_pass(KEEPALIVE);
	assert_int_equal(role_witness_period(&lab.r), ROLE_WITNESS_SLOW_MS);
	lab_pass(KEEPALIVE);
	assert_int_equal(role_witness_period(&lab.r), KEEPALIVE);
}

static void a_router_without_a_peer_sends_no_frame(void **state)
{
	(void)state;
	lab_start();
	lab.cfg.has_peer = false;
	lab.cfg.no_path[0] = true;
	role_init(&lab.r, &lab.cfg, lab.now);
	lab_pass(LONG_MS);
	assert_int_equal(period(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_out_from_the_first_heartbeat_that_no_path_brings),
		cmocka_unit_test(a_router_that_hears_the_peer_sends_frames_when_asked),
		cmocka_unit_test(frames_keep_the_pair_together_and_are_an_alarm),
		cmocka_unit_test(a_conflict_is_settled_by_frames),
		cmocka_unit_test(
			a_peer_that_is_long_silent_gets_a_frame_a_second_until_it_shows_itself),
		cmocka_unit_test(a_link_without_a_path_has_frames_always_and_misses_them),
		cmocka_unit_test(a_router_without_a_peer_sends_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
