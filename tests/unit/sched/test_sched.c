/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry, rr, wrr, cursors, and several workers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "sched/ops.h"
#include "sched_lab.h"

/* --- Registry ---------------------------------------------------------------------- */

static void every_name_finds_its_scheduler(void **state)
{
	const char *const *names = sched_names();
	size_t n = 0;

	(void)state;
	for (; names[n] != NULL; n++) {
		assert_non_null(sched_find(names[n]));
		assert_string_equal(sched_find(names[n])->name, names[n]);
		assert_true(n == 0 || strcmp(names[n - 1], names[n]) < 0);
	}
	assert_int_equal(n, 14);
	assert_null(sched_find("wlcc"));
	assert_null(sched_find(""));
}

static void nobody_is_chosen_from_a_list_without_eligible_servers(void **state)
{
	static const uint32_t weights[] = {0, 1, 1};

	(void)state;
	for (const char *const *name = sched_names(); *name != NULL; name++) {
		struct lab *l = lab_create(*name, 0);

		assert_int_equal(lab_choose(l, NULL), SCHED_NONE);
		lab_destroy(l);
		for (uint32_t flags = 0; flags <= sched_find(*name)->flags_allowed; flags++) {
			l = lab_with(*name, flags, weights, 3);
			l->servers[1].down = 1;
			lab_publish(l);
			overload(rt_of(l, 3), true);
			for (int i = 0; i < 5; i++)
				assert_int_equal(lab_choose(l, NULL), SCHED_NONE);
			lab_destroy(l);
		}
	}
}

/* --- rr ---------------------------------------------------------------------------- */

static void rr_goes_round_in_list_order(void **state)
{
	static const uint32_t weights[] = {1, 5, 0, 1};
	struct lab *l = lab_with("rr", 0, weights, 4);
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 7, buf), "ABDABDA");
	lab_destroy(l);
}

static void rr_steps_to_the_predecessor_of_a_deleted_server(void **state)
{
	static const uint32_t weights[] = {1, 1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 4);
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 2, buf), "AB");
	lab_del(l, lab_nth(2)); /* chosen last: A stands for it */
	assert_string_equal(sequence(l, 1, buf), "C");
	lab_del(l, lab_nth(1)); /* another one: C stays */
	assert_string_equal(sequence(l, 2, buf), "DC");
	lab_del(l, lab_nth(3));
	lab_del(l, lab_nth(4));
	lab_add(l, lab_nth(5), 1); /* the list was empty: from the head */
	lab_add(l, lab_nth(6), 1);
	assert_string_equal(sequence(l, 3, buf), "FEF");
	lab_destroy(l);
}

static void rr_keeps_its_place_when_servers_are_added_or_edited(void **state)
{
	static const uint32_t weights[] = {1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 3);
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 2, buf), "AB");
	lab_add(l, lab_nth(4), 1); /* D A B C */
	assert_string_equal(sequence(l, 3, buf), "CDA");
	lab_edit(l, lab_nth(3), 9);
	assert_string_equal(sequence(l, 2, buf), "BC");
	lab_destroy(l);
}

static void rr_follows_several_changes_in_one_node(void **state)
{
	static const uint32_t weights[] = {1, 1, 1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 5);
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 4, buf), "ABCD");
	/* C and D go, F comes: B stands for D. F A B E */
	memmove(&l->servers[2], &l->servers[4], sizeof(l->servers[0]));
	l->n = 3;
	lab_put(l, lab_nth(6), 1);
	lab_publish(l);
	assert_string_equal(sequence(l, 3, buf), "EFA");
	lab_destroy(l);
}

/* --- rr, turns of a burst ---------------------------------------------------------- */

static struct lab *lab_rr(uint32_t servers, uint16_t workers)
{
	struct lab *l = lab_create("rr", 0);

	l->n_workers = workers;
	for (uint32_t i = servers; i > 0; i--)
		lab_put(l, lab_nth(i), 1);
	lab_publish(l);
	return l;
}

static void burst_begin(struct lab *l, uint32_t worker)
{
	l->workers[worker].burst++;
}

static int choose_as(struct lab *l, uint32_t worker)
{
	struct sched_request req = {.worker = &l->workers[worker]};

	return l->sched->choose(l->node, &req);
}

