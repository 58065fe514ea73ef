/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of bytes between two routers, over a network in virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/wire/bulk.h"

#define IN_FLIGHT 4096

struct datagram {
	uint64_t due_ms;
	int to;
	size_t len;
	uint8_t bytes[HA_PAYLOAD_MAX];
};

struct side {
	struct bulk bulk;
	int number;
	uint8_t *got;
	size_t got_len;
	uint32_t n_got, n_sent;
	int rc;
};

static struct net {
	struct datagram *v;
	uint32_t n;
	uint64_t now_ms, random;
	uint32_t loss_percent, twice_percent, jitter_ms;
	struct side side[2];
} net;

static uint32_t draw(uint32_t below)
{
	net.random ^= net.random << 13;
	net.random ^= net.random >> 7;
	net.random ^= net.random << 17;
	return (uint32_t)(net.random >> 32) % below;
}

static void put(int to, const void *payload, size_t len)
{
	struct datagram *d;

	if (net.n == IN_FLIGHT)
		return;
	d = &net.v[net.n++];
	d->to = to;
	d->len = len;
	d->due_ms = net.now_ms + 1 + draw(net.jitter_ms + 1);
	memcpy(d->bytes, payload, len);
}

static void on_send(void *arg, const void *payload, size_t len)
{
	struct side *s = arg;

	if (draw(100) >= net.loss_percent)
		put(!s->number, payload, len);
	if (draw(100) < net.twice_percent)
		put(!s->number, payload, len);
}

static void on_received(void *arg, enum bulk_kind kind, uint32_t id, const uint8_t *bytes,
			size_t len)
{
	struct side *s = arg;

	(void)kind;
	(void)id;
	s->n_got++;
	free(s->got);
	s->got = malloc(len);
	assert_non_null(s->got);
	memcpy(s->got, bytes, len);
	s->got_len = len;
}

static void on_sent(void *arg, enum bulk_kind kind, uint32_t id, int rc)
{
	struct side *s = arg;

	(void)kind;
	(void)id;
	s->n_sent++;
	s->rc = rc;
}

static void deliver(void)
{
	for (uint32_t i = 0; i < net.n;) {
		struct datagram d;

		if (net.v[i].due_ms > net.now_ms) {
			i++;
			continue;
		}
		d = net.v[i];
		net.v[i] = net.v[--net.n];
		assert_int_equal(bulk_receive(&net.side[d.to].bulk, d.bytes, d.len, net.now_ms), 0);
	}
}

static void run(uint32_t ms)
{
	for (uint64_t end = net.now_ms + ms; net.now_ms < end; net.now_ms++) {
		deliver();
		if (net.now_ms % 10 == 0)
			for (int i = 0; i < 2; i++)
				bulk_tick(&net.side[i].bulk, net.now_ms);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	net.v = calloc(IN_FLIGHT, sizeof(*net.v));
	net.random = 0x9e3779b97f4a7c15ULL;
	net.now_ms = 1000;
	for (int i = 0; i < 2; i++) {
		net.side[i].number = i;
		net.side[i].bulk = (struct bulk){.send = on_send,
						 .received = on_received,
						 .sent = on_sent,
						 .arg = &net.side[i]};
	}
	return net.v ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		bulk_fini(&net.side[i].bulk);
		free(net.side[i].got);
	}
	free(net.v);
	return 0;
}

static uint8_t *block_make(size_t len)
{
	uint8_t *b = malloc(len);

	assert_non_null(b);
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)draw(256);
	return b;
}

static void blocks_cross_whole_and_once_both_ways_over_a_bad_network(void **state)
{
	static const size_t sizes[] = {1, BULK_CHUNK, BULK_CHUNK + 1, 2000000};

	(void)state;
	net.loss_percent = 20;
	net.twice_percent = 10;
	net.jitter_ms = 20;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *there = block_make(sizes[i]), *back = block_make(sizes[i]);

		assert_true(bulk_start(&net.side[0].bulk, BULK_REQUEST, 0, there, sizes[i],
				       net.now_ms) > 0);
		assert_true(bulk_start(&net.side[1].bulk, BULK_ANSWER, 77, back, sizes[i],
				       net.now_ms) == 77);
		for (int k = 0; k < 100 && bulk_busy(&net.side[0].bulk); k++)
			run(1000);
		run(1000);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(net.side[k].n_got, i + 1);
			assert_int_equal(net.side[k].n_sent, i + 1);
			assert_int_equal(net.side[k].rc, 0);
			assert_int_equal(net.side[k].got_len, sizes[i]);
			assert_memory_equal(net.side[k].got, k ? there : back, sizes[i]);
		}
		free(there);
		free(back);
	}
}

static void a_silent_peer_is_given_up(void **state)
{
	static const uint8_t bytes[5000];

	(void)state;
	net.loss_percent = 100;
	assert_true(bulk_start(&net.side[0].bulk, BULK_REQUEST, 0, bytes, sizeof(bytes),
			       net.now_ms) > 0);
	assert_int_equal(bulk_start(&net.side[0].bulk, BULK_REQUEST, 0, bytes, 1, net.now_ms),
			 -EBUSY);
	run(BULK_GIVE_UP_MS + 100);
	assert_int_equal(net.side[0].n_sent, 1);
	assert_int_equal(net.side[0].rc, -ETIMEDOUT);
	assert_false(bulk_busy(&net.side[0].bulk));
}

static void a_block_that_its_sender_gave_up_makes_room_for_the_next(void **state)
{
	uint8_t *a = block_make(3 * BULK_CHUNK);

	(void)state;
	assert_true(bulk_start(&net.side[0].bulk, BULK_REQUEST, 0, a, 3 * BULK_CHUNK, net.now_ms) >
		    0);
	net.n = 1; /* only the first of three arrives */
	run(5);
	net.n = 0;
	bulk_reset(&net.side[0].bulk);
	assert_int_equal(net.side[0].rc, -ECONNRESET);
	assert_true(bulk_start(&net.side[0].bulk, BULK_REQUEST, 0, a, 2 * BULK_CHUNK, net.now_ms) >
		    0);
	run(1000);
	assert_int_equal(net.side[1].n_got, 1);
	assert_int_equal(net.side[1].got_len, 2 * BULK_CHUNK);
	assert_memory_equal(net.side[1].got, a, 2 * BULK_CHUNK);
	free(a);
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	uint8_t p[HA_PAYLOAD_MAX];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		size_t len = draw(40);

		for (size_t k = 0; k < len; k++)
			p[k] = (uint8_t)(draw(3) ? draw(3) : draw(256));
		(void)bulk_receive(&net.side[0].bulk, p, len, net.now_ms);
		net.n = 0;
	}
	memset(p, 0, sizeof(p));
	p[0] = 1;
	p[1] = 1;
	p[7] = 1;
	memset(p + 8, 0xff, 4); /* longer than any block */
	assert_int_equal(bulk_receive(&net.side[0].bulk, p, BULK_HEADER, net.now_ms), -EBADMSG);
	assert_int_equal(bulk_receive(&net.side[0].bulk, p, BULK_HEADER - 1, net.now_ms), -EBADMSG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_cross_whole_and_once_both_ways_over_a_bad_network),
		TEST(a_silent_peer_is_given_up),
		TEST(a_block_that_its_sender_gave_up_makes_room_for_the_next),
		TEST(nonsense_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
