/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latency of requests through whatever is between a client and a server:
 *
 *	plvs-latency serve ADDRESS PORT			gives back what it gets
 *	plvs-latency ask ADDRESS PORT RATE SECONDS CONNECTIONS
 *
 * The client keeps connections open, sends requests of 64 bytes at an even RATE a second over those
 * that are free, and prints one line of JSON. RATE 0: each connection asks again as soon as it has
 * its answer, which shows what the path can. An answer's time counts from its request; from the
 * moment at which the request was due, if none of the connections was free then: a path that cannot
 * keep up shows in the percentiles.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE	    64 /* bytes of a request */
#define CONNS_MAX   1024
#define SAMPLES_MAX 8000000
#define WARM_UP_NS  500000000

struct conn {
	int fd;
	bool busy;
	size_t got;
	uint64_t from_ns;
};

struct run {
	struct conn conns[CONNS_MAX];
	unsigned int n_conns, next, n_busy;
	int epoll;
	uint32_t *samples; /* ns */
	size_t n_samples;
	uint64_t begin_ns, end_ns; /* of what counts */
	uint64_t step_ns;	   /* between requests; 0: none */
	uint64_t due_ns;
	bool all_busy; /* since the last look */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "plvs-latency: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static socklen_t address(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*v6);
}

static void wait_add(int epoll, int fd, uint64_t data)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = data};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

static void no_delay(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* ---- the server ---- */

static void echo(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		close(fd);
}

static void serve(const char *at, const char *port)
{
	struct sockaddr_storage addr;
	socklen_t len = address(at, port, &addr);
	int listener = socket(addr.ss_family, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&addr, len) != 0 || listen(listener, CONNS_MAX) != 0)
		die("listen");
	wait_add(epoll, listener, (uint64_t)listener);
	for (;;) {
		struct epoll_event ready[64];
		int n = epoll_wait(epoll, ready, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)ready[i].data.u64;

			if (fd != listener) {
				echo(fd);
				continue;
			}
			fd = accept(listener, NULL, NULL);
			if (fd < 0)
				continue;
			no_delay(fd);
			wait_add(epoll, fd, (uint64_t)fd);
		}
	}
}

/* ---- the client ---- */

static void request(struct run *r, struct conn *c, uint64_t from_ns)
{
	static const char text[SIZE];

	c->busy = true;
	c->got = 0;
	c->from_ns = from_ns;
	r->n_busy++;
	if (send(c->fd, text, sizeof(text), MSG_NOSIGNAL) != sizeof(text))
		die("send");
}

/* A free connection, the one that was used longest ago first. */
static struct conn *conn_free(struct run *r)
{
	for (unsigned int i = 0; i < r->n_conns; i++) {
		struct conn *c = &r->conns[(r->next + i) % r->n_conns];

		if (c->busy)
			continue;
		r->next = (r->next + i + 1) % r->n_conns;
		return c;
	}
	return NULL;
}

static void answer(struct run *r, struct conn *c)
{
	char buf[SIZE];
	ssize_t n = recv(c->fd, buf, sizeof(buf) - c->got, MSG_DONTWAIT);
	uint64_t now, took;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		die("the connection ended");
	c->got += (size_t)n;
	if (c->got < SIZE)
		return;
	c->busy = false;
	r->n_busy--;
	now = now_ns();
	took = now - c->from_ns;
	if (now >= r->begin_ns && now < r->end_ns && r->n_samples < SAMPLES_MAX)
		r->samples[r->n_samples++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	if (r->step_ns == 0 && now < r->end_ns)
		request(r, c, now);
}

/* A request that found all connections busy when it was due counts from then. */
static void requests_due(struct run *r)
{
	uint64_t now = now_ns();
	struct conn *c;

	while (r->step_ns && r->due_ns <= now && r->due_ns < r->end_ns && (c = conn_free(r))) {
		request(r, c, r->all_busy ? r->due_ns : now_ns());
		r->due_ns += r->step_ns;
		now = now_ns();
	}
	r->all_busy = r->n_busy == r->n_conns;
}

static void wait_answers(struct run *r)
{
	struct epoll_event ready[64];
	uint64_t now = now_ns(), until = r->end_ns;
	struct timespec ts = {0};
	int n;

	if (r->step_ns && r->due_ns < until && r->n_busy < r->n_conns)
		until = r->due_ns;
	if (until > now) {
		ts.tv_sec = (time_t)((until - now) / 1000000000);
		ts.tv_nsec = (long)((until - now) % 1000000000);
	}
	n = epoll_pwait2(r->epoll, ready, 64, &ts, NULL);
	for (int i = 0; i < n; i++)
		answer(r, &r->conns[ready[i].data.u64]);
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double percentile_us(const struct run *r, double share)
{
	size_t i = (size_t)(share * (double)(r->n_samples - 1) + 0.5);

	return r->n_samples ? (double)r->samples[i] / 1000 : 0;
}

static void ask(const char *at, const char *port, double rate, double seconds, unsigned int n)
{
	static struct run r;
	struct sockaddr_storage addr;
	socklen_t len = address(at, port, &addr);
	double took_s;

	r.n_conns = n < 1 ? 1 : n > CONNS_MAX ? CONNS_MAX : n;
	r.epoll = epoll_create1(0);
	r.samples = malloc(SAMPLES_MAX * sizeof(*r.samples));
	if (r.epoll < 0 || !r.samples)
		die("memory");
	for (unsigned int i = 0; i < r.n_conns; i++) {
		r.conns[i].fd = socket(addr.ss_family, SOCK_STREAM, 0);
		if (connect(r.conns[i].fd, (struct sockaddr *)&addr, len) != 0)
			die("connect");
		no_delay(r.conns[i].fd);
		wait_add(r.epoll, r.conns[i].fd, i);
	}
	r.step_ns = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
	r.due_ns = now_ns();
	r.begin_ns = r.due_ns + WARM_UP_NS;
	r.end_ns = r.begin_ns + (uint64_t)(seconds * 1e9);
	for (unsigned int i = 0; i < r.n_conns && r.step_ns == 0; i++)
		request(&r, &r.conns[i], now_ns());
	while (now_ns() < r.end_ns) {
		requests_due(&r);
		wait_answers(&r);
	}
	took_s = (double)(now_ns() - r.begin_ns) / 1e9;
	qsort(r.samples, r.n_samples, sizeof(*r.samples), compare);
	printf("{\"rate\": %.0f, \"answers\": %zu, \"answers_s\": %.0f, \"p50_us\": %.1f, "
	       "\"p99_us\": %.1f, \"p999_us\": %.1f}\n",
	       rate, r.n_samples, (double)r.n_samples / took_s, percentile_us(&r, 0.5),
	       percentile_us(&r, 0.99), percentile_us(&r, 0.999));
}

int main(int argc, char **argv)
{
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(argv[2], argv[3]);
	if (argc == 7 && strcmp(argv[1], "ask") == 0) {
		ask(argv[2], argv[3], atof(argv[4]), atof(argv[5]), (unsigned int)atoi(argv[6]));
		return 0;
	}
	fprintf(stderr, "usage: plvs-latency serve ADDRESS PORT\n"
			"       plvs-latency ask ADDRESS PORT RATE SECONDS CONNECTIONS\n");
	return 2;
}