static void rr_takes_the_turns_of_a_burst_at_once_and_keeps_the_rest(void **state)
{
	struct lab *l = lab_rr(6, 2);

	(void)state;
	/* The need is not known: 1, 1, 2. */
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), 0);
	assert_int_equal(choose_as(l, 0), 1);
	assert_int_equal(choose_as(l, 0), 2);
	burst_begin(l, 1);
	assert_int_equal(choose_as(l, 1), 4);
	assert_int_equal(choose_as(l, 0), 3);
	/* The burst before had 4 choices. */
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), 5);
	assert_int_equal(choose_as(l, 1), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(choose_as(l, 0), i);
	/* Of the burst before. */
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), 4);
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), 5);
	lab_destroy(l);
}

static void rr_gives_no_turn_to_a_server_that_is_full_by_then(void **state)
{
	struct lab *l = lab_rr(3, 2);

	(void)state;
	burst_begin(l, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(choose_as(l, 0), i);
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), 0);
	overload(rt_of(l, 2), true);
	assert_int_equal(choose_as(l, 0), 2);
	overload(rt_of(l, 1), true);
	overload(rt_of(l, 3), true);
	burst_begin(l, 0);
	assert_int_equal(choose_as(l, 0), SCHED_NONE);
	overload(rt_of(l, 2), false);
	assert_int_equal(choose_as(l, 0), 1);
	lab_destroy(l);
}

/* Bursts of W workers take turns among each other; a burst may need fewer turns than the one
 * before. */
static void rr_in_bursts_is_within_w_of_the_one_worker_run(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (uint32_t run = 0; run < 40; run++) {
		const uint16_t workers = (uint16_t)(2 + run % 7);
		const uint32_t servers = 1 + run * 5 % 41;
		struct lab *l = lab_rr(servers, workers);
		uint32_t had[64] = {0};

		for (uint32_t n = 1; n <= 2000; n++) {
			const uint32_t worker = (uint32_t)((random >> 33) % workers);

			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			if ((random >> 40) % 9 == 0)
				burst_begin(l, worker);
			had[choose_as(l, worker)]++;
			for (uint32_t i = 0; i < servers; i++)
				assert_in_range(had[i] + workers - (n + servers - 1 - i) / servers,
						0, 2U * workers);
		}
		lab_destroy(l);
	}
}

/* --- wrr --------------------------------------------------------------------------- */

static void wrr_is_the_classic_loop_not_a_smooth_one(void **state)
{
	static const uint32_t weights[] = {4, 3, 2};
	struct lab *l = lab_create("wrr", 0);
	char buf[32];

	(void)state;
	/* A service that takes its list from another scheduler's starts with cw = mw. */
	l->sched = sched_find("rr");
	for (uint32_t i = 3; i-- > 0;)
		lab_put(l, lab_nth(i + 1), weights[i]);
	lab_publish(l);
	l->sched = sched_find("wrr");
	lab_publish(l);
	assert_string_equal(sequence(l, 18, buf), "AABABCABCAABABCABC");
	lab_destroy(l);
}

static void wrr_is_the_same_however_many_servers_one_node_adds(void **state)
{
	static const uint32_t weights[] = {6, 2, 9, 4, 15, 3};
	struct lab *one = lab_create("wrr", 0), *all = lab_create("wrr", 0);
	char a[128], b[128];

	(void)state;
	for (uint32_t i = 6; i-- > 0;) {
		lab_add(one, lab_nth(i + 1), weights[i]);
		lab_put(all, lab_nth(i + 1), weights[i]);
	}
	lab_publish(all);
	assert_string_equal(sequence(one, 100, a), sequence(all, 100, b));
	for (uint32_t i = 7; i < 10; i++) {
		lab_add(one, lab_nth(i), i);
		lab_put(all, lab_nth(i), i);
	}
	lab_publish(all);
	assert_string_equal(sequence(one, 100, a), sequence(all, 100, b));
	lab_destroy(one);
	lab_destroy(all);
}

/* The loop of the specification, round by round. */
struct naive_wrr {
	int cl, cw, mw, di; /* cl: index, -1 = head */
};

static int naive_wrr_choose(struct naive_wrr *m, const struct service *svc)
{
	int n = (int)svc->n_servers, i = m->cl, last = m->cl, stop = -2;
	bool last_pass = false, restarted = false;

	if (m->mw == 0)
		return SCHED_NONE;
	for (;;) {
		while (++i < n) {
			const struct server *s = &svc->servers[i];

			if (!server_rt_overloaded(s->rt) && (int)s->weight >= m->cw)
				return m->cl = i;
			if (i == stop) {
				m->cl = i;
				return SCHED_NONE;
			}
		}
		i = -1;
		m->cw -= m->di;
		if (m->cw <= 0) {
			m->cw = m->mw;
			if (last_pass || last == -1) {
				m->cl = -1;
				return SCHED_NONE;
			}
			restarted = true;
		}
		last_pass = m->cw <= m->di;
		if (last_pass && restarted && last != -1)
			stop = last;
	}
}

