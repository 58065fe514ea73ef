/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames, witnesses, announcements, claims and lateness, on virtual time and without sockets. */
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
#define MANY 10000

static const struct mac stranger = {{2, 6, 6, 6, 6, 6}};

/* Frames that were sent. */
static struct discovery_packet frames[200000];
static unsigned int n_frames;
static link_id last_link;

/* Each test with addresses runs for both families. */
static uint8_t family = ADDR_V4;

/* 10.1.0.0 or 2001:db8::1:0 plus i. */
static struct addr host(unsigned int i)
{
	struct addr a = {.family = ADDR_V6, .v6 = {0x20, 0x01, 0x0d, 0xb8, [13] = 1}};

	if (family == ADDR_V4)
		return addr_from_v4(be32_from(0x0a010000 + i));
	a.v6[14] = (uint8_t)(i >> 8);
	a.v6[15] = (uint8_t)i;
	a.v6[12] = (uint8_t)(i >> 16);
	return a;
}

static const struct addr *own(void)
{
	static struct addr a;

	a = host(65535);
	return &a;
}

static const struct addr none;

static unsigned int number_of(const struct addr *a)
{
	return family == ADDR_V4 ? be32_to(a->v4) - 0x0a010000
				 : (unsigned int)(a->v6[14] << 8 | a->v6[15]);
}

#define assert_addr(a, want)                                                                       \
	do {                                                                                       \
		const struct addr is_ = (a), want_ = (want);                                       \
		assert_memory_equal(&is_, &want_, sizeof(is_));                                    \
	} while (0)

static int witnesses_list(struct witnesses *w, const struct addr *list, uint32_t n)
{
	return witnesses_set(w, 7, family == ADDR_V4 ? own() : &none,
			     family == ADDR_V6 ? own() : &none, list, n);
}

/* --- the frame ------------------------------------------------------------------------ */

static void a_frame_is_what_the_rfc_says(void **state)
{
	static const uint8_t want[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 6,  6, 6, 6, 6, 8, 6, 0, 1, 8, 0,  6, 4, 0,
		1,    2,    6,	  6,	6,    6,    6, 10, 1, 0, 5, 0, 0, 0, 0, 0, 0, 10, 1, 0, 9};
	const struct discovery_packet p = {.op = DISCOVERY_QUESTION,
					   .dst = discovery_all,
					   .sender_mac = stranger,
					   .sender = host(5),
					   .target = host(9)};
	uint8_t f[DISCOVERY_FRAME_BYTES];
	struct discovery_packet q;

	(void)state;
	assert_int_equal(discovery_format(&p, &stranger, f), sizeof(want));
	assert_memory_equal(f, want, sizeof(want));
	assert_true(discovery_parse(f, sizeof(want), &q));
	assert_addr(q.sender, host(5));
	assert_addr(q.target, host(9));
	assert_false(discovery_parse(f, sizeof(want) - 1, &q));
	for (unsigned int at = 12; at < 20; at++) {
		f[at] ^= 1;
		assert_false(discovery_parse(f, sizeof(want), &q));
		f[at] ^= 1;
	}
	f[21] = 3; /* RARP */
	assert_false(discovery_parse(f, sizeof(want), &q));
}

static void a_solicitation_is_what_the_rfc_says(void **state)
{
	/* For 2001:db8::1:9, from 2001:db8::1:5; the checksum was computed apart. */
	static const uint8_t want[DISCOVERY_FRAME_BYTES] = {
		0x33, 0x33, 0xff, 0x01, 0x00, 0x09, 2,	6,   6, 6, 6, 6, 0x86, 0xdd, /* Ethernet */
		0x6c, 0,    0,	  0,	0,    32,   58, 255,			     /* IPv6 */
		0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	0,   0, 0, 0, 0, 0,    1,    0,
		5,    0xff, 2,	  0,	0,    0,    0,	0,   0, 0, 0, 0, 1,    0xff, 1,
		0,    9,    135,  0,	0x10, 0x01, 0,	0,   0, 0, /* solicitation */
		0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	0,   0, 0, 0, 0, 0,    1,    0,
		9,    1,    1,	  2,	6,    6,    6,	6,   6};
	const struct discovery_packet p = {.op = DISCOVERY_QUESTION,
					   .dst = discovery_all,
					   .sender_mac = stranger,
					   .sender = host(5),
					   .target = host(9)};
	uint8_t f[DISCOVERY_FRAME_BYTES + 8] = {0};
	struct discovery_packet q;

	(void)state;
	assert_int_equal(discovery_format(&p, &stranger, f), sizeof(want));
	assert_memory_equal(f, want, sizeof(want));
	assert_true(discovery_parse(f, sizeof(want), &q));
	assert_int_equal(q.op, DISCOVERY_QUESTION);
	assert_addr(q.sender, host(5));
	assert_addr(q.target, host(9));
	assert_memory_equal(&q.sender_mac, &stranger, 6);
	/* Padding of a short frame is no part of it. */
	assert_true(discovery_parse(f, sizeof(f), &q));
	for (unsigned int n = 0; n < sizeof(want); n++)
		assert_false(discovery_parse(f, n, &q));
	/* Every bit of the ICMPv6 message, and what protects from other links, is checked. */
	for (unsigned int at = 54; at < sizeof(want); at++) {
		f[at] ^= 1;
		assert_false(discovery_parse(f, sizeof(want), &q));
		f[at] ^= 1;
	}
	f[21] = 254; /* hop limit: a router let it pass */
	assert_false(discovery_parse(f, sizeof(want), &q));
}

