/* SPDX-License-Identifier: BSD-3-Clause */
/* Witnesses, announcements, claims and lateness, on virtual time and without sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ha/net/announce.h"
#include "ha/net/claim.h"
#include "ha/loop_stall.h"
#include "ha/net/witness.h"

#define LINK 7
#define OWN  be32_from(0x0a000001)
#define MANY 10000

static const struct mac stranger = {{2, 6, 6, 6, 6, 6}};

/* What was sent. */
static struct arp_packet frames[200000];
static unsigned int n_frames;
static link_id last_link;

static be32 host(unsigned int i)
{
	return be32_from(0x0a010000 + i);
}

/* --- the frame ------------------------------------------------------------------------ */

static void a_frame_is_what_the_rfc_says(void **state)
{
	static const uint8_t want[ARP_FRAME_BYTES] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 6,  6, 6, 6, 6, 8, 6, 0, 1, 8, 0,  6, 4, 0,
		1,    2,    6,	  6,	6,    6,    6, 10, 1, 0, 5, 0, 0, 0, 0, 0, 0, 10, 1, 0, 9};
	const struct arp_packet p = {.op = ARP_REQUEST,
				     .dst = arp_broadcast,
				     .sender_mac = stranger,
				     .sender = host(5),
				     .target = host(9)};
	uint8_t f[ARP_FRAME_BYTES];
	struct arp_packet q;

	(void)state;
	arp_format(&p, &stranger, f);
	assert_memory_equal(f, want, sizeof(f));
	assert_true(arp_parse(f, sizeof(f), &q));
	assert_int_equal(q.sender, host(5));
	assert_int_equal(q.target, host(9));
	assert_false(arp_parse(f, sizeof(f) - 1, &q));
	for (unsigned int at = 12; at < 20; at++) {
		f[at] ^= 1;
		assert_false(arp_parse(f, sizeof(f), &q));
		f[at] ^= 1;
	}
	f[21] = 3; /* RARP */
	assert_false(arp_parse(f, sizeof(f), &q));
}

/* --- witnesses ------------------------------------------------------------------------ */

static void on_ask(void *arg, link_id link, const struct arp_packet *p)
{
	(void)arg;
	last_link = link;
	frames[n_frames++] = *p;
}

static struct witnesses *witnesses_of(unsigned int n)
{
	const struct witness_ops ops = {on_ask, NULL};
	struct witnesses *w = witnesses_create(&ops);
	be32 *list = calloc(n, sizeof(*list));

	for (unsigned int i = 0; i < n; i++)
		list[i] = host(i);
	assert_int_equal(witnesses_set(w, LINK, OWN, list, n), 0);
	free(list);
	n_frames = 0;
	return w;
}

static bool answers(struct witnesses *w, be32 addr, uint64_t now)
{
	const struct arp_packet p = {
		.op = ARP_REPLY, .sender_mac = {{2, 1, 1, 1, 1, 1}}, .sender = addr, .target = OWN};

	return witnesses_heard(w, LINK, &p, now);
}

static void a_few_witnesses_are_all_asked_and_counted_within_deadtime(void **state)
{
	struct witnesses *w = witnesses_of(3);
	uint32_t deaf;

	(void)state;
	witnesses_ask(w, 1000);
	assert_int_equal(n_frames, 3);
	assert_int_equal(last_link, LINK);
	assert_int_equal(frames[0].sender, OWN);
	assert_int_equal(frames[0].target, host(0)); /* in the order given */
	assert_memory_equal(&frames[0].dst, &arp_broadcast, 6);
	assert_int_equal(witnesses_count_all(w, 1000, 200, &deaf), 0);
	assert_int_equal(deaf, 1);
	assert_true(answers(w, host(1), 1010));
	assert_true(answers(w, host(1), 1011));
	assert_true(answers(w, host(2), 1012));
	assert_int_equal(witnesses_count(w, LINK, 1211, 200), 2);
	assert_int_equal(witnesses_count(w, LINK, 1212, 200), 1);
	assert_int_equal(witnesses_count(w, LINK, 1213, 200), 0);
	assert_int_equal(witnesses_count(w, LINK + 1, 1020, 200), 0);
	witnesses_forget(w);
	assert_int_equal(witnesses_count(w, LINK, 1020, 200), 0);
	witnesses_destroy(w);
}

