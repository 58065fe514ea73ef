/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP connect: a socket, one event, and a RST. Thousands of these probes may be made in
 * a second, so nothing else is set up.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <unistd.h>

#include "health/checkers.h"
#include "health/dial.h"

struct tcp_probe {
	struct event ev;
	int fd;
};

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	char ep[ENDPOINT_STRLEN];
	int err = dial_result(fd);

	(void)what;
	close(fd); /* the event is not persistent: it is deleted already */
	if (err)
		dial_fail(p, err);
	else
		probe_end(p, PROBE_OK, "connected to %s",
			  endpoint_format(&p->target, ep, sizeof(ep)));
}

static void tcp_start(struct probe *p)
{
	struct tcp_probe *t = p->state;
	int err = dial_start(p, &t->fd);

	if (err) {
		dial_fail(p, -err);
		return;
	}
	event_assign(&t->ev, p->env->base, t->fd, EV_WRITE, on_writable, p);
	if (event_add(&t->ev, NULL)) {
		close(t->fd);
		probe_end(p, PROBE_ERROR, "out of memory");
	}
}

static void tcp_cancel(struct probe *p, char *phase, size_t len)
{
	struct tcp_probe *t = p->state;

	event_del(&t->ev);
	close(t->fd);
	snprintf(phase, len, "no SYN-ACK");
}

const struct checker_ops check_tcp_ops = {
	.type = CHECK_TCP,
	.state_size = sizeof(struct tcp_probe),
	.start = tcp_start,
	.cancel = tcp_cancel,
};
