/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedulers that hash: sh, dh, mh, lblc, lblcr. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "sched/destcache.h"
#include "sched/hash256.h"
#include "sched/ops.h"
#include "sched/siphash.h"
#include "sched_lab.h"

#define N_WORKERS 4

/* --- Hashing ----------------------------------------------------------------------- */

/* SipHash-1-3, key 00 .. 0f, of the first bytes of 00 01 02 ... */
static void siphash_gives_the_reference_values(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} expected[] = {
		{0, 0xabac0158050fc4dcULL}, {1, 0xc9f49bf37d57ca93ULL},	 {4, 0xcf75576088d38328ULL},
		{8, 0x369095118d299a8eULL}, {20, 0xc0dc2f46a6cce040ULL},
	};
	const struct siphash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint8_t data[20];

	(void)state;
	for (uint8_t i = 0; i < 20; i++)
		data[i] = i;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(siphash13(key, data, expected[i].len) == expected[i].hash);
}

static struct sched_request client(uint32_t n)
{
	return (struct sched_request){
		.family = ADDR_V4,
		.client = addr_from_v4(be32_from(0xc0a80000 + n)),
		.client_port = be16_from((uint16_t)(1024 + n % 60000)),
		.dest = addr_from_v4(be32_from(0x0a020000 + n)),
	};
}

static void fallback_moves_only_the_clients_of_the_server_that_is_out(void **state)
{
	static const char *const names[] = {"sh", "mh"};
	static const uint32_t weights[] = {1, 2, 3};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct lab *l = lab_with(names[k], SCHED_SH_FALLBACK, weights, 3);
		int before[1000];
		uint32_t moved = 0;

		for (uint32_t i = 0; i < 1000; i++) {
			struct sched_request req = client(i);

			before[i] = lab_choose(l, &req);
		}
		/* Quiesced servers keep their places in mh's table; down ones in both. */
		l->servers[1].down = 1;
		lab_publish(l);
		for (uint32_t i = 0; i < 1000; i++) {
			struct sched_request req = client(i);
			int now = lab_choose(l, &req);

			assert_int_not_equal(now, 1);
			assert_int_not_equal(now, SCHED_NONE);
			if (before[i] == 1)
				moved++;
			else
				assert_int_equal(now, before[i]);
		}
		assert_in_range(moved, 200, 500);
		lab_destroy(l);
	}
}

static void sh_fallback_starts_where_linux_starts(void **state)
{
	static const uint32_t weights[] = {1, 1, 1, 1, 1};
	struct lab *l = lab_with("sh", SCHED_SH_FALLBACK, weights, 5);

	(void)state;
	lab_edit(l, lab_nth(2), 0); /* B: buckets 1, 6, 11 ... */
	for (uint32_t i = 0; i < 2000; i++) {
		struct sched_request req = client(i * 7);
		uint32_t hash = (0xc0a80000 + i * 7) * 0x61c88647U >> 24, try = hash;

		if (hash % 5 == 1) {
			for (try = 2 * hash % 256; try % 5 == 1; try = (try + 1) % 256)
				;
		}
		assert_int_equal(lab_choose(l, &req), try % 5);
	}
	lab_destroy(l);
}

static void without_fallback_a_down_server_gives_its_clients_to_others(void **state)
{
	static const char *const names[] = {"sh", "mh", "dh"};
	static const uint32_t weights[] = {1, 2, 3};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct lab *l = lab_with(names[k], 0, weights, 3);

		l->servers[1].down = 1;
		lab_publish(l);
		for (uint32_t i = 0; i < 1000; i++) {
			struct sched_request req = client(i);

			assert_true(lab_choose(l, &req) == 0 || lab_choose(l, &req) == 2);
		}
		lab_destroy(l);
	}
}

static void mh_moves_few_clients_when_a_server_leaves(void **state)
{
	static const uint32_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct lab *l = lab_with("mh", 0, weights, 8);
	struct endpoint gone = lab_nth(4);
	struct server_rt *before[4000];
	uint32_t moved = 0, shares[8] = {0};

	(void)state;
	for (uint32_t i = 0; i < 4000; i++) {
		struct sched_request req = client(i);
		int at = lab_choose(l, &req);

		before[i] = l->node->servers[at].rt;
		shares[at]++;
	}
	for (uint32_t i = 0; i < 8; i++)
		assert_in_range(shares[i], 400, 600);
	lab_del(l, gone);
	for (uint32_t i = 0; i < 4000; i++) {
		struct sched_request req = client(i);

		moved += l->node->servers[lab_choose(l, &req)].rt != before[i] &&
			 !endpoint_equal(&before[i]->ep, &gone);
	}
	assert_in_range(moved, 0, 400);
	lab_destroy(l);
}

