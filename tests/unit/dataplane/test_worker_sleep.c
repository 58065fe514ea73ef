/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers on threads that fall asleep: each kind of work wakes them. A wake-up that is missing
 * shows as the time to the next tick, up to 62 ms. A wake-up takes 25 to 100 us on a quiet machine.
 * On a busy one a thread waits for a CPU as well; the kernel counts that time, and the test
 * subtracts the time. The median of TRIES wake-ups has to be within IN_TIME_US. A hand-off is
 * looked at without threads, too. Rows wake/ of the bench have the times themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "base/clock.h"
#include "dataplane/sync/conn_sync.h"
#include "lib/cpu_wait.h"
#include "lib/eal_run.h"
#include "lib/harness.h"
#include "lib/world.h"

#define PUBLIC	    0
#define PRIVATE	    1
#define VIP	    "10.1.0.100:53"
#define TRIES	    100
#define IN_TIME_US  1000
#define DEADLINE_US 10000000

static struct harness h;

static int bed_create(bool wake)
{
	const struct harness_config config = {.threads = true, .wake = wake};
	const struct world_server dr = {"10.2.0.1:53", 1, FWD_DR};
	char error[256];

	if (harness_create(&h, &config, error) != 0) {
		print_error("%s\n", error);
		return -1;
	}
	return world_route(&h, "10.2.0.0/16", link_id_of(PRIVATE, 0), NULL) ||
	       world_neighbour(&h, link_id_of(PRIVATE, 0), "10.2.0.1", "02:aa:00:00:00:01") ||
	       world_service(&h, "udp", VIP, NULL, &dr, 1);
}

static int bed(void **state)
{
	(void)state;
	return bed_create(true);
}

static int bed_by_clock(void **state)
{
	(void)state;
	return bed_create(false);
}

static int bed_end(void **state)
{
	(void)state;
	return (int)harness_destroy(&h);
}

/* ---- work, and the moment at which it was done ---- */

static uint64_t loops(uint16_t worker)
{
	return __atomic_load_n(&h.dp->workers[worker]->progress, __ATOMIC_RELAXED);
}

static uint64_t sleeps(uint16_t worker)
{
	return __atomic_load_n(&h.dp->workers[worker]->counters.sleeps, __ATOMIC_RELAXED);
}

/* All workers sleep, and have for a moment. */
static void sleepers_wait(void)
{
	uint64_t deadline = clock_us() + DEADLINE_US, seen[MAX_WORKERS];
	bool all = false;

	while (!all && clock_us() < deadline) {
		for (uint16_t i = 0; i < h.dp->n_workers; i++)
			seen[i] = loops(i);
		usleep(2000);
		all = true;
		for (uint16_t i = 0; i < h.dp->n_workers; i++)
			all = all && seen[i] == loops(i) &&
			      __atomic_load_n(&h.dp->exchange.worker[i].wake.asleep,
					      __ATOMIC_RELAXED);
	}
	assert_true(all);
}

static bool frame_left(void)
{
	struct rte_mbuf *m = harness_sent(&h, PRIVATE);

	rte_pktmbuf_free(m);
	return m != NULL;
}

static struct worker_command command;
static struct conn_view view;
static uint64_t loops_before;
static struct sync_access ha_access;

static bool command_done(void)
{
	return __atomic_load_n(&command.done, __ATOMIC_ACQUIRE);
}

#define NOBODY UINT16_MAX
#define LAST   ((uint16_t)(h.dp->n_workers - 1))

static bool last_worker_looked(void)
{
	return loops(LAST) != loops_before;
}

static bool operations_taken(void)
{
	return ha_access.pending(ha_access.arg) == 0;
}

static bool asleep(uint16_t worker)
{
	return __atomic_load_n(&h.dp->exchange.worker[worker].wake.asleep, __ATOMIC_RELAXED) != 0;
}

/* Microseconds for which the threads on the way of the event have waited for a CPU: this thread and
 * the worker; NOBODY: all. */
static uint64_t waited_us(uint16_t worker)
{
	if (worker == NOBODY)
		return cpu_wait_us(0);
	return cpu_wait_us(gettid()) + cpu_wait_us(cpu_wait_lcore(h.dp->workers[worker]->lcore));
}

