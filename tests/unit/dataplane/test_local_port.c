/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports of full NAT: which port a connection gets, and when a port is free again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/fullnat/local_port.h"

#define N_POOL 24
#define TCP    6

static be32 pool[N_POOL];

static struct local_end4 end_of(uint8_t step, uint32_t server)
{
	return (struct local_end4){.server = be32_from(0x0a0a0000 + server),
				   .dport = be16_from(80),
				   .proto = TCP,
				   .step = step};
}

static struct local_ports4 *ports_create(uint32_t groups, uint8_t side)
{
	struct local_ports4 *t = malloc(sizeof(*t));

	assert_non_null(t);
	assert_int_equal(local_ports4_create(t, groups, -1, 42, side), 0);
	return t;
}

static void ports_destroy(struct local_ports4 *t)
{
	local_ports4_destroy(t);
	free(t);
}

static void a_port_lies_in_the_step_of_the_client_at_every_address(void **state)
{
	struct local_ports4 *t = ports_create(8192, 0);

	(void)state;
	for (unsigned int step = 0; step < OWNER_STEPS; step++)
		for (unsigned int a = 0; a < N_POOL; a++) {
			struct local_end4 e = end_of((uint8_t)step, 1);

			assert_int_equal(local_port4_choose(t, &e, &pool[a], 1, 100), 0);
			assert_int_equal(owner4_step(e.local, e.lport), step);
			assert_true(be16_to(e.lport) >= LOCAL_PORT_FIRST);
		}
	ports_destroy(t);
}

static void an_ipv6_port_lies_in_the_step_of_its_client(void **state)
{
	struct local_ports6 *t = malloc(sizeof(*t));
	const struct addr6 local = {.word = {0x1122334455667788, 0x99aabbccddeeff00}};

	(void)state;
	assert_int_equal(local_ports6_create(t, 1024, -1, 1, 0), 0);
	for (unsigned int step = 0; step < OWNER_STEPS; step++) {
		struct local_end6 e = {
			.server = {.word = {1, 2}}, .proto = TCP, .step = (uint8_t)step};

		assert_int_equal(local_port6_choose(t, &e, &local, 1, 100), 0);
		assert_int_equal(owner6_step(e.local, e.lport), step);
	}
	local_ports6_destroy(t);
	free(t);
}

/* Takes ports until there is none; each one at most once. Returns their number. */
static uint32_t drain(struct local_ports4 *t, uint8_t step, uint32_t n, uint32_t now_s,
		      struct local_end4 *out)
{
	uint32_t got = 0;

	for (;; got++) {
		struct local_end4 e = end_of(step, 1);

		if (local_port4_choose(t, &e, pool, n, now_s) < 0)
			return got;
		if (out)
			out[got] = e;
		for (uint32_t i = 0; out && i < got; i++)
			assert_false(out[i].lport == e.lport && out[i].local == e.local);
	}
}

/* Takes all ports of step 9 to server 1; the last n of the first half are in even. */
static void drain_even(struct local_ports4 *t, struct local_end4 *all, struct local_end4 **even,
		       uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = drain(t, 9, 1, 100, all); i-- > 0 && found < n;)
		if (!(be16_to(all[i].lport) & 1))
			even[found++] = &all[i];
	assert_int_equal(found, n);
}

static void about_504_different_ports_are_there_for_an_address_step_and_server(void **state)
{
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS * 2);
	uint32_t sum = 0;

	(void)state;
	for (unsigned int step = 0; step < OWNER_STEPS; step++) {
		struct local_ports4 *t = ports_create(64, 0);
		const uint32_t got = drain(t, (uint8_t)step, 1, 100, all);

		assert_in_range(got, 496, 512);
		sum += got;
		ports_destroy(t);
	}
	assert_int_equal(sum, LOCAL_PORTS);
	free(all);
}

static void a_pool_of_24_addresses_is_used_up_before_a_choice_fails(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	const uint32_t got = drain(t, 5, N_POOL, 100, NULL);

	(void)state;
	assert_in_range(got, 496 * N_POOL, 512 * N_POOL);
	assert_int_equal(t->n_used, got);
	ports_destroy(t);
}

static void a_port_is_free_again_60_s_after_its_end_and_not_before(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS), e = end_of(9, 1);

	(void)state;
	drain(t, 9, 1, 100, all);
	local_port4_release(t, &all[17], 1000);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1000), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1059), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1060), 0);
	assert_int_equal(e.lport, all[17].lport);
	/* Of another server the port is another one. */
	e = end_of(9, 2);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1000), 0);
	/* So is a port that ended long ago. */
	local_port4_release(t, &all[18], 2000);
	e = end_of(9, 1);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 2000 + 65536), 0);
	free(all);
	ports_destroy(t);
}