/* 100 : 1 is 50 : 1 in rounds of at most 6 bits, and a weight never rounds to none. */
static void mh_deals_slots_of_six_bits(void **state)
{
	static const uint32_t weights[] = {100, 1};
	struct lab *l = lab_with("mh", 0, weights, 2);
	uint32_t light = 0;

	(void)state;
	for (uint32_t i = 0; i < 50000; i++) {
		struct sched_request req = client(i);

		light += lab_choose(l, &req) == 1;
	}
	assert_in_range(light, 50000 / 51 * 8 / 10, 50000 / 51 * 12 / 10);
	lab_destroy(l);
}

static void mh_takes_no_more_servers_than_it_has_slots(void **state)
{
	struct lab *l = lab_create("mh", 0);
	struct service *svc;

	(void)state;
	for (uint32_t i = 1; i <= 4093; i++)
		lab_put(l, lab_nth(i), 1);
	lab_publish(l);
	svc = service_create(4094, 1);
	svc->rt = l->svc_rt;
	svc->sched = l->sched;
	assert_int_equal(sched_attach(svc, l->node), -E2BIG);
	service_put(svc);
	lab_destroy(l);
}

/* --- IPv6 in sh, dh, mh --- */

/* Values that a kernel showed by its choices. */
static void an_ipv6_address_counts_as_the_exclusive_or_of_its_words(void **state)
{
	static const struct {
		const char *addr;
		uint32_t fold, slot, slot_port, mh, mh_port; /* port: 15001 */
	} table[] = {
		{"2001:db8:c::1", 0x200d0db9, 138, 105, 2641, 2521},
		{"2001:db8:c::2", 0x200d0dba, 236, 203, 2334, 2876},
		{"2001:db8:c:1::1", 0x200d0db8, 40, 7, 425, 3602},
		{"2a02:810d:8b40:3c1:ba27:ebff:fe00:1", 0xe5656932, 213, 180, 2444, 167},
		{"fd5a:7e:10:2:8c1f:a3ff:fe07:11", 0x8f52a392, 29, 252, 2950, 1874},
		{"::1", 0x00000001, 97, 65, 979, 57},
	};
	const struct siphash_key key = {2654435761U, 2654435761U};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct addr a;
		uint32_t fold, with_port;

		assert_int_equal(addr_parse(table[i].addr, &a), 0);
		fold = addr_fold(&a, ADDR_V6);
		assert_int_equal(fold, table[i].fold);
		assert_int_equal(hash256_of(fold), table[i].slot);
		assert_int_equal(hash256_of(fold + 15001), table[i].slot_port);
		with_port = htole32(fold + 15001);
		fold = htole32(fold);
		assert_int_equal((uint32_t)siphash13(key, &fold, 4) % 4093, table[i].mh);
		assert_int_equal((uint32_t)siphash13(key, &with_port, 4) % 4093, table[i].mh_port);
	}
}

/* Whether two lists of two servers share out the clients in the same way. */
static bool same_shares(uint8_t family, const char *const a[2], const char *const b[2])
{
	struct lab *l[2] = {lab_create_of(family, "mh", 0), lab_create_of(family, "mh", 0)};
	bool same = true;

	for (uint32_t i = 0; i < 2; i++) {
		lab_add(l[0], lab_endpoint(a[i]), i + 1);
		lab_add(l[1], lab_endpoint(b[i]), i + 1);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		struct sched_request req = client(i);

		req.family = family;
		same &= lab_choose(l[0], &req) == lab_choose(l[1], &req);
	}
	lab_destroy(l[0]);
	lab_destroy(l[1]);
	return same;
}

static void mh_takes_the_first_word_of_an_ipv6_server_of_an_ipv4_service(void **state)
{
	static const char *const a[] = {"[2001:db8:10::1]:80", "[2001:db8:10::2]:80"};
	static const char *const b[] = {"[2001:db8:99::7]:80", "[2001:db8:98::9]:80"};
	static const char *const c[] = {"[2001:db9:10::1]:80", "[2001:db9:10::2]:81"};

	(void)state;
	assert_true(same_shares(ADDR_V4, a, b));
	assert_false(same_shares(ADDR_V4, a, c));
	assert_false(same_shares(ADDR_V6, a, b));
}

/* --- lblc, lblcr ------------------------------------------------------------------- */

