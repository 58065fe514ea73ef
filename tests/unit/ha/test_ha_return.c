/* SPDX-License-Identifier: BSD-3-Clause */
/* A router that starts, starts again, or takes the role back. */
#include "ha_lab.h"

static void start_delay_runs_from_ports_and_witnesses(void **state)
{
	(void)state;
	lab_start();
	lab.witnesses = false;
	lab_pass(20000);
	assert_int_equal(lab.r.state, HA_INIT);
	lab.witnesses = true;
	lab_pass(3000);
	lab_ports(1, 0);
	lab_pass(3000);
	lab_ports(1, 1);
	lab_pass(4900);
	assert_int_equal(lab.r.state, HA_INIT);
	lab_pass(200);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.r.term, 1);
}

static void of_two_that_start_together_the_primary_is_active_first(void **state)
{
	static const struct {
		uint16_t priority, witnesses;
		uint8_t up, flags;
		enum ha_state state;
		uint32_t after; /* start_delays until it leaves INIT */
	} cases[] = {
		{200, 3, 1, 0, HA_INIT, 2},		   /* the primary, a little later */
		{50, 3, 1, 0, HA_INIT, 1},		   /* the backup */
		{200, 0, 1, 0, HA_INIT, 1},		   /* it has no witness */
		{200, 3, 0, 0, HA_INIT, 1},		   /* no link */
		{200, 3, 1, HA_FLAG_STOPPING, HA_INIT, 1}, /* ends */
		{50, 3, 1, HA_FLAG_KEPT, HA_INIT, 2},	   /* holds connections */
		{200, 3, 1, 0, HA_FAULT, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_start();
		lab.peer.priority = cases[i].priority;
		lab.peer.witnesses = cases[i].witnesses;
		lab.peer.ports[0].up = cases[i].up;
		lab.peer.flags = cases[i].flags;
		lab.peer.state = cases[i].state;
		lab.peer_speaks = true;
		lab_tick();
		lab_pass(cases[i].after * 5000 - 20);
		assert_int_equal(lab.r.state, HA_INIT);
		lab_pass(40);
		assert_int_not_equal(lab.r.state, HA_INIT);
	}
	/* The peer dies on the way. */
	lab_start();
	lab.peer.priority = 200;
	lab.peer.state = HA_INIT;
	lab.peer_speaks = true;
	lab_pass(6000);
	assert_int_equal(lab.r.state, HA_INIT);
	lab.peer_speaks = false;
	lab_pass(2 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
}

static void a_restart_is_no_reason_without_the_connections_or_witnesses(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		lab_be(HA_BACKUP);
		if (i == 0)
			lab_sync(false);
		else if (i == 1)
			lab.now += ROLE_CALM_MS + 1, lab.r.last_tick_ms = lab.now;
		else
			lab.r.peer.state = HA_BACKUP; /* it did not serve */
		memset(lab.peer.session.byte, 3, sizeof(lab.peer.session.byte));
		lab.peer.state = HA_INIT;
		lab_judged(HA_FRESH_SESSION, true);
		assert_int_equal(lab.r.state, HA_BACKUP);
	}
}

static void of_two_idle_routers_the_better_goes_first(void **state)
{
	static const struct {
		uint16_t priority;
		uint8_t up, flags;
		uint32_t wait;
	} cases[] = {
		{50, 1, HA_FLAG_READY | HA_FLAG_SYNCHRONISED, DEADTIME},
		{200, 1, HA_FLAG_READY | HA_FLAG_SYNCHRONISED, 3 * DEADTIME},
		{200, 0, HA_FLAG_READY | HA_FLAG_SYNCHRONISED, DEADTIME},
		{200, 1, HA_FLAG_READY, DEADTIME},
		{200, 1, HA_FLAG_READY | HA_FLAG_KEPT, 3 * DEADTIME},
		{200, 1, 0, DEADTIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(HA_BACKUP);
		lab.peer.priority = cases[i].priority;
		lab.peer.ports[0].up = cases[i].up;
		lab.peer.flags = cases[i].flags;
		lab.peer.state = HA_BACKUP;
		lab.peer_speaks = true;
		lab_pass(cases[i].wait - 1);
		assert_int_equal(lab.r.state, HA_BACKUP);
		lab_pass(1);
		assert_int_equal(lab.r.state, HA_TAKEOVER);
	}
}

static void failback_waits_without_interruption_and_asks(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab.peer_speaks = true;
	lab_pass(59000);
	lab_ports(1, 0);
	lab_pass(100);
	lab_ports(1, 1);
	lab_pass(59900);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_REQUEST], 0);
	lab_pass(200);
	assert_true(lab.sent[HA_MSG_HANDOVER_REQUEST] > 0);
	assert_int_equal(lab.last_sent[HA_MSG_HANDOVER_REQUEST].flags, HA_FLAG_FAILBACK);
}

static void failback_waits_for_the_verdicts_of_all_checks(void **state)
{
	struct role_event ev = {.type = ROLE_SYNC,
				.sync = {.synchronised = true, .servers = 4, .servers_up = 3}};
	char text[1024];

	(void)state;
	lab_be(HA_BACKUP);
	lab_step(&ev);
	lab.peer_speaks = true;
	lab_pass(120000);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_REQUEST], 0);
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(strstr(text, "Failback waits for a verdict of every health check."));
	ev.sync.verdicts = true;
	lab_step(&ev);
	lab_pass(59900);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_REQUEST], 0);
	lab_pass(200);
	assert_true(lab.sent[HA_MSG_HANDOVER_REQUEST] > 0);
	assert_null(strstr(text, "real servers up")); /* not while one of them did not know */
}

