/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker_sleep.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

#include "dataplane/dataplane.h"

#define SPIN_US	     200 /* so that a server's answer finds the worker awake */
#define YIELD_ROUNDS 4	 /* empty ones before the CPU is offered to another thread on it */
#define SLEEP_MIN_US 50
#define SLEEP_MAX_US 1000
#define NEAR_MS	     20 /* from the last work on, sleeps by the clock stay as short as they can */
#define IN_VAIN_MAX  8
#define WAKE_ERRORS  (POLLERR | POLLHUP | POLLNVAL)

/* The descriptors of one sleep: the eventfd, then receive queues. */
struct wait_set {
	nfds_t n;
	bool by_clock; /* some queue wakes nobody */
	struct pollfd fd[1 + MAX_QUEUES_WORKER];
	uint8_t kind[1 + MAX_QUEUES_WORKER]; /* enum queue_wake_kind */
};

void worker_sleep_init(struct worker_sleep *s, uint64_t hz, uint64_t now_tsc)
{
	memset(s, 0, sizeof(*s));
	s->hz = hz;
	s->spin_tsc = hz / 1000000 * SPIN_US;
	s->work_tsc = now_tsc;
	s->sleep_us = SLEEP_MIN_US;
	/* Of this thread: else each sleep by the clock takes 50 us longer. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static const struct queue_wake *queue_wake(const struct worker *w, const struct rx_queue *q)
{
	return &w->dp->ports[q->port].wake[q->queue];
}

/* ---- arming ---- */

static void interrupts_set(struct worker *w, bool on)
{
	for (unsigned int i = 0; i < w->n_rx; i++) {
		const struct rx_queue *q = &w->rx[i];
		uint16_t dev = w->port_dev[q->port];

		if ((w->ports_closed >> q->port & 1) ||
		    queue_wake(w, q)->kind != QUEUE_WAKE_INTERRUPT)
			continue;
		if (on)
			rte_eth_dev_rx_intr_enable(dev, q->queue);
		else
			rte_eth_dev_rx_intr_disable(dev, q->queue);
	}
}

static void arm(struct worker_sleep *s, struct worker *w)
{
	wake_begin(&w->exchange->wake);
	interrupts_set(w, true);
	s->armed = true;
}

static void disarm(struct worker_sleep *s, struct worker *w)
{
	/* A device may have been closed and opened again during the sleep. */
	w->ports_closed = __atomic_load_n(&w->dp->ports_closed, __ATOMIC_ACQUIRE);
	interrupts_set(w, false);
	wake_end(&w->exchange->wake);
	s->armed = false;
}

/* ---- the wait ---- */

/* Work is left for which no other thread or device will wake this worker. */
static bool work_waits(const struct worker *w)
{
	return w->n_parked || w->n_urgent || w->wake_link || w->command || w->sync.n_notes ||
	       w->sync.walk_at || w->sync.sweep_at || w->v4.follow->ready || w->v6.follow->ready;
}

static void wait_set_add(struct wait_set *set, int fd, enum queue_wake_kind kind)
{
	set->fd[set->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	set->kind[set->n++] = (uint8_t)kind;
}

static void wait_set_make(struct wait_set *set, const struct worker_sleep *s,
			  const struct worker *w)
{
	set->n = 0;
	set->by_clock = s->n_in_vain >= IN_VAIN_MAX || work_waits(w);
	wait_set_add(set, w->exchange->wake.fd, QUEUE_WAKE_NONE);
	for (unsigned int i = 0; i < w->n_rx && s->n_in_vain < IN_VAIN_MAX; i++) {
		const struct queue_wake *q = queue_wake(w, &w->rx[i]);

		if (w->ports_closed >> w->rx[i].port & 1)
			continue; /* its opening wakes this worker */
		if (q->kind == QUEUE_WAKE_NONE)
			set->by_clock = true;
		else
			wait_set_add(set, q->fd, (enum queue_wake_kind)q->kind);
	}
}

static struct timespec wait_time(struct worker_sleep *s, bool by_clock, uint64_t next_tsc)
{
	const uint64_t now_tsc = rte_rdtsc();
	const int64_t left = (int64_t)(next_tsc - now_tsc);
	uint64_t ns = left > 0 ? (uint64_t)left * 1000000 / (s->hz / 1000) : 0;

	if (by_clock) {
		ns = RTE_MIN(ns, (uint64_t)s->sleep_us * 1000);
		if (now_tsc - s->work_tsc > s->hz / 1000 * NEAR_MS)
			s->sleep_us = RTE_MIN(s->sleep_us * 2, (uint32_t)SLEEP_MAX_US);
	}
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
				 .tv_nsec = (long)(ns % 1000000000)};
}

/* A queue's descriptor ended the wait. */
static void queue_woke(int fd, short what, enum queue_wake_kind kind)
{
	int error;
	socklen_t len = sizeof(error);
	uint64_t n;

	/* The interface under a socket was set down, say: the error stays until somebody asks. */
	if (what & WAKE_ERRORS)
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	else if (kind == QUEUE_WAKE_INTERRUPT && read(fd, &n, sizeof(n)) < 0)
		return; /* read already */
}

static void wait_end(struct worker_sleep *s, struct worker *w, const struct wait_set *set)
{
	bool woke = false;

	if (set->fd[0].revents) {
		/* Perhaps because a port is closed: its descriptors may be others' by now. */
		wake_drain(&w->exchange->wake);
		return;
	}
	for (nfds_t i = 1; i < set->n; i++) {
		if (!set->fd[i].revents)
			continue;
		queue_woke(set->fd[i].fd, set->fd[i].revents, (enum queue_wake_kind)set->kind[i]);
		woke = true;
	}
	s->n_in_vain += woke;
}

static void sleep_now(struct worker_sleep *s, struct worker *w, uint64_t next_tsc)
{
	struct rte_rcu_qsbr *qsbr = w->dp->qsbr;
	struct timespec limit;
	struct wait_set set;

	wait_set_make(&set, s, w);
	limit = wait_time(s, set.by_clock, next_tsc);
	/* Offline meanwhile: nobody's grace period waits for a sleeper. */
	rte_rcu_qsbr_thread_offline(qsbr, w->id);
	if (ppoll(set.fd, set.n, &limit, NULL) > 0)
		wait_end(s, w, &set);
	rte_rcu_qsbr_thread_online(qsbr, w->id);
	disarm(s, w);
	w->counters.sleeps++;
}

/* ---- rounds ---- */

void worker_sleep_fini(struct worker_sleep *s, struct worker *w)
{
	if (s->armed)
		disarm(s, w);
}

void worker_sleep_work(struct worker_sleep *s, struct worker *w, uint64_t now_tsc)
{
	if (unlikely(s->armed))
		disarm(s, w);
	s->work_tsc = now_tsc;
	s->sleep_us = SLEEP_MIN_US;
	s->n_empty = 0;
	s->n_in_vain = 0;
}

void worker_sleep_idle(struct worker_sleep *s, struct worker *w, uint64_t now_tsc,
		       uint64_t next_tsc)
{
	if (s->armed) {
		sleep_now(s, w, next_tsc);
	} else if (w->idle_sleep && now_tsc - s->work_tsc >= s->spin_tsc) {
		arm(s, w);
	} else if (w->shares_cpu && s->n_empty >= YIELD_ROUNDS) {
		sched_yield();
	} else {
		s->n_empty++;
		rte_pause();
	}
}