#define DAY_S (24 * 60 * 60)

static void a_destination_stays_with_its_server_for_a_day(void **state)
{
	static const char *const names[] = {"lblc", "lblcr"};
	static const uint32_t weights[] = {5, 5};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct lab *l = lab_with(names[k], 0, weights, 2);
		struct sched_request req = client(1);

		req.now_s = 1000;
		assert_int_equal(lab_choose(l, &req), 0);
		counts_bind(rt_of(l, 1), true);
		/* wlc would take B. */
		assert_int_equal(lab_choose(l, &req), 0);
		req.now_s += 24 * 60 * 60;
		assert_int_equal(lab_choose(l, &req), 0);
		/* An edit of the list does not forget. */
		lab_edit(l, lab_nth(2), 6);
		req.now_s += 24 * 60 * 60;
		assert_int_equal(lab_choose(l, &req), 0);
		req.now_s += 24 * 60 * 60 + 1;
		assert_int_equal(lab_choose(l, &req), 1);
		lab_destroy(l);
	}
}

static void lblc_moves_a_destination_and_lblcr_adds_a_server(void **state)
{
	static const uint32_t weights[] = {2, 8};
	struct lab *c = lab_with("lblc", 0, weights, 2), *r = lab_with("lblcr", 0, weights, 2);
	struct sched_request req = client(1);

	(void)state;
	/* On A; then A has more than its weight, B less than half of it. */
	assert_int_equal(lab_choose(c, &req), 0);
	assert_int_equal(lab_choose(r, &req), 0);
	for (int i = 0; i < 3; i++) {
		counts_bind(rt_of(c, 1), true);
		counts_bind(rt_of(r, 1), true);
	}
	assert_int_equal(lab_choose(c, &req), 1);
	assert_int_equal(lab_choose(r, &req), 1);
	/* A is idle again, B busy: lblc has moved, lblcr has both. */
	for (int i = 0; i < 3; i++) {
		counts_unbind(rt_of(c, 1), true);
		counts_unbind(rt_of(r, 1), true);
		counts_bind(rt_of(c, 2), true);
		counts_bind(rt_of(r, 2), true);
	}
	assert_int_equal(lab_choose(c, &req), 1);
	assert_int_equal(lab_choose(r, &req), 0);
	lab_destroy(c);
	lab_destroy(r);
}

static void lblcr_sets_shrink_after_a_day_without_change(void **state)
{
	static const uint32_t weights[] = {2, 8};
	struct lab *l = lab_with("lblcr", 0, weights, 2);
	struct sched_request req = client(1);

	(void)state;
	req.now_s = 5;
	assert_int_equal(lab_choose(l, &req), 0);
	for (int i = 0; i < 3; i++)
		counts_bind(rt_of(l, 1), true);
	assert_int_equal(lab_choose(l, &req), 1); /* the set is B A */
	req.now_s += 24 * 60 * 60;
	assert_int_equal(lab_choose(l, &req), 1);
	req.now_s += 2; /* A, the most loaded, goes */
	assert_int_equal(lab_choose(l, &req), 1);
	for (int i = 0; i < 3; i++)
		counts_unbind(rt_of(l, 1), true);
	counts_bind(rt_of(l, 2), true);
	assert_int_equal(lab_choose(l, &req), 1);
	lab_destroy(l);
}

static void the_cache_gives_up_what_is_unused_for_longest(void **state)
{
	enum { N = 200000 };
	struct destcache *c = destcache_create(1);
	struct destcache_view view;
	struct addr favourite = addr_from_v4(be32_from(1));
	uint32_t found = 0;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		struct addr a = addr_from_v4(be32_from(0x0a000000 + i));

		destcache_read(c, &a, i, DAY_S, &view);
		assert_false(view.found);
		view.n = 1;
		view.ids[0] = i + 1;
		destcache_write(c, &a, i, DAY_S, &view);
		destcache_read(c, &a, i, DAY_S, &view);
		assert_true(view.found);
		assert_int_equal(view.ids[0], i + 1);
		if (i % 1000 == 0) {
			destcache_read(c, &favourite, i, DAY_S, &view);
			assert_int_equal(view.found, i > 0);
			view.n = 1;
			view.ids[0] = 77;
			destcache_write(c, &favourite, i, DAY_S, &view);
		}
	}
	for (uint32_t i = N - 16384; i < N; i++) {
		struct addr a = addr_from_v4(be32_from(0x0a000000 + i));

		destcache_read(c, &a, N, DAY_S, &view);
		found += view.found;
	}
	/* As many as IPVS keeps. */
	assert_in_range(found, 16384 * 95 / 100, 16384);
	destcache_put(c);
}

