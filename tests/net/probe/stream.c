/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_MAX  8192 /* bytes */
#define POURS_MAX  256	/* connections of one server */
#define KNOCKS_MAX 1024

void hole_note(struct hole *h, uint64_t now)
{
	if (h->marks != probe_marks()) {
		h->marks = probe_marks();
		h->before_us = h->longest_us;
		h->longest_us = 0;
	}
	if (h->last_us && now > h->last_us && now - h->last_us > h->longest_us)
		h->longest_us = now - h->last_us;
	h->last_us = now;
}

/* --- The server: a steady stream of numbered words ----------------------------------------- */

struct pour {
	int fd;
	uint64_t begun_us;
	uint64_t sent; /* bytes */
};

static int listen_at(const struct probe_options *o)
{
	int fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&o->address, sizeof(o->address)) || listen(fd, 64))
		die("listen");
	return fd;
}

/* Word i of a stream is i: 8 bytes, so that what is missing or doubled shows. */
static size_t words_fill(uint8_t *out, uint64_t at, size_t len)
{
	size_t n = 0;

	while (n < len) {
		uint64_t word = (at + n) / 8;
		size_t skip = (at + n) % 8, part = 8 - skip;

		if (part > len - n)
			part = len - n;
		memcpy(out + n, (const uint8_t *)&word + skip, part);
		n += part;
	}
	return n;
}

/* Sends the bytes that are due by now, in steps, as far as the socket takes them. False: the stream
 * is over. */
static bool pour_some(struct pour *p, const struct probe_options *o, uint64_t now)
{
	uint64_t due = (now - p->begun_us) * o->rate / 1000000 * o->size;
	uint8_t chunk[CHUNK_MAX];

	while (p->sent < due) {
		size_t len = due - p->sent < sizeof(chunk) ? due - p->sent : sizeof(chunk);
		ssize_t n = send(p->fd, chunk, words_fill(chunk, p->sent, len), MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->sent += (uint64_t)n;
	}
	return true;
}

int tcp_pour(const struct probe_options *o)
{
	struct pour pours[POURS_MAX];
	int listener = listen_at(o), n = 0, i, fd;

	while (!probe_stopped()) {
		struct pollfd p = {.fd = listener, .events = POLLIN};

		poll(&p, 1, n ? 1 : -1);
		while (n < POURS_MAX && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			pours[n++] = (struct pour){.fd = fd, .begun_us = now_us()};
		for (i = 0; i < n; i++) {
			if (pour_some(&pours[i], o, now_us()))
				continue;
			close(pours[i].fd);
			pours[i--] = pours[--n];
		}
	}
	return 0;
}

/* --- The client of such a stream ----------------------------------------------------------- */

static int connect_to(const struct probe_options *o)
{
	int fd = socket(o->address.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)&o->address, sizeof(o->address)))
		die("connect");
	return fd;
}

int tcp_drink(const struct probe_options *o)
{
	uint8_t got[CHUNK_MAX], want[CHUNK_MAX];
	struct hole hole = {0};
	uint64_t bytes = 0, wrong = 0, start = now_us();
	int fd = connect_to(o), error = 0;

	while (!probe_stopped()) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 100) <= 0)
			continue;
		n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			error = n ? errno : ECONNRESET;
			break;
		}
		hole_note(&hole, now_us());
		words_fill(want, bytes, (size_t)n);
		wrong += memcmp(want, got, (size_t)n) != 0;
		bytes += (uint64_t)n;
	}
	/* A hole that has no end yet is one. */
	hole_note(&hole, now_us());
	printf("{\"bytes\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"ms\": %" PRIu64
	       ", \"ended\": \"%s\", \"gap_before_mark_ms\": %" PRIu64
	       ", \"longest_gap_ms\": %" PRIu64 "}\n",
	       bytes, wrong, (now_us() - start) / 1000, error ? strerror(error) : "",
	       hole.before_us / 1000, hole.longest_us / 1000);
	close(fd);
	return 0;
}

/* --- New connections, one after the other, whether or not the last one came about ----------- */

struct knocker {
	struct pollfd socks[KNOCKS_MAX];
	nfds_t n;
	uint64_t tried, opened, refused, dropped; /* dropped: too many waited */
	struct hole hole;
};

/* Without TIME_WAIT, which would hold ports. */
static void knock_end(struct knocker *k, nfds_t i)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(k->socks[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(k->socks[i].fd);
	k->socks[i] = k->socks[--k->n];
}

static void knock(struct knocker *k, const struct probe_options *o)
{
	int fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	k->tried++;
	if (k->n == KNOCKS_MAX) {
		k->dropped++;
		knock_end(k, 0);
	}
	/* Refused at once or later: poll() tells. */
	if (connect(fd, (const struct sockaddr *)&o->address, sizeof(o->address)) &&
	    errno != EINPROGRESS) {
		k->refused++;
		close(fd);
		return;
	}
	k->socks[k->n++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

static void knocks_look(struct knocker *k)
{
	nfds_t i = 0;

	while (i < k->n) {
		int error = 0;
		socklen_t len = sizeof(error);

		if (!k->socks[i].revents) {
			i++;
			continue;
		}
		getsockopt(k->socks[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			k->refused++;
		} else {
			k->opened++;
			hole_note(&k->hole, now_us());
		}
		/* The one that comes into its place has been looked at, or has no events. */
		knock_end(k, i);
	}
}

int tcp_knock(const struct probe_options *o)
{
	static struct knocker k;
	uint64_t start = now_us();

	while (!probe_stopped() && k.tried < o->count) {
		const uint64_t due = (now_us() - start) * o->rate / 1000000 + 1;

		if (k.tried < due)
			knock(&k, o);
		if (poll(k.socks, k.n, k.tried < due ? 0 : 1) > 0)
			knocks_look(&k);
	}
	hole_note(&k.hole, now_us());
	printf("{\"tried\": %" PRIu64 ", \"opened\": %" PRIu64 ", \"refused\": %" PRIu64
	       ", \"dropped\": %" PRIu64 ", \"gap_before_mark_ms\": %" PRIu64
	       ", \"longest_gap_ms\": %" PRIu64 "}\n",
	       k.tried, k.opened, k.refused, k.dropped, k.hole.before_us / 1000,
	       k.hole.longest_us / 1000);
	while (k.n)
		knock_end(&k, 0);
	return 0;
}