static int took_cmp(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Tries the same thing while workers sleep. A producer other than a worker or the kernel has taken
 * the word of this worker down when it returns, whatever the machine does; NOBODY: frames. */
static void check_wakes(void (*act)(unsigned int), bool (*done)(void), uint16_t worker)
{
	uint64_t took[TRIES];

	for (unsigned int i = 0; i < TRIES; i++) {
		uint64_t begin, waited;

		sleepers_wait();
		loops_before = loops(LAST);
		waited = waited_us(worker);
		begin = clock_us();
		act(i);
		if (worker != NOBODY)
			assert_true(!asleep(worker) || done());
		while (!done()) {
			usleep(10);
			assert_true(clock_us() < begin + DEADLINE_US);
		}
		took[i] = clock_us() - begin;
		waited = waited_us(worker) - waited;
		took[i] = took[i] > waited ? took[i] - waited : 0;
	}
	qsort(took, TRIES, sizeof(took[0]), took_cmp);
	print_message("median of %u: %u us, least %u us, most %u us\n", TRIES,
		      (unsigned int)took[TRIES / 2], (unsigned int)took[0],
		      (unsigned int)took[TRIES - 1]);
	assert_true(took[TRIES / 2] < IN_TIME_US);
}

static void frame_arrives(unsigned int i)
{
	char client[32];

	snprintf(client, sizeof(client), "10.1.0.9:%u", 1000 + i);
	assert_int_equal(harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, client, VIP)),
			 0);
}

static void a_frame_wakes_all_workers_on_its_way(void **state)
{
	uint64_t handed_off = 0;

	(void)state;
	check_wakes(frame_arrives, frame_left, NOBODY);
	harness_stop(&h);
	for (uint16_t i = 0; i < h.dp->n_workers; i++)
		handed_off += h.dp->workers[i]->counters.handed_off;
	assert_true(handed_off > TRIES / 2); /* most owners have no queue */
}

