/* SPDX-License-Identifier: BSD-3-Clause */
/* STOP, the lease, and two routers that are both active. */
#include "ha_lab.h"

#include "base/log.h"

/* --- STOP -------------------------------------------------------------------------------- */

static void a_stop_with_fewer_witnesses_is_refused_unless_forced(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer.term = 6;
	lab.peer.witnesses = 2;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_MORE_WITNESSES);
	assert_int_equal(lab.r.refused, 1);
	lab.peer.flags |= HA_FLAG_FORCED;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.state, HA_FENCED);
	assert_true(lab.r.failback_held);
}

static void a_stop_of_an_old_term_is_refused_whatever_it_counts(void **state)
{
	(void)state;
	for (uint64_t term = 0; term <= 5; term++) {
		lab_be(HA_ACTIVE);
		lab.peer.term = term;
		lab.peer.witnesses = 40;
		lab.peer.flags |= HA_FLAG_FORCED;
		lab_hear(HA_MSG_STOP, HA_TAKEOVER);
		assert_int_equal(lab.r.state, HA_ACTIVE);
		assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_OLD_TERM);
	}
}

static void a_forced_takeover_asks_again_under_the_term_it_learnt(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab_command(ROLE_CMD_FORCE, false);
	lab.peer.term = 30;
	lab.peer.reason = HA_REASON_OLD_TERM;
	lab_hear(HA_MSG_REFUSED, HA_ACTIVE);
	assert_int_equal(lab.r.state, HA_TAKEOVER);
	assert_int_equal(lab.last_sent[HA_MSG_STOP].term, 31);
}

static void of_two_that_take_over_more_witnesses_go_first_then_priority(void **state)
{
	static const struct {
		uint16_t witnesses, priority;
		enum ha_state becomes;
	} cases[] = {
		{3, 50, HA_TAKEOVER},  {3, 200, HA_BACKUP}, {4, 50, HA_BACKUP},
		{2, 200, HA_TAKEOVER}, {3, 100, HA_BACKUP}, /* equal: the session decides */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(HA_TAKEOVER);
		lab.peer.term = 6;
		lab.peer.witnesses = cases[i].witnesses;
		lab.peer.priority = cases[i].priority;
		lab.peer.role = HA_ROLE_PRIMARY; /* as mine: it decides nothing */
		lab_hear(HA_MSG_STOP, HA_TAKEOVER);
		assert_int_equal(lab.r.state, cases[i].becomes);
	}
}

/* --- Lease and conflict ------------------------------------------------------------------ */

static void the_lease_follows_the_rule(void **state)
{
	(void)state;
	lab_start();
	lab_pass(6000);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.r.lease_ms, ROLE_LEASE_NONE); /* never had a peer */
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.lease_ms, lab.now + LEASE);
	for (int i = 0; i < 199; i++) {
		lab_pass(10);
		assert_in_range(lab.r.lease_ms, lab.now + 1, lab.now + LEASE);
	}
	lab_pass(100);
	assert_int_equal(lab.r.lease_ms, ROLE_LEASE_NONE); /* silent for 10 x deadtime */
}

static void a_lease_that_lapsed_is_not_renewed_before_a_keepalive(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.now += 500;
	lab_late(500);
	lab_tick();
	assert_true(lab.r.lease_ms < lab.now);
	assert_true(lab.sent[HA_MSG_HEARTBEAT] > 0); /* the peer is asked at once */
	lab_pass(KEEPALIVE - 1);
	assert_true(lab.r.lease_ms < lab.now);
	lab_pass(1);
	assert_int_equal(lab.r.lease_ms, lab.now + LEASE);
	/* A peer that does not serve shortens nothing: its word may have waited, too. */
	lab_be(HA_ACTIVE);
	lab.now += 500;
	lab_late(500);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_true(lab.r.lease_ms < lab.now);
}

