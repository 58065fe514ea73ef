/* SPDX-License-Identifier: BSD-3-Clause */
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

/* The letters of the next n choices: A is the server that was added first. */
static const char *sequence(struct lab *l, int n, char *buf)
{
	int i;

	for (i = 0; i < n; i++) {
		int at = lab_choose(l, NULL);

		buf[i] = '-';
		if (at != SCHED_NONE)
			buf[i] = (char)('A' + be32_to(l->node->servers[at].addr.v4) - 0x0a0a0001);
	}
	buf[i] = '\0';
	return buf;
}

/* A, B, C ... with these weights, in a list A B C ... (added from the last to A). */
static struct lab *lab_with(const char *sched, uint32_t flags, const uint32_t *weights, uint32_t n)
{
	struct lab *l = lab_create(sched, flags);

	for (uint32_t i = n; i-- > 0;)
		lab_put(l, lab_nth(i + 1), weights[i]);
	lab_publish(l);
	return l;
}

static struct server_rt *rt_of(struct lab *l, uint32_t nth)
{
	struct endpoint ep = lab_nth(nth);

	return runtime_server_find(&l->rt, l->svc_rt, &ep);
}

static void overload(struct server_rt *rt, bool on)
{
	__atomic_store_n(&rt->flags, on ? SERVER_RT_OVERLOAD : 0, __ATOMIC_RELAXED);
}

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
	l->keep_old = true;
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
	/* Published without B, not settled yet. */
	svc->rt = l->svc_rt;
	svc->sched = l->sched;
	svc->servers[0] = l->node->servers[0];
	svc->servers[1] = l->node->servers[2];
	assert_int_equal(sched_attach(svc, l->node), 0);
	service_put(l->node);
	l->node = svc;
	assert_string_equal(sequence(l, 2, buf), "CA");
	sched_settle(svc);
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
	uint32_t n;
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
		server_rt_bind(svc->servers[at].rt, true);
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
		runs[i] = (struct worker_run){l, counts, n, 0, &start};
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
		l->keep_old = true;
		workers_run(l, N_WORKERS, 2000, counts, edit_all_the_time);
		for (uint32_t i = 0; i < 256; i++)
			sum += counts[i];
		assert_int_equal(sum, N_WORKERS * 2000);
		lab_destroy(l);
	}
}

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

/* 100 : 1 is 50 : 1 in turns of at most 6 bits, and a weight never rounds to none. */
static void mh_deals_turns_of_six_bits(void **state)
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
		server_rt_bind(rt_of(l, 1), true);
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
		server_rt_bind(rt_of(c, 1), true);
		server_rt_bind(rt_of(r, 1), true);
	}
	assert_int_equal(lab_choose(c, &req), 1);
	assert_int_equal(lab_choose(r, &req), 1);
	/* A is idle again, B busy: lblc has moved, lblcr has both. */
	for (int i = 0; i < 3; i++) {
		server_rt_unbind(rt_of(c, 1), true);
		server_rt_unbind(rt_of(r, 1), true);
		server_rt_bind(rt_of(c, 2), true);
		server_rt_bind(rt_of(r, 2), true);
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
		server_rt_bind(rt_of(l, 1), true);
	assert_int_equal(lab_choose(l, &req), 1); /* the set is B A */
	req.now_s += 24 * 60 * 60;
	assert_int_equal(lab_choose(l, &req), 1);
	req.now_s += 2; /* A, the most loaded, goes */
	assert_int_equal(lab_choose(l, &req), 1);
	for (int i = 0; i < 3; i++)
		server_rt_unbind(rt_of(l, 1), true);
	server_rt_bind(rt_of(l, 2), true);
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

/* What an lblc service asked one server for goes elsewhere once nobody asked for that long. */
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
		cmocka_unit_test(every_name_finds_its_scheduler),
		cmocka_unit_test(nobody_is_chosen_from_a_list_without_eligible_servers),
		cmocka_unit_test(rr_goes_round_in_list_order),
		cmocka_unit_test(rr_steps_to_the_predecessor_of_a_deleted_server),
		cmocka_unit_test(rr_keeps_its_place_when_servers_are_added_or_edited),
		cmocka_unit_test(rr_follows_several_changes_in_one_node),
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
		cmocka_unit_test(siphash_gives_the_reference_values),
		cmocka_unit_test(fallback_moves_only_the_clients_of_the_server_that_is_out),
		cmocka_unit_test(sh_fallback_starts_where_linux_starts),
		cmocka_unit_test(without_fallback_a_down_server_gives_its_clients_to_others),
		cmocka_unit_test(mh_moves_few_clients_when_a_server_leaves),
		cmocka_unit_test(mh_deals_turns_of_six_bits),
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
