/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The rankings of lc, wlc, sed and nq against a look at all servers, in random sequences of what
 * happens to a service. A sequence comes from a seed; one that fails is printed and runs alone
 * with PLVS_SEED=seed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sched_lab.h"

#define HELD_MAX  12000
#define SEQUENCES 24
#define STEPS	  4000

static const char *const names[] = {"lc", "wlc", "sed", "nq", NULL};

struct held {
	struct server_rt *rt;
	bool active;
	uint8_t worker;
};

struct walk {
	struct lab *lab;
	uint64_t seed, random;
	struct held held[HELD_MAX];
	uint32_t n_held;
	uint32_t step, chosen, refused;
};

static uint32_t below(struct walk *w, uint32_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ z >> 31) % n);
}

/* --- a look at all servers --------------------------------------------------------- */

static uint64_t measure(const char *name, uint64_t counts)
{
	const uint64_t active = counts >> 32, inactive = counts & UINT32_MAX;

	return name[0] == 'l' || name[0] == 'w' ? active * 256 + inactive : active + 1;
}

static int look(const struct lab *l)
{
	const struct service *svc = l->node;
	const char *name = l->sched->name;
	const struct server *least = NULL;
	uint64_t least_load = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		const uint64_t load = measure(name, server_rt_counts(s->rt));
		const bool lc = strcmp(name, "lc") == 0;

		if (s->weight == 0 || s->down || (s->rt->flags & SERVER_RT_OVERLOAD))
			continue;
		if (strcmp(name, "nq") == 0 && server_rt_counts(s->rt) >> 32 == 0)
			return (int)i;
		if (least == NULL || (unsigned __int128)least_load * (lc ? 1 : s->weight) >
					     (unsigned __int128)load * (lc ? 1 : least->weight)) {
			least = s;
			least_load = load;
		}
	}
	return least != NULL ? (int)(least - svc->servers) : SCHED_NONE;
}

/* --- what happens ------------------------------------------------------------------ */

static void hold(struct walk *w, struct server_rt *rt, bool active, uint32_t worker)
{
	if (w->n_held < HELD_MAX)
		w->held[w->n_held++] = (struct held){rt, active, (uint8_t)worker};
}

static void check(struct walk *w, int at)
{
	const int expected = look(w->lab);

	w->chosen += at != SCHED_NONE;
	w->refused += at == SCHED_NONE;
	if (at != expected)
		fail_msg("%s, PLVS_SEED=0x%llx, step %u: server %d of %u, a look at all finds %d",
			 w->lab->sched->name, (unsigned long long)w->seed, w->step, at,
			 w->lab->node->n_servers, expected);
}

static void step_begin(struct walk *w)
{
	struct sched_request req = {.worker = &w->lab->workers[0]};
	const bool active = below(w, 4) != 0;
	const int expected = look(w->lab);
	int at;

	if (w->n_held == HELD_MAX)
		return;
	at = sched_assign(w->lab->node, &req, active);
	w->chosen += at != SCHED_NONE;
	w->refused += at == SCHED_NONE;
	if (at != expected)
		fail_msg(
			"%s, PLVS_SEED=0x%llx, step %u: bound to server %d, a look at all finds %d",
			w->lab->sched->name, (unsigned long long)w->seed, w->step, at, expected);
	if (at != SCHED_NONE)
		hold(w, w->lab->node->servers[at].rt, active, 0);
}

/* A template's server, whatever the scheduler would say; or a binding that comes to nothing. */
static void step_bind(struct walk *w)
{
	struct server_rt *rt;

	if (w->lab->n == 0 || w->n_held == HELD_MAX)
		return;
	rt = w->lab->node->servers[below(w, w->lab->n)].rt;
	counts_bind(rt, true);
	if (below(w, 3) == 0) {
		counts_undo(rt, true);
		sched_update(w->lab->node, &w->lab->workers[0], rt->id);
	} else {
		hold(w, rt, true, 0);
	}
}

static void step_end(struct walk *w)
{
	uint32_t k;

	if (w->n_held == 0)
		return;
	k = below(w, w->n_held);
	lab_unbind(w->lab, w->held[k].rt, w->held[k].active);
	w->held[k] = w->held[--w->n_held];
}

static void step_change(struct walk *w)
{
	struct held *h;

	if (w->n_held == 0)
		return;
	h = &w->held[below(w, w->n_held)];
	h->active = !h->active;
	lab_change(w->lab, h->rt, h->active);
}

static uint32_t some_weight(struct walk *w)
{
	static const uint32_t some[] = {0, 1, 1, 2, 3, 3, 7, 100, 65535, MAX_WEIGHT};

	return below(w, 2) ? 1 + below(w, 5) : some[below(w, sizeof(some) / sizeof(some[0]))];
}

/* Numbers of servers that were added, of which some are gone. */
static struct endpoint some_server(struct walk *w)
{
	return w->lab->servers[below(w, w->lab->n)].ep;
}