static void a_port_is_free_however_long_ago_it_ended_and_whatever_ended_since(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS), *even[4], e = end_of(9, 1);

	(void)state;
	drain_even(t, all, even, 4);
	/* Seconds of a port are kept modulo 256. */
	local_port4_release(t, even[0], 1000);
	local_port4_release(t, even[1], 1050);
	local_port4_release(t, even[2], 1258);
	local_port4_release(t, even[3], 1300);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(local_port4_choose(t, &e, pool, 1, 1301), 0);
		assert_int_equal(e.lport, even[i]->lport);
	}
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1317), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1318), 0);
	assert_int_equal(e.lport, even[2]->lport);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1359), -EADDRNOTAVAIL);
	free(all);
	ports_destroy(t);
}

static void a_copy_takes_a_port_from_the_middle_and_leaves_the_others_in_order(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS), *even[4], e = end_of(9, 1);

	(void)state;
	drain_even(t, all, even, 4);
	for (uint32_t i = 0; i < 4; i++)
		local_port4_release(t, even[i], 1000 + i * 40); /* two have rested */
	assert_int_equal(local_port4_take(t, even[1], 1120), 0);
	assert_int_equal(local_port4_take(t, even[1], 1120), -EEXIST);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1120), 0);
	assert_int_equal(e.lport, even[0]->lport);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1139), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e, pool, 1, 1140), 0);
	assert_int_equal(e.lport, even[2]->lport);
	free(all);
	ports_destroy(t);
}

static void the_port_that_is_free_longest_comes_first(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS), *even[64];

	(void)state;
	drain_even(t, all, even, 64);
	/* Ports of one half, ended in an order of their own. */
	for (uint32_t i = 0; i < 64; i++)
		local_port4_release(t, even[i], 200 + i);
	for (uint32_t i = 0; i < 64; i++) {
		struct local_end4 e = end_of(9, 1);

		assert_int_equal(local_port4_choose(t, &e, pool, 1, 5000), 0);
		assert_int_equal(e.lport, even[i]->lport);
	}
	free(all);
	ports_destroy(t);
}

/* Port and time of its end, oldest first. */
struct resting {
	struct local_end4 end;
	uint32_t since_s;
};

static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static void the_oldest_port_is_chosen_after_60_s_whatever_the_pace(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS), *even[128];
	struct resting rest[128];
	uint32_t n_rest = 0, n_used = 128, now_s = 1000, x = 1, chosen = 0;

	(void)state;
	drain_even(t, all, even, 128);
	for (uint32_t i = 0; i < 200000; i++) {
		const uint32_t pace = i / 1000 % 4;
		struct local_end4 e = end_of(9, 1);
		int ret;

		now_s += pace ? next_random(&x) % (pace * 2) == 0
			      : next_random(&x) % 400 / 390 * 300;
		if (n_used && next_random(&x) % 2) {
			struct local_end4 *const end = even[next_random(&x) % n_used];

			local_port4_release(t, end, now_s);
			rest[n_rest++] = (struct resting){.end = *end, .since_s = now_s};
			for (uint32_t k = 0; k < n_used; k++)
				if (even[k] == end)
					even[k] = even[n_used - 1];
			even[--n_used] = end;
			continue;
		}
		ret = local_port4_choose(t, &e, pool, 1, now_s);
		if (!n_rest || now_s - rest[0].since_s < LOCAL_PORT_HELD_S) {
			assert_int_equal(ret, -EADDRNOTAVAIL);
			continue;
		}
		assert_int_equal(ret, 0);
		assert_int_equal(e.lport, rest[0].end.lport);
		memmove(&rest[0], &rest[1], --n_rest * sizeof(rest[0]));
		*even[n_used++] = e;
		chosen++;
	}
	assert_true(chosen > 1000);
	free(all);
	ports_destroy(t);
}

