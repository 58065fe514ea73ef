/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha_lab.h"

#include "base/log.h"

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

static void row_unwatched(void)
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

static void to_commit(void)
{
	lab.peer.handover = lab.r.give.id;
	lab.peer.term = 6;
	lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
	assert_int_equal(lab.count[ROLE_DO_FREEZE], 0);
	lab_flushed();
	assert_int_equal(lab.count[ROLE_DO_FREEZE], 1);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_COMMIT], 0);
	lab_flushed();
	assert_int_equal(lab.last_sent[HA_MSG_HANDOVER_COMMIT].term, 6);
}

static void row_peer_active(void)
{
	to_commit();
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
		to_commit();
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

/* What a row must make the thread do, and what it must not. */
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
	[ROLE_ROW_UNWATCHED] = {row_unwatched, DO(SEND), DO(ACTIVATE)},
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
	/* One answers at last. */
	lab_be(HA_BACKUP);
	lab_pass(KEEPALIVE - 10);
	lab.witnesses = false;
	lab_pass(DEADTIME - KEEPALIVE + 20);
	lab_witness(1);
	lab_tick();
	assert_int_equal(lab.r.state, HA_TAKEOVER);
}

static void time_that_was_not_watched_does_not_count(void **state)
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
	/* It lives, and is no better. */
	lab.peer.ports[0].up = 0;
	lab_ports(1, 0);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	lab_pass(KEEPALIVE);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	/* It is better, but deaf. */
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
	/* Nobody is asked. */
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

/* --- Start, restart, return -------------------------------------------------------------- */

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
	/* It dies on the way. */
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
	/* It does not know yet; or has other servers. */
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
			lab.r.cfg.failback = ROLE_FAILBACK_MANUAL;
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

/* --- Hand-over --------------------------------------------------------------------------- */

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
	to_commit();
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
	/* It stopped before it served again. */
	lab_start();
	role_keep(&lab.r, 5);
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
		role_keep(&lab.r, 5);
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

/* --- Words and numbers ------------------------------------------------------------------- */

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
	char error[128];

	(void)state;
	lab_start();
	assert_int_equal(role_config_check(&lab.cfg, error, sizeof(error)), 0);
	cfg = lab.cfg;
	cfg.deadtime_ms = 152;
	assert_true(role_config_check(&cfg, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "deadtime"));
	cfg = lab.cfg;
	cfg.keepalive_ms = 1;
	assert_true(role_config_check(&cfg, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "keepalive"));
	cfg = lab.cfg;
	cfg.n_paths = 0;
	assert_true(role_config_check(&cfg, error, sizeof(error)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_leads_where_the_table_says),
		cmocka_unit_test(a_message_that_is_not_fresh_changes_nothing_but_the_wait),
		cmocka_unit_test(stale_messages_delay_a_takeover_by_one_deadtime_at_most),
		cmocka_unit_test(overtaken_messages_show_life_and_nothing_else),
		cmocka_unit_test(who_goes_deaf_with_the_silence_takes_nothing_over),
		cmocka_unit_test(time_that_was_not_watched_does_not_count),
		cmocka_unit_test(what_waited_while_the_loop_was_late_makes_nobody_active),
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
		cmocka_unit_test(start_delay_runs_from_ports_and_witnesses),
		cmocka_unit_test(of_two_that_start_together_the_primary_is_active_first),
		cmocka_unit_test(a_restart_is_no_reason_without_the_connections_or_witnesses),
		cmocka_unit_test(of_two_idle_routers_the_better_goes_first),
		cmocka_unit_test(failback_waits_without_interruption_and_asks),
		cmocka_unit_test(failback_waits_for_the_verdicts_of_all_checks),
		cmocka_unit_test(what_each_router_sees_of_the_servers_is_compared),
		cmocka_unit_test(failback_is_not_asked_for_without_reason),
		cmocka_unit_test(failed_failbacks_double_the_delay_and_end_after_the_third),
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
