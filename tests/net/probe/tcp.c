/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 256
/* Connections being opened at once: below every listen backlog. */
#define OPENING_MAX 512
#define ROUND_MS    40000
/* Failures that are told in words. */
#define REASONS_MAX 5

static int epoll_new(void)
{
	int ep = epoll_create1(0);

	if (ep < 0)
		die("epoll_create1");
	return ep;
}

static void epoll_put(int ep, int fd, uint32_t events, uint64_t tag, int op)
{
	struct epoll_event e = {.events = events, .data.u64 = tag};

	if (epoll_ctl(ep, op, fd, &e))
		die("epoll_ctl");
}

/* --- The server: gives back what it gets ------------------------------------------------ */

static void echo_accept(int ep, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		epoll_put(ep, fd, EPOLLIN, (uint64_t)fd, EPOLL_CTL_ADD);
}

static void echo_answer(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Questions are short: what does not fit the send buffer is a dead client. */
	if (n <= 0 || send(fd, buf, (size_t)n, 0) != n)
		close(fd);
}

int tcp_echo(const struct probe_options *o)
{
	struct epoll_event events[EVENTS_MAX];
	int listener = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	int ep = epoll_new(), i, n;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (const struct sockaddr *)&o->address, sizeof(o->address)) ||
	    listen(listener, 4096))
		die("listen");
	epoll_put(ep, listener, EPOLLIN, (uint64_t)listener, EPOLL_CTL_ADD);
	while (!probe_stopped()) {
		n = epoll_wait(ep, events, EVENTS_MAX, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.u64 == (uint64_t)listener)
				echo_accept(ep, listener);
			else
				echo_answer((int)events[i].data.u64);
		}
	}
	return 0;
}

/* --- The client: many connections at once ----------------------------------------------- */

enum hold_state { HOLD_OPENING, HOLD_ASKED, HOLD_IDLE, HOLD_FAILED };

struct hold {
	int fd;
	enum hold_state state;
};

struct holder {
	const struct probe_options *o;
	struct hold *conns;
	int ep;
	uint64_t started;
	uint64_t opening;
	uint64_t pending; /* questions without an answer yet */
	uint64_t answered;
	uint64_t failed;
};

static void hold_fail(struct holder *h, struct hold *c, const char *when, int error)
{
	if (h->failed < REASONS_MAX)
		fprintf(stderr, "probe: connection %td: %s: %s\n", c - h->conns, when,
			error ? strerror(error) : "ended by the server");
	if (c->state == HOLD_OPENING)
		h->opening--;
	if (c->state == HOLD_ASKED)
		h->pending--;
	c->state = HOLD_FAILED;
	h->failed++;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void hold_open(struct holder *h, uint64_t i)
{
	struct hold *c = &h->conns[i];

	h->started++;
	h->opening++;
	c->state = HOLD_OPENING;
	c->fd = socket(h->o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, (const struct sockaddr *)&h->o->address, sizeof(h->o->address)) &&
	    errno != EINPROGRESS) {
		hold_fail(h, c, "connect", errno);
		return;
	}
	epoll_put(h->ep, c->fd, EPOLLOUT, i, EPOLL_CTL_ADD);
}

static void hold_ask(struct holder *h, uint64_t i)
{
	struct hold *c = &h->conns[i];
	char question[32];
	int n = snprintf(question, sizeof(question), "%" PRIu64 "\n", i);

	if (send(c->fd, question, (size_t)n, 0) != n) {
		hold_fail(h, c, "send", errno);
		return;
	}
	c->state = HOLD_ASKED;
	h->pending++;
}

static void hold_event(struct holder *h, uint64_t i)
{
	struct hold *c = &h->conns[i];
	char answer[64];
	int error = 0;
	socklen_t len = sizeof(error);
	ssize_t n;

	if (c->state == HOLD_OPENING) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			hold_fail(h, c, "connect", error);
			return;
		}
		h->opening--;
		epoll_put(h->ep, c->fd, EPOLLIN, i, EPOLL_CTL_MOD);
		hold_ask(h, i);
		return;
	}
	n = recv(c->fd, answer, sizeof(answer) - 1, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hold_fail(h, c, "receive", n ? errno : 0);
		return;
	}
	/* Wrong bytes: a router mixed connections up. */
	answer[n] = '\0';
	if (c->state != HOLD_ASKED || strtoull(answer, NULL, 10) != i) {
		hold_fail(h, c, "another connection's answer", EPROTO);
		return;
	}
	c->state = HOLD_IDLE;
	h->pending--;
	h->answered++;
}

static void hold_poll(struct holder *h)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(h->ep, events, EVENTS_MAX, 5);

	for (i = 0; i < n; i++)
		if (h->conns[events[i].data.u64].state != HOLD_FAILED)
			hold_event(h, events[i].data.u64);
}

static void hold_open_all(struct holder *h)
{
	uint64_t start = now_us();

	while (!probe_stopped() && (h->started < h->o->count || h->opening || h->pending)) {
		uint64_t now = now_us();
		uint64_t due = (now - start) * h->o->rate / 1000000 + 1;

		while (h->started < h->o->count && h->started < due && h->opening < OPENING_MAX)
			hold_open(h, h->started);
		hold_poll(h);
		if (h->started == h->o->count &&
		    now - start > h->o->count * 1000000 / h->o->rate + ROUND_MS * 1000ULL)
			break;
	}
}

static void hold_round(struct holder *h)
{
	uint64_t i, end = now_us() + ROUND_MS * 1000ULL;

	h->answered = 0;
	for (i = 0; i < h->o->count; i++) {
		if (h->conns[i].state == HOLD_IDLE)
			hold_ask(h, i);
		if (i % 64 == 0)
			hold_poll(h);
	}
	while (!probe_stopped() && h->pending && now_us() < end)
		hold_poll(h);
}

static void hold_report(const struct holder *h)
{
	printf("{\"connections\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"pending\": %" PRIu64
	       ", \"failed\": %" PRIu64 "}\n",
	       h->o->count, h->answered, h->pending, h->failed);
}

int tcp_hold(const struct probe_options *o)
{
	struct holder h = {.o = o, .ep = epoll_new()};
	char line[64];
	uint64_t i;

	h.conns = calloc(o->count + 1, sizeof(*h.conns));
	if (!h.conns)
		die("memory");
	hold_open_all(&h);
	hold_report(&h);
	while (!probe_stopped() && fgets(line, sizeof(line), stdin)) {
		hold_round(&h);
		hold_report(&h);
	}
	for (i = 0; i < o->count; i++)
		if (h.conns[i].fd > 0)
			close(h.conns[i].fd);
	free(h.conns);
	return 0;
}
