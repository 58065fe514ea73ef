/* SPDX-License-Identifier: BSD-3-Clause */
/* Hand-overs, the end of a process, and commands. */
#include "ha_lab.h"

static void to_step(enum role_step step)
{
	lab_be(HA_HANDOVER);
	lab.peer.handover = lab.r.give.id;
	if (step >= ROLE_STEP_SYNC)
		lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
	if (step >= ROLE_STEP_FREEZE)
		lab_flushed();
	if (step >= ROLE_STEP_COMMIT)
		lab_flushed();
	assert_int_equal(lab.r.give.step, step);
	lab.peer.type = HA_MSG_HEARTBEAT;
	lab.peer.state = HA_BACKUP;
}

static void a_hand_over_can_be_aborted_at_every_step(void **state)
{
	static const uint32_t limit[] = {2 * DEADTIME, 10000, 1000, DEADTIME + KEEPALIVE};

	(void)state;
	for (uint32_t step = ROLE_STEP_ASK; step <= ROLE_STEP_COMMIT; step++) {
		for (int how = 0; how < 4; how++) {
			to_step(step);
			lab.peer_speaks = how == 1;
			if (how == 0) /* the peer says no */
				lab_hear(HA_MSG_HANDOVER_ABORT, HA_BACKUP);
			else if (how == 1) /* nothing goes on */
				lab_pass(limit[step]);
			else if (how == 2) /* the peer falls silent */
				lab_pass(step == ROLE_STEP_COMMIT ? limit[step] : DEADTIME + 10);
			else { /* it becomes unable */
				lab.peer_speaks = true;
				lab.peer.state = HA_FAULT;
				lab.peer.flags = 0;
				lab_pass(step == ROLE_STEP_COMMIT ? limit[step] : 60);
			}
			assert_int_equal(lab.r.state, HA_ACTIVE);
			assert_int_equal(lab.r.rows[ROLE_ROW_ABORTED], 1);
			assert_int_equal(lab.count[ROLE_DO_FREEZE], lab.count[ROLE_DO_UNFREEZE]);
			assert_int_equal(lab.sent[HA_MSG_HANDOVER_ABORT], 1);
			assert_int_equal(lab.count[ROLE_DO_FENCE], 0);
		}
	}
}

static void an_answer_to_another_hand_over_is_no_answer(void **state)
{
	(void)state;
	lab_be(HA_HANDOVER);
	lab.peer.handover = lab.r.give.id - 1;
	lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
	assert_int_equal(lab.r.give.step, ROLE_STEP_ASK);
	lab_hear(HA_MSG_HANDOVER_ABORT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_HANDOVER);
}

static void a_commit_that_was_not_offered_or_was_withdrawn_is_ignored(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab.peer.term = 6;
	lab.peer.handover = 9;
	lab_hear(HA_MSG_HANDOVER_COMMIT, HA_HANDOVER);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	lab_hear(HA_MSG_HANDOVER_ABORT, HA_ACTIVE);
	lab_hear(HA_MSG_HANDOVER_COMMIT, HA_HANDOVER);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	lab.peer.handover = 10;
	lab_hear(HA_MSG_HANDOVER_COMMIT, HA_HANDOVER);
	assert_int_equal(lab.r.state, HA_BACKUP);
}

static void nobody_takes_what_he_could_not_serve(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab_sync(false);
	lab.peer.term = 6;
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_NOT_SYNCHRONISED);
	lab_sync(true);
	lab_ports(1, 0);
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_NOT_READY);
	lab_be(HA_MAINTENANCE);
	lab.peer.term = 6;
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_NOT_READY);
}

static void relaying_ends_by_itself(void **state)
{
	(void)state;
	lab_be(HA_RELAY);
	lab.peer.state = HA_ACTIVE;
	lab.peer_speaks = true;
	lab_pass(ROLE_RELAY_LIMIT_MS - 10);
	assert_int_equal(lab.r.state, HA_RELAY);
	lab_pass(60);
	assert_int_equal(lab.r.state, HA_BACKUP);
	assert_int_equal(lab.count[ROLE_DO_RELAY_STOP], 1);
	lab_be(HA_RELAY);
	lab_pass(DEADTIME + 2 * KEEPALIVE);
	assert_int_equal(lab.count[ROLE_DO_RELAY_STOP], 1);
}

static void the_end_of_an_active_process_hands_over_first(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_command(ROLE_CMD_STOP, false);
	assert_int_equal(lab.r.state, HA_HANDOVER);
	lab_to_commit();
	lab_hear(HA_MSG_HANDOVER_DONE, HA_ACTIVE);
	assert_int_equal(lab.count[ROLE_DO_QUIT], 0);
	lab_relay_idle();
	assert_int_equal(lab.count[ROLE_DO_QUIT], 1);
	assert_false(lab.last[ROLE_DO_QUIT].dump);
	lab_be(HA_BACKUP);
	lab_command(ROLE_CMD_STOP, false);
	assert_int_equal(lab.count[ROLE_DO_QUIT], 1);
}

