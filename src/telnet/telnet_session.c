/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection, in a process that may open no socket (telnet_monitor.c):
 *
 *	GREET	until the client has named its terminal, or a moment has passed
 *	NAME	-> PASSWORD -> HOLD (the login is held back) -> RUN, or NAME again
 *	RUN	plvsctl on a pseudo-terminal, until either end is gone, or no key came for idle_s
 *	FLUSH	the rest of the output is sent to the client, for a moment at most
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "telnet/telnet_monitor.h"
#include "telnet/telnet_shell.h"
#include "telnet/telnet_stream.h"
#include "telnet/telnetd.h"

#define GREET_MS	700  /* for a client to show that it speaks telnet */
#define GREET_SPEAKS_MS 2000 /* for its terminal type and window */
#define FLUSH_MS	2000
#define FAILED_DELAY_MS 1000  /* doubled with each failure of this connection */
#define LAST_MS		10000 /* for commands of a client that sends no more */

enum state {
	STATE_GREET,
	STATE_NAME,
	STATE_PASSWORD,
	STATE_HOLD,
	STATE_RUN,
	STATE_FLUSH,
};

struct connection {
	const struct telnet_config *config;
	int fd, monitor;
	int monitor_fd; /* plvsctl's socket to the monitor; -1: none */
	struct telnet_stream stream;
	enum state state;
	uint64_t until_ms; /* when the state ends, if nothing else happens */
	uint64_t login_ms; /* when the login must be over */
	uint32_t delay_ms; /* of the next login */
	int tries;
	char line[TELNET_PASSWORD_MAX + 1];
	size_t line_len;
	bool line_over; /* the line was longer: no name or password is */
	char name[TELNET_NAME_MAX + 1];
	struct telnet_shell shell;
	bool eof;   /* the client sends no more */
	bool ended; /* the shell was told so */
};

static void say(struct connection *c, const char *text)
{
	telnet_stream_print(&c->stream, text, strlen(text));
}

static void enter(struct connection *c, enum state state, uint64_t ms)
{
	c->state = state;
	c->until_ms = clock_ms() + ms;
}

static void finish(struct connection *c, const char *text)
{
	if (text)
		say(c, text);
	enter(c, STATE_FLUSH, FLUSH_MS);
}

/* --- the shell --- */

static void shell_start(struct connection *c)
{
	const char *fault =
		telnet_shell_start(c->config->shell, &c->stream, c->monitor_fd, &c->shell);

	if (fault)
		finish(c, fault);
	else
		enter(c, STATE_RUN, (uint64_t)c->config->idle_s * 1000);
}

/* --- the login --- */

static void ask_name(struct connection *c)
{
	c->line_len = 0;
	c->line_over = false;
	say(c, "login: ");
	c->state = STATE_NAME;
}

/* The monitor's answer, and plvsctl's socket to the monitor, which comes with a login. */
static char answer_take(struct connection *c)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = TELNET_FULL;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.room,
			     .msg_controllen = sizeof(control.room)};
	const struct cmsghdr *h;

	if (recvmsg(c->monitor, &msg, MSG_CMSG_CLOEXEC) != 1)
		return TELNET_FULL;
	h = CMSG_FIRSTHDR(&msg);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		memcpy(&c->monitor_fd, CMSG_DATA(h), sizeof(c->monitor_fd));
	return byte == TELNET_IN && c->monitor_fd < 0 ? TELNET_FULL : byte;
}

/* Asks the monitor: with the name and the password that were typed, or with none. */
static char login_ask(struct connection *c)
{
	struct telnet_ask ask = {{0}, {0}};
	char answer = TELNET_FULL;

	if (c->config->n_users) {
		snprintf(ask.name, sizeof(ask.name), "%s", c->name);
		snprintf(ask.password, sizeof(ask.password), "%s", c->line_over ? "" : c->line);
	}
	if (send(c->monitor, &ask, sizeof(ask), MSG_NOSIGNAL) == (ssize_t)sizeof(ask))
		answer = answer_take(c);
	explicit_bzero(&ask, sizeof(ask));
	return answer;
}