static int gcd_of(int a, int b)
{
	return b == 0 ? a : gcd_of(b, a % b);
}

static void naive_wrr_changed(struct naive_wrr *m, const struct service *svc)
{
	int g = 0, max = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		int w = (int)svc->servers[i].weight;

		g = gcd_of(g, w);
		max = w > max ? w : max;
	}
	m->cl = -1;
	m->di = g ? g : 1;
	m->mw = max - (m->di - 1);
	if (m->cw > m->mw || m->cw == 0)
		m->cw = m->mw;
	else if (m->di > 1)
		m->cw = m->cw / m->di * m->di + 1;
}

static void wrr_equals_the_loop_under_random_changes(void **state)
{
	static const uint32_t units[] = {1, 1, 2, 3, 5};

	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct lab *l = lab_create("wrr", 0);
		struct naive_wrr m = {.cl = -1, .di = 1};
		unsigned int r = seed;

		for (uint32_t step = 0; step < 80; step++) {
			uint32_t kind = (uint32_t)rand_r(&r) % 4,
				 nth = (uint32_t)rand_r(&r) % 7 + 1;
			uint32_t w = (uint32_t)rand_r(&r) % 9 * units[seed % 5];
			struct endpoint ep = lab_nth(nth);
			struct lab_server *s = lab_find(l, &ep);

			if (kind < 2 && s == NULL) {
				lab_add(l, ep, w);
				naive_wrr_changed(&m, l->node);
			} else if (kind == 0 && s->weight != w) {
				lab_edit(l, ep, w);
				naive_wrr_changed(&m, l->node);
			} else if (kind == 1 && rand_r(&r) % 3 == 0) {
				lab_del(l, ep);
				naive_wrr_changed(&m, l->node);
			} else if (s != NULL) {
				overload(rt_of(l, nth), rand_r(&r) % 2);
			}
			for (int i = rand_r(&r) % 12; i > 0; i--)
				assert_int_equal(lab_choose(l, NULL),
						 naive_wrr_choose(&m, l->node));
		}
		lab_destroy(l);
	}
}

/* Round by round this would be 4096 x 65535 looks per choice. */
static void wrr_does_not_walk_rounds_that_find_nobody(void **state)
{
	struct lab *l = lab_create("wrr", 0);

	(void)state;
	for (uint32_t i = 1; i <= MAX_SERVERS_PER_SERVICE; i++)
		lab_put(l, lab_nth(i), i == 1 ? 1 : MAX_WEIGHT);
	lab_publish(l);
	for (uint32_t i = 1; i <= MAX_SERVERS_PER_SERVICE; i++)
		overload(rt_of(l, i), true);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(lab_choose(l, NULL), SCHED_NONE);
	overload(rt_of(l, 1), false);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(lab_choose(l, NULL), MAX_SERVERS_PER_SERVICE - 1);
	lab_destroy(l);
}

/* --- Cursors ----------------------------------------------------------------------- */

static void health_does_not_reset_the_cursor(void **state)
{
	static const uint32_t weights[] = {2, 2, 2};
	struct lab *l = lab_with("wrr", 0, weights, 3);
	uint32_t gen = l->node->sched_gen;
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 1, buf), "A");
	l->servers[1].down = 1;
	lab_publish(l);
	assert_int_equal(l->node->sched_gen, gen);
	assert_string_equal(sequence(l, 3, buf), "CAC");
	l->servers[1].down = 0;
	lab_publish(l);
	assert_string_equal(sequence(l, 3, buf), "ABC");
	lab_edit(l, lab_nth(2), 4); /* an edit does */
	assert_int_equal(l->node->sched_gen, gen + 1);
	assert_string_equal(sequence(l, 1, buf), "A");
	lab_destroy(l);
}

