/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/error_text.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/netns.h"
#include "link/link_internal.h"

/*
 * The loop of the link thread: sleeps in libevent until a ring, a TAP, netlink or a
 * message has something, and gives each of them bounded rounds.
 */

#define FIFO_PRIORITY  9 /* below the ha thread */
#define NETLINK_BUDGET 32
#define RESOLVE_BUDGET 128
#define ROUND_US       1000    /* of requests to Linux: some take a millisecond each */
#define FINI_READ_US   1000000 /* at the end: of events of Linux */
#define LOOK_MS	       100     /* between two questions to devices for the state of their links */

/*
 * Heartbeats of the peer cross this thread, so in a pair it does not wait for the other threads of
 * the main lcore. Tables of a million routes take seconds: they are built with the ordinary
 * priority, so that control goes on.
 */
static void realtime_set(struct link *l, bool on)
{
	const struct sched_param fifo = {.sched_priority = FIFO_PRIORITY}, none = {0};
	int ret;

	if (!l->config.realtime)
		return;
	ret = pthread_setschedparam(pthread_self(), on ? SCHED_FIFO : SCHED_OTHER,
				    on ? &fifo : &none);
	if (on)
		__atomic_store_n(&l->ordinary, ret != 0, __ATOMIC_RELAXED);
}

bool link_is_realtime(const struct link *l)
{
	return !__atomic_load_n(&l->ordinary, __ATOMIC_RELAXED);
}

static bool take_resolves(struct link *l)
{
	struct resolve_request req[16];
	unsigned int left = RESOLVE_BUDGET, n;

	for (unsigned int w = 0; w < l->exchange->n_workers; w++) {
		struct rte_ring *r = l->exchange->worker[w].resolve;

		do {
			if (left == 0)
				return true;
			n = r ? rte_ring_sc_dequeue_burst_elem(r, req, sizeof(req[0]),
							       left < 16 ? left : 16, NULL)
			      : 0;
			for (unsigned int i = 0; i < n; i++)
				hops_request(&l->hops, &req[i], clock_coarse_s());
			left -= n;
		} while (n);
	}
	return false;
}

/* Next hops to ask about and addresses to set, for a while. True: there are more. */
static bool ask_linux(struct link *l)
{
	uint64_t end = clock_us() + ROUND_US;
	bool hops, vips;

	do {
		hops = hops_work(&l->hops, 1, clock_coarse_s());
		vips = vips_work(&l->vips, 1);
	} while ((hops || vips) && clock_us() < end);
	return hops || vips;
}

/* Rings of workers, and what is left over from other rounds. */
static void on_work(struct link *l)
{
	bool more = pump_punts(&l->pump);

	more |= take_resolves(l);
	more |= ask_linux(l);
	if (more || pump_pending(&l->pump))
		link_more(l);
	link_round_end(l);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	/* Woken with nothing in the rings: a port's link state changed. */
	if (!pump_pending(&l->pump))
		carrier_look(l);
	on_work(l);
}

static void on_more(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_work(arg);
}

static void on_msg(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	link_messages(l);
	link_round_end(l);
	if (l->stop)
		event_base_loopbreak(l->base);
}

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	netlink_read(l, NETLINK_BUDGET);
	/* A neighbour that went may have left a question. */
	if (l->hops.queue_n)
		link_more(l);
	link_round_end(l);
}

static void on_host(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	carrier_read(arg);
	link_round_end(arg);
}

static void on_batch(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	l->batch_armed = false;
	realtime_set(l, false);
	if (!netlink_apply(l))
		l->build_us = 25000; /* try again in 100 ms */
	realtime_set(l, true);
	link_round_end(l);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	taps_retry(l);
	carrier_listen(l);
	hops_wants_sweep(&l->hops, clock_coarse_s());
	hops_sweep(&l->hops, clock_coarse_s());
	retire_poll(&l->retired);
	on_work(l);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	carrier_look(arg);
	link_round_end(arg);
}

/* --- Start and end ------------------------------------------------------------------------ */

