/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * W workers that share one scheduler, interleaved at random between any two atomic accesses:
 * no threads, no clock. Each schedule comes from a seed; one that breaks a bound is printed
 * and runs alone with PLVS_SEED=seed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <ucontext.h>

#include "sched_lab.h"
#include "sched_steps_crew.h"

#define SCHEDULES 1000 /* of each kind, per scheduler */

static const char *const cyclic[] = {"rr", "wrr", NULL};
static const char *const by_count[] = {"lc", "wlc", "sed", "nq", NULL};

static struct crew crew = {.at = -1};

void step_point(void)
{
	crew_step(&crew);
}

/* A list of 1 to 8 servers, the same for the same seed; nobody has a connection. */
static void lab_random(struct lab *l, uint64_t seed, bool thresholds)
{
	uint64_t r = seed;
	uint32_t n = 1 + random_below(&r, LAB_SERVERS), heaviest = 1 + random_below(&r, 20);

	service_put(l->node);
	l->node = NULL;
	l->n = 0;
	l->n_workers = CREW_MAX;
	l->svc_rt->cursor = 0;
	for (uint32_t i = n; i > 0; i--) {
		lab_put(l, lab_nth(i), 1 + random_below(&r, heaviest));
		if (thresholds && random_below(&r, 2))
			l->servers[0].upper = 1 + random_below(&r, 25);
	}
	if (n > 1 && random_below(&r, 8) == 0)
		l->servers[random_below(&r, n)].weight = 0;
	lab_publish(l);
	for (uint32_t i = 0; i < n; i++) {
		counts_set(l->node->servers[i].rt, 0);
		l->node->servers[i].rt->flags = 0;
	}
}

/* The share that a worker which looks at all servers gives each by 0, 1, ... assignments. */
static void one_worker(struct history *h, struct lab *l)
{
	struct sched_request nobody = {0};

	memset(h, 0, sizeof(*h));
	for (h->n = 0; h->n < ASSIGNMENTS; h->n++) {
		int at = sched_assign(l->node, &nobody, true);

		if (at == SCHED_NONE)
			break;
		memcpy(h->counts[h->n + 1], h->counts[h->n], sizeof(h->counts[0]));
		h->counts[h->n + 1][at]++;
	}
}

/* A schedule. True: no bound was broken. */
static bool schedule_holds(struct lab *l, uint64_t seed, bool thresholds, bool serial, int *worst)
{
	static struct history one;
	bool holds;

	lab_random(l, seed, thresholds);
	one_worker(&one, l);
	lab_random(l, seed, thresholds);
	crew_init(&crew, l, &one, seed, serial);
	crew_run(&crew);
	holds = crew.worst <= (serial ? 0 : (int)crew.n) && crew.overshoot <= (int)crew.n - 1;
	if (crew.worst > *worst)
		*worst = crew.worst;
	if (!holds)
		print_error("%s, %u workers, %u servers, PLVS_SEED=0x%llx: off by %d after %u "
			    "assignments, %d over a threshold\n",
			    l->sched->name, crew.n, l->n, (unsigned long long)seed, crew.worst,
			    crew.worst_after, crew.overshoot);
	crew_fini(&crew);
	return holds;
}

static void schedules_hold(const char *const *names, bool thresholds, bool serial)
{
	const char *only = getenv("PLVS_SEED");
	const uint32_t n = only != NULL ? 1 : serial ? SCHEDULES / 10 : SCHEDULES;

	for (; *names != NULL; names++) {
		struct lab *l = lab_create(*names, 0);
		int worst = 0, broken = 0;
		uint64_t seed = only != NULL ? strtoull(only, NULL, 0) : 1;

		for (uint32_t i = 0; i < n; i++, seed++)
			broken += !schedule_holds(l, seed, thresholds, serial, &worst);
		print_message("%s: seeds from 1, %u schedules, at most off by %d\n", *names, n,
			      worst);
		lab_destroy(l);
		assert_int_equal(broken, 0);
	}
}

static void choices_are_within_w_of_the_one_worker_run(void **state)
{
	(void)state;
	schedules_hold(cyclic, false, false);
}

static void counts_differ_by_at_most_w(void **state)
{
	(void)state;
	schedules_hold(by_count, false, false);
}

static void thresholds_are_overshot_by_at_most_w_less_one(void **state)
{
	(void)state;
	schedules_hold(cyclic, true, false);
	schedules_hold(by_count, true, false);
}

/* Also when the flags come and go; none is left set. */
static void connections_that_end_leave_nothing_behind(void **state)
{
	(void)state;
	for (const char *const *name = sched_names(); *name != NULL; name++) {
		struct lab *l = lab_create(*name, 0);
		/* Destinations stay with their server past its threshold (IPVS). */
		const bool sticks = strncmp(*name, "lblc", 4) == 0;

		for (uint64_t seed = 1; seed <= SCHEDULES / 10; seed++) {
			lab_random(l, seed, true);
			crew_init(&crew, l, NULL, seed, false);
			crew_run(&crew);
			if (!sticks && crew.overshoot > (int)crew.n - 1)
				fail_msg("%s, %u workers, seed %llu: %d over a threshold", *name,
					 crew.n, (unsigned long long)seed, crew.overshoot);
			for (uint32_t i = 0; i < l->n; i++) {
				assert_int_equal(server_rt_counts(l->node->servers[i].rt), 0);
				assert_false(server_rt_overloaded(l->node->servers[i].rt));
			}
			crew_fini(&crew);
		}
		lab_destroy(l);
	}
}

static void serialised_workers_equal_one_worker(void **state)
{
	(void)state;
	schedules_hold(cyclic, true, true);
	schedules_hold(by_count, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_are_within_w_of_the_one_worker_run),
		cmocka_unit_test(counts_differ_by_at_most_w),
		cmocka_unit_test(thresholds_are_overshot_by_at_most_w_less_one),
		cmocka_unit_test(connections_that_end_leave_nothing_behind),
		cmocka_unit_test(serialised_workers_equal_one_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
