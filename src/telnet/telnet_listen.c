/* SPDX-License-Identifier: BSD-3-Clause */
/* The listener: permitted clients, their number, and the delay after failures. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/clock.h"
#include "telnet/telnetd.h"

#define CHILDREN_MAX  (TELNET_MAX_SESSIONS + TELNET_WAITING_MAX)
#define FAILURES      64     /* addresses that failures are remembered of */
#define FAILURES_FREE 3	     /* of them cost nothing */
#define FAILURES_MS   600000 /* then they are forgotten */
#define DELAY_MAX_MS  16000

struct child {
	pid_t pid; /* 0: none */
	int fd;	   /* a socket to it */
	bool session;
	struct sockaddr_storage from;
};

struct failure {
	struct sockaddr_storage from;
	uint64_t last_ms;
	uint32_t n;
};

static struct child children[CHILDREN_MAX];
static struct failure failures[FAILURES];
static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
	(void)sig;
	stopping = 1;
}

int telnet_listen_open(const struct telnet_config *c, char error[ERROR_TEXT])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *a = NULL;
	int ret = getaddrinfo(c->host, c->port, &hints, &a), fd, one = 1;

	if (ret)
		return error_text(error, -EINVAL, "node.telnet.listen: %s", gai_strerror(ret));
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 64) < 0) {
		ret = -errno;
		error_text(error, 0, "cannot listen on %s port %s: %s", c->host, c->port,
			   strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = ret;
	}
	freeaddrinfo(a);
	return fd;
}

/* The address alone. */
static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			      &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
}

static void from_format(const struct sockaddr_storage *a, char out[TELNET_FROM_STRLEN])
{
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	(void)getnameinfo((const struct sockaddr *)a, sizeof(*a), host, sizeof(host), port,
			  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, TELNET_FROM_STRLEN, a->ss_family == AF_INET6 ? "[%.50s]:%.6s" : "%.50s:%.6s",
		 host, port);
}

/* --- failures --- */

/* The record of an address; the oldest gives way to a new one. */
static struct failure *failure_of(const struct sockaddr_storage *from, bool make)
{
	struct failure *oldest = &failures[0];

	for (int i = 0; i < FAILURES; i++) {
		struct failure *f = &failures[i];

		if (f->n && clock_ms() - f->last_ms > FAILURES_MS)
			f->n = 0;
		if (f->n && same_host(&f->from, from))
			return f;
		if (!f->n || (oldest->n && f->last_ms < oldest->last_ms))
			oldest = f;
	}
	if (!make)
		return NULL;
	*oldest = (struct failure){.from = *from};
	return oldest;
}

static uint32_t failure_delay(const struct sockaddr_storage *from)
{
	const struct failure *f = failure_of(from, false);
	uint32_t over = f && f->n > FAILURES_FREE ? f->n - FAILURES_FREE : 0;

	if (over == 0)
		return 0;
	return over > 4 ? DELAY_MAX_MS : 1000U << (over - 1);
}

/* --- children --- */

static void child_end(struct child *ch)
{
	kill(ch->pid, SIGTERM);
	waitpid(ch->pid, NULL, 0);
	close(ch->fd);
	ch->pid = 0;
}

static void child_news(const struct telnet_config *c, struct child *ch)
{
	uint32_t sessions = 0;
	struct failure *f;
	char news, answer;

	if (recv(ch->fd, &news, 1, MSG_DONTWAIT) != 1) {
		if (errno != EAGAIN)
			child_end(ch);
		return;
	}
	if (news == TELNET_NEWS_FAILED) {
		f = failure_of(&ch->from, true);
		f->n++;
		f->last_ms = clock_ms();
		return;
	}
	for (int i = 0; i < CHILDREN_MAX; i++)
		sessions += children[i].pid && children[i].session;
	ch->session = sessions < c->max_sessions;
	answer = ch->session ? 'y' : 'n';
	(void)!send(ch->fd, &answer, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static struct child *child_slot(const struct sockaddr_storage *from)
{
	struct child *free_one = NULL;
	int waiting = 0, waiting_from = 0;

	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (!children[i].pid) {
			free_one = free_one ? free_one : &children[i];
			continue;
		}
		waiting += !children[i].session;
		waiting_from += !children[i].session && same_host(&children[i].from, from);
	}
	if (waiting >= TELNET_WAITING_MAX ||
	    (waiting_from >= TELNET_WAITING_FROM && !is_loopback(from)))
		return NULL;
	return free_one;
}

static void child_run(const struct telnet_config *c, int listener, int fd, int parent,
		      const struct sockaddr_storage *from, uint32_t delay_ms)
{
	char text[TELNET_FROM_STRLEN];
	int one = 1;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	close(listener);
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid)
			close(children[i].fd);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	from_format(from, text);
	_exit(telnet_monitor_run(c, fd, parent, text, delay_ms));
}

static void accept_one(const struct telnet_config *c, int listener)
{
	static const char full[] = "too many connections: try again later\r\n";
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC), pair[2];
	struct child *ch;
	pid_t pid;

	if (fd < 0) {
		/* Out of descriptors: the listener stays readable. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			usleep(100000);
		return;
	}
	ch = child_slot(&from);
	if (!ch || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		(void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		child_run(c, listener, fd, pair[1], &from, failure_delay(&from));
	}
	close(pair[1]);
	close(fd);
	if (pid < 0)
		close(pair[0]);
	else
		*ch = (struct child){.pid = pid, .fd = pair[0], .from = from};
}

int telnet_listen_run(const struct telnet_config *c, int listener)
{
	struct sigaction sa = {.sa_handler = on_stop};
	struct pollfd p[CHILDREN_MAX + 1];

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	while (!stopping) {
		p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		for (int i = 0; i < CHILDREN_MAX; i++)
			p[i + 1] = (struct pollfd){.fd = children[i].pid ? children[i].fd : -1,
						   .events = POLLIN};
		if (poll(p, CHILDREN_MAX + 1, -1) < 0)
			continue;
		for (int i = 0; i < CHILDREN_MAX; i++)
			if (p[i + 1].revents && children[i].pid)
				child_news(c, &children[i]);
		if (p[0].revents)
			accept_one(c, listener);
	}
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid)
			child_end(&children[i]);
	return 0;
}
