/* SPDX-License-Identifier: BSD-3-Clause */
/* Versions of the configuration in the role machine, and its alarms. */
#include <errno.h>

#include "ha_lab.h"

static struct version mine, peers;

static struct version_id id_of(uint8_t n)
{
	return (struct version_id){{n, 1}};
}

static struct version child(const struct version *parent, uint8_t n)
{
	const uint8_t digest[VERSION_DIGEST_BYTES] = {n};
	const struct version_id id = id_of(n);
	struct version v;

	version_child(parent, &id, digest, NULL, &v);
	return v;
}

static void lab_version(void)
{
	struct role_event ev = {.type = ROLE_SYNC,
				.sync = {.synchronised = true,
					 .verdicts = true,
					 .servers = 4,
					 .servers_up = 4,
					 .version = &mine}};

	memcpy(ev.sync.config_digest, mine.digest, HA_DIGEST_BYTES);
	lab_step(&ev);
}

static void lab_unbound(uint32_t n)
{
	struct role_event ev = {.type = ROLE_SYNC,
				.sync = {.synchronised = true,
					 .verdicts = true,
					 .servers = 4,
					 .servers_up = 4,
					 .unbound = n}};

	lab_step(&ev);
}

/* The peer says its version, and what it makes of the one here. */
static void peer_says(void)
{
	lab.peer.version = (struct version_word){.id = peers.id, .judged = mine.id};
	lab.peer.version.judgement = version_judge(&peers, &mine.id);
	memcpy(lab.peer.version.digest, peers.digest, VERSION_DIGEST_BYTES);
	memcpy(lab.peer.config_digest, peers.digest, HA_DIGEST_BYTES);
	lab_hear(HA_MSG_HEARTBEAT, lab.peer.state);
}

static void be(enum ha_state state, enum version_relation relation)
{
	struct version root = {.id = id_of(1), .digest = {1}};

	lab_be(state);
	mine = peers = root;
	if (relation == VERSION_PEER_OLDER || relation == VERSION_DIVERGED)
		mine = child(&root, 2);
	if (relation == VERSION_PEER_NEWER || relation == VERSION_DIVERGED)
		peers = child(&root, 3);
	lab_version();
	peer_says();
	assert_int_equal(lab.r.peer.relation, relation);
	lab_forget();
}

static bool alarm_of(const char *word)
{
	char text[ROLE_ALARM_LEN];

	role_alarm(&lab.r, lab.now, text, sizeof(text));
	return strstr(text, word) != NULL;
}

static void a_hand_over_needs_one_configuration(void **state)
{
	static const enum version_relation others[] = {VERSION_PEER_OLDER, VERSION_PEER_NEWER,
						       VERSION_DIVERGED};

	(void)state;
	be(HA_ACTIVE, VERSION_EQUAL);
	lab_command(ROLE_CMD_HANDOVER, false);
	assert_int_equal(lab.r.state, HA_HANDOVER);
	for (size_t i = 0; i < 3; i++) {
		be(HA_ACTIVE, others[i]);
		lab_command(ROLE_CMD_HANDOVER, false);
		assert_int_equal(lab.r.state, HA_ACTIVE);
		assert_int_equal(lab.last[ROLE_DO_REPLY].rc, -EAGAIN);
		assert_non_null(strstr(lab.last[ROLE_DO_REPLY].text, "configurations"));
		/* Nor on request of the peer. */
		lab_hear(HA_MSG_HANDOVER_REQUEST, HA_BACKUP);
		assert_int_equal(lab.r.state, HA_ACTIVE);
		assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_CONFIGURATION);
		/* A person may. */
		lab_command(ROLE_CMD_HANDOVER, true);
		assert_int_equal(lab.r.state, HA_HANDOVER);
	}
}

static void an_offer_of_another_configuration_is_refused(void **state)
{
	(void)state;
	be(HA_BACKUP, VERSION_DIVERGED);
	lab.peer.term = 6;
	lab.peer.handover = 9;
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_CONFIGURATION);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_READY], 0);
}

static void failback_waits_for_one_configuration(void **state)
{
	(void)state;
	be(HA_BACKUP, VERSION_DIVERGED);
	lab.peer_speaks = true;
	lab_pass(2 * lab.cfg.failback_delay_ms);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_REQUEST], 0);
	assert_non_null(strstr(role_failback_waits(&lab.r, lab.now), "diverged"));
	assert_true(alarm_of("diverged"));
	mine = peers;
	lab_version();
	peer_says();
	assert_false(alarm_of("diverged"));
	lab_pass(lab.cfg.failback_delay_ms + 100);
	assert_true(lab.sent[HA_MSG_HANDOVER_REQUEST] > 0);
}