static void login_try(struct connection *c)
{
	const char answer = login_ask(c);

	explicit_bzero(c->line, sizeof(c->line));
	c->line_len = 0;
	if (answer == TELNET_IN) {
		shell_start(c);
	} else if (answer == TELNET_FULL) {
		finish(c, "as many sessions as are allowed exist already: try again later\r\n");
	} else {
		c->delay_ms = c->delay_ms < FAILED_DELAY_MS ? FAILED_DELAY_MS : 2 * c->delay_ms;
		if (++c->tries >= TELNET_TRIES) {
			finish(c, "login incorrect\r\n");
			return;
		}
		say(c, "login incorrect\r\n");
		ask_name(c);
	}
}

static void greeted(struct connection *c)
{
	c->login_ms = clock_ms() + TELNET_LOGIN_S * 1000;
	if (c->config->n_users == 0) {
		login_try(c);
		return;
	}
	say(c, "plvs router\r\n");
	ask_name(c);
}

static void line_done(struct connection *c)
{
	c->line[c->line_len] = '\0';
	say(c, "\r\n");
	if (c->state == STATE_NAME && c->line_len == 0) {
		ask_name(c);
	} else if (c->state == STATE_NAME) {
		/* A name that is too long is nobody's. */
		if (c->line_over || c->line_len > TELNET_NAME_MAX)
			strcpy(c->line, "?");
		memcpy(c->name, c->line, strlen(c->line) + 1);
		c->line_len = 0;
		c->line_over = false;
		say(c, "password: ");
		c->state = STATE_PASSWORD;
	} else {
		enter(c, STATE_HOLD, c->delay_ms);
	}
}

/* A key of a name or password. */
static void login_key(struct connection *c, unsigned char key)
{
	bool shown = c->state == STATE_NAME && c->stream.speaks;
	char text[2] = {(char)key, '\0'};

	if (key == '\r' || key == '\n') {
		line_done(c);
	} else if (key == 3 || key == 4) {
		finish(c, "\r\n");
	} else if (key == 127 || key == 8) {
		if (c->line_len > 0) {
			c->line_len--;
			if (shown)
				say(c, "\b \b");
		}
	} else if (key == 21) {
		for (; c->line_len > 0; c->line_len--)
			if (shown)
				say(c, "\b \b");
	} else if (c->state == STATE_NAME && (key < 0x20 || key > 0x7e)) {
		/* A name is printable: what is logged cannot do anything to a terminal. */
		c->line_over = true;
	} else if (c->line_len == TELNET_PASSWORD_MAX) {
		c->line_over = true;
	} else {
		c->line[c->line_len++] = (char)key;
		if (shown)
			say(c, text);
	}
}

/* Keys that wait go where the state says; while a login is held back they wait. */
static void keys_take(struct connection *c)
{
	struct stream_bytes *keys = &c->stream.keys;

	while (keys->n > 0 && (c->state == STATE_NAME || c->state == STATE_PASSWORD)) {
		unsigned char key = keys->v[keys->start];

		stream_bytes_take(keys, 1);
		login_key(c, key);
	}
}

/* --- bytes --- */

