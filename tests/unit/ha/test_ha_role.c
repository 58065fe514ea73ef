/* SPDX-License-Identifier: BSD-3-Clause */
/* The role machine: its table, row by row. */
#include "ha_lab.h"

/* --- The table: each row, from each state that it leaves --------------------------------- */

static void row_alone(void)
{
	lab.cfg.has_peer = false;
	role_init(&lab.r, &lab.cfg, lab.now);
	lab_forget();
	lab_tick();
	assert_int_equal(lab.last[ROLE_DO_LEASE].until_ms, ROLE_LEASE_NONE);
}

static void row_start_over(void)
{
	lab.peer_speaks = true;
	lab.peer.state = HA_BACKUP;
	lab.peer.priority = 200; /* it goes first: this router stays backup */
	lab_tick();
	lab_pass(lab.cfg.start_delay_ms - 10);
	assert_int_equal(lab.r.state, HA_INIT);
	lab_pass(10);
}

static void row_peer_serves(void)
{
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
}

static void row_silence(void)
{
	lab_pass(DEADTIME - 1);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_pass(1);
	assert_int_equal(lab.last_sent[HA_MSG_STOP].term, 6);
}

static void row_deaf(void)
{
	lab.witnesses = false;
	lab.now += 20;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	/* Answers to the questions of before the silence count until there was time for new ones.
	 */
	lab_pass(2 * DEADTIME);
	assert_non_null(strstr(lab.r.reason, "no witness answers on public"));
	assert_int_equal(lab.sent[HA_MSG_STOP], 0);
}

static void row_port_down(void)
{
	lab_ports(1, 0);
	lab_pass(DEADTIME);
	assert_int_equal(lab.sent[HA_MSG_STOP], 0);
}

static void row_recovered(void)
{
	lab_witness(1);
	lab_tick();
}

static void row_restarted(void)
{
	memset(lab.peer.session.byte, 3, sizeof(lab.peer.session.byte));
	lab.peer.state = HA_INIT;
	lab_judged(HA_FRESH_SESSION, true);
	assert_int_equal(lab.r.term, 6);
}

static void row_yielded(void)
{
	lab_hear(HA_MSG_HEARTBEAT, HA_FENCED);
	assert_int_equal(lab.r.term, 6);
}

static void row_committed(void)
{
	lab.peer.term = 6;
	lab.peer.handover = 9;
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_READY], 1);
	lab_hear(HA_MSG_HANDOVER_COMMIT, HA_HANDOVER);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_DONE], 1);
	assert_int_equal(lab.r.term, 6);
}

static void row_forced(void)
{
	lab_command(ROLE_CMD_FORCE, false);
	assert_int_equal(lab.last_sent[HA_MSG_STOP].flags, HA_FLAG_FORCED);
}

static void row_acknowledged(void)
{
	lab.peer.term = 6;
	lab_hear(HA_MSG_STOP_ACK, HA_FENCED);
	assert_int_equal(lab.r.term, 7); /* 6 is known to the peer by now: no term serves twice */
}

static void row_unanswered(void)
{
	lab_pass(KEEPALIVE - 1);
	assert_int_equal(lab.r.state, HA_TAKEOVER);
	lab_pass(1);
}

static void row_refused(void)
{
	lab.peer.reason = HA_REASON_MORE_WITNESSES;
	lab_hear(HA_MSG_REFUSED, HA_ACTIVE);
	assert_non_null(strstr(lab.r.reason, "more witnesses answer there"));
}

static void row_outranked(void)
{
	lab.peer.term = 6;
	lab.peer.priority = 200;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.sent[HA_MSG_STOP_ACK], 1);
}

static void row_not_listening(void)
{
	lab_late(KEEPALIVE + 1);
}

static void row_stopped(void)
{
	lab.peer.term = 7;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.sent[HA_MSG_STOP_ACK], 1);
	assert_int_equal(lab.r.term, 7);
}

static void row_conflict_lost(void)
{
	lab.peer.term = 8;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(lab.r.term, 8);
}

static void row_conflict_unheard(void)
{
	if (lab.r.state == HA_HANDOVER) { /* at a step without a limit of its own here */
		lab.r.give.deadline_ms = lab.now + 10000;
		lab.r.give.step = ROLE_STEP_COMMIT;
	}
	lab.peer.term = 4;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	lab_pass(LEASE + KEEPALIVE - 1);
	assert_true(ha_state_serves(lab.r.state));
	lab_pass(1);
}

static void row_ports_worse(void)
{
	lab_ports(1, 0);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE); /* that report may be older than the cause */
	lab_pass(KEEPALIVE);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
}