static void a_weight_that_health_lowers_is_no_edit(void **state)
{
	static const uint32_t weights[] = {2, 2, 2};
	struct lab *l = lab_with("wrr", 0, weights, 3);
	uint32_t gen = l->node->sched_gen;
	char buf[32];

	(void)state;
	assert_string_equal(sequence(l, 1, buf), "A");
	lab_weigh(l, lab_nth(2), 1);
	assert_int_equal(l->node->sched_gen, gen);
	assert_string_equal(sequence(l, 9, buf), "BCACABCAC");
	lab_weigh(l, lab_nth(2), 0);
	assert_string_equal(sequence(l, 4, buf), "ACAC");
	lab_weigh(l, lab_nth(2), 2);
	assert_int_equal(l->node->sched_gen, gen);
	assert_string_equal(sequence(l, 3, buf), "ABC");
	/* Not even where the operator then says what it weighs already. */
	lab_weigh(l, lab_nth(2), 4);
	lab_edit(l, lab_nth(2), 4);
	assert_int_equal(l->node->sched_gen, gen + 1);
	lab_destroy(l);
}

static void a_worker_on_an_old_node_chooses_without_moving_the_cursor(void **state)
{
	static const uint32_t weights[] = {1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 3);
	const struct service *old;
	uint64_t cursor;

	(void)state;
	l->retains_old = true;
	lab_choose(l, NULL);
	old = l->node;
	lab_del(l, lab_nth(3));
	cursor = l->svc_rt->cursor;
	for (int i = 0; i < 5; i++)
		assert_in_range(l->sched->choose(old, NULL), 0, 2);
	assert_true(l->svc_rt->cursor == cursor);
	lab_destroy(l);
}

static void a_worker_may_adapt_the_cursor_before_control_settles(void **state)
{
	static const uint32_t weights[] = {1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 3);
	struct service *svc = service_create(2, 1);
	char buf[8];

	(void)state;
	assert_string_equal(sequence(l, 2, buf), "AB");
	/* In use without B, and sched_published() is due. */
	svc->rt = l->svc_rt;
	svc->sched = l->sched;
	svc->servers[0] = l->node->servers[0];
	svc->servers[1] = l->node->servers[2];
	assert_int_equal(sched_attach(svc, l->node), 0);
	service_put(l->node);
	l->node = svc;
	assert_string_equal(sequence(l, 2, buf), "CA");
	sched_published(svc);
	assert_string_equal(sequence(l, 2, buf), "CA");
	lab_destroy(l);
}

static void another_scheduler_does_not_read_the_old_cursor(void **state)
{
	static const uint32_t weights[] = {3, 2, 1};

	(void)state;
	for (const char *const *from = sched_names(); *from != NULL; from++) {
		for (const char *const *to = sched_names(); *to != NULL; to++) {
			struct lab *l = lab_with(*from, 0, weights, 3);

			for (int i = 0; i < 5; i++)
				lab_choose(l, NULL);
			l->sched = sched_find(*to);
			lab_publish(l);
			for (int i = 0; i < 5; i++)
				assert_in_range(lab_choose(l, NULL), 0, 2);
			lab_destroy(l);
		}
	}
}

static void generations_wrap(void **state)
{
	static const uint32_t weights[] = {1, 1, 1};
	struct lab *l = lab_with("rr", 0, weights, 3);
	char buf[8];

	(void)state;
	for (uint32_t i = 0; i < 70000; i++) {
		lab_edit(l, lab_nth(1), 2 + i % 2);
		if (i % 1000 == 0)
			assert_string_equal(sequence(l, 3, buf), "ABC");
	}
	assert_string_equal(sequence(l, 3, buf), "ABC");
	lab_destroy(l);
}

/* --- Several workers --------------------------------------------------------------- */

#define N_WORKERS  4
#define PER_WORKER 50000

struct worker_run {
	struct lab *lab;
	uint32_t *counts; /* by address, atomic */
	uint32_t id, n;
	uint32_t none;
	pthread_barrier_t *start;
};

static void *worker_run(void *arg)
{
	static const struct sched_request req;
	struct worker_run *w = arg;

	pthread_barrier_wait(w->start);
	for (uint32_t i = 0; i < w->n; i++) {
		const struct service *svc = __atomic_load_n(&w->lab->node, __ATOMIC_ACQUIRE);
		int at = svc->sched->choose(svc, &req);

		if (at == SCHED_NONE) {
			w->none++;
			continue;
		}
		counts_bind_of(svc->servers[at].rt, w->id, true);
		__atomic_fetch_add(&w->counts[be32_to(svc->servers[at].addr.v4) & 0xff], 1,
				   __ATOMIC_RELAXED);
	}
	return NULL;
}