static void step_list(struct walk *w)
{
	struct lab *l = w->lab;
	struct lab_server *s;
	struct endpoint ep = lab_nth(1 + below(w, 400));

	if (l->n < 2 || (below(w, 2) && lab_find(l, &ep) == NULL && l->n < 300)) {
		if (lab_find(l, &ep) == NULL)
			lab_add(l, ep, some_weight(w));
		return;
	}
	ep = some_server(w);
	s = lab_find(l, &ep);
	switch (below(w, 5)) {
	case 0:
		lab_del(l, ep);
		break;
	case 1:
		lab_edit(l, ep, some_weight(w));
		break;
	case 2:
		lab_weigh(l, ep, some_weight(w));
		break;
	case 3:
		s->down = !s->down;
		lab_publish(l);
		break;
	default:
		s->upper = below(w, 3) ? 1 + below(w, 12) : 0;
		s->lower = s->upper && below(w, 2) ? below(w, s->upper) : 0;
		lab_publish(l);
	}
}

/* Workers have the new node already when control writes its thresholds. */
static void step_thresholds_late(struct walk *w)
{
	const struct service *node = w->lab->node;
	uint32_t at;

	if (node->n_servers == 0)
		return;
	at = below(w, node->n_servers);
	w->lab->servers[at].upper = 0;
	server_rt_set_thresholds(node->servers[at].rt, 0, 0);
	sched_published(node);
}

static void walk_step(struct walk *w)
{
	const uint32_t what = below(w, 100);

	if (what < 45)
		step_begin(w);
	else if (what < 70)
		step_end(w);
	else if (what < 85)
		step_change(w);
	else if (what < 93)
		step_bind(w);
	else if (what < 97)
		check(w, lab_choose(w->lab, NULL));
	else if (what < 99)
		step_list(w);
	else
		step_thresholds_late(w);
}

static struct walk *walk_create(const char *name, uint64_t seed, uint32_t servers)
{
	struct walk *w = calloc(1, sizeof(*w));

	w->lab = lab_create(name, 0);
	w->seed = w->random = seed;
	for (uint32_t i = 1; i <= servers; i++) {
		lab_put(w->lab, lab_nth(i), some_weight(w));
		/* In every second sequence servers are full now and then. */
		w->lab->servers[0].upper = seed % 2 ? 1 + below(w, 12) : 0;
	}
	lab_publish(w->lab);
	return w;
}

static void walk_destroy(struct walk *w)
{
	lab_destroy(w->lab);
	free(w);
}

/* Loads of which the products need all of 63 bits. */
static void loads_put(struct walk *w)
{
	for (uint32_t i = 0; i < w->lab->n; i++)
		counts_set(w->lab->node->servers[i].rt,
			   (uint64_t)below(w, 1U << 23) << 32 | below(w, 1U << 20));
}

static void one_worker_chooses_as_a_look_at_all_servers_does(void **state)
{
	static const uint32_t sizes[] = {0, 1, 2, 3, 5, 16, 17, 60, 250};
	const char *only = getenv("PLVS_SEED");

	(void)state;
	for (const char *const *name = names; *name != NULL; name++) {
		uint64_t seed = only != NULL ? strtoull(only, NULL, 0) : 1;
		uint32_t chosen = 0, refused = 0;

		for (uint32_t i = 0; i < (only != NULL ? 1 : SEQUENCES); i++, seed++) {
			struct walk *w = walk_create(*name, seed, sizes[seed % 9]);

			if (seed % 4 == 0)
				loads_put(w);
			for (w->step = 0; w->step < STEPS; w->step++)
				walk_step(w);
			chosen += w->chosen;
			refused += w->refused;
			walk_destroy(w);
		}
		print_message("%s: %u choices, %u refused\n", *name, chosen, refused);
		assert_true(only != NULL || (chosen > 20000 && refused > 20));
	}
}

/* (w - 1) / w is more than (w - 2) / (w - 1): the products differ by 1 in 62 bits. */
static void products_are_not_rounded(void **state)
{
	static const uint32_t weights[] = {MAX_WEIGHT, MAX_WEIGHT - 1};
	struct lab *l = lab_with("wlc", 0, weights, 2);

	(void)state;
	for (uint64_t i = 0; i < 2; i++) {
		const uint64_t load = MAX_WEIGHT - 1 - i;

		counts_set(l->node->servers[i].rt, load >> 8 << 32 | (load & 255));
	}
	assert_int_equal(lab_choose(l, NULL), 1);
	assert_int_equal(look(l), 1);
	lab_destroy(l);
}

/* --- several workers --------------------------------------------------------------- */

static struct lab *lab_alike(const char *name, uint32_t servers, uint16_t workers)
{
	struct lab *l = lab_create(name, 0);

	l->n_workers = workers;
	for (uint32_t i = servers; i > 0; i--)
		lab_put(l, lab_nth(i), 1);
	lab_publish(l);
	return l;
}

static int assign(struct lab *l, uint32_t worker)
{
	struct sched_request req = {.worker = &l->workers[worker]};

	return sched_assign(l->node, &req, true);
}

