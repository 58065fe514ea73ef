/* SPDX-License-Identifier: BSD-3-Clause */
/* Keepalive and deadtime: measured, agreed between the two routers, changed while they run. */
#include "ha_lab.h"

/* A router with measured timers whose peer wants a deadtime and goes by each announcement. */
static void begin(uint32_t keepalive, uint32_t deadtime, uint16_t wish)
{
	lab_start();
	lab.cfg.keepalive_ms = keepalive;
	lab.cfg.deadtime_ms = deadtime;
	role_init(&lab.r, &lab.cfg, lab.now);
	lab_ports(1, 1);
	lab.peer.state = HA_ACTIVE;
	lab.peer.timers = (struct ha_timers){.wish_ms = wish,
					     .agreed_ms = wish,
					     .number = 1,
					     .lease_base_ms = wish,
					     .keepalive_ms = 20};
}

static void hear(bool agrees)
{
	if (agrees) {
		lab.peer.timers.echo = lab.r.timers.number;
		lab.peer.timers.agreed_ms = lab.peer.timers.lease_base_ms =
			(uint16_t)lab.r.timers.agreed_ms;
	}
	lab_hear(HA_MSG_HEARTBEAT, lab.peer.state);
}

/* Heartbeats come in time. */
static void quiet(uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i += 20) {
		lab_pass(20);
		hear(true);
	}
}

static void a_quiet_host_comes_down_to_the_floor_once_it_has_measured(void **state)
{
	char why[ROLE_REASON_LEN];

	(void)state;
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_AUTO_MAX_MS);
	hear(true);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_UNMEASURED_MS);
	assert_int_equal(lab.r.cfg.keepalive_ms, ROLE_KEEPALIVE_MAX_MS);
	quiet(ROLE_MEASURE_MS + 100);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_FLOOR_MS);
	assert_int_equal(lab.r.cfg.keepalive_ms, ROLE_KEEPALIVE_MIN_MS);
	assert_true(lab.r.cfg.deadtime_ms >= 3 * lab.r.cfg.keepalive_ms);
	role_timers_text(&lab.r, lab.now, why, sizeof(why));
	assert_string_equal(why, "auto: the floor, nothing was late");
}

static void what_was_late_makes_the_deadtime_longer_for_five_minutes(void **state)
{
	char why[ROLE_REASON_LEN];

	(void)state;
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	lab_pass(20 + 40); /* 40 ms late */
	hear(true);
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	assert_int_equal(lab.r.timers.nearly, 1);
	role_timers_text(&lab.r, lab.now, why, sizeof(why));
	assert_non_null(strstr(why, "the peer's heartbeats 40 ms"));
	quiet(240000);
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	quiet(90000);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_FLOOR_MS);
}

/* Stalls that are further apart than the memory: the deadtime of old stays until the next start. */
static void a_host_that_stalled_once_gets_no_shorter_than_200_ms(void **state)
{
	char why[ROLE_REASON_LEN];

	(void)state;
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	lab_pass(20 + ROLE_LATENESS_STALL_MS + 10);
	hear(true);
	assert_int_equal(lab.r.cfg.deadtime_ms, 230);
	quiet(330000);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_UNMEASURED_MS);
	role_timers_text(&lab.r, lab.now, why, sizeof(why));
	assert_string_equal(why, "auto: something was more than 40 ms late since the start");
	/* An outage is none. */
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	lab_pass(ROLE_DEADTIME_AUTO_MAX_MS + 100);
	quiet(330000);
	assert_int_equal(lab.r.cfg.deadtime_ms, ROLE_DEADTIME_FLOOR_MS);
}

/* An outage, and the time in which a process starts, say nothing of the host. */
static void outages_and_the_start_of_a_process_are_no_jitter(void **state)
{
	struct role_event ev = {.type = ROLE_TICK, .late_ms = 30};

	(void)state;
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	hear(true);
	quiet(ROLE_MEASURE_MS / 2 - 100);
	lab_step(&ev);
	assert_int_equal(role_lateness(&lab.r).own_ms, 0);
	quiet(ROLE_MEASURE_MS);
	ev.late_ms = ROLE_DEADTIME_AUTO_MAX_MS + 1;
	lab_step(&ev);
	assert_int_equal(role_lateness(&lab.r).own_ms, 0);
	ev.late_ms = 30;
	lab_step(&ev);
	assert_int_equal(role_lateness(&lab.r).own_ms, 30);
}

/* Whatever was agreed: the peer's lease is as long as the peer says. */
static void a_router_waits_as_long_as_the_peers_lease(void **state)
{
	(void)state;
	begin(0, 0, 200);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	lab.peer.timers.lease_base_ms = 600;
	hear(false);
	assert_int_equal(lab.r.cfg.deadtime_ms, 600);
}

static void a_stall_of_this_router_counts_as_well(void **state)
{
	const struct role_event ev = {.type = ROLE_TICK, .late_ms = 30};

	(void)state;
	begin(0, 0, ROLE_DEADTIME_FLOOR_MS);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	lab_step(&ev);
	assert_int_equal(lab.r.cfg.deadtime_ms, 170);
	assert_int_equal(role_lateness(&lab.r).own_ms, 30);
}