/* Without threads: the workers that get a packet by hand-off are woken, and no others. */
static void a_hand_off_wakes_who_gets_it(void **state)
{
	const struct harness_config config = {.n_workers = 4};
	const struct world_server dr = {"10.2.0.1:53", 1, FWD_DR};
	unsigned int woken = 0;
	char error[256];

	(void)state;
	assert_int_equal(harness_create(&h, &config, error), 0);
	assert_int_equal(world_route(&h, "10.2.0.0/16", link_id_of(PRIVATE, 0), NULL), 0);
	assert_int_equal(world_service(&h, "udp", VIP, NULL, &dr, 1), 0);
	for (unsigned int i = 0; i < 2; i++) {
		for (uint16_t k = 0; k < 4; k++)
			wake_begin(&h.dp->exchange.worker[k].wake);
		frame_arrives(i);
		loop_round(h.dp->workers[0], h.now_tick, h.now_s);
		for (uint16_t k = 0; k < 4; k++) {
			bool given = k && rte_ring_count(h.dp->workers[0]->ring_to[k]) > 0;

			assert_int_equal(asleep(k), !given);
			woken += given;
		}
		harness_run(&h);
	}
	assert_true(woken > 0);
	harness_stop(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

static void linux_sends(unsigned int i)
{
	(void)i;
	assert_int_equal(harness_inject(&h, PRIVATE,
					harness_datagram(&h, PUBLIC, "10.2.0.254:1", "10.2.0.1:2")),
			 0);
}

static void a_frame_of_linux_wakes_its_worker(void **state)
{
	(void)state;
	check_wakes(linux_sends, frame_left, 0);
}

static void control_asks(unsigned int i)
{
	(void)i;
	command = (struct worker_command){
		.kind = CMD_FIND, .views = &view, .n_max = 1, .eventfd = -1};
	assert_int_equal(dataplane_command(h.dp, LAST, &command), 0);
}

static void a_command_wakes_its_worker(void **state)
{
	(void)state;
	check_wakes(control_asks, command_done, LAST);
}

static void configuration_changes(unsigned int i)
{
	const struct world_server dr = {"10.2.0.1:53", 1 + i, FWD_DR};

	assert_int_equal(world_service(&h, "udp", VIP, NULL, &dr, 1), 0);
	(void)h.dp->pub.grace.start(h.dp->pub.grace.arg); /* the old snapshot is retired */
}

static void a_publication_wakes_workers(void **state)
{
	(void)state;
	check_wakes(configuration_changes, last_worker_looked, LAST);
}

static void lease_changes(unsigned int i)
{
	__atomic_store_n(&h.dp->pub.vip_lease, (uint64_t)(i & 1 ? VIP_LEASE_NONE : VIP_LEASE_OFF),
			 __ATOMIC_RELEASE);
	published_wake(&h.dp->pub);
}

static void a_change_of_the_lease_wakes_workers(void **state)
{
	(void)state;
	check_wakes(lease_changes, last_worker_looked, LAST);
}

static void ha_tells(unsigned int i)
{
	const struct sync_event flush = {.kind = SYNC_FLUSH, .token = i};

	assert_int_equal(ha_access.tell(ha_access.arg, &flush), 0);
}

static void an_operation_of_synchronisation_wakes_workers(void **state)
{
	(void)state;
	assert_int_equal(dataplane_sync_enable(h.dp), 0);
	dataplane_sync_access(h.dp, &ha_access);
	check_wakes(ha_tells, operations_taken, LAST);
}

static void a_stop_ends_sleeps(void **state)
{
	uint64_t begin;

	(void)state;
	sleepers_wait();
	begin = clock_us();
	harness_stop(&h);
	print_message("stopped after %u us\n", (unsigned int)(clock_us() - begin));
}

/* ---- sleeps ---- */

static void idle_workers_wake_for_ticks_only(void **state)
{
	const uint64_t seconds = 2;
	uint64_t before[MAX_WORKERS];

	(void)state;
	sleepers_wait();
	for (uint16_t i = 0; i < h.dp->n_workers; i++)
		before[i] = sleeps(i);
	usleep(seconds * 1000000);
	for (uint16_t i = 0; i < h.dp->n_workers; i++) {
		uint64_t n = sleeps(i) - before[i];

		print_message("worker %u: %u sleeps\n", i, (unsigned int)n);
		assert_true(n <= 2 * CONN_TICK_HZ * seconds);
		assert_true(n >= CONN_TICK_HZ * seconds / 2);
	}
}

/* Ports that wake nobody: frames are found all the same, at the next look. */
static void queues_that_wake_nobody_are_looked_at_by_the_clock(void **state)
{
	uint64_t before = sleeps(0), handed = 0;

	(void)state;
	usleep(200000);
	assert_true(sleeps(0) - before > 40); /* each ms, on a machine that is not too busy */
	for (unsigned int i = 0; i < TRIES; i++) {
		uint64_t deadline = clock_us() + DEADLINE_US;

		usleep(2000);
		frame_arrives(i);
		while (!frame_left())
			assert_true(clock_us() < deadline);
		handed++;
	}
	assert_int_equal(handed, TRIES);
}

/* A descriptor that is always readable, while the driver has no frames. */
static void a_descriptor_that_never_calms_down_costs_no_cpu(void **state)
{
	const uint64_t ms = 500;
	uint64_t before, one = 1;
	struct queue_wake *wake = &h.dp->ports[PUBLIC].wake[0];

	(void)state;
	wake->kind = QUEUE_WAKE_READABLE; /* nobody reads it */
	assert_int_equal(write(wake->fd, &one, sizeof(one)), sizeof(one));
	before = sleeps(0);
	usleep(ms * 1000);
	print_message("%u sleeps\n", (unsigned int)(sleeps(0) - before));
	assert_true(sleeps(0) - before < 2 * ms);
	frame_arrives(0);
	for (uint64_t deadline = clock_us() + DEADLINE_US; !frame_left();)
		assert_true(clock_us() < deadline);
}

#define SLEEP_TEST(test) cmocka_unit_test_setup_teardown(test, bed, bed_end)
#define CLOCK_TEST(test) cmocka_unit_test_setup_teardown(test, bed_by_clock, bed_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEP_TEST(a_frame_wakes_all_workers_on_its_way),
		cmocka_unit_test(a_hand_off_wakes_who_gets_it),
		SLEEP_TEST(a_frame_of_linux_wakes_its_worker),
		SLEEP_TEST(a_command_wakes_its_worker),
		SLEEP_TEST(a_publication_wakes_workers),
		SLEEP_TEST(a_change_of_the_lease_wakes_workers),
		SLEEP_TEST(an_operation_of_synchronisation_wakes_workers),
		SLEEP_TEST(a_stop_ends_sleeps),
		SLEEP_TEST(idle_workers_wake_for_ticks_only),
		CLOCK_TEST(queues_that_wake_nobody_are_looked_at_by_the_clock),
		SLEEP_TEST(a_descriptor_that_never_calms_down_costs_no_cpu),
	};

	return eal_run(3, 256, tests);
}