static void searches_that_begin_together_find_different_ports(void **state)
{
	struct local_ports4 *t = ports_create(64, 0);
	struct local_search4 searches[OWNER_WORDS];
	struct local_end4 ends[OWNER_WORDS];
	uint32_t found = 0;

	(void)state;
	for (uint32_t i = 0; i < OWNER_WORDS; i++) {
		ends[i] = end_of(9, 1);
		local_search4_begin(t, &ends[i], pool, 1, &searches[i]);
	}
	for (uint32_t i = 0; i < OWNER_WORDS; i++) {
		local_search4_prefetch(t, &searches[i], 1);
		if (local_search4_finish(t, &ends[found], pool, 1, 100, &searches[i]) < 0)
			continue;
		for (uint32_t k = 0; k < found; k++)
			assert_int_not_equal(ends[k].lport, ends[found].lport);
		found++;
	}
	assert_in_range(found, 496, 511);
	assert_int_equal(t->n_used, found);
	ports_destroy(t);
}

static void two_routers_choose_no_port_in_common_while_halves_suffice(void **state)
{
	struct local_ports4 *a = ports_create(64, 0), *b = ports_create(64, 1);

	(void)state;
	for (unsigned int i = 0; i < 245 * N_POOL; i++) {
		struct local_end4 x = end_of(77, 3), y = end_of(77, 3);

		assert_int_equal(local_port4_choose(a, &x, pool, N_POOL, 100), 0);
		assert_int_equal(local_port4_choose(b, &y, pool, N_POOL, 100), 0);
		assert_int_equal(be16_to(x.lport) & 1, 0);
		assert_int_equal(be16_to(y.lport) & 1, 1);
	}
	ports_destroy(a);
	ports_destroy(b);
}

static void a_port_that_was_taken_over_is_not_chosen(void **state)
{
	struct local_ports4 *a = ports_create(64, 0), *b = ports_create(64, 0);
	struct local_end4 *all = malloc(sizeof(*all) * OWNER_WORDS);
	const uint32_t got = drain(a, 3, 1, 100, all);

	(void)state;
	/* All but the one that b is left with, in an order that is not b's. */
	for (uint32_t i = 1; i < got; i++) {
		assert_int_equal(local_port4_take(b, &all[i], 100), 0);
		assert_int_equal(local_port4_take(b, &all[i], 100), -EEXIST);
	}
	assert_int_equal(drain(b, 3, 1, 100, NULL), 1);
	assert_int_equal(local_port4_take(b, &all[0], 100), -EEXIST);
	/* A copy that ends leaves its port in quarantine. */
	local_port4_release(b, &all[5], 200);
	assert_int_equal(drain(b, 3, 1, 259, NULL), 0);
	assert_int_equal(drain(b, 3, 1, 260, NULL), 1);
	/* A port of another step, or below 1024, is nothing that can be taken. */
	all[6].step ^= 1;
	assert_int_equal(local_port4_take(b, &all[6], 100), -EINVAL);
	all[6].step = (uint8_t)owner4_step(all[6].local, be16_from(99));
	all[6].lport = be16_from(99);
	assert_int_equal(local_port4_take(b, &all[6], 100), -EINVAL);
	free(all);
	ports_destroy(a);
	ports_destroy(b);
}

static void at_85_percent_of_a_pool_fewer_than_a_thousandth_is_refused(void **state)
{
	struct local_ports4 *t = ports_create(8192, 0);
	const uint32_t all = LOCAL_PORTS * 20, want = all / 100 * 85;
	uint32_t refused = 0;

	(void)state;
	for (uint32_t i = 0; i < want; i++) {
		/* Clients as they come: addresses and ports of a network. */
		const be32 client = be32_from(0x0a400000 + i / 40);
		struct local_end4 e = end_of(
			(uint8_t)owner4_step(client, be16_from((uint16_t)(1024 + i * 7919))), 1);

		refused += local_port4_choose(t, &e, pool, 20, 100) < 0;
	}
	assert_true(refused < want / 1000);
	assert_int_equal(t->n_used, want - refused);
	assert_true(t->n_used > 1000000);
	ports_destroy(t);
}

static void a_group_is_given_to_another_server_when_its_quarantine_is_over(void **state)
{
	struct local_ports4 *t = ports_create(4, 0);
	struct local_end4 e[5];

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		e[i] = end_of(1, i);
		assert_int_equal(local_port4_choose(t, &e[i], pool, 1, 100), 0);
	}
	e[4] = end_of(1, 4);
	assert_int_equal(local_port4_choose(t, &e[4], pool, 1, 100), -EADDRNOTAVAIL);
	local_port4_release(t, &e[2], 110);
	assert_int_equal(local_port4_choose(t, &e[4], pool, 1, 169), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e[4], pool, 1, 170), 0);
	local_port4_release(t, &e[2], 171); /* nobody knows it any more */
	assert_int_equal(t->n_used, 4);
	ports_destroy(t);
}