static void what_each_router_sees_of_the_servers_is_compared(void **state)
{
	struct role_event ev = {
		.type = ROLE_SYNC,
		.sync = {.synchronised = true, .verdicts = true, .servers = 4, .servers_up = 4}};
	struct ha_message said;
	char text[1024];

	(void)state;
	lab_be(HA_BACKUP);
	lab_step(&ev);
	role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &said);
	assert_int_equal(said.servers_up, 4);
	lab.peer.servers_up = 3;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(strstr(text, "The peer sees 3 of 4 real servers up, this router 4: "
				     "the backup sees MORE"));
	assert_int_equal(role_peer_sees_more(&lab.r, lab.now), -1);
	lab.peer.servers_up = 4;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(role_peer_sees_more(&lab.r, lab.now), 0);
	/* The peer does not know yet; or has other servers. */
	lab.peer.servers_up = 0;
	lab.peer.flags = HA_FLAG_READY;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(role_peer_sees_more(&lab.r, lab.now), 0);
	lab.peer.flags |= HA_FLAG_VERDICTS;
	lab.peer.config_digest[0] = 1;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(role_peer_sees_more(&lab.r, lab.now), 0);
}

static void failback_is_not_asked_for_without_reason(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		lab_be(HA_BACKUP);
		lab.peer_speaks = true;
		if (i == 0)
			lab.r.cfg.failback = HA_FAILBACK_MANUAL;
		else if (i == 1) /* equal ones: nobody is the primary of the two */
			lab.peer.priority = 100, lab.peer.role = HA_ROLE_PRIMARY;
		else if (i == 2)
			lab_sync(false);
		else if (i == 3)
			lab.r.failback_held = true;
		else
			lab.peer.failback_failures = 3;
		lab_pass(600000);
		assert_int_equal(lab.sent[HA_MSG_HANDOVER_REQUEST], 0);
	}
}

/* B hands over by failback, and takes over again soon after; three times. */
static void failed_failbacks_double_the_delay_and_end_after_the_third(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	for (uint32_t i = 1; i <= 3; i++) {
		lab.peer.flags |= HA_FLAG_FAILBACK;
		lab.peer.handover = lab.r.give.id + 1;
		lab_hear(HA_MSG_HANDOVER_REQUEST, HA_BACKUP);
		assert_int_equal(lab.r.state, HA_HANDOVER);
		lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
		lab_flushed();
		lab_flushed();
		lab.peer.term = lab.r.give.term;
		lab_hear(HA_MSG_HANDOVER_DONE, HA_ACTIVE);
		lab_relay_idle();
		lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
		lab_pass(300000 / 100);
		assert_int_equal(lab.r.state, HA_ACTIVE);
		assert_int_equal(lab.r.failback_failures, i);
		lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	}
	lab_hear(HA_MSG_HANDOVER_REQUEST, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_FAILBACK_HELD);
	lab_command(ROLE_CMD_RESET, false);
	assert_int_equal(lab.r.failback_failures, 0);
	lab_hear(HA_MSG_HANDOVER_REQUEST, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_HANDOVER);
}

/* Ready, of the higher rank, with nothing that hinders. */
static void ready_for_failback(uint8_t failures)
{
	lab_be(HA_BACKUP);
	lab.peer.priority = 50;
	lab.peer.failback_failures = failures;
	lab.r.verdicts = true;
	lab.peer_speaks = true;
	lab_pass(DEADTIME);
	assert_string_equal(role_failback_waits(&lab.r, lab.now), "");
}

static bool asks_within(uint32_t ms)
{
	lab.r.request_until_ms = 0;
	for (uint32_t i = 0; i < ms && lab.r.request_until_ms == 0; i += 10)
		lab_pass(10);
	return lab.r.request_until_ms != 0;
}

static void each_failure_doubles_the_wait_for_the_next_failback(void **state)
{
	(void)state;
	ready_for_failback(0);
	assert_true(asks_within(lab.cfg.failback_delay_ms + 100));
	ready_for_failback(1);
	assert_false(asks_within(lab.cfg.failback_delay_ms * 3 / 2));
	assert_true(asks_within(lab.cfg.failback_delay_ms));
}

static void failback_waits_for_services_that_are_unknown(void **state)
{
	(void)state;
	ready_for_failback(0);
	lab.r.unbound = 1;
	assert_string_equal(role_failback_waits(&lab.r, lab.now),
			    "services and servers of the peer's connections");
}

static void what_a_person_moved_no_timer_moves_back(void **state)
{
	(void)state;
	lab_be(HA_RELAY);
	assert_true(lab.r.failback_held);
	assert_null(role_failback_waits(&lab.r, lab.now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_delay_runs_from_ports_and_witnesses),
		cmocka_unit_test(of_two_that_start_together_the_primary_is_active_first),
		cmocka_unit_test(a_restart_is_no_reason_without_the_connections_or_witnesses),
		cmocka_unit_test(of_two_idle_routers_the_better_goes_first),
		cmocka_unit_test(failback_waits_without_interruption_and_asks),
		cmocka_unit_test(failback_waits_for_the_verdicts_of_all_checks),
		cmocka_unit_test(what_each_router_sees_of_the_servers_is_compared),
		cmocka_unit_test(failback_is_not_asked_for_without_reason),
		cmocka_unit_test(failed_failbacks_double_the_delay_and_end_after_the_third),
		cmocka_unit_test(each_failure_doubles_the_wait_for_the_next_failback),
		cmocka_unit_test(failback_waits_for_services_that_are_unknown),
		cmocka_unit_test(what_a_person_moved_no_timer_moves_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
