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

#define UDP_MAX	  1400
#define SOCK_BUF  (16 << 20)
#define FLOWS_MAX 1024

/* The beginning of a numbered packet; the rest is padding. Both ends are one machine. */
struct numbered {
	uint64_t run;
	uint64_t number;
};

struct asker {
	const struct probe_options *o;
	struct pollfd *socks;
	uint64_t run;
	uint8_t *seen;	   /* by number */
	uint64_t *highest; /* by flow: number of the latest answer + 1 */
	uint64_t sent;
	uint64_t unsent; /* the stack refused them */
	uint64_t received;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t foreign;
	struct hole hole; /* between answers */
};

static int udp_socket(const struct probe_options *o)
{
	int fd = socket(o->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = SOCK_BUF;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		die("socket buffer");
	return fd;
}

int udp_echo(const struct probe_options *o)
{
	char buf[UDP_MAX];
	uint64_t echoed = 0;
	int fd = udp_socket(o), urgent = 7;

	if (o->urgent && setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &urgent, sizeof(urgent)))
		die("SO_PRIORITY");
	if (bind(fd, (const struct sockaddr *)&o->address, sizeof(o->address)))
		die("bind");
	while (!probe_stopped()) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, -1) < 0)
			continue;
		while ((n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
				     &from_len)) >= 0)
			if (sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, from_len) == n)
				echoed++;
	}
	printf("{\"echoed\": %" PRIu64 "}\n", echoed);
	close(fd);
	return 0;
}

static void asker_open(struct asker *a)
{
	const struct probe_options *o = a->o;
	unsigned int i;

	a->socks = calloc(o->flows, sizeof(*a->socks));
	a->highest = calloc(o->flows, sizeof(*a->highest));
	a->seen = calloc(o->count + 1, 1);
	if (!a->socks || !a->highest || !a->seen)
		die("memory");
	for (i = 0; i < o->flows; i++) {
		a->socks[i].fd = udp_socket(o);
		a->socks[i].events = POLLIN;
		if (connect(a->socks[i].fd, (const struct sockaddr *)&o->address,
			    sizeof(o->address)))
			die("connect");
	}
}

static void asker_send(struct asker *a, uint64_t target)
{
	char buf[UDP_MAX] = {0};
	struct numbered packet = {.run = a->run};

	for (; a->sent < target; a->sent++) {
		packet.number = a->sent;
		memcpy(buf, &packet, sizeof(packet));
		if (send(a->socks[a->sent % a->o->flows].fd, buf, a->o->size, 0) < 0)
			a->unsent++;
	}
}

static void asker_note(struct asker *a, const struct numbered *packet, unsigned int flow)
{
	uint64_t now = now_us();

	if (packet->run != a->run || packet->number >= a->sent ||
	    packet->number % a->o->flows != flow) {
		a->foreign++;
		return;
	}
	if (a->seen[packet->number]++) {
		a->duplicates++;
		return;
	}
	a->received++;
	if (packet->number + 1 < a->highest[flow])
		a->reordered++;
	else
		a->highest[flow] = packet->number + 1;
	hole_note(&a->hole, now);
}

/* Waits up to a millisecond. */
static void asker_receive(struct asker *a)
{
	char buf[UDP_MAX];
	struct numbered packet;
	unsigned int i;
	ssize_t n;

	if (poll(a->socks, a->o->flows, 1) <= 0)
		return;
	for (i = 0; i < a->o->flows; i++) {
		if (!a->socks[i].revents)
			continue;
		while ((n = recv(a->socks[i].fd, buf, sizeof(buf), 0)) >= 0) {
			if ((size_t)n < sizeof(packet)) {
				a->foreign++;
				continue;
			}
			memcpy(&packet, buf, sizeof(packet));
			asker_note(a, &packet, i);
		}
	}
}

int udp_ask(const struct probe_options *o)
{
	struct asker a = {.o = o, .run = now_us()};
	uint64_t start, end = 0, count = o->count;

	if (o->flows > FLOWS_MAX || o->size < sizeof(struct numbered) || o->size > UDP_MAX) {
		fputs("probe: flows up to 1024, size 16 to 1400\n", stderr);
		return 2;
	}
	asker_open(&a);
	start = now_us();
	while (!probe_stopped()) {
		uint64_t now = now_us(), due = (now - start) * o->rate / 1000000 + 1;

		/* After a pause the backlog goes out in steps, not as one burst. */
		if (due > a.sent + o->rate / 200 + 1)
			due = a.sent + o->rate / 200 + 1;
		if (probe_enough() && count > a.sent)
			count = a.sent;
		asker_send(&a, due < count ? due : count);
		asker_receive(&a);
		if (a.sent == count) {
			end = end ? end : now;
			if (a.received == count || now - end > o->linger_ms * 1000ULL)
				break;
		}
	}
	/* Where answers stopped coming is a hole, too. */
	if (a.received < a.sent)
		hole_note(&a.hole, end ? end : now_us());
	printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"unsent\": %" PRIu64 ", \"duplicates\": %" PRIu64 ", \"reordered\": %" PRIu64
	       ", \"foreign\": %" PRIu64 ", \"gap_before_mark_ms\": %" PRIu64
	       ", \"longest_gap_ms\": %" PRIu64 "}\n",
	       a.sent, a.received, a.sent - a.received, a.unsent, a.duplicates, a.reordered,
	       a.foreign, a.hole.before_us / 1000, a.hole.longest_us / 1000);
	free(a.socks);
	free(a.highest);
	free(a.seen);
	return 0;
}