static int make_events(struct link *l)
{
	static const struct timeval second = {.tv_sec = 1}, look = {.tv_usec = LOOK_MS * 1000};
	struct event **const fds[] = {&l->ev_msg, &l->ev_wake, &l->ev_netlink, &l->ev_host};

	l->ev_msg = event_new(l->base, l->msg_fd, EV_READ | EV_PERSIST, on_msg, l);
	l->ev_wake =
		event_new(l->base, l->exchange->link_eventfd, EV_READ | EV_PERSIST, on_wake, l);
	l->ev_netlink = event_new(l->base, mnl_socket_get_fd(l->netlink), EV_READ | EV_PERSIST,
				  on_netlink, l);
	if (l->host)
		l->ev_host = event_new(l->base, mnl_socket_get_fd(l->host), EV_READ | EV_PERSIST,
				       on_host, l);
	l->ev_more = event_new(l->base, -1, 0, on_more, l);
	l->ev_batch = event_new(l->base, -1, 0, on_batch, l);
	l->ev_tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	l->ev_look = event_new(l->base, -1, EV_PERSIST, on_look, l);
	if (!l->ev_more || !l->ev_batch || !l->ev_tick || !l->ev_look)
		return -ENOMEM;
	if (event_add(l->ev_tick, &second) < 0 || event_add(l->ev_look, &look) < 0)
		return -ENOMEM;
	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] ? event_add(*fds[i], NULL) < 0 : fds[i] != &l->ev_host)
			return -ENOMEM;
	return 0;
}

static bool has_tap(const struct link *l)
{
	for (uint16_t p = 0; p < l->config.n_ports; p++)
		if (!l->config.ports[p].shared)
			return true;
	return false;
}

/* Everything that link_start() promises. */
static int thread_init(struct link *l, char error[ERROR_TEXT])
{
	int ret;

	error[0] = '\0';
	ret = netns_enter(l->config.netns, error);
	if (ret == 0)
		ret = nlreq_open(&l->req);
	if (ret == 0)
		ret = netlink_open(l);
	l->base = ret == 0 ? event_base_new() : NULL;
	if (ret == 0)
		ret = l->base ? make_events(l) : -ENOMEM;
	if (ret < 0)
		goto err;
	if (has_tap(l))
		tap_sysctls_all(l->config.netns[0]);
	reserve_ports(&l->reserve, l->config.reserved_first, l->config.reserved_last);
	carrier_read(l);
	carrier_look(l);
	ret = taps_open(l, error);
	if (ret < 0)
		goto err;
	l->all_unknown = true;
	for (unsigned int i = 0; i < 10 && !netlink_apply(l); i++)
		;
	if (!l->pub->fib) {
		ret = -EIO;
		goto err;
	}
	while (vips_work(&l->vips, UINT32_MAX))
		;
	return 0;

err:
	if (!error[0])
		error_text(error, 0, "the Linux side of ports: %s", strerror(-ret));
	return ret;
}

static void thread_fini(struct link *l)
{
	const uint64_t end = clock_us() + FINI_READ_US;
	struct event **const events[] = {&l->ev_msg,  &l->ev_wake,  &l->ev_netlink, &l->ev_host,
					 &l->ev_more, &l->ev_batch, &l->ev_tick,    &l->ev_look};

	/* On TAPs that stay, nothing of ours stays. */
	if (l->req.sock && l->netlink) {
		hops_release(&l->hops);
		/* Up to date with addresses; but Linux may tell of changes without an end. */
		while (netlink_read(l, 1024) && clock_us() < end)
			;
		if (vips_set(&l->vips, NULL, 0) == 0 && vips_plan(&l->vips) == 0)
			while (vips_work(&l->vips, UINT32_MAX))
				;
	}
	taps_close(l);
	reserve_undo(&l->reserve);
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (*events[i])
			event_free(*events[i]);
		*events[i] = NULL;
	}
	if (l->base)
		event_base_free(l->base);
	l->base = NULL;
	netlink_close(l);
	nlreq_close(&l->req);
}

void *link_main(void *arg)
{
	struct link *l = arg;
	int ret;

	prctl(PR_SET_NAME, "plvs-link");
	ret = thread_init(l, l->start_error);
	realtime_set(l, true);
	pthread_mutex_lock(&l->lock);
	l->start_ret = ret;
	l->running = ret == 0;
	l->started = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->lock);
	if (ret == 0)
		event_base_dispatch(l->base);
	realtime_set(l, false);
	thread_fini(l);
	return NULL;
}