static void only_an_answer_to_our_question_counts(void **state)
{
	struct witnesses *w = witnesses_of(3);
	struct arp_packet p = {.op = ARP_REQUEST, .sender = host(1), .target = OWN};

	(void)state;
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	p.op = ARP_REPLY;
	p.target = host(2);
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	p.target = OWN;
	assert_false(witnesses_heard(w, LINK + 1, &p, 5000));
	p.sender = host(77);
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	assert_int_equal(witnesses_count(w, LINK, 5000, 200), 0);
	witnesses_destroy(w);
}

static void ten_thousand_cost_no_more_than_eight(void **state)
{
	struct witnesses *w = witnesses_of(MANY);
	bool seen[MANY] = {false};
	unsigned int n = 0;

	(void)state;
	for (unsigned int round = 0; round < MANY / WITNESS_ASKED; round++) {
		n_frames = 0;
		witnesses_ask(w, 1000 + 50 * round);
		assert_int_equal(n_frames, WITNESS_ASKED);
		for (unsigned int i = 0; i < n_frames; i++)
			seen[be32_to(frames[i].target) - 0x0a010000] = true;
	}
	for (unsigned int i = 0; i < MANY; i++)
		n += seen[i];
	assert_int_equal(n, MANY); /* each had its turn */
	for (unsigned int i = 0; i < 20; i++)
		assert_true(answers(w, host(100 + i), 1000000));
	n_frames = 0;
	witnesses_ask(w, 1000050);
	assert_int_equal(n_frames, WITNESS_ASKED); /* others are due */
	n_frames = 0;
	witnesses_ask(w, 1000100);
	assert_int_equal(n_frames, WITNESS_KEPT); /* those that answered, by unicast */
	for (unsigned int i = 0; i < n_frames; i++)
		assert_int_equal(frames[i].dst.byte[0], 2);
	witnesses_destroy(w);
}

static void one_that_falls_silent_makes_room(void **state)
{
	struct witnesses *w = witnesses_of(20);
	uint64_t now = 1000;

	(void)state;
	for (unsigned int i = 0; i < WITNESS_KEPT; i++)
		answers(w, host(i), now);
	assert_true(answers(w, host(15), now)); /* no room yet */
	for (unsigned int i = 0; i < WITNESS_PATIENCE + 1; i++) {
		witnesses_ask(w, now += 1000);
		for (unsigned int k = 1; k < WITNESS_KEPT; k++)
			answers(w, host(k), now);
	}
	assert_int_equal(witnesses_count(w, LINK, now, 200), WITNESS_KEPT - 1);
	answers(w, host(15), now);
	assert_int_equal(witnesses_count(w, LINK, now, 200), WITNESS_KEPT);
	witnesses_destroy(w);
}

static void another_list_keeps_what_is_known(void **state)
{
	const be32 list[] = {host(50), host(2), host(51), host(2)};
	struct witnesses *w = witnesses_of(10);

	(void)state;
	answers(w, host(2), 1000);
	answers(w, host(3), 1000);
	assert_int_equal(witnesses_set(w, LINK, OWN, list, 4), 0);
	assert_int_equal(witnesses_count(w, LINK, 1100, 200), 1);
	n_frames = 0;
	witnesses_ask(w, 1100);
	assert_int_equal(n_frames, 3); /* the double is asked once */
	assert_int_equal(frames[0].target, host(2));
	assert_int_equal(frames[0].dst.byte[0], 2);
	assert_int_equal(witnesses_set(w, LINK, OWN, NULL, 0), 0);
	assert_int_equal(witnesses_count_all(w, 1100, 200, NULL), 0);
	witnesses_destroy(w);
}

/* --- announcements -------------------------------------------------------------------- */

static int send_answer;

static int on_send(void *arg, link_id link, const struct arp_packet *p)
{
	(void)arg;
	last_link = link;
	if (send_answer == 0)
		frames[n_frames++] = *p;
	return send_answer;
}

static struct announcer *announcer_of(unsigned int n, const struct announce_config *config)
{
	const struct announce_ops ops = {on_send, NULL};
	struct announcer *a = announcer_create(config, &ops);
	struct announce_item *list = calloc(n, sizeof(*list));

