/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_SCHED_STEPS_CREW_H
#define PLVS_TESTS_SCHED_STEPS_CREW_H

/*
 * Workers as coroutines: each takes assignments (choose, bind) until none is left, and at
 * each step_point() gives the turn to another or not, as the schedule's seed has it. Some
 * schedules change hands at every step, others seldom; some workers get few turns, so that
 * a decision may be old when it is carried out.
 */

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "sched_lab.h"

void step_point(void); /* called by what is tested: sched_steps.h */

#define CREW_MAX    LAB_WORKERS
#define LAB_SERVERS 8
#define ASSIGNMENTS 160
#define CREW_STACK  65536

struct history {
	uint32_t n;
	uint32_t counts[ASSIGNMENTS + 1][LAB_SERVERS];
};

struct crew {
	struct lab *lab;
	const struct history *one; /* the one-worker run; NULL: connections end, too */
	unsigned int n;
	int at;	       /* whose turn it is; -1: nobody's, step_point() does nothing */
	uint32_t left; /* assignments nobody has taken yet */
	uint64_t random;
	uint32_t calm; /* one step in so many changes hands */
	bool serial;   /* hands change between assignments only */
	bool busy;     /* serial: within an assignment */
	bool done[CREW_MAX];
	uint32_t share[CREW_MAX]; /* share of turns */
	ucontext_t home, context[CREW_MAX];
	char *stacks;
	/* Choices that were seen. */
	int worst; /* largest difference of a server from the one-worker run */
	uint32_t worst_after;
	int overshoot; /* connections beyond a threshold */
};

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ z >> 31) % n);
}

/* The counts as they are at this very moment against those of the one-worker run. */
static inline void crew_look(struct crew *c)
{
	const struct service *svc = c->lab->node;
	uint32_t counts[LAB_SERVERS], n = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		int over;

		counts[i] = counts_active(server_rt_counts(svc->servers[i].rt));
		n += counts[i];
		over = svc->servers[i].upper ? (int)(counts[i] - svc->servers[i].upper) : 0;
		if (over > c->overshoot)
			c->overshoot = over;
	}
	if (c->one == NULL || n > c->one->n)
		return;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		int off = abs((int)(counts[i] - c->one->counts[n][i]));

		if (off > c->worst) {
			c->worst = off;
			c->worst_after = n;
		}
	}
}

/* Whoever comes next among those that are not done; -1: all are. */
static inline int crew_pick(struct crew *c)
{
	uint32_t sum = 0, r;

	for (unsigned int i = 0; i < c->n; i++)
		sum += c->done[i] ? 0 : c->share[i];
	if (sum == 0)
		return -1;
	r = random_below(&c->random, sum);
	for (unsigned int i = 0;; i++) {
		if (c->done[i])
			continue;
		if (r < c->share[i])
			return (int)i;
		r -= c->share[i];
	}
}

static inline void crew_switch(struct crew *c)
{
	int from = c->at, to = crew_pick(c);

	c->at = to;
	if (to != from)
		swapcontext(&c->context[from], to < 0 ? &c->home : &c->context[to]);
}

static inline void crew_step(struct crew *c)
{
	if (c->at < 0)
		return;
	crew_look(c);
	if (!(c->serial && c->busy) && random_below(&c->random, c->calm) == 0)
		crew_switch(c);
}

static struct crew *crew_of_worker; /* makecontext() passes no pointers */

static void crew_worker(void)
{
	struct crew *c = crew_of_worker;
	struct sched_request nobody = {.worker = &c->lab->workers[c->at]};

	while (c->left > 0) {
		const struct service *svc = c->lab->node;

		c->left--;
		c->busy = true;
		sched_assign(svc, &nobody, true);
		c->busy = false;
		crew_step(c);
	}
	c->done[c->at] = true;
	crew_switch(c);
}

static inline void crew_unbind(const struct service *svc, const struct sched_worker *w, int at)
{
	counts_unbind_of(svc->servers[at].rt, w->id, true);
	sched_update(svc, w, svc->servers[at].id);
}

/* Connections begin and end; all end before the worker does. */
static void crew_worker_of_ends(void)
{
	struct crew *c = crew_of_worker;
	const struct sched_worker *me = &c->lab->workers[c->at];
	struct sched_request nobody = {.worker = me};
	const struct service *svc = c->lab->node;
	int held[ASSIGNMENTS], n = 0, at;

	while (c->left > 0) {
		c->left--;
		if (n > 0 && random_below(&c->random, 5) < 2) {
			crew_unbind(svc, me, held[--n]);
			continue;
		}
		at = sched_assign(svc, &nobody, true);
		if (at != SCHED_NONE)
			held[n++] = at;
		crew_step(c);
	}
	while (n > 0)
		crew_unbind(svc, me, held[--n]);
	c->done[c->at] = true;
	crew_switch(c);
}

/* Apart from the loop: getcontext() may return twice, for all that compilers know. */
static __attribute__((noinline)) void crew_context(ucontext_t *context, char *stack,
						   void (*worker)(void))
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = CREW_STACK;
	makecontext(context, worker, 0);
}

static inline void crew_init(struct crew *c, struct lab *l, const struct history *one,
			     uint64_t seed, bool serial)
{
	static const uint32_t calms[] = {1, 2, 4, 16, 64}, share[] = {1, 1, 8, 64};

	memset(c, 0, sizeof(*c));
	c->lab = l;
	c->one = one;
	c->random = seed ^ 0x5bd1e995;
	c->n = 2 + random_below(&c->random, CREW_MAX - 1);
	c->calm = calms[random_below(&c->random, 5)];
	c->serial = serial;
	c->left = ASSIGNMENTS;
	c->stacks = malloc((size_t)CREW_MAX * CREW_STACK);
	crew_of_worker = c;
	for (unsigned int i = 0; i < c->n; i++) {
		c->share[i] = share[random_below(&c->random, 4)];
		crew_context(&c->context[i], c->stacks + (size_t)i * CREW_STACK,
			     one != NULL ? crew_worker : crew_worker_of_ends);
	}
	c->at = -1;
}

static inline void crew_run(struct crew *c)
{
	c->at = crew_pick(c);
	swapcontext(&c->home, &c->context[c->at]);
	crew_look(c);
}

static inline void crew_fini(struct crew *c)
{
	free(c->stacks);
}

#endif