static void a_small_router_has_groups_for_a_hundred_servers(void **state)
{
	struct local_ports4 *t = ports_create(local_port_groups(10000), 0);

	(void)state;
	for (uint32_t server = 0; server < 100; server++)
		for (unsigned int step = 0; step < OWNER_STEPS; step++) {
			struct local_end4 e = end_of((uint8_t)step, server);

			assert_int_equal(local_port4_choose(t, &e, pool, N_POOL, 100), 0);
		}
	ports_destroy(t);
}

static void the_number_of_an_address_is_that_of_no_other_address_in_use(void **state)
{
	struct local_ports4 *t = ports_create(4, 0);
	struct local_end4 e[5];

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		e[i] = end_of(1, 3);
		assert_int_equal(local_port4_choose(t, &e[i], &pool[i], 1, 100), 0);
		assert_int_equal(t->locals[e[i].local_id], pool[i]);
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(e[k].local_id, e[i].local_id);
	}
	/* All groups are given away: no number for a further address is kept. */
	e[4] = end_of(1, 3);
	assert_int_equal(local_port4_choose(t, &e[4], &pool[4], 1, 100), -EADDRNOTAVAIL);
	local_port4_release(t, &e[2], 110);
	assert_int_equal(local_port4_choose(t, &e[4], &pool[4], 1, 169), -EADDRNOTAVAIL);
	assert_int_equal(local_port4_choose(t, &e[4], &pool[4], 1, 170), 0);
	assert_int_equal(t->locals[e[4].local_id], pool[4]);
	for (uint32_t i = 0; i < 4; i++)
		if (i != 2)
			assert_int_equal(t->locals[e[i].local_id], pool[i]);
	assert_true(t->n_locals <= 6);
	/* Another server behind the same address has the same number. */
	e[2] = end_of(1, 4);
	local_port4_release(t, &e[4], 180);
	assert_int_equal(local_port4_choose(t, &e[2], &pool[0], 1, 240), 0);
	assert_int_equal(e[2].local_id, e[0].local_id);
	ports_destroy(t);
}

static void addresses_beyond_the_last_number_are_refused(void **state)
{
	struct local_ports4 *t = ports_create(2 * LOCAL_ADDRS, 0);
	uint32_t made = 0;

	(void)state;
	for (uint32_t i = 0; i < LOCAL_ADDRS + 10; i++) {
		struct local_end4 e = end_of(1, 3);
		const be32 local = be32_from(0x0a100000 + i);

		if (local_port4_choose(t, &e, &local, 1, 100) < 0)
			continue;
		assert_int_equal(t->locals[e.local_id], local);
		made++;
	}
	assert_int_equal(made, LOCAL_ADDRS - 1);
	ports_destroy(t);
}

static int set_up(void **state)
{
	(void)state;
	owner_init();
	for (unsigned int i = 0; i < N_POOL; i++)
		pool[i] = be32_from(0x0a0a0100 + 100 + i);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_lies_in_the_step_of_the_client_at_every_address),
		cmocka_unit_test(an_ipv6_port_lies_in_the_step_of_its_client),
		cmocka_unit_test(
			about_504_different_ports_are_there_for_an_address_step_and_server),
		cmocka_unit_test(a_pool_of_24_addresses_is_used_up_before_a_choice_fails),
		cmocka_unit_test(a_port_is_free_again_60_s_after_its_end_and_not_before),
		cmocka_unit_test(a_port_is_free_however_long_ago_it_ended_and_whatever_ended_since),
		cmocka_unit_test(
			a_copy_takes_a_port_from_the_middle_and_leaves_the_others_in_order),
		cmocka_unit_test(the_port_that_is_free_longest_comes_first),
		cmocka_unit_test(the_oldest_port_is_chosen_after_60_s_whatever_the_pace),
		cmocka_unit_test(searches_that_begin_together_find_different_ports),
		cmocka_unit_test(two_routers_choose_no_port_in_common_while_halves_suffice),
		cmocka_unit_test(a_port_that_was_taken_over_is_not_chosen),
		cmocka_unit_test(at_85_percent_of_a_pool_fewer_than_a_thousandth_is_refused),
		cmocka_unit_test(a_group_is_given_to_another_server_when_its_quarantine_is_over),
		cmocka_unit_test(a_small_router_has_groups_for_a_hundred_servers),
		cmocka_unit_test(the_number_of_an_address_is_that_of_no_other_address_in_use),
		cmocka_unit_test(addresses_beyond_the_last_number_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