static void row_hears_nothing(void)
{
	if (lab.r.state == HA_HANDOVER) /* it would be aborted before */
		lab.r.give.deadline_ms = lab.now + 10000;
	if (lab.r.state == HA_HANDOVER)
		lab.r.give.step = ROLE_STEP_COMMIT;
	lab.witnesses = false;
	lab_pass(DEADTIME - 1);
	assert_true(ha_state_serves(lab.r.state));
	lab_pass(40); /* two questions at keepalive rate have had their time */
}

static void row_hears_less(void)
{
	lab.peer_speaks = true;
	lab.peer.state = HA_BACKUP;
	lab.witnesses = false;
	lab_pass(ROLE_WITNESS_SLOW_MS + KEEPALIVE + 4 * DEADTIME - 10);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	lab_pass(60);
}

static void row_give_away(void)
{
	lab_command(ROLE_CMD_HANDOVER, false);
	assert_int_equal(lab.last_sent[HA_MSG_HANDOVER_PREPARE].term, 6);
}

static void row_peer_active(void)
{
	lab_to_commit();
	lab_hear(HA_MSG_HANDOVER_DONE, HA_ACTIVE);
	assert_int_equal(lab.count[ROLE_DO_UNFREEZE], 1);
}

static void row_aborted(void)
{
	lab.peer.handover = lab.r.give.id;
	lab.peer.reason = HA_REASON_NOT_SYNCHRONISED;
	lab_hear(HA_MSG_REFUSED, HA_BACKUP);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_ABORT], 1);
	assert_int_equal(lab.r.term, 5);
}

static void row_relayed(void)
{
	lab_relay_idle();
}

static void row_waited(void)
{
	lab_pass(DEADTIME - 1);
	assert_int_equal(lab.r.state, HA_FENCED);
	lab.peer.priority = 200; /* it goes first: no takeover in the same tick */
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	lab_pass(1);
}

static void row_maintenance_on(void)
{
	const enum ha_state from = lab.r.state;

	lab_command(ROLE_CMD_MAINTENANCE, from == HA_ACTIVE);
	assert_int_equal(lab.last[ROLE_DO_REPLY].rc, 0);
	if (from == HA_HANDOVER) {
		lab_to_commit();
		lab_hear(HA_MSG_HANDOVER_DONE, HA_ACTIVE);
		assert_int_equal(lab.r.state, HA_RELAY);
	}
	if (from == HA_HANDOVER || from == HA_RELAY)
		lab_relay_idle();
}

static void row_maintenance_off(void)
{
	lab_command(ROLE_CMD_MAINTENANCE_OFF, false);
}

static void row_ending(void)
{
	lab.peer_speaks = false;
	lab_pass(lab.r.state == HA_ACTIVE ? 2 * DEADTIME : 0);
	lab_command(ROLE_CMD_STOP, false);
	lab_pass(lab.r.state == HA_HANDOVER ? 3 * DEADTIME : 0);
	assert_int_equal(lab.count[ROLE_DO_QUIT], 1);
	assert_true(lab.last[ROLE_DO_QUIT].dump);
}