static void the_end_of_another_workers_connection_is_seen_within_n_choices(void **state)
{
	(void)state;
	for (uint32_t servers = 1; servers <= 40; servers += 13) {
		struct lab *l = lab_alike("wlc", servers, 2);
		uint32_t choices = 0;
		int at;

		for (uint32_t i = 0; i < servers * 10; i++)
			assert_int_equal(assign(l, 0), i % servers);
		assert_int_equal(assign(l, 1), 0);
		/* Worker 1 alone is told. */
		counts_unbind_of(l->node->servers[servers - 1].rt, 1, true);
		counts_unbind_of(l->node->servers[servers - 1].rt, 1, true);
		do
			at = assign(l, 0);
		while (++choices < servers && at != (int)servers - 1);
		assert_int_equal(at, servers - 1);
		assert_in_range(choices, 1, servers / 8 + 2);
		lab_destroy(l);
	}
}

static void nobody_is_refused_while_another_worker_made_room(void **state)
{
	struct lab *l = lab_alike("wlc", 40, 2);

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		l->servers[i].upper = 2;
	lab_publish(l);
	for (uint32_t i = 0; i < 80; i++)
		assert_int_equal(assign(l, 0), i % 40);
	assert_int_equal(assign(l, 0), SCHED_NONE);
	assert_int_equal(assign(l, 1), SCHED_NONE);
	counts_unbind_of(l->node->servers[33].rt, 1, true);
	assert_int_equal(assign(l, 0), 33);
	assert_int_equal(assign(l, 0), SCHED_NONE);
	lab_destroy(l);
}

/* The work of the workers: connections end as well; each choice stands alone, or bursts have up to
 * so many choices, between which those of others come. */
struct compare {
	const char *name;
	uint32_t servers;
	uint16_t workers;
	bool ends;
	uint32_t burst;
};

/* Connections of W workers begin and end, an end at the worker of its beginning. *worst: by how
 * many connections a chosen server had more than the least loaded one at that moment. */
static void workers_compare(const struct compare *c, uint32_t *worst)
{
	struct lab *l = lab_alike(c->name, c->servers, c->workers);
	struct walk *w = calloc(1, sizeof(*w));

	w->random = c->servers * 31 + c->workers;
	for (uint32_t step = 0; step < (c->ends ? 12000 : 4000); step++) {
		/* The number of connections rises, stays, and falls. */
		const uint32_t begin_of_8 = 6 - step / 4000 * 2, k = below(w, w->n_held + 1U);
		const struct held *h = &w->held[k];
		uint32_t least = UINT32_MAX, worker = below(w, c->workers), had;
		int at;

		if (c->ends && k < w->n_held && below(w, 8) >= begin_of_8) {
			counts_unbind_of(h->rt, h->worker, true);
			sched_update(l->node, &l->workers[h->worker], h->rt->id);
			w->held[k] = w->held[--w->n_held];
			continue;
		}
		if (c->burst && below(w, c->burst) == 0)
			l->workers[worker].burst++;
		for (uint32_t i = 0; i < c->servers; i++) {
			had = counts_active(server_rt_counts(l->node->servers[i].rt));
			least = had < least ? had : least;
		}
		at = assign(l, worker);
		assert_int_not_equal(at, SCHED_NONE);
		hold(w, l->node->servers[at].rt, true, worker);
		had = counts_active(server_rt_counts(l->node->servers[at].rt)) - 1;
		*worst = had - least > *worst ? had - least : *worst;
	}
	free(w);
	lab_destroy(l);
}

/* off_by: what is allowed, for each worker. */
static void choices_hold(bool ends, uint32_t burst, uint32_t off_by)
{
	for (const char *const *name = names; *name != NULL; name++) {
		for (uint16_t workers = 1; workers <= LAB_WORKERS; workers *= 2) {
			struct compare c = {*name, 0, workers, ends, burst};
			uint32_t worst = 0;

			for (c.servers = 8; c.servers <= 200; c.servers += 24)
				workers_compare(&c, &worst);
			print_message("%s, %u workers: at most off by %u\n", *name, workers, worst);
			assert_in_range(worst, 0, workers > 1 ? workers * off_by : 0);
		}
	}
}

static void with_ends_a_choice_is_within_w_of_the_least_loaded(void **state)
{
	(void)state;
	choices_hold(true, 0, 1);
}

static void within_a_burst_each_worker_gives_a_server_one_connection_too_many(void **state)
{
	(void)state;
	choices_hold(false, 32, 1);
}

static void within_a_burst_ends_at_other_workers_are_seen_somewhat_later(void **state)
{
	(void)state;
	choices_hold(true, 32, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker_chooses_as_a_look_at_all_servers_does),
		cmocka_unit_test(products_are_not_rounded),
		cmocka_unit_test(the_end_of_another_workers_connection_is_seen_within_n_choices),
		cmocka_unit_test(nobody_is_refused_while_another_worker_made_room),
		cmocka_unit_test(with_ends_a_choice_is_within_w_of_the_least_loaded),
		cmocka_unit_test(within_a_burst_each_worker_gives_a_server_one_connection_too_many),
		cmocka_unit_test(within_a_burst_ends_at_other_workers_are_seen_somewhat_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