	for (unsigned int i = 0; i < n; i++)
		list[i] = (struct announce_item){LINK, host(i)};
	assert_int_equal(announcer_set(a, list, n), 0);
	free(list);
	n_frames = 0;
	send_answer = 0;
	return a;
}

/* As the loop would, up to a time. */
static void run(struct announcer *a, uint64_t *now, uint64_t until)
{
	for (;;) {
		uint64_t due = announcer_step(a, *now);

		assert_true(due > *now);
		if (due > until)
			break;
		*now = due;
	}
	*now = until;
}

static void every_address_is_announced_in_both_forms_five_times(void **state)
{
	struct announcer *a = announcer_of(3, &(struct announce_config){0});
	uint64_t now = 1000000;

	(void)state;
	assert_true(announcer_step(a, now) == UINT64_MAX);
	announcer_start(a, now);
	run(a, &now, now + 199000);
	assert_int_equal(n_frames, 6);
	assert_int_equal(frames[0].op, ARP_REQUEST);
	assert_int_equal(frames[1].op, ARP_REPLY);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(frames[i].sender, host(i / 2));
		assert_int_equal(frames[i].target, host(i / 2));
		assert_memory_equal(&frames[i].dst, &arp_broadcast, 6);
	}
	assert_true(announcer_busy(a));
	run(a, &now, now + 10000000);
	assert_int_equal(n_frames, 30);
	assert_false(announcer_busy(a));
	assert_true(announcer_step(a, now) == UINT64_MAX);
	announcer_destroy(a);
}

static void ten_thousand_are_paced(void **state)
{
	struct announcer *a = announcer_of(MANY, &(struct announce_config){.count = 2});
	uint64_t now = 1000000;

	(void)state;
	announcer_start(a, now);
	for (unsigned int s = 1; s <= 9; s++) {
		run(a, &now, 1000000 + s * 1000000);
		assert_in_range(n_frames, s * 2000 - 40, s * 2000 + 40);
	}
	run(a, &now, now + 20000000);
	assert_int_equal(n_frames, 4 * MANY);
	announcer_destroy(a);
}

static void a_refresh_comes_while_active_and_an_abort_ends_all(void **state)
{
	struct announcer *a =
		announcer_of(2, &(struct announce_config){.count = 1, .refresh_ms = 60000});
	uint64_t now = 1000000;

	(void)state;
	announcer_start(a, now);
	run(a, &now, now + 59000000);
	assert_int_equal(n_frames, 4);
	run(a, &now, now + 2000000);
	assert_int_equal(n_frames, 8);
	announcer_again(a, LINK, host(1));
	assert_int_equal(n_frames, 10);
	announcer_abort(a);
	assert_true(announcer_step(a, now + 100000000) == UINT64_MAX);
	announcer_again(a, LINK, host(1));
	assert_int_equal(n_frames, 10);
	announcer_destroy(a);
}

static void a_full_queue_loses_no_announcement(void **state)
{
	struct announcer *a = announcer_of(2, &(struct announce_config){.count = 1});
	uint64_t now = 1000000;

	(void)state;
	send_answer = -EAGAIN;
	announcer_start(a, now);
	run(a, &now, now + 500000);
	assert_int_equal(n_frames, 0);
	send_answer = 0;
	run(a, &now, now + 500000);
	assert_int_equal(n_frames, 4);
	announcer_start(a, now);
	send_answer = -ENODEV; /* the interface is gone: no endless try */
	run(a, &now, now + 500000);
	assert_false(announcer_busy(a));
	announcer_destroy(a);
}

/* --- claims --------------------------------------------------------------------------- */