static void both_use_the_larger_wish_and_lower_it_by_agreement(void **state)
{
	(void)state;
	begin(0, 0, 400);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	assert_int_equal(lab.r.cfg.deadtime_ms, 400);
	/* A longer one counts at once; the lease grows when the peer waits longer as well. */
	lab.peer.timers.wish_ms = 600;
	hear(false);
	assert_int_equal(lab.r.cfg.deadtime_ms, 600);
	assert_int_equal(lab.r.cfg.lease_base_ms, 400);
	hear(true);
	assert_int_equal(lab.r.cfg.lease_base_ms, 600);
	/* A shorter one: the lease first. */
	lab.peer.timers.wish_ms = lab.peer.timers.agreed_ms = 300;
	hear(false);
	assert_int_equal(lab.r.cfg.lease_base_ms, 300);
	assert_int_equal(lab.r.cfg.deadtime_ms, 600);
	hear(true);
	assert_int_equal(lab.r.cfg.deadtime_ms, 300);
}

/* A loop that is late renews no lease, but the one that it has must not outlive the peer's
 * patience. */
static void a_lease_shrinks_with_the_deadtime_though_none_is_renewed(void **state)
{
	(void)state;
	begin(0, 0, 600);
	lab.peer.state = HA_BACKUP;
	hear(true);
	lab.r.state = HA_ACTIVE;
	lab.r.lease_ms = lab.now + 500;
	lab.r.lease_hold_ms = lab.now + 1000;
	lab.peer.timers.wish_ms = lab.peer.timers.agreed_ms = lab.peer.timers.lease_base_ms = 100;
	hear(false);
	assert_int_equal(lab.r.cfg.lease_base_ms, 100);
	assert_int_equal(lab.r.lease_ms, lab.now + role_lease_ms(&lab.r.cfg));
}

/* The heartbeat that is due next goes by the shorter keepalive: no loop is late because of it. */
static void a_shorter_keepalive_holds_for_the_next_heartbeat(void **state)
{
	struct role_config cfg;

	(void)state;
	begin(50, 200, 200);
	hear(true);
	lab.r.next_send_ms = lab.now + 50;
	cfg = lab.r.cfg;
	cfg.keepalive_ms = 10;
	role_configure(&lab.r, &cfg, lab.now);
	assert_int_equal(lab.r.cfg.keepalive_ms, 10);
	assert_int_equal(lab.r.next_send_ms, lab.now + 10);
}

static void an_answer_to_a_session_that_is_not_believed_agrees_to_nothing(void **state)
{
	struct ha_message msg = {0};
	struct role_send send = {.type = HA_MSG_HEARTBEAT};

	(void)state;
	begin(0, 0, 200);
	lab.peer.timers.number = 7;
	hear(true);
	role_fill(&lab.r, &send, lab.now, &msg);
	assert_int_equal(msg.timers.echo, 7);
	send.type = HA_MSG_ANSWER;
	role_fill(&lab.r, &send, lab.now, &msg);
	assert_int_equal(msg.timers.echo, 0);
}

static void beside_an_older_peer_the_timers_are_those_of_old(void **state)
{
	(void)state;
	begin(0, 0, 200);
	memset(&lab.peer.timers, 0, sizeof(lab.peer.timers));
	hear(false);
	for (int i = 0; i < 1000; i++) {
		lab_pass(20);
		hear(false);
	}
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	assert_int_equal(lab.r.cfg.keepalive_ms, 50);
	assert_int_equal(lab.r.cfg.lease_base_ms, 200);
}

static void configured_timers_stay_and_the_host_is_measured_all_the_same(void **state)
{
	(void)state;
	begin(50, 200, 200);
	hear(true);
	quiet(ROLE_MEASURE_MS + 100);
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	assert_int_equal(lab.r.cfg.keepalive_ms, 50);
	assert_int_equal(role_deadtime_supported(&lab.r), 200); /* four keepalives */
	lab_pass(130);
	hear(true);
	assert_int_equal(lab.r.cfg.deadtime_ms, 200);
	assert_int_equal(role_deadtime_supported(&lab.r), 440);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_host_comes_down_to_the_floor_once_it_has_measured),
		cmocka_unit_test(what_was_late_makes_the_deadtime_longer_for_five_minutes),
		cmocka_unit_test(a_host_that_stalled_once_gets_no_shorter_than_200_ms),
		cmocka_unit_test(outages_and_the_start_of_a_process_are_no_jitter),
		cmocka_unit_test(a_router_waits_as_long_as_the_peers_lease),
		cmocka_unit_test(a_stall_of_this_router_counts_as_well),
		cmocka_unit_test(both_use_the_larger_wish_and_lower_it_by_agreement),
		cmocka_unit_test(a_lease_shrinks_with_the_deadtime_though_none_is_renewed),
		cmocka_unit_test(a_shorter_keepalive_holds_for_the_next_heartbeat),
		cmocka_unit_test(an_answer_to_a_session_that_is_not_believed_agrees_to_nothing),
		cmocka_unit_test(beside_an_older_peer_the_timers_are_those_of_old),
		cmocka_unit_test(configured_timers_stay_and_the_host_is_measured_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