/* Actions that a row must cause, and actions that it must not cause. */
#define DO(x) (1U << ROLE_DO_##x)
static const struct {
	void (*walk)(void);
	uint32_t must, must_not;
} walks[ROLE_N_ROWS] = {
	[ROLE_ROW_ALONE] = {row_alone, DO(LEASE) | DO(ACTIVATE), DO(SEND) | DO(GRACE)},
	[ROLE_ROW_START_OVER] = {row_start_over, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_PEER_SERVES] = {row_peer_serves, DO(SEND), DO(ACTIVATE) | DO(FENCE)},
	[ROLE_ROW_SILENCE] = {row_silence, DO(SEND), DO(ACTIVATE) | DO(ANNOUNCE)},
	[ROLE_ROW_DEAF] = {row_deaf, DO(SEND), DO(ACTIVATE) | DO(ANNOUNCE)},
	[ROLE_ROW_PORT_DOWN] = {row_port_down, DO(SEND), DO(ACTIVATE) | DO(ANNOUNCE)},
	[ROLE_ROW_RECOVERED] = {row_recovered, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_RESTARTED] = {row_restarted, DO(LEASE) | DO(ACTIVATE) | DO(GRACE), 0},
	[ROLE_ROW_YIELDED] = {row_yielded, DO(LEASE) | DO(ACTIVATE) | DO(GRACE), 0},
	[ROLE_ROW_COMMITTED] = {row_committed, DO(LEASE) | DO(ACTIVATE) | DO(GRACE), 0},
	[ROLE_ROW_FORCED] = {row_forced, DO(SEND) | DO(REPLY), DO(ACTIVATE)},
	[ROLE_ROW_ACKNOWLEDGED] = {row_acknowledged, DO(LEASE) | DO(ACTIVATE) | DO(GRACE), 0},
	[ROLE_ROW_UNANSWERED] = {row_unanswered, DO(LEASE) | DO(ACTIVATE) | DO(GRACE), 0},
	[ROLE_ROW_REFUSED] = {row_refused, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_OUTRANKED] = {row_outranked, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_NOT_LISTENING] = {row_not_listening, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_STOPPED] = {row_stopped, DO(FENCE) | DO(SEND), DO(ANNOUNCE)},
	[ROLE_ROW_CONFLICT_LOST] = {row_conflict_lost, DO(FENCE) | DO(SEND), DO(ANNOUNCE)},
	[ROLE_ROW_CONFLICT_UNHEARD] = {row_conflict_unheard, DO(FENCE) | DO(SEND), 0},
	[ROLE_ROW_PORTS_WORSE] = {row_ports_worse, DO(FENCE) | DO(SEND), 0},
	[ROLE_ROW_HEARS_NOTHING] = {row_hears_nothing, DO(FENCE) | DO(SEND), DO(ANNOUNCE)},
	[ROLE_ROW_HEARS_LESS] = {row_hears_less, DO(FENCE) | DO(SEND), DO(ANNOUNCE)},
	[ROLE_ROW_GIVE_AWAY] = {row_give_away, DO(SEND) | DO(REPLY), DO(FREEZE) | DO(FENCE)},
	[ROLE_ROW_PEER_ACTIVE] = {row_peer_active, DO(RELAY_START), DO(FENCE)},
	[ROLE_ROW_ABORTED] = {row_aborted, DO(SEND), DO(FENCE) | DO(ACTIVATE)},
	[ROLE_ROW_RELAYED] = {row_relayed, DO(RELAY_STOP), DO(ACTIVATE)},
	[ROLE_ROW_WAITED] = {row_waited, DO(SEND), DO(ACTIVATE)},
	[ROLE_ROW_MAINTENANCE_ON] = {row_maintenance_on, DO(SEND) | DO(REPLY), DO(ACTIVATE)},
	[ROLE_ROW_MAINTENANCE_OFF] = {row_maintenance_off, DO(SEND) | DO(REPLY), DO(ACTIVATE)},
	[ROLE_ROW_ENDING] = {row_ending, DO(FENCE) | DO(QUIT), DO(ACTIVATE)},
};

static void walk(enum role_row row, enum ha_state from)
{
	const struct role_row_info *info = &role_rows[row];

	if (from == HA_INIT && (row == ROLE_ROW_ALONE || row == ROLE_ROW_START_OVER))
		lab_start();
	else
		lab_be(from);
	walks[row].walk();
	if (lab.r.rows[row] != 1 || lab.r.state != info->to)
		fail_msg("%s from %s: taken %u times, leads to %s (%s)", info->name,
			 role_state_name(from), (unsigned int)lab.r.rows[row],
			 role_state_name(lab.r.state), lab.r.reason);
	assert_int_equal(lab.last[ROLE_DO_NOTIFY].change.row, row);
	assert_int_equal(lab.last[ROLE_DO_NOTIFY].change.to, info->to);
	assert_true(lab.last[ROLE_DO_NOTIFY].text[0] != '\0');
	for (uint32_t type = 0; type <= ROLE_DO_QUIT; type++) {
		if ((walks[row].must >> type & 1 && lab.count[type] == 0) ||
		    (walks[row].must_not >> type & 1 && lab.count[type] != 0))
			fail_msg("%s from %s: action %u was done %u times", info->name,
				 role_state_name(from), type, lab.count[type]);
	}
}

static void each_row_leads_where_the_table_says(void **state)
{
	uint32_t walked = 0;

	(void)state;
	for (uint32_t row = 0; row < ROLE_N_ROWS; row++) {
		assert_non_null(walks[row].walk);
		for (uint32_t from = 0; from <= HA_STATE_MAX; from++) {
			if (!(role_rows[row].from & ROLE_IN(from)))
				continue;
			walk(row, from);
			walked++;
		}
	}
	assert_true(walked > ROLE_N_ROWS + 10);
}

/* --- What no row may do ------------------------------------------------------------------ */