static void workers_run(struct lab *l, uint32_t workers, uint32_t n, uint32_t *counts,
			void (*meanwhile)(struct lab *l))
{
	pthread_t threads[N_WORKERS];
	struct worker_run runs[N_WORKERS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, workers + 1);
	for (uint32_t i = 0; i < workers; i++) {
		runs[i] = (struct worker_run){l, counts, i, n, 0, &start};
		assert_int_equal(pthread_create(&threads[i], NULL, worker_run, &runs[i]), 0);
	}
	pthread_barrier_wait(&start);
	if (meanwhile != NULL)
		meanwhile(l);
	for (uint32_t i = 0; i < workers; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(runs[i].none, 0);
	}
	pthread_barrier_destroy(&start);
}

static void each_server_is_within_w_of_the_one_worker_run(void **state)
{
	static const char *const names[] = {"rr", "wrr", "lc", "wlc", "sed"};
	static const uint32_t weights[] = {7, 4, 2, 1};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		uint32_t many[256] = {0}, one[256] = {0};
		struct lab *l = lab_with(names[k], 0, weights, 4);

		workers_run(l, N_WORKERS, PER_WORKER, many, NULL);
		lab_destroy(l);
		l = lab_with(names[k], 0, weights, 4);
		workers_run(l, 1, N_WORKERS * PER_WORKER, one, NULL);
		lab_destroy(l);
		for (uint32_t i = 1; i <= 4; i++)
			assert_in_range(many[i], one[i] - N_WORKERS, one[i] + N_WORKERS);
	}
}

static void edit_all_the_time(struct lab *l)
{
	for (uint32_t i = 0; i < 1000; i++) {
		lab_edit(l, lab_nth(1 + i % 3), 1 + i % 5);
		if (i % 7 == 0)
			lab_add(l, lab_nth(9), 3);
		else if (i % 7 == 3)
			lab_del(l, lab_nth(9));
	}
}

static void lists_may_change_under_the_workers(void **state)
{
	static const uint32_t weights[] = {7, 4, 2};

	(void)state;
	for (const char *const *name = sched_names(); *name != NULL; name++) {
		struct lab *l;
		uint32_t counts[256] = {0}, sum = 0;

		/* Refuses by design when its one server is not eligible or full. */
		if (strcmp(*name, "ovf") == 0)
			continue;
		l = lab_with(*name, 0, weights, 3);
		l->retains_old = true;
		workers_run(l, N_WORKERS, 2000, counts, edit_all_the_time);
		for (uint32_t i = 0; i < 256; i++)
			sum += counts[i];
		assert_int_equal(sum, N_WORKERS * 2000);
		lab_destroy(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_finds_its_scheduler),
		cmocka_unit_test(nobody_is_chosen_from_a_list_without_eligible_servers),
		cmocka_unit_test(rr_goes_round_in_list_order),
		cmocka_unit_test(rr_steps_to_the_predecessor_of_a_deleted_server),
		cmocka_unit_test(rr_keeps_its_place_when_servers_are_added_or_edited),
		cmocka_unit_test(rr_follows_several_changes_in_one_node),
		cmocka_unit_test(rr_takes_the_turns_of_a_burst_at_once_and_keeps_the_rest),
		cmocka_unit_test(rr_gives_no_turn_to_a_server_that_is_full_by_then),
		cmocka_unit_test(rr_in_bursts_is_within_w_of_the_one_worker_run),
		cmocka_unit_test(wrr_is_the_classic_loop_not_a_smooth_one),
		cmocka_unit_test(wrr_is_the_same_however_many_servers_one_node_adds),
		cmocka_unit_test(wrr_equals_the_loop_under_random_changes),
		cmocka_unit_test(wrr_does_not_walk_rounds_that_find_nobody),
		cmocka_unit_test(health_does_not_reset_the_cursor),
		cmocka_unit_test(a_weight_that_health_lowers_is_no_edit),
		cmocka_unit_test(a_worker_on_an_old_node_chooses_without_moving_the_cursor),
		cmocka_unit_test(a_worker_may_adapt_the_cursor_before_control_settles),
		cmocka_unit_test(another_scheduler_does_not_read_the_old_cursor),
		cmocka_unit_test(generations_wrap),
		cmocka_unit_test(each_server_is_within_w_of_the_one_worker_run),
		cmocka_unit_test(lists_may_change_under_the_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
