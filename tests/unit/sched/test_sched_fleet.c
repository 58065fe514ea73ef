/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sched_lab.h"

/* mh as routers of a fleet use it: `adopt`, and tables of other sizes. */

#define CLIENTS 20000

static struct lab *fleet_lab(uint32_t n, uint32_t slots)
{
	struct lab *l = lab_create("mh", SCHED_MH_PORT);

	l->adopt = true;
	l->mh_slots = slots;
	for (uint32_t i = n; i-- > 0;)
		lab_put(l, lab_nth(i + 1), 1);
	lab_publish(l);
	return l;
}

static struct sched_request client(uint32_t i)
{
	return (struct sched_request){.family = ADDR_V4,
				      .client = addr_from_v4(be32_from(0xcb007100 + i / 64)),
				      .client_port = be16_from((uint16_t)(1024 + i % 64 * 977))};
}

/* The number of the server, not its place: lists may be in another order. */
static uint32_t choice(struct lab *l, uint32_t i)
{
	const struct sched_request req = client(i);
	int at = lab_choose(l, &req);

	return at == SCHED_NONE ? 0 : be32_to(l->node->servers[at].addr.v4) - 0x0a0a0000;
}

static void two_routers_choose_alike_whatever_the_order_of_their_lists(void **state)
{
	struct lab *a = fleet_lab(50, 65521), *b = lab_create("mh", SCHED_MH_PORT);

	(void)state;
	b->adopt = true;
	b->mh_slots = 65521;
	for (uint32_t i = 1; i <= 50; i++) /* the other way round */
		lab_put(b, lab_nth(i), 1);
	lab_publish(b);
	for (uint32_t i = 0; i < CLIENTS; i++)
		assert_int_equal(choice(a, i), choice(b, i));
	lab_destroy(a);
	lab_destroy(b);
}

static void a_server_that_is_down_moves_its_own_clients_alone(void **state)
{
	struct lab *l = fleet_lab(20, 4093);
	uint32_t *before = calloc(CLIENTS, sizeof(*before)), moved = 0, to[21] = {0}, had = 0;
	const struct sched_ops *ops = l->sched;
	void *table = l->node->sched_data;
	struct endpoint seven = lab_nth(7);

	(void)state;
	assert_non_null(ops);
	for (uint32_t i = 0; i < CLIENTS; i++)
		before[i] = choice(l, i);
	lab_find(l, &seven)->down = 1;
	lab_publish(l);
	assert_ptr_equal(l->node->sched_data, table); /* no table was built */
	for (uint32_t i = 0; i < CLIENTS; i++) {
		const uint32_t now = choice(l, i);

		had += before[i] == 7;
		assert_int_not_equal(now, 7);
		if (before[i] != 7)
			assert_int_equal(now, before[i]);
		else
			to[now]++;
		moved += now != before[i];
	}
	assert_int_equal(moved, had);
	/* The others share them. */
	for (uint32_t s = 1; s <= 20; s++)
		assert_true(s == 7 || (to[s] > 0 && to[s] < had / 4));
	lab_find(l, &seven)->down = 0;
	lab_publish(l);
	for (uint32_t i = 0; i < CLIENTS; i++)
		assert_int_equal(choice(l, i), before[i]);
	free(before);
	lab_destroy(l);
}

/* Slow start and agents change weights on one router, and an operator's 0 was another weight
 * before: none of that is the configuration. */
static void a_weight_of_health_and_a_history_change_no_table(void **state)
{
	struct lab *a = fleet_lab(10, 4093), *b = fleet_lab(10, 4093);

	(void)state;
	lab_weigh(a, lab_nth(3), 7);
	lab_edit(b, lab_nth(3), 9);
	lab_edit(b, lab_nth(3), 1);
	lab_edit(a, lab_nth(5), 60);
	lab_edit(a, lab_nth(5), 0);
	lab_edit(b, lab_nth(5), 0);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		assert_int_equal(choice(a, i), choice(b, i));
		assert_int_not_equal(choice(a, i), 5);
	}
	lab_destroy(a);
	lab_destroy(b);
}

static void weight_0_moves_the_servers_own_clients_alone(void **state)
{
	struct lab *l = fleet_lab(20, 4093);
	uint32_t *before = calloc(CLIENTS, sizeof(*before));

	(void)state;
	for (uint32_t i = 0; i < CLIENTS; i++)
		before[i] = choice(l, i);
	lab_edit(l, lab_nth(4), 0);
	for (uint32_t i = 0; i < CLIENTS; i++)
		if (before[i] != 4)
			assert_int_equal(choice(l, i), before[i]);
		else
			assert_int_not_equal(choice(l, i), 4);
	free(before);
	lab_destroy(l);
}

static void the_last_server_that_is_up_gets_everybody(void **state)
{
	struct lab *l = fleet_lab(300, 65521);

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		l->servers[i].down = i != 250;
	lab_publish(l);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(choice(l, i), 251);
	l->servers[250].down = 1;
	lab_publish(l);
	assert_int_equal(choice(l, 1), 0);
	lab_destroy(l);
}

/* 10,000 servers need more than 4,093 slots. */
static void a_large_table_shares_clients_evenly(void **state)
{
	static uint32_t got[10001];
	struct lab *l = fleet_lab(10000, 1000003);
	uint32_t least = UINT32_MAX, most = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++)
		got[choice(l, i)]++;
	for (uint32_t s = 1; s <= 10000; s++) {
		least = got[s] < least ? got[s] : least;
		most = got[s] > most ? got[s] : most;
	}
	/* A hundred each; chance alone spreads them by ten (one deviation). */
	assert_int_equal(got[0], 0);
	assert_true(least > 40 && most < 180);
	lab_destroy(l);
}

static void without_adopt_the_table_is_that_of_ipvs(void **state)
{
	struct lab *l = fleet_lab(20, 0);

	(void)state;
	l->adopt = false;
	l->flags = 0;
	l->servers[6].down = 1;
	lab_publish(l);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_not_equal(choice(l, i), 7); /* it takes no part */
	lab_destroy(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_routers_choose_alike_whatever_the_order_of_their_lists),
		cmocka_unit_test(a_server_that_is_down_moves_its_own_clients_alone),
		cmocka_unit_test(a_weight_of_health_and_a_history_change_no_table),
		cmocka_unit_test(weight_0_moves_the_servers_own_clients_alone),
		cmocka_unit_test(the_last_server_that_is_up_gets_everybody),
		cmocka_unit_test(a_large_table_shares_clients_evenly),
		cmocka_unit_test(without_adopt_the_table_is_that_of_ipvs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