static void options_of_nd_that_lie_are_refused(void **state)
{
	struct discovery_packet p = {.op = DISCOVERY_ANSWER,
				     .dst = {{2, 1, 1, 1, 1, 1}},
				     .sender_mac = stranger,
				     .sender = host(5),
				     .target = host(9)},
				q;
	uint8_t f[DISCOVERY_FRAME_BYTES];

	(void)state;
	discovery_format(&p, &stranger, f);
	assert_true(discovery_parse(f, sizeof(f), &q));
	assert_true(q.solicited);
	assert_addr(q.sender, host(5));
	assert_addr(q.target, host(9));
	assert_int_equal(f[58] & 0xe0, 0xe0); /* router, solicited, override */
	/* The option's length, with the checksum made good. */
	for (unsigned int len = 0; len < 256; len++) {
		uint16_t sum = (uint16_t)((f[56] << 8 | f[57]) + 1 - len);

		if (len == 1)
			continue;
		if ((f[56] << 8 | f[57]) + 1 < (int)len)
			sum--; /* one's complement */
		f[56] = (uint8_t)(sum >> 8);
		f[57] = (uint8_t)sum;
		f[79] = (uint8_t)len;
		assert_false(discovery_parse(f, sizeof(f), &q));
		discovery_format(&p, &stranger, f);
	}
	/* To all, nobody asked: no answer to a question. */
	p.dst = discovery_all;
	discovery_format(&p, &stranger, f);
	assert_true(discovery_parse(f, sizeof(f), &q));
	assert_false(q.solicited);
	assert_addr(q.target, host(5));
	assert_int_equal(f[58] & 0xe0, 0xa0);
	assert_memory_equal(f, "\x33\x33\0\0\0\1", 6);
}

/* --- witnesses ------------------------------------------------------------------------ */

static void on_ask(void *arg, link_id link, const struct discovery_packet *p)
{
	(void)arg;
	last_link = link;
	frames[n_frames++] = *p;
}

static struct witnesses *witnesses_of(unsigned int n)
{
	const struct witness_ops ops = {on_ask, NULL};
	struct witnesses *w = witnesses_create(&ops);
	struct addr *list = calloc(n, sizeof(*list));

	for (unsigned int i = 0; i < n; i++)
		list[i] = host(i);
	assert_int_equal(witnesses_list(w, list, n), 0);
	free(list);
	n_frames = 0;
	return w;
}

static bool answers(struct witnesses *w, struct addr addr, uint64_t now)
{
	const struct discovery_packet p = {.op = DISCOVERY_ANSWER,
					   .solicited = true,
					   .sender_mac = {{2, 1, 1, 1, 1, 1}},
					   .sender = addr,
					   .target = *own()};

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
	assert_addr(frames[0].sender, *own());
	assert_addr(frames[0].target, host(0)); /* in the order given */
	assert_memory_equal(&frames[0].dst, &discovery_all, 6);
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
	struct discovery_packet p = {.op = DISCOVERY_QUESTION, .sender = host(1), .target = *own()};

	(void)state;
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	p.op = DISCOVERY_ANSWER;
	p.solicited = true;
	p.target = host(2);
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	p.target = *own();
	assert_false(witnesses_heard(w, LINK + 1, &p, 5000));
	p.solicited = false; /* announced to whoever hears */
	assert_false(witnesses_heard(w, LINK, &p, 5000));
	p.solicited = true;
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
			seen[number_of(&frames[i].target)] = true;
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
	assert_int_equal(n_frames, WITNESS_ANSWERING); /* those that answered, by unicast */
	for (unsigned int i = 0; i < n_frames; i++)
		assert_int_equal(frames[i].dst.byte[0], 2);
	witnesses_destroy(w);
}

