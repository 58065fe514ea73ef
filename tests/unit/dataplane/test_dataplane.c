/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>

#include "lib/eal_run.h"
#include "lib/harness.h"
#include "lib/world.h"

#define N_LCORES   3
#define DEADLINE_S 20

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static bool before(time_t deadline)
{
	return time(NULL) < deadline;
}

/* Waits until *counter has grown by n. */
static bool grows(const uint64_t *counter, uint64_t n)
{
	uint64_t start = load(counter);
	time_t deadline = time(NULL) + DEADLINE_S;

	while (load(counter) - start < n && before(deadline))
		usleep(100);
	return load(counter) - start >= n;
}

static void create(struct harness *h, const struct harness_config *config)
{
	char error[256];

	if (harness_create(h, config, error) != 0)
		fail_msg("%s", error);
}

static void workers_without_threads_come_and_go_without_leaks(void **state)
{
	static const uint16_t counts[] = {1, 3, 8};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct harness_config config = {.n_workers = counts[i], .n_queues = 2};
		struct harness h;

		create(&h, &config);
		assert_int_equal(h.dp->n_workers, counts[i]);
		harness_run(&h);
		assert_int_equal(harness_destroy(&h), 0);
	}
}

static void shares_of_a_table_are_those_of_both_families(void **state)
{
	struct harness_config config = {.max_embryonic = 400, .idle_gives_way_s = 60};
	const struct worker *w;
	struct harness h;

	(void)state;
	create(&h, &config);
	w = h.dp->workers[0];
	assert_int_equal(w->v4.way.max_half_open, 501); /* and a quarter more */
	assert_int_equal(w->v6.way.max_half_open, 501);
	assert_int_equal(w->v4.way.idle_ticks, 60 * CONN_TICK_HZ);
	assert_int_equal(w->v6.way.idle_ticks, 60 * CONN_TICK_HZ);
	assert_int_equal(harness_destroy(&h), 0);
}

static void workers_on_lcores_poll_and_end(void **state)
{
	struct harness_config config = {.threads = true, .n_queues = 1};
	struct harness h;

	(void)state;
	create(&h, &config);
	assert_int_equal(h.dp->n_workers, N_LCORES);
	for (unsigned int i = 0; i < N_LCORES; i++)
		assert_true(grows(&h.dp->workers[i]->progress, 10));
	assert_int_equal(harness_destroy(&h), 0);
}

static void grace_periods_pass_while_workers_sleep(void **state)
{
	struct harness_config config = {.threads = true};
	const struct grace *grace;
	struct harness h;

	(void)state;
	create(&h, &config);
	grace = &h.dp->pub.grace;
	for (unsigned int i = 0; i < N_LCORES; i++)
		assert_true(grows(&h.dp->workers[i]->counters.sleeps, 3));
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t token = grace->start(grace->arg);
		time_t deadline = time(NULL) + DEADLINE_S;

		while (!grace->passed(grace->arg, token) && before(deadline))
			usleep(100);
		assert_true(grace->passed(grace->arg, token));
	}
	assert_int_equal(harness_destroy(&h), 0);
}

static void grace_periods_pass_before_workers_start_and_after_they_end(void **state)
{
	struct harness_config config = {.n_workers = 2};
	const struct grace *grace;
	struct harness h;

	(void)state;
	create(&h, &config);
	grace = &h.dp->pub.grace;
	assert_true(grace->passed(grace->arg, grace->start(grace->arg)));
	harness_stop(&h);
	assert_true(grace->passed(grace->arg, grace->start(grace->arg)));
	assert_int_equal(harness_destroy(&h), 0);
}

static void an_idle_worker_sleeps_unless_told_to_poll(void **state)
{
	struct harness_config config = {.threads = true, .poll = true};
	struct harness h;

	(void)state;
	create(&h, &config);
	for (unsigned int i = 0; i < N_LCORES; i++) {
		assert_true(grows(&h.dp->workers[i]->progress, 1000));
		assert_int_equal(load(&h.dp->workers[i]->counters.sleeps), 0);
	}
	assert_int_equal(harness_destroy(&h), 0);
}

/* net_null hands out frames of zeros without end: no link stands for their Ethernet type,
 * so each ends at a door. Busy workers stop as well as idle ones, and rings run over. */
static void busy_workers_stop_with_their_doors_in_balance(void **state)
{
	struct harness_config config = {.threads = true, .n_ports = 1, .devices = {"net_null0"}};
	struct harness h;
	char text[256];

	(void)state;
	assert_int_equal(rte_eal_hotplug_add("vdev", "net_null0", ""), 0);
	create(&h, &config);
	assert_int_equal(h.dp->ports[0].n_rx, N_LCORES);
	for (unsigned int i = 0; i < N_LCORES; i++)
		assert_true(grows(&h.dp->workers[i]->counters.received, 10000));
	harness_stop(&h);
	if (!harness_doors_add_up(&h, text))
		fail_msg("%s", text);
	assert_int_equal(harness_destroy(&h), 0);
	rte_eal_hotplug_remove("vdev", "net_null0");
}

static void a_device_that_does_not_exist_is_named_with_those_that_do(void **state)
{
	struct harness_config config = {.n_ports = 2, .devices = {NULL, "net_af_packet7"}};
	struct harness h;
	char error[256];

	(void)state;
	assert_int_equal(harness_create(&h, &config, error), -ENODEV);
	assert_non_null(strstr(error, "private"));
	assert_non_null(strstr(error, "net_af_packet7"));
	assert_non_null(strstr(error, "net_ring_public"));
}

static void too_many_connections_are_refused_with_the_key_named(void **state)
{
	struct harness_config config = {.max_connections = 1ULL << 50};
	struct harness h;
	char error[256];

	(void)state;
	assert_int_equal(harness_create(&h, &config, error), -E2BIG);
	assert_non_null(strstr(error, "workers.connections"));
}

static void queues_go_to_workers_by_number_and_the_rest_send_by_rings(void **state)
{
	struct harness_config config = {.n_workers = 4, .n_queues = 2};
	struct harness h;

	(void)state;
	create(&h, &config);
	for (unsigned int i = 0; i < 4; i++) {
		const struct worker *w = h.dp->workers[i];

		assert_int_equal(w->n_rx, i < 2 ? 2 : 0);
		for (unsigned int p = 0; p < 2; p++) {
			assert_int_equal(w->tx_queue[p], i < 2 ? (int)i : -1);
			assert_int_equal(w->tx_owner[p], i % 2);
		}
		for (unsigned int j = 0; j < 4; j++) {
			assert_int_equal(w->ring_to[j] == NULL, i == j);
			assert_ptr_equal(w->ring_to[j], h.dp->workers[j]->ring_from[i]);
		}
	}
	assert_int_equal(harness_destroy(&h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_without_threads_come_and_go_without_leaks),
		cmocka_unit_test(queues_go_to_workers_by_number_and_the_rest_send_by_rings),
		cmocka_unit_test(shares_of_a_table_are_those_of_both_families),
		cmocka_unit_test(workers_on_lcores_poll_and_end),
		cmocka_unit_test(grace_periods_pass_while_workers_sleep),
		cmocka_unit_test(grace_periods_pass_before_workers_start_and_after_they_end),
		cmocka_unit_test(an_idle_worker_sleeps_unless_told_to_poll),
		cmocka_unit_test(busy_workers_stop_with_their_doors_in_balance),
		cmocka_unit_test(a_device_that_does_not_exist_is_named_with_those_that_do),
		cmocka_unit_test(too_many_connections_are_refused_with_the_key_named),
	};

	return eal_run(N_LCORES, 256, tests);
}
