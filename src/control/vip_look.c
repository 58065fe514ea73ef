/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vip_look.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "control/control_internal.h"
#include "publish/lingering.h"

#define POLL_US 2000
#define REST_US 500000 /* after the last address, and when none lingers */
#define STOP_US 100000

static void look_in(struct vip_look *l, long us)
{
	const struct timeval tv = {.tv_usec = us};

	event_add(l->ev, &tv);
}

/* Asks l->worker. False: it takes no command now. */
static bool worker_asked(struct control *c)
{
	struct vip_look *l = &c->vip_look;

	l->command.cursor = 0;
	l->command.views = &l->view;
	l->command.n_max = 1;
	l->command.n = 0;
	l->command.eventfd = -1;
	l->command.done = 0;
	l->sent = dataplane_command(c->dp, l->worker, &l->command) == 0;
	return l->sent;
}

static void address_take(struct control *c)
{
	const struct lingering *next = linger_next(&c->publisher, c->vip_look.number);
	struct vip_look *l = &c->vip_look;

	if (!next) {
		l->number = 0;
		look_in(l, REST_US);
		return;
	}
	l->number = next->number;
	l->command.kind = CMD_LIST;
	l->command.filter = (struct conn_filter){
		.service_id = next->service_id, .virtual = next->addr, .state = -1};
	l->worker = 0;
	look_in(l, worker_asked(c) ? POLL_US : REST_US);
}

/* The worker has answered. */
static void answer_take(struct control *c)
{
	struct vip_look *l = &c->vip_look;
	const bool last = l->worker + 1U == c->dp->n_workers;

	l->sent = false;
	if (l->command.n == 0 && !last) {
		l->worker++;
		if (worker_asked(c)) {
			look_in(l, POLL_US);
			return;
		}
	} else if (l->command.n == 0) {
		linger_end(&c->publisher, l->number);
	}
	address_take(c);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (!c->vip_look.sent)
		address_take(c);
	else if (__atomic_load_n(&c->vip_look.command.done, __ATOMIC_ACQUIRE))
		answer_take(c);
	else
		look_in(&c->vip_look, POLL_US);
}

int vip_look_start(struct control *c)
{
	struct vip_look *l = &c->vip_look;

	if (!c->dp || c->dp->n_workers == 0)
		return 0;
	l->ev = event_new(c->base, -1, 0, on_look, c);
	if (!l->ev)
		return -ENOMEM;
	look_in(l, REST_US);
	return 0;
}

/* A worker may have the command for a moment yet; one that is stuck has it until control is
 * destroyed, which is after workers have ended. */
void vip_look_stop(struct control *c)
{
	static const struct timespec pause = {.tv_nsec = POLL_US * 1000};
	const uint64_t end_us = clock_us() + STOP_US;
	struct vip_look *l = &c->vip_look;

	if (l->ev)
		event_free(l->ev);
	l->ev = NULL;
	while (l->sent && !__atomic_load_n(&l->command.done, __ATOMIC_ACQUIRE) &&
	       clock_us() < end_us)
		nanosleep(&pause, NULL);
}