static void one_that_falls_silent_makes_room(void **state)
{
	struct witnesses *w = witnesses_of(20);
	uint64_t now = 1000;

	(void)state;
	for (unsigned int i = 0; i < WITNESS_ANSWERING; i++)
		answers(w, host(i), now);
	assert_true(answers(w, host(15), now)); /* no room yet */
	for (unsigned int i = 0; i < WITNESS_PATIENCE + 1; i++) {
		witnesses_ask(w, now += 1000);
		for (unsigned int k = 1; k < WITNESS_ANSWERING; k++)
			answers(w, host(k), now);
	}
	assert_int_equal(witnesses_count(w, LINK, now, 200), WITNESS_ANSWERING - 1);
	answers(w, host(15), now);
	assert_int_equal(witnesses_count(w, LINK, now, 200), WITNESS_ANSWERING);
	witnesses_destroy(w);
}

static void another_list_keeps_what_is_known(void **state)
{
	const struct addr list[] = {host(50), host(2), host(51), host(2)};
	struct witnesses *w = witnesses_of(10);

	(void)state;
	answers(w, host(2), 1000);
	answers(w, host(3), 1000);
	assert_int_equal(witnesses_list(w, list, 4), 0);
	assert_int_equal(witnesses_count(w, LINK, 1100, 200), 1);
	n_frames = 0;
	witnesses_ask(w, 1100);
	assert_int_equal(n_frames, 3); /* the double is asked once */
	assert_addr(frames[0].target, host(2));
	assert_int_equal(frames[0].dst.byte[0], 2);
	assert_int_equal(witnesses_list(w, NULL, 0), 0);
	assert_int_equal(witnesses_count_all(w, 1100, 200, NULL), 0);
	witnesses_destroy(w);
}

/* --- announcements -------------------------------------------------------------------- */

/* ARP has two forms of an announcement, ND one. */
static unsigned int forms(void)
{
	return family == ADDR_V4 ? 2 : 1;
}

static int send_answer;

static int on_send(void *arg, link_id link, const struct discovery_packet *p)
{
	(void)arg;
	last_link = link;
	if (send_answer == 0)
		frames[n_frames++] = *p;
	return send_answer;
}

static struct announcer *announcer_of(unsigned int n, const struct ha_announcing *config)
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
	struct announcer *a =
		announcer_of(3, &(struct ha_announcing){.count = 5, .spacing_ms = 200});
	uint64_t now = 1000000;

	(void)state;
	assert_true(announcer_step(a, now) == UINT64_MAX);
	announcer_start(a, now);
	run(a, &now, now + 199000);
	assert_int_equal(n_frames, 3 * forms());
	if (forms() == 2)
		assert_int_equal(frames[0].op, DISCOVERY_QUESTION);
	assert_int_equal(frames[forms() - 1].op, DISCOVERY_ANSWER);
	for (unsigned int i = 0; i < n_frames; i++) {
		assert_addr(frames[i].sender, host(i / forms()));
		assert_addr(frames[i].target, host(i / forms()));
		assert_memory_equal(&frames[i].dst, &discovery_all, 6);
	}
	assert_true(announcer_busy(a));
	run(a, &now, now + 10000000);
	assert_int_equal(n_frames, 15 * forms());
	assert_false(announcer_busy(a));
	assert_true(announcer_step(a, now) == UINT64_MAX);
	announcer_destroy(a);
}

static void ten_thousand_are_paced(void **state)
{
	struct announcer *a =
		announcer_of(MANY, &(struct ha_announcing){.count = 2, .spacing_ms = 200});
	uint64_t now = 1000000;

	(void)state;
	announcer_start(a, now);
	for (unsigned int s = 1; s <= 4 * forms(); s++) {
		run(a, &now, 1000000 + s * 1000000);
		assert_in_range(n_frames, s * 2000 - 40, s * 2000 + 40);
	}
	run(a, &now, now + 20000000);
	assert_int_equal(n_frames, 2 * forms() * MANY);
	announcer_destroy(a);
}

static void a_refresh_comes_while_active_and_an_abort_ends_all(void **state)
{
	struct announcer *a = announcer_of(
		2, &(struct ha_announcing){.count = 1, .spacing_ms = 200, .refresh_s = 60});
	const struct addr one = host(1);
	uint64_t now = 1000000;

	(void)state;
	announcer_start(a, now);
	run(a, &now, now + 59000000);
	assert_int_equal(n_frames, 2 * forms());
	run(a, &now, now + 2000000);
	assert_int_equal(n_frames, 4 * forms());
	announcer_again(a, LINK, &one);
	assert_int_equal(n_frames, 5 * forms());
	announcer_abort(a);
	assert_true(announcer_step(a, now + 100000000) == UINT64_MAX);
	announcer_again(a, LINK, &one);
	assert_int_equal(n_frames, 5 * forms());
	announcer_destroy(a);
}