static void a_write_after_another_one_is_given_up(void **state)
{
	struct destcache *c = destcache_create(4);
	struct destcache_view first, second;
	struct addr a = addr_from_v4(be32_from(1));

	(void)state;
	destcache_read(c, &a, 1, DAY_S, &first);
	destcache_read(c, &a, 1, DAY_S, &second);
	first.n = second.n = 1;
	first.ids[0] = 10;
	second.ids[0] = 20;
	destcache_write(c, &a, 1, DAY_S, &first);
	destcache_write(c, &a, 1, DAY_S, &second);
	destcache_read(c, &a, 1, DAY_S, &second);
	assert_true(second.found);
	assert_int_equal(second.ids[0], 10);
	destcache_put(c);
}

/* Destinations that an lblc service asked one server for go elsewhere once no client asked for that
 * long. */
static void a_destination_is_forgotten_after_its_time(void **state)
{
	struct destcache *c = destcache_create(4);
	struct addr a = addr_from_v4(be32_from(1));
	struct destcache_view view;

	(void)state;
	destcache_read(c, &a, 100, 10, &view);
	view.n = 1;
	view.ids[0] = 10;
	destcache_write(c, &a, 100, 10, &view);
	destcache_read(c, &a, 110, 10, &view); /* a use */
	assert_true(view.found);
	destcache_read(c, &a, 120, 10, &view);
	assert_true(view.found);
	destcache_read(c, &a, 131, 10, &view);
	assert_false(view.found);
	destcache_read(c, &a, 131, DAY_S, &view);
	assert_true(view.found);
	destcache_put(c);
}

#define CACHE_ADDRS 2

static void *cache_run(void *arg)
{
	struct destcache *c = arg;
	unsigned int r = (unsigned int)(uintptr_t)&r;
	uintptr_t torn = 0;

	for (uint32_t i = 0; i < 500000; i++) {
		uint32_t n = (uint32_t)rand_r(&r) % CACHE_ADDRS;
		struct addr a = addr_from_v4(be32_from(n + 1));
		struct destcache_view view;

		destcache_read(c, &a, 1, DAY_S, &view);
		/* All members of a set carry its address and one another's number. */
		for (uint32_t k = 0; view.found && k < view.n; k++)
			torn += view.ids[k] % CACHE_ADDRS != n || view.ids[k] != view.ids[0];
		view.n = DESTCACHE_SET_MAX;
		for (uint32_t k = 0; k < view.n; k++)
			view.ids[k] = i * CACHE_ADDRS + n;
		destcache_write(c, &a, 1, DAY_S, &view);
	}
	return (void *)torn;
}

static void workers_never_see_half_an_entry(void **state)
{
	struct destcache *c = destcache_create(DESTCACHE_SET_MAX);
	pthread_t threads[N_WORKERS];
	void *torn;

	(void)state;
	for (int i = 0; i < N_WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cache_run, c), 0);
	for (int i = 0; i < N_WORKERS; i++) {
		pthread_join(threads[i], &torn);
		assert_null(torn);
	}
	destcache_put(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_reference_values),
		cmocka_unit_test(fallback_moves_only_the_clients_of_the_server_that_is_out),
		cmocka_unit_test(sh_fallback_starts_where_linux_starts),
		cmocka_unit_test(without_fallback_a_down_server_gives_its_clients_to_others),
		cmocka_unit_test(mh_moves_few_clients_when_a_server_leaves),
		cmocka_unit_test(mh_deals_slots_of_six_bits),
		cmocka_unit_test(mh_takes_no_more_servers_than_it_has_slots),
		cmocka_unit_test(an_ipv6_address_counts_as_the_exclusive_or_of_its_words),
		cmocka_unit_test(mh_takes_the_first_word_of_an_ipv6_server_of_an_ipv4_service),
		cmocka_unit_test(a_destination_stays_with_its_server_for_a_day),
		cmocka_unit_test(lblc_moves_a_destination_and_lblcr_adds_a_server),
		cmocka_unit_test(lblcr_sets_shrink_after_a_day_without_change),
		cmocka_unit_test(the_cache_gives_up_what_is_unused_for_longest),
		cmocka_unit_test(a_write_after_another_one_is_given_up),
		cmocka_unit_test(a_destination_is_forgotten_after_its_time),
		cmocka_unit_test(workers_never_see_half_an_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
