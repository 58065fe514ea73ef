/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The monitor of a connection. Two processes serve a connection: the session (telnet_session.c)
 * reads what the client sends, and runs plvsctl; the monitor reads nothing but short messages of
 * the session. The session has no hashes, and a filter of system calls lets neither the session
 * nor plvsctl open a socket (telnet_filter.c). The monitor checks passwords, and makes each
 * connection to the router: to the socket of the level that the password gave. So a session of the
 * read level that has been taken over does not reach the socket by which changes are made.
 *
 *	session -- {name, password} --> monitor		-- 'y' and a socket, 'w' wrong, 'f' full -->
 *	plvsctl -- a byte by this socket -> monitor	-- a connection to the router, or none -->
 */
#include "telnet/telnet_monitor.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define FAILED_DELAY_MS 1000 /* doubled with each failure of this connection */

struct monitor {
	const struct telnet_config *config;
	const char *from;
	int session, parent;		/* sockets to the session's process and to the listener */
	int plvsctl;			/* socket to plvsctl; -1: there is none */
	bool in;			/* somebody has logged in */
	const struct telnet_user *user; /* NULL: nobody is asked, read level */
	int tries;
	uint32_t delay_ms;
	uint64_t next_ms; /* no password is checked before */
};

/* --- descriptors --- */

/* Sends a byte, and a descriptor with it unless fd is -1. */
static void byte_send(int to, char byte, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (fd >= 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	(void)!sendmsg(to, &msg, MSG_NOSIGNAL);
}

static enum telnet_level level_of(const struct monitor *m)
{
	return m->user ? m->user->level : TELNET_READ;
}

static const char *name_of(const struct monitor *m)
{
	return m->user ? m->user->name : NULL;
}

/* Names the session to the router, before plvsctl has the connection: a name is given once. */
static void session_name(const struct monitor *m, int fd)
{
	char name[TELNET_NAME_MAX + TELNET_FROM_STRLEN + 2];
	json_t *doc;
	char *text, *line = NULL;

	snprintf(name, sizeof(name), "%s@%s", m->user ? m->user->name : "-", m->from);
	doc = json_pack("{s:s, s:s, s:{s:s}}", "jsonrpc", "2.0", "method", "session.name", "params",
			"name", name);
	text = doc ? json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (text && asprintf(&line, "%s\n", text) >= 0)
		(void)!send(fd, line, strlen(line), MSG_NOSIGNAL);
	free(line);
	free(text);
	json_decref(doc);
}

/* plvsctl asks for a connection to the router. */
static void plvsctl_answer(struct monitor *m)
{
	char byte;
	int fd;

	if (recv(m->plvsctl, &byte, 1, 0) != 1) {
		close(m->plvsctl);
		m->plvsctl = -1;
		return;
	}
	fd = telnet_router_connect(m->config->sockets[level_of(m)]);
	if (fd >= 0)
		session_name(m, fd);
	byte_send(m->plvsctl, fd >= 0 ? 'y' : 'n', fd);
	if (fd >= 0)
		close(fd);
}

/* --- the login --- */

/* Text that a client typed reaches a log. */
static void make_printable(char *name)
{
	for (const char *p = name; *p; p++)
		if (*p < 0x20 || *p > 0x7e) {
			strcpy(name, "?");
			return;
		}
}

static bool is_allowed(const struct monitor *m)
{
	struct pollfd p = {.fd = m->parent, .events = POLLIN};
	char ask = TELNET_NEWS_LOGIN, answer = 'n';

	return send(m->parent, &ask, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, 5000) == 1 &&
	       recv(m->parent, &answer, 1, 0) == 1 && answer == 'y';
}

static void login_failed(struct monitor *m, const char *name)
{
	const char news = TELNET_NEWS_FAILED;

	(void)!send(m->parent, &news, 1, MSG_NOSIGNAL);
	telnet_report(m->config, "login_failed", name, m->from, NULL);
	m->delay_ms = m->delay_ms < FAILED_DELAY_MS ? FAILED_DELAY_MS : 2 * m->delay_ms;
	m->next_ms = clock_ms() + m->delay_ms;
	m->tries++;
	byte_send(m->session, TELNET_WRONG, -1);
}

static void login_enter(struct monitor *m)
{
	int pair[2] = {-1, -1};

	if (!is_allowed(m)) {
		telnet_report(m->config, "refused", name_of(m), m->from,
			      "as many sessions as are allowed exist");
		byte_send(m->session, TELNET_FULL, -1);
		return;
	}
	telnet_report(m->config, "login", name_of(m), m->from,
		      level_of(m) == TELNET_CHANGE ? "change" : "read");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		byte_send(m->session, TELNET_FULL, -1);
		return;
	}
	m->in = true;
	m->plvsctl = pair[0];
	byte_send(m->session, TELNET_IN, pair[1]);
	close(pair[1]);
}

/* False: the session is over. */
static bool login_ask(struct monitor *m)
{
	struct telnet_ask ask;
	ssize_t n = recv(m->session, &ask, sizeof(ask), 0);
	const uint64_t now = clock_ms();

	if (n != (ssize_t)sizeof(ask) || m->in || m->tries >= TELNET_TRIES)
		return false;
	ask.name[sizeof(ask.name) - 1] = '\0';
	ask.password[sizeof(ask.password) - 1] = '\0';
	if (m->config->n_users == 0) {
		login_enter(m);
		return true;
	}
	/* The session waits itself; one that does not is held back here. */
	if (now < m->next_ms)
		usleep((useconds_t)(m->next_ms - now) * 1000);
	make_printable(ask.name);
	m->user = telnet_user_check(m->config, ask.name, ask.password);
	explicit_bzero(ask.password, sizeof(ask.password));
	if (m->user)
		login_enter(m);
	else
		login_failed(m, ask.name);
	return true;
}

static void monitor_loop(struct monitor *m)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = m->session, .events = POLLIN},
				      {.fd = m->plvsctl, .events = POLLIN}};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents)
			plvsctl_answer(m);
		if (p[0].revents && !login_ask(m))
			return;
	}
}

/* --- life --- */

/* The process that hears the client. */
static int session_begin(const struct telnet_config *c, int client, int monitor, uint32_t delay_ms)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	telnet_config_forget(c);
	if (telnet_filter_enter() < 0) {
		fprintf(stderr, "plvs-telnetd: the filter of system calls cannot be entered\n");
		return 1;
	}
	return telnet_session_run(c, client, monitor, delay_ms);
}

int telnet_monitor_run(const struct telnet_config *c, int client, int parent, const char *from,
		       uint32_t delay_ms)
{
	struct monitor m = {.config = c,
			    .from = from,
			    .parent = parent,
			    .plvsctl = -1,
			    .delay_ms = delay_ms,
			    .next_ms = clock_ms() + delay_ms};
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		close(parent);
		_exit(session_begin(c, client, pair[1], delay_ms));
	}
	close(pair[1]);
	close(client);
	if (pid < 0)
		return 1;
	m.session = pair[0];
	monitor_loop(&m);
	close(m.session);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (m.in)
		telnet_report(c, "logout", name_of(&m), from, NULL);
	return 0;
}