static void a_full_queue_loses_no_announcement(void **state)
{
	struct announcer *a =
		announcer_of(2, &(struct ha_announcing){.count = 1, .spacing_ms = 200});
	uint64_t now = 1000000;

	(void)state;
	send_answer = -EAGAIN;
	announcer_start(a, now);
	run(a, &now, now + 500000);
	assert_int_equal(n_frames, 0);
	send_answer = 0;
	run(a, &now, now + 500000);
	assert_int_equal(n_frames, 2 * forms());
	announcer_start(a, now);
	send_answer = -ENODEV; /* the interface is gone: no endless try */
	run(a, &now, now + 500000);
	assert_false(announcer_busy(a));
	announcer_destroy(a);
}

/* --- claims --------------------------------------------------------------------------- */

static unsigned int claim(struct claims *c, link_id link, struct addr addr, const struct mac *mac,
			  uint64_t now_ms, const struct claim **out)
{
	return claim_seen(c, link, &addr, mac, now_ms, out);
}

static void a_claim_is_answered_once_a_second_then_less_and_told_after_five(void **state)
{
	static struct claims c;
	const struct claim *k;
	unsigned int announced = 0, told = 0;

	(void)state;
	memset(&c, 0, sizeof(c));
	for (uint64_t ms = 1000; ms < 11000; ms += 10) {
		unsigned int todo = claim(&c, LINK, host(1), &stranger, ms, &k);

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
		announced += claim(&c, LINK, host(1), &stranger, ms, NULL) & CLAIM_ANNOUNCE;
	assert_in_range(announced, 118, 122); /* an hour at one in 30 s */
}

static void a_claim_of_long_ago_is_forgotten_and_addresses_are_apart(void **state)
{
	const struct mac other = {{2, 5, 5, 5, 5, 5}};
	static struct claims c;

	(void)state;
	memset(&c, 0, sizeof(c));
	for (unsigned int i = 0; i < 4; i++)
		claim(&c, LINK, host(1), &stranger, 1000 + i, NULL);
	assert_int_equal(claim(&c, LINK, host(1), &other, 1005, NULL), 0);
	assert_int_equal(claim(&c, LINK, host(2), &other, 1005, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim(&c, LINK + 1, host(1), &other, 1005, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim(&c, LINK, host(1), &stranger, 500000, NULL), CLAIM_ANNOUNCE);
	assert_int_equal(claim(&c, LINK, host(1), &stranger, 500999, NULL), 0);
	for (unsigned int i = 0; i < 100000; i++) /* bounded, whatever comes */
		claim(&c, LINK, host(i), &stranger, 600000 + i, NULL);
	assert_int_equal(c.n, CLAIMS_MAX);
}

/* --- lateness ------------------------------------------------------------------------- */

static void a_late_loop_and_a_worker_that_stands_still_are_seen(void **state)
{
	uint64_t worker = 0, link = 0, now = 1000000;
	struct late l;

	(void)state;
	late_init(&l, 10000, now);
	assert_true(late_thread_add(&l, &worker, false, now));
	assert_true(late_thread_add(&l, &link, true, now));
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

static int start6(void **state)
{
	(void)state;
	family = ADDR_V6;
	return 0;
}

static int end6(void **state)
{
	(void)state;
	family = ADDR_V4;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define P6(f) {#f " (IPv6)", f, start6, end6, NULL}
#define P(f)  cmocka_unit_test(f), P6(f)
		cmocka_unit_test(a_frame_is_what_the_rfc_says),
		P6(a_solicitation_is_what_the_rfc_says),
		P6(options_of_nd_that_lie_are_refused),
		P(a_few_witnesses_are_all_asked_and_counted_within_deadtime),
		P(only_an_answer_to_our_question_counts),
		P(ten_thousand_cost_no_more_than_eight),
		P(one_that_falls_silent_makes_room),
		P(another_list_keeps_what_is_known),
		P(every_address_is_announced_in_both_forms_five_times),
		P(ten_thousand_are_paced),
		P(a_refresh_comes_while_active_and_an_abort_ends_all),
		P(a_full_queue_loses_no_announcement),
		P(a_claim_is_answered_once_a_second_then_less_and_told_after_five),
		P(a_claim_of_long_ago_is_forgotten_and_addresses_are_apart),
		cmocka_unit_test(a_late_loop_and_a_worker_that_stands_still_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
