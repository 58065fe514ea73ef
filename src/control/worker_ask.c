/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/worker_ask.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define POLL_US 500

static void poll_soon(struct worker_ask *a)
{
	const struct timeval tv = {.tv_usec = POLL_US};

	event_add(a->poll_ev, &tv);
}

static void try_send(struct worker_ask *a)
{
	int ret;

	a->command.eventfd = -1;
	a->command.done = 0;
	ret = dataplane_command(a->pending.control->dp, a->worker, &a->command);
	a->sent = ret == 0;
	if (ret < 0 && ret != -EAGAIN) {
		pending_fail(&a->pending, RPC_INTERNAL, NULL, "worker %u takes no commands: %s",
			     a->worker, strerror(-ret));
		pending_end(&a->pending);
		return;
	}
	poll_soon(a);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct worker_ask *a = arg;

	(void)fd;
	(void)what;
	if (!a->sent) {
		try_send(a);
	} else if (!__atomic_load_n(&a->command.done, __ATOMIC_ACQUIRE)) {
		poll_soon(a);
	} else {
		a->sent = false;
		a->done(a);
	}
}

void *worker_ask_create(struct control *c, struct rpc_request *req, size_t size,
			const struct pending_kind *kind, void (*done)(struct worker_ask *a))
{
	struct worker_ask *a;

	if (!c->dp || c->dp->n_workers == 0) {
		rpc_fail(req, RPC_INTERNAL, NULL, "the router has no workers");
		return NULL;
	}
	a = pending_create(c, req, size, kind);
	if (!a)
		return NULL;
	a->done = done;
	a->poll_ev = event_new(c->base, -1, 0, on_poll, a);
	if (a->poll_ev)
		return a;
	pending_fail(&a->pending, RPC_INTERNAL, NULL, "out of memory");
	pending_end(&a->pending);
	return NULL;
}

void worker_ask_send(struct worker_ask *a, uint16_t worker)
{
	a->worker = worker;
	try_send(a);
}

bool worker_ask_stop(struct pending *l, uint64_t deadline_us)
{
	static const struct timespec pause = {.tv_nsec = POLL_US * 1000};
	struct worker_ask *a = (struct worker_ask *)l;

	if (a->poll_ev)
		event_free(a->poll_ev);
	a->poll_ev = NULL;
	while (a->sent && !__atomic_load_n(&a->command.done, __ATOMIC_ACQUIRE)) {
		if (clock_us() >= deadline_us)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

void worker_ask_fini(struct worker_ask *a)
{
	if (a->poll_ev)
		event_free(a->poll_ev);
}