static void who_ends_and_leaves_connections_to_nobody_writes_them_down(void **state)
{
	static const struct {
		enum ha_state state;
		bool alive, dump;
	} cases[] = {
		{HA_BACKUP, true, false}, {HA_BACKUP, false, true}, {HA_FENCED, true, false},
		{HA_FENCED, false, true}, {HA_FAULT, false, true},  {HA_RELAY, false, true},
		{HA_INIT, false, false},  {HA_ACTIVE, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(cases[i].state);
		if (!cases[i].alive)
			lab.now += DEADTIME;
		if (cases[i].state == HA_RELAY) /* it hears no more of the peer later */
			lab.r.last_tick_ms = lab.now;
		lab_command(ROLE_CMD_STOP, false);
		if (cases[i].state == HA_RELAY)
			lab_tick();
		assert_int_equal(lab.count[ROLE_DO_QUIT], 1);
		assert_int_equal(lab.last[ROLE_DO_QUIT].dump, cases[i].dump);
	}
	/* The router stopped before it served again. */
	lab_start();
	role_set_kept(&lab.r, 5);
	lab_command(ROLE_CMD_STOP, false);
	assert_true(lab.last[ROLE_DO_QUIT].dump);
}

static void kept_connections_count_until_the_peer_has_later_ones(void **state)
{
	static const struct {
		enum ha_state state;
		uint64_t term;
		uint8_t flags;
		bool kept;
	} cases[] = {
		{HA_INIT, 9, 0, true},
		{HA_ACTIVE, 1, 0, false},
		{HA_BACKUP, 5, HA_FLAG_KEPT, true},
		{HA_INIT, 6, HA_FLAG_KEPT, false},
		{HA_BACKUP, 6, HA_FLAG_SYNCHRONISED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_start();
		role_set_kept(&lab.r, 5);
		lab.peer.term = cases[i].term;
		lab.peer.flags = cases[i].flags;
		lab_hear(HA_MSG_HEARTBEAT, cases[i].state);
		assert_int_equal(lab.r.kept, cases[i].kept);
		assert_true(lab.r.term >= 5);
	}
}

static void a_router_that_is_to_end_and_is_stopped_by_the_peer_ends(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab_command(ROLE_CMD_STOP, false);
	lab.peer.term = 6;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.state, HA_FENCED);
	assert_int_equal(lab.sent[HA_MSG_STOP_ACK], 1);
	assert_int_equal(lab.count[ROLE_DO_QUIT], 1);
	assert_int_equal(lab.out.action[lab.out.n - 1].type, ROLE_DO_QUIT);
}

static void commands_out_of_place_are_told_why(void **state)
{
	static const struct {
		enum ha_state state;
		enum role_command command;
	} cases[] = {
		{HA_INIT, ROLE_CMD_HANDOVER},	       {HA_MAINTENANCE, ROLE_CMD_FORCE},
		{HA_BACKUP, ROLE_CMD_MAINTENANCE_OFF}, {HA_RELAY, ROLE_CMD_FORCE},
		{HA_FAULT, ROLE_CMD_HANDOVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_be(cases[i].state);
		lab_command(cases[i].command, false);
		assert_int_equal(lab.r.state, cases[i].state);
		assert_true(lab.last[ROLE_DO_REPLY].rc < 0);
		assert_true(strlen(lab.last[ROLE_DO_REPLY].text) > 10);
	}
	lab_be(HA_ACTIVE);
	lab_pass(2 * DEADTIME); /* the peer is silent */
	lab_command(ROLE_CMD_MAINTENANCE, false);
	assert_true(lab.last[ROLE_DO_REPLY].rc < 0);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* In the words of plvsctl, which takes no dashes. */
	assert_non_null(strstr(lab.last[ROLE_DO_REPLY].text, "`plvsctl ha maintenance on force`"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hand_over_can_be_aborted_at_every_step),
		cmocka_unit_test(an_answer_to_another_hand_over_is_no_answer),
		cmocka_unit_test(a_commit_that_was_not_offered_or_was_withdrawn_is_ignored),
		cmocka_unit_test(nobody_takes_what_he_could_not_serve),
		cmocka_unit_test(relaying_ends_by_itself),
		cmocka_unit_test(the_end_of_an_active_process_hands_over_first),
		cmocka_unit_test(who_ends_and_leaves_connections_to_nobody_writes_them_down),
		cmocka_unit_test(kept_connections_count_until_the_peer_has_later_ones),
		cmocka_unit_test(a_router_that_is_to_end_and_is_stopped_by_the_peer_ends),
		cmocka_unit_test(commands_out_of_place_are_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