static void a_claim_is_answered_once_a_second_then_less_and_told_after_five(void **state)
{
	static struct claims c;
	const struct claim *k;
	unsigned int announced = 0, told = 0;

	(void)state;
	for (uint64_t ms = 1000; ms < 11000; ms += 10) {
		unsigned int todo = claim_seen(&c, LINK, host(1), &stranger, ms, &k);

		announced += (todo & CLAIM_ANNOUNCE) != 0;
		if (todo & CLAIM_TELL) {
			told++;
			assert_int_equal(ms, 1040);
			assert_memory_equal(&k->mac, &stranger, 6);
		}
	}
	assert_int_equal(announced, 4); /* at 0, 1, 3, 7 s */
	assert_int_equal(told, 1);
	announced = 0;
	for (uint64_t ms = 11000; ms < 3611000; ms += 100)
		announced += claim_seen(&c, LINK, host(1), &stranger, ms, NULL) & CLAIM_ANNOUNCE;
	assert_in_range(announced, 118, 122); /* an hour at one in 30 s */
}

static void a_claim_of_long_ago_is_forgotten_and_addresses_are_apart(void **state)
{
	const struct mac other = {{2, 5, 5, 5, 5, 5}};
	static struct claims c;

	(void)state;
	memset(&c, 0, sizeof(c));
	for (unsigned int i = 0; i < 4; i++)
		claim_seen(&c, LINK, host(1), &stranger, 1000 + i, NULL);
	assert_int_equal(claim_seen(&c, LINK, host(1), &other, 1005, NULL), 0);
	assert_int_equal(claim_seen(&c, LINK, host(2), &other, 1005, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim_seen(&c, LINK + 1, host(1), &other, 1005, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim_seen(&c, LINK, host(1), &stranger, 500000, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim_seen(&c, LINK, host(1), &stranger, 500999, NULL), 0);
	for (unsigned int i = 0; i < 100000; i++) /* bounded, whatever comes */
		claim_seen(&c, LINK, host(i), &stranger, 600000 + i, NULL);
	assert_int_equal(c.n, CLAIMS_MAX);
}

/* --- lateness ------------------------------------------------------------------------- */

static void a_late_loop_and_a_worker_that_stands_still_are_seen(void **state)
{
	uint64_t worker = 0, link = 0, now = 1000000;
	struct late l;

	(void)state;
	late_init(&l, 10000, now);
	assert_true(late_watch(&l, &worker, false, now));
	assert_true(late_watch(&l, &link, true, now));
	for (unsigned int i = 0; i < 100; i++) {
		worker++;
		assert_int_equal(late_measure(&l, now += 10000), 0);
	}
	worker++;
	assert_int_equal(late_measure(&l, now += 10300), 300);
	worker++;
	assert_int_equal(late_measure(&l, now += 260000), 250000); /* SIGSTOP */
	for (unsigned int i = 1; i <= 5; i++)			   /* the worker lost its CPU */
		assert_int_equal(late_measure(&l, now += 10000), (i - 1) * 10000);
	worker++;
	assert_int_equal(late_measure(&l, now += 10000), 0);
	late_wanted(&l, now); /* a heartbeat was sent: link must wake */
	worker++;
	assert_int_equal(late_measure(&l, now += 10000), 0);
	late_wanted(&l, now);
	worker++;
	assert_int_equal(late_measure(&l, now += 10000), 10000);
	link++;
	worker++;
	assert_int_equal(late_measure(&l, now += 10000), 0);
	worker++;
	assert_int_equal(late_measure(&l, now += 10000), 0); /* nothing is wanted of it */
	assert_int_equal(late_worst(&l), 250000);
	assert_int_equal(late_worst(&l), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_what_the_rfc_says),
		cmocka_unit_test(a_few_witnesses_are_all_asked_and_counted_within_deadtime),
		cmocka_unit_test(only_an_answer_to_our_question_counts),
		cmocka_unit_test(ten_thousand_cost_no_more_than_eight),
		cmocka_unit_test(one_that_falls_silent_makes_room),
		cmocka_unit_test(another_list_keeps_what_is_known),
		cmocka_unit_test(every_address_is_announced_in_both_forms_five_times),
		cmocka_unit_test(ten_thousand_are_paced),
		cmocka_unit_test(a_refresh_comes_while_active_and_an_abort_ends_all),
		cmocka_unit_test(a_full_queue_loses_no_announcement),
		cmocka_unit_test(a_claim_is_answered_once_a_second_then_less_and_told_after_five),
		cmocka_unit_test(a_claim_of_long_ago_is_forgotten_and_addresses_are_apart),
		cmocka_unit_test(a_late_loop_and_a_worker_that_stands_still_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
