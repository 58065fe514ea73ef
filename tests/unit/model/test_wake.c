/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker that falls asleep at the moment at which it is given work: no wake-up may be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "model/wake.h"

#define LOST_MS	      2000
#define PRODUCERS_MAX 3
#define SPINS	      2000

struct meeting {
	struct wake wake;
	uint64_t put[PRODUCERS_MAX]; /* pieces of work. producer: wo */
	uint8_t line[WAKE_LINE];
	uint64_t taken; /* of all. consumer: wo */
	unsigned int n_producers;
	uint64_t n_each;
	uint64_t sleeps; /* consumer: wo */
	uint64_t lost;	 /* consumer */
	bool in_step;	 /* a producer waits until its work was taken */
};

struct producer {
	pthread_t thread;
	struct meeting *m;
	unsigned int i;
};

static uint64_t all_put(const struct meeting *m)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < m->n_producers; i++)
		n += __atomic_load_n(&m->put[i], __ATOMIC_RELAXED);
	return n;
}

/* Until the other thread has come to this step. The other may have no CPU at the moment. */
static void step_wait(const uint64_t *step, uint64_t n)
{
	for (unsigned int i = 0; __atomic_load_n(step, __ATOMIC_ACQUIRE) < n; i++)
		if (i > SPINS)
			sched_yield();
}

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct meeting *m = p->m;

	step_wait(&m->sleeps, 1); /* else all is put before the worker is there at all */
	for (uint64_t n = 1; n <= m->n_each; n++) {
		__atomic_store_n(&m->put[p->i], n, __ATOMIC_RELAXED);
		wake_up(&m->wake);
		if (m->in_step)
			step_wait(&m->taken, n);
	}
	return NULL;
}

/* Work without a wake-up, for as long as nobody can be between the two. */
static bool wake_lost(const struct meeting *m, struct pollfd *fd)
{
	return all_put(m) != m->taken && poll(fd, 1, LOST_MS) == 0;
}

/* As worker_sleep.c does: says so, looks once more, sleeps. */
static void consume(struct meeting *m)
{
	const uint64_t all = m->n_producers * m->n_each;
	struct pollfd fd = {.fd = m->wake.fd, .events = POLLIN};

	while (m->taken < all) {
		wake_begin(&m->wake);
		if (all_put(m) == m->taken) {
			__atomic_store_n(&m->sleeps, m->sleeps + 1, __ATOMIC_RELEASE);
			if (poll(&fd, 1, LOST_MS) > 0 || !wake_lost(m, &fd))
				wake_drain(&m->wake);
			else
				m->lost++;
		}
		wake_end(&m->wake);
		__atomic_store_n(&m->taken, all_put(m), __ATOMIC_RELAXED);
		if (m->lost)
			break;
	}
}

static void meet(struct meeting *m)
{
	struct producer p[PRODUCERS_MAX];

	assert_int_equal(wake_init(&m->wake), 0);
	for (unsigned int i = 0; i < m->n_producers; i++) {
		p[i] = (struct producer){.m = m, .i = i};
		assert_int_equal(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	consume(m);
	__atomic_store_n(&m->taken, UINT64_MAX, __ATOMIC_RELAXED); /* lost: ends those in step */
	for (unsigned int i = 0; i < m->n_producers; i++)
		pthread_join(p[i].thread, NULL);
	wake_fini(&m->wake);
	assert_int_equal(m->lost, 0);
	assert_true(m->sleeps > 0);
}

static void work_put_while_a_worker_falls_asleep_wakes_it(void **state)
{
	struct meeting m = {.n_producers = 1, .n_each = 20000, .in_step = true};

	(void)state;
	meet(&m);
}

static void several_producers_wake_a_worker(void **state)
{
	struct meeting m = {.n_producers = PRODUCERS_MAX, .n_each = 20000};

	(void)state;
	meet(&m);
}

/* ---- one step of each thread, at the same moment ---- */

#define STEPS	 300000
#define LIMIT_US 3000000 /* on a machine that is busy there are fewer steps */

struct step {
	struct wake wake;
	uint64_t put; /* producer: wo */
	uint8_t line1[WAKE_LINE];
	bool over;	/* consumer: wo, before begun */
	uint64_t begun; /* the number of the step under way. consumer: wo */
	uint8_t line2[WAKE_LINE];
	uint64_t ended; /* producer: wo */
};

/* Up to a few hundred cycles, another time in each step: the threads meet at each of their
 * instructions. */
static void moment(uint64_t *random, unsigned int most)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	for (volatile unsigned int i = *random % most; i > 0; i--)
		;
}

static void *step_produce(void *arg)
{
	struct step *s = arg;
	uint64_t random = 1;

	for (uint64_t n = 1;; n++) {
		step_wait(&s->begun, n);
		if (s->over)
			break;
		moment(&random, 64);
		__atomic_store_n(&s->put, n, __ATOMIC_RELAXED);
		wake_up(&s->wake);
		__atomic_store_n(&s->ended, n, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Either the worker sees the work, or the producer sees that the worker sleeps. */
static void one_of_the_two_sees_the_other(void **state)
{
	const uint64_t end = clock_us() + LIMIT_US;
	uint64_t random = 2, lost = 0, seen = 0, n;
	struct step s = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(wake_init(&s.wake), 0);
	assert_int_equal(pthread_create(&thread, NULL, step_produce, &s), 0);
	for (n = 1; n <= STEPS && clock_us() < end; n++) {
		bool sees;

		__atomic_store_n(&s.begun, n, __ATOMIC_RELEASE);
		moment(&random, 256);
		wake_begin(&s.wake);
		sees = __atomic_load_n(&s.put, __ATOMIC_RELAXED) == n;
		step_wait(&s.ended, n);
		seen += sees;
		lost += !sees && __atomic_load_n(&s.wake.asleep, __ATOMIC_RELAXED) != 0;
		wake_end(&s.wake);
	}
	s.over = true;
	__atomic_store_n(&s.begun, n, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	wake_fini(&s.wake);
	print_message("the worker saw the work in %u of %u steps\n", (unsigned int)seen,
		      (unsigned int)n);
	assert_int_equal(lost, 0);
	assert_true(seen < n);
}

static void an_awake_worker_costs_no_system_call(void **state)
{
	struct wake w;
	struct pollfd fd;

	(void)state;
	assert_int_equal(wake_init(&w), 0);
	fd = (struct pollfd){.fd = w.fd, .events = POLLIN};
	wake_up(&w);
	assert_int_equal(poll(&fd, 1, 0), 0);
	wake_begin(&w);
	wake_up(&w);
	wake_up(&w);
	assert_int_equal(poll(&fd, 1, 0), 1);
	wake_drain(&w);
	assert_int_equal(poll(&fd, 1, 0), 0); /* one write for both */
	wake_begin(&w);
	wake_end(&w);
	wake_up(&w);
	assert_int_equal(poll(&fd, 1, 0), 0);
	wake_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_put_while_a_worker_falls_asleep_wakes_it),
		cmocka_unit_test(several_producers_wake_a_worker),
		cmocka_unit_test(one_of_the_two_sees_the_other),
		cmocka_unit_test(an_awake_worker_costs_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
