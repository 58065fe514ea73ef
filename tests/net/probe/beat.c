/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long the answer to one of them took, or UINT64_MAX. Late answers to others are thrown
 * away: they count as lost. */
static uint64_t beat_one(int fd, uint64_t number, uint64_t until_us)
{
	uint64_t sent = now_us(), got;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (send(fd, &number, sizeof(number), 0) < 0 && errno != ECONNREFUSED)
		return UINT64_MAX;
	while (now_us() < until_us && !probe_stopped()) {
		if (poll(&p, 1, (int)((until_us - now_us()) / 1000 + 1)) <= 0)
			continue;
		if (recv(fd, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got) && got == number)
			return now_us() - sent;
	}
	return UINT64_MAX;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int udp_beat(const struct probe_options *o)
{
	uint64_t *took = calloc(o->count + 1, sizeof(*took)), n = 0, start = now_us(), sent = 0;
	int fd = socket(o->address.ss_family, SOCK_DGRAM, 0), urgent = 7;

	if (fd < 0 || !took ||
	    connect(fd, (const struct sockaddr *)&o->address, sizeof(o->address)))
		die("socket");
	if (o->urgent && setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &urgent, sizeof(urgent)))
		die("SO_PRIORITY");
	while (sent < o->count && !probe_stopped()) {
		uint64_t next = start + ++sent * 1000000 / o->rate, took_us;

		took_us = beat_one(fd, sent, next);
		if (took_us != UINT64_MAX)
			took[n++] = took_us;
		if (now_us() < next)
			usleep((useconds_t)(next - now_us()));
	}
	qsort(took, n, sizeof(*took), by_value);
	printf("{\"sent\": %" PRIu64 ", \"in_time\": %" PRIu64 ", \"median_us\": %" PRIu64
	       ", \"worst_us\": %" PRIu64 "}\n",
	       sent, n, n ? took[n / 2] : 0, n ? took[n - 1] : 0);
	free(took);
	close(fd);
	return 0;
}