static void client_read(struct connection *c)
{
	unsigned char bytes[STREAM_READ];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		telnet_stream_received(&c->stream, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->eof = true;
}

/* False: the client is gone. */
static bool client_write(struct connection *c)
{
	struct stream_bytes *out = &c->stream.out;
	ssize_t n = send(c->fd, out->v + out->start, out->n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		stream_bytes_take(out, (size_t)n);
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void shell_read(struct connection *c)
{
	unsigned char bytes[STREAM_READ];
	ssize_t n = read(c->shell.pty, bytes, sizeof(bytes));

	if (n > 0)
		telnet_stream_print(&c->stream, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		finish(c, NULL); /* EIO: it has ended */
}

static void shell_write(struct connection *c)
{
	struct stream_bytes *keys = &c->stream.keys;
	ssize_t n = write(c->shell.pty, keys->v + keys->start, keys->n);

	if (n > 0)
		stream_bytes_take(keys, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		finish(c, NULL);
}

/* --- the loop --- */

static void timers(struct connection *c)
{
	const struct telnet_stream *s = &c->stream;
	uint64_t now = clock_ms();
	char idle[32], text[96];

	switch (c->state) {
	case STATE_GREET:
		if (telnet_stream_agreed(s) ||
		    now >= c->until_ms + (s->speaks ? GREET_SPEAKS_MS - GREET_MS : 0))
			greeted(c);
		break;
	case STATE_NAME:
	case STATE_PASSWORD:
		if (now >= c->login_ms)
			finish(c, "\r\nthe login took too long\r\n");
		break;
	case STATE_HOLD:
		if (now >= c->until_ms)
			login_try(c);
		break;
	case STATE_RUN:
		if (s->there && !c->ended)
			c->until_ms = now + (uint64_t)c->config->idle_s * 1000;
		c->stream.there = false;
		if (now < c->until_ms)
			break;
		if (c->ended) {
			finish(c, NULL);
			break;
		}
		snprintf(text, sizeof(text), "\r\nnothing was typed for %s: closed\r\n",
			 duration_format(c->config->idle_s * 1000, idle, sizeof(idle)));
		finish(c, text);
		break;
	case STATE_FLUSH:
		break;
	}
}

static int wait_ms(const struct connection *c)
{
	uint64_t until =
		c->state == STATE_NAME || c->state == STATE_PASSWORD ? c->login_ms : c->until_ms;
	uint64_t now = clock_ms();

	/* Greeting looks at what the client says; the rest is in no hurry. */
	if (c->state == STATE_GREET)
		return 20;
	return until <= now ? 0 : until - now < 1000 ? (int)(until - now) : 1000;
}

/* Bytes that the client sent before it ended its side still count. False: that was all. */
static bool client_ended(struct connection *c)
{
	const char end = 4;

	if (c->state == STATE_GREET || c->state == STATE_HOLD || c->state == STATE_FLUSH)
		return true;
	if (c->state != STATE_RUN)
		return c->stream.keys.n > 0;
	if (c->stream.keys.n == 0 && !c->ended) {
		c->ended = true;
		c->until_ms = clock_ms() + LAST_MS;
		(void)!write(c->shell.pty, &end, 1);
	}
	return true;
}

/* The descriptors to wait for. */
static void events(const struct connection *c, struct pollfd p[2])
{
	const struct telnet_stream *s = &c->stream;

	p[0] = (struct pollfd){.fd = c->fd};
	p[1] = (struct pollfd){.fd = c->state == STATE_RUN ? c->shell.pty : -1};
	if (!c->eof && telnet_stream_takes_input(s) && c->state != STATE_HOLD &&
	    c->state != STATE_FLUSH)
		p[0].events |= POLLIN;
	if (s->out.n > 0)
		p[0].events |= POLLOUT;
	/* POLLHUP would come at once, again and again. */
	if (c->eof && s->out.n == 0)
		p[0].fd = -1;
	if (telnet_stream_takes_output(s))
		p[1].events |= POLLIN;
	if (s->keys.n > 0)
		p[1].events |= POLLOUT;
}

/* False: the connection is over. */
static bool session_round(struct connection *c)
{
	struct telnet_stream *s = &c->stream;
	struct pollfd p[2];

	events(c, p);
	if (poll(p, 2, wait_ms(c)) < 0)
		return errno == EINTR;
	if (p[0].revents & POLLIN)
		client_read(c);
	else if (p[0].revents & (POLLERR | POLLHUP))
		c->eof = true;
	if (p[1].revents & POLLOUT)
		shell_write(c);
	if (c->state == STATE_RUN && p[1].revents & (POLLIN | POLLHUP) &&
	    telnet_stream_takes_output(s))
		shell_read(c);
	if (s->out.n > 0 && !client_write(c))
		return false;
	keys_take(c);
	if (c->state == STATE_RUN && s->resized) {
		telnet_shell_resize(&c->shell, s);
		s->resized = false;
	}
	timers(c);
	if (c->state == STATE_FLUSH && (s->out.n == 0 || clock_ms() >= c->until_ms))
		return false;
	return !s->broken && (!c->eof || client_ended(c));
}

int telnet_session_run(const struct telnet_config *config, int fd, int monitor, uint32_t delay_ms)
{
	struct connection c = {.config = config,
			       .fd = fd,
			       .monitor = monitor,
			       .monitor_fd = -1,
			       .delay_ms = delay_ms,
			       .shell.pty = -1};

	if (telnet_stream_open(&c.stream) < 0)
		return 1;
	enter(&c, STATE_GREET, GREET_MS);
	while (session_round(&c))
		;
	telnet_shell_end(&c.shell);
	telnet_stream_close(&c.stream);
	close(c.fd);
	return 0;
}