static void a_message_that_is_not_fresh_changes_nothing_but_the_wait(void **state)
{
	static const enum ha_verdict verdicts[] = {HA_COPY, HA_STALE, HA_SECOND, HA_REFLECTED};

	(void)state;
	for (uint32_t s = 0; s <= HA_STATE_MAX; s++) {
		for (uint32_t v = 0; v < 4; v++) {
			for (uint32_t type = 1; type <= HA_MSG_TYPE_MAX; type++) {
				struct role before;

				lab_be(s);
				before = lab.r;
				lab.peer.term = 99;
				lab.peer.type = type;
				lab.peer.state = HA_ACTIVE;
				lab_judged(verdicts[v], true);
				assert_int_equal(lab.out.n, verdicts[v] == HA_STALE);
				before.stale_until_ms = lab.r.stale_until_ms;
				before.peer = lab.r.peer;
				assert_memory_equal(&before, &lab.r, sizeof(before));
			}
		}
	}
}

static void stale_messages_delay_a_takeover_by_one_deadtime_at_most(void **state)
{
	uint64_t from;

	(void)state;
	lab_be(HA_BACKUP);
	from = lab.now;
	while (lab.r.state == HA_BACKUP && lab.now < from + 10000) {
		lab_judged(HA_STALE, false);
		lab_pass(10);
	}
	assert_in_range(lab.now - from, 2 * DEADTIME, 2 * DEADTIME + 10);
	lab_be(HA_BACKUP);
	lab_pass(100);
	lab_judged(HA_STALE, false);
	assert_int_equal(lab.last[ROLE_DO_ANSWER].send.to_sequence, lab.peer.sequence);
	lab_pass(DEADTIME - 1);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_pass(1);
	assert_int_equal(lab.r.state, HA_TAKEOVER);
}

static void overtaken_messages_show_life_and_nothing_else(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer.term = 99;
	lab.peer.type = HA_MSG_STOP;
	lab.peer.state = HA_TAKEOVER;
	lab_pass(DEADTIME);
	lab_judged(HA_FRESH, false);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.r.term, 5);
	assert_true(role_peer_alive(&lab.r, lab.now));
}

static void who_goes_deaf_with_the_silence_takes_nothing_over(void **state)
{
	(void)state;
	/* The last heartbeat, then the last answer, then nothing at all. */
	lab_be(HA_BACKUP);
	lab_pass(KEEPALIVE - 10);
	lab.witnesses = false;
	lab_pass(DEADTIME - KEEPALIVE + 20);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_pass(DEADTIME);
	assert_int_equal(lab.r.state, HA_FAULT);
	assert_int_equal(lab.sent[HA_MSG_STOP], 0);
	/* A witness answers at last. */
	lab_be(HA_BACKUP);
	lab_pass(KEEPALIVE - 10);
	lab.witnesses = false;
	lab_pass(DEADTIME - KEEPALIVE + 20);
	lab_witness(1);
	lab_tick();
	assert_int_equal(lab.r.state, HA_TAKEOVER);
}

static void time_without_listening_does_not_count(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab_pass(DEADTIME - 10);
	lab_late(KEEPALIVE + 1);
	lab_pass(DEADTIME - 1);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_pass(1);
	assert_int_equal(lab.r.state, HA_TAKEOVER);
	/* A tick that comes late says so by itself. */
	lab_be(HA_BACKUP);
	lab.now += 10 * DEADTIME;
	lab_tick();
	assert_int_equal(lab.r.state, HA_BACKUP);
}

static void what_waited_while_the_loop_was_late_makes_nobody_active(void **state)
{
	(void)state;
	lab_be(HA_TAKEOVER);
	lab.now += 3 * KEEPALIVE;
	lab.peer.term = 6;
	lab_hear(HA_MSG_STOP_ACK, HA_FENCED);
	assert_int_equal(lab.r.state, HA_TAKEOVER);
	lab_late(3 * KEEPALIVE);
	assert_int_equal(lab.r.state, HA_BACKUP);
	lab_be(HA_BACKUP);
	lab.now += 3 * KEEPALIVE;
	lab_hear(HA_MSG_HEARTBEAT, HA_FENCED);
	assert_int_equal(lab.r.state, HA_BACKUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_leads_where_the_table_says),
		cmocka_unit_test(a_message_that_is_not_fresh_changes_nothing_but_the_wait),
		cmocka_unit_test(stale_messages_delay_a_takeover_by_one_deadtime_at_most),
		cmocka_unit_test(overtaken_messages_show_life_and_nothing_else),
		cmocka_unit_test(who_goes_deaf_with_the_silence_takes_nothing_over),
		cmocka_unit_test(time_without_listening_does_not_count),
		cmocka_unit_test(what_waited_while_the_loop_was_late_makes_nobody_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