static void a_long_standstill_is_no_word_of_a_peer_that_died(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	/* For so long nothing was heard that a lease would not be needed: by whom was it not? */
	lab.now += UINT64_C(11) * DEADTIME;
	lab_late(11 * DEADTIME);
	lab_tick();
	assert_true(lab.r.lease_ms < lab.now);
	lab_pass(KEEPALIVE - 1);
	assert_true(lab.r.lease_ms < lab.now);
	lab_pass(1);
	assert_int_equal(lab.r.lease_ms, ROLE_LEASE_NONE);
}

static void what_waited_through_a_standstill_renews_no_lease(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	lab.now += 500;
	/* From before the peer took over; what it said then comes after it. */
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_true(lab.r.lease_ms < lab.now);
	lab_late(500);
	lab_tick();
	assert_true(lab.r.lease_ms < lab.now);
	lab_pass(KEEPALIVE - 1);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_true(lab.r.lease_ms < lab.now);
	lab_pass(1);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.lease_ms, lab.now + LEASE);
}

static void the_winner_of_a_conflict_announces_again(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer.term = 4;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(lab.count[ROLE_DO_ANNOUNCE], 1);
	assert_int_equal(lab.sent[HA_MSG_HEARTBEAT], 1);
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(lab.count[ROLE_DO_ANNOUNCE], 1);
	lab_hear(HA_MSG_HEARTBEAT, HA_FENCED);
	assert_int_equal(lab.count[ROLE_DO_ANNOUNCE], 2);
	lab_pass(DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
}

static void no_lease_outlives_a_conflict(void **state)
{
	uint64_t began;

	(void)state;
	lab_be(HA_ACTIVE);
	began = lab.now;
	lab.peer.term = 4;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	lab.peer_speaks = true;
	while (lab.r.state == HA_ACTIVE) {
		lab_pass(1);
		if (lab.r.state == HA_ACTIVE)
			assert_true(lab.r.lease_ms <= began + LEASE + KEEPALIVE);
	}
	assert_in_range(lab.now - began, LEASE + KEEPALIVE, LEASE + KEEPALIVE + 20);
}

static void conflicts_go_by_term_then_priority_then_session(void **state)
{
	static const struct {
		uint64_t term;
		uint16_t priority;
		enum ha_state becomes;
	} cases[] = {
		{6, 50, HA_FENCED}, {4, 200, HA_ACTIVE}, {5, 200, HA_FENCED},
		{5, 50, HA_ACTIVE}, {5, 100, HA_FENCED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(HA_ACTIVE);
		lab.peer.term = cases[i].term;
		lab.peer.priority = cases[i].priority;
		lab.peer.role = HA_ROLE_PRIMARY; /* as mine */
		lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
		assert_int_equal(lab.r.state, cases[i].becomes);
	}
}

static void of_equal_priorities_the_primary_goes_first(void **state)
{
	static const struct {
		enum ha_role mine, theirs;
		uint8_t session;
		enum ha_state becomes;
	} cases[] = {
		{HA_ROLE_PRIMARY, HA_ROLE_BACKUP, 2, HA_ACTIVE},
		{HA_ROLE_BACKUP, HA_ROLE_PRIMARY, 0, HA_FENCED},
		{HA_ROLE_PRIMARY, HA_ROLE_PRIMARY, 0, HA_ACTIVE},
		{HA_ROLE_BACKUP, HA_ROLE_BACKUP, 2, HA_FENCED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(HA_ACTIVE);
		lab.r.cfg.role = cases[i].mine;
		lab.peer.role = cases[i].theirs;
		lab.peer.priority = lab.r.cfg.priority;
		memset(lab.peer.session.byte, cases[i].session, sizeof(lab.peer.session.byte));
		lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
		assert_int_equal(lab.r.state, cases[i].becomes);
	}
}

static void two_of_one_role_are_an_alarm_and_the_outcome_is_the_same(void **state)
{
	char text[1024];

	(void)state;
	lab_be(HA_BACKUP);
	assert_int_equal(role_clash(&lab.r), ROLE_CLASH_NONE);
	lab.peer.role = HA_ROLE_PRIMARY;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(lab.count[ROLE_DO_LOG], 1);
	assert_int_equal(lab.last[ROLE_DO_LOG].level, LOG_LEVEL_ERROR);
	assert_non_null(
		strstr(lab.last[ROLE_DO_LOG].text, "both routers are configured as primary"));
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(strstr(text, "ALARM: both routers are configured as primary"));
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab.peer.role = HA_ROLE_BACKUP;
	lab.peer.priority = 200;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(role_clash(&lab.r), ROLE_CLASH_PRIORITY);
	lab.peer.priority = 50;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(role_clash(&lab.r), ROLE_CLASH_NONE);
	assert_int_equal(lab.count[ROLE_DO_LOG], 3);
}

static void link_loss_alone_fences_nobody(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE); /* the peer is silent */
	lab_ports(0, 0);
	lab_pass(5 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* The peer lives, and is no better. */
	lab.peer.ports[0].up = 0;
	lab_ports(1, 0);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	lab_pass(KEEPALIVE);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* The peer is better, but deaf. */
	lab.peer.ports[0].up = 1;
	lab.peer.flags = 0;
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE);
}

static void a_router_that_is_alone_or_has_no_witness_is_never_deaf(void **state)
{
	(void)state;
	/* The peer has been dead for long; now the gateway reboots. */
	lab_be(HA_ACTIVE);
	lab_pass(11 * DEADTIME);
	lab.witnesses = false;
	lab_pass(20 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* No witness is asked. */
	lab_be(HA_ACTIVE);
	lab.r.cfg.witnesses[0] = 0;
	lab.witnesses = false;
	lab_pass(20 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* Witnesses died for both: the peer is not ready either. */
	lab_be(HA_ACTIVE);
	lab.witnesses = false;
	lab.peer.flags = HA_FLAG_SYNCHRONISED;
	lab.peer_speaks = true;
	lab_pass(20 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* The loop stood still: what it did not hear meanwhile says nothing. */
	lab_be(HA_ACTIVE);
	lab.witnesses = false;
	lab_pass(DEADTIME - 20);
	lab_late(KEEPALIVE + 1);
	lab_pass(DEADTIME - 20);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	lab_pass(40);
	assert_int_equal(lab.r.state, HA_FENCED);
}

static void a_peer_that_does_not_hear_this_router_is_shown(void **state)
{
	char text[1024];

	(void)state;
	lab_be(HA_BACKUP);
	lab.peer.state = HA_ACTIVE;
	lab.peer_speaks = true;
	for (int i = 0; i < 40; i++) {
		lab.peer.heard_sequence++;
		lab_pass(10);
	}
	assert_false(role_peer_deaf(&lab.r, lab.now));
	lab_pass(DEADTIME);
	assert_true(role_peer_deaf(&lab.r, lab.now));
	assert_int_equal(lab.r.state, HA_BACKUP);
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(strstr(text, "NOT HEAR"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_with_fewer_witnesses_is_refused_unless_forced),
		cmocka_unit_test(a_stop_of_an_old_term_is_refused_whatever_it_counts),
		cmocka_unit_test(a_forced_takeover_asks_again_under_the_term_it_learnt),
		cmocka_unit_test(of_two_that_take_over_more_witnesses_go_first_then_priority),
		cmocka_unit_test(the_lease_follows_the_rule),
		cmocka_unit_test(a_lease_that_lapsed_is_not_renewed_before_a_keepalive),
		cmocka_unit_test(what_waited_through_a_standstill_renews_no_lease),
		cmocka_unit_test(a_long_standstill_is_no_word_of_a_peer_that_died),
		cmocka_unit_test(the_winner_of_a_conflict_announces_again),
		cmocka_unit_test(no_lease_outlives_a_conflict),
		cmocka_unit_test(conflicts_go_by_term_then_priority_then_session),
		cmocka_unit_test(of_equal_priorities_the_primary_goes_first),
		cmocka_unit_test(two_of_one_role_are_an_alarm_and_the_outcome_is_the_same),
		cmocka_unit_test(link_loss_alone_fences_nobody),
		cmocka_unit_test(a_router_that_is_alone_or_has_no_witness_is_never_deaf),
		cmocka_unit_test(a_peer_that_does_not_hear_this_router_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