static void a_takeover_happens_all_the_same_and_says_so(void **state)
{
	(void)state;
	be(HA_BACKUP, VERSION_DIVERGED);
	lab_pass(2 * DEADTIME);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_non_null(strstr(lab.r.reason, "its configuration is another one"));
}

static void
a_process_that_ends_hands_over_to_an_older_version_but_not_to_a_strange_one(void **state)
{
	(void)state;
	be(HA_ACTIVE, VERSION_PEER_OLDER);
	lab_command(ROLE_CMD_STOP, false);
	assert_int_equal(lab.r.state, HA_HANDOVER);
	be(HA_ACTIVE, VERSION_DIVERGED);
	lab_command(ROLE_CMD_STOP, false);
	assert_int_equal(lab.r.state, HA_FENCED);
}

static void connections_of_services_unknown_to_the_backup_hinder_a_hand_over(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer.unbound = 100;
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	lab_command(ROLE_CMD_HANDOVER, false);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_int_equal(lab.last[ROLE_DO_REPLY].rc, -EAGAIN);
	assert_non_null(strstr(lab.last[ROLE_DO_REPLY].text, "100 connections"));
	lab_command(ROLE_CMD_HANDOVER, true);
	assert_int_equal(lab.r.state, HA_HANDOVER);
	assert_non_null(strstr(lab.last[ROLE_DO_REPLY].text, "100 connections"));
}

static void a_backup_with_unknown_services_does_not_say_that_it_holds_all(void **state)
{
	struct ha_message msg = {0};
	char text[2048];

	(void)state;
	lab_be(HA_BACKUP);
	lab_unbound(7);
	role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &msg);
	assert_int_equal(msg.flags & HA_FLAG_SYNCHRONISED, 0);
	assert_int_equal(msg.unbound, 7);
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(strstr(text, "but for 7"));
	lab_command(ROLE_CMD_HANDOVER, false);
	assert_int_equal(lab.last[ROLE_DO_REPLY].rc, -EAGAIN);
	lab.peer.term = 6;
	lab_hear(HA_MSG_HANDOVER_PREPARE, HA_HANDOVER);
	assert_int_equal(lab.last_sent[HA_MSG_REFUSED].reason, HA_REASON_NOT_SYNCHRONISED);
	lab_unbound(0);
	role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &msg);
	assert_int_equal(msg.flags & HA_FLAG_SYNCHRONISED, HA_FLAG_SYNCHRONISED);
}

/* A router of before versions: what its digest says is all there is. */
static void a_peer_without_versions_is_handed_over_to(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	mine = (struct version){.id = id_of(1), .digest = {1}};
	lab_version();
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_int_equal(lab.r.peer.relation, VERSION_NONE);
	assert_true(role_configuration_differs(&lab.r));
	lab_command(ROLE_CMD_HANDOVER, false);
	assert_int_equal(lab.r.state, HA_HANDOVER);
}

static void an_old_state_is_shown_as_old(void **state)
{
	char text[2048];

	(void)state;
	lab_be(HA_ACTIVE);
	lab.now += 6100;
	role_explain(&lab.r, lab.now, text, sizeof(text));
	assert_non_null(
		strstr(text, "The peer was backup under term 5 when last heard, 6.1 s ago"));
}

static void claim(void)
{
	const struct role_event ev = {.type = ROLE_CLAIM};

	lab_step(&ev);
}

static void a_claim_by_an_unheard_peer_is_an_alarm_and_nothing_else(void **state)
{
	(void)state;
	lab_be(HA_ACTIVE);
	claim(); /* it is heard: a conflict is settled by messages */
	assert_false(alarm_of("both routers are active"));
	lab_pass(2 * DEADTIME);
	lab_forget();
	claim();
	assert_true(alarm_of("both routers are active"));
	lab_pass(100);
	assert_int_equal(lab.r.state, HA_ACTIVE);
	assert_true(lab.count[ROLE_DO_LOG] > 0);
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_false(alarm_of("both routers are active"));
	lab_be(HA_BACKUP);
	lab.now += 3 * DEADTIME;
	claim();
	assert_false(alarm_of("both routers are active"));
}

/* The peer that restarts is a second session for a deadtime at most. */
static void a_second_session_is_an_alarm_when_it_stays(void **state)
{
	struct ha_message msg = {0};

	(void)state;
	lab_be(HA_ACTIVE);
	lab.peer_speaks = true;
	for (uint32_t i = 0; i < 6; i++) {
		lab_judged(HA_SECOND, false);
		assert_false(alarm_of("two routers"));
		lab_pass(KEEPALIVE);
	}
	lab_judged(HA_SECOND, false);
	assert_true(alarm_of("two routers"));
	role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &msg);
	assert_true(msg.hears_second);
	lab_pass(ROLE_SECOND_HOLD_MS);
	assert_false(alarm_of("two routers"));
	lab.peer.hears_second = true;
	lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
	assert_true(alarm_of("another router that says"));
	assert_int_equal(lab.r.state, HA_ACTIVE);
}

static void a_term_grows_by_a_bounded_step(void **state)
{
	(void)state;
	lab_be(HA_BACKUP);
	lab.peer.term = 5 + ROLE_TERM_STEP;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_int_equal(lab.r.term, 5 + ROLE_TERM_STEP);
	lab.peer.term = UINT64_C(1) << 47;
	lab_hear(HA_MSG_STOP, HA_TAKEOVER);
	assert_int_equal(lab.r.term, 5 + ROLE_TERM_STEP);
	assert_true(alarm_of("a term that cannot be"));
	lab.peer.term = 6 + ROLE_TERM_STEP;
	lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
	assert_false(alarm_of("a term that cannot be"));
}

/* The only VIP link of the lab is the first by its name: bit 0. */
static void a_link_that_is_dead_here_and_answers_the_peer_is_given_up(void **state)
{
	struct ha_message msg = {0};

	(void)state;
	/* The fourth time the peer's words are old when they come. */
	for (uint8_t round = 0; round < 4; round++) {
		const uint8_t bits = round < 3 ? round : 1;

		lab_be(HA_ACTIVE);
		lab.under_way_ms = round < 3 ? 0 : DEADTIME + 1;
		lab.peer.flags |= HA_FLAG_MISSES;
		lab.peer.links_answer = bits;
		lab.peer_speaks = true;
		lab_pass(DEADTIME / 2);
		role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &msg);
		assert_int_equal(msg.links_answer, 1);
		lab.witnesses = false;
		lab_pass(DEADTIME + 2 * KEEPALIVE);
		role_fill(&lab.r, &(struct role_send){.type = HA_MSG_HEARTBEAT}, lab.now, &msg);
		assert_int_equal(msg.links_answer, 0);
		if (round == 1) {
			assert_int_equal(lab.r.rows[ROLE_ROW_HEARS_LESS], 1);
			assert_non_null(strstr(lab.last[ROLE_DO_NOTIFY].text, "crosses public"));
		} else {
			assert_int_equal(lab.r.state, HA_ACTIVE);
		}
	}
}

static void a_new_version_is_said_at_once(void **state)
{
	(void)state;
	be(HA_ACTIVE, VERSION_EQUAL);
	mine = child(&mine, 5);
	lab_version();
	assert_int_equal(lab.sent[HA_MSG_HEARTBEAT], 1);
	lab_version();
	assert_int_equal(lab.sent[HA_MSG_HEARTBEAT], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hand_over_needs_one_configuration),
		cmocka_unit_test(an_offer_of_another_configuration_is_refused),
		cmocka_unit_test(failback_waits_for_one_configuration),
		cmocka_unit_test(a_takeover_happens_all_the_same_and_says_so),
		cmocka_unit_test(
			a_process_that_ends_hands_over_to_an_older_version_but_not_to_a_strange_one),
		cmocka_unit_test(connections_of_services_unknown_to_the_backup_hinder_a_hand_over),
		cmocka_unit_test(a_backup_with_unknown_services_does_not_say_that_it_holds_all),
		cmocka_unit_test(a_peer_without_versions_is_handed_over_to),
		cmocka_unit_test(an_old_state_is_shown_as_old),
		cmocka_unit_test(a_new_version_is_said_at_once),
		cmocka_unit_test(a_claim_by_an_unheard_peer_is_an_alarm_and_nothing_else),
		cmocka_unit_test(a_second_session_is_an_alarm_when_it_stays),
		cmocka_unit_test(a_term_grows_by_a_bounded_step),
		cmocka_unit_test(a_link_that_is_dead_here_and_answers_the_peer_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
