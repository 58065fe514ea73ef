/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health/dial.h"
#include "health/tls.h"

#define FIRST_ROOM    4096U
#define READS_A_ROUND 8U /* of what is there: others run as well */

static void on_event(evutil_socket_t fd, short what, void *arg);

static void stream_close(struct stream *s)
{
	if (s->user->cleanup)
		s->user->cleanup(s);
	if (s->wants)
		event_del(&s->ev);
	tls_close(s->ssl);
	close(s->fd);
	free(s->out);
	free(s->in);
}

void stream_end_result(struct stream *s, const struct probe_result *r)
{
	struct probe *p = s->p;

	stream_close(s);
	probe_end_result(p, r);
}

void stream_end(struct stream *s, enum probe_verdict verdict, const char *fmt, ...)
{
	struct probe_result r = {.verdict = (uint8_t)verdict};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.reason, sizeof(r.reason), fmt, ap);
	va_end(ap);
	stream_end_result(s, &r);
}

static void end_by_errno(struct stream *s, int err)
{
	struct probe *p = s->p;

	stream_close(s);
	dial_fail(p, err);
}

static void end_by_tls(struct stream *s, const char *doing)
{
	char words[128], ep[ENDPOINT_STRLEN];

	tls_words(s->ssl, words, sizeof(words));
	stream_end(s, PROBE_FAIL, "%s %s: %s", doing,
		   endpoint_format(&s->p->target, ep, sizeof(ep)), words);
}

void stream_cancel(struct stream *s, const char *talking, char *phase, size_t len)
{
	static const char *const words[] = {
		[STREAM_CONNECT] = "no SYN-ACK",
		[STREAM_HANDSHAKE] = "no end of the TLS handshake",
	};

	snprintf(phase, len, "%s", s->stage == STREAM_TALK ? talking : words[s->stage]);
	stream_close(s);
}

/* false: no memory, the probe has ended. */
static bool wait_for(struct stream *s, short what)
{
	if (s->wants == what)
		return true;
	if (s->wants)
		event_del(&s->ev);
	s->wants = 0;
	event_assign(&s->ev, s->p->env->base, s->fd, (short)(what | EV_PERSIST), on_event, s);
	if (event_add(&s->ev, NULL)) {
		stream_end(s, PROBE_ERROR, "out of memory");
		return false;
	}
	s->wants = what;
	return true;
}

void stream_start(struct stream *s, struct probe *p, const struct stream_user *user)
{
	int err;

	s->p = p;
	s->user = user;
	err = dial_start(p, &s->fd);
	if (err)
		dial_fail(p, -err);
	else
		wait_for(s, EV_WRITE);
}

/* Bytes, 0 at the end, or -1: *want says what to wait for, 0 = it is broken (errno, or
 * OpenSSL's queue). */
static ssize_t read_some(struct stream *s, char *to, size_t room, short *want)
{
	ssize_t n;
	int how;

	*want = 0;
	if (!s->ssl) {
		n = recv(s->fd, to, room, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			*want = EV_READ;
		return n;
	}
	ERR_clear_error();
	how = SSL_read(s->ssl, to, (int)room);
	if (how > 0)
		return how;
	how = SSL_get_error(s->ssl, how);
	if (how == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (how == SSL_ERROR_WANT_READ)
		*want = EV_READ;
	else if (how == SSL_ERROR_WANT_WRITE)
		*want = EV_WRITE;
	return -1;
}

static ssize_t write_some(struct stream *s, short *want)
{
	size_t left = s->out_len - s->out_done;
	ssize_t n;
	int how;

	*want = 0;
	if (!s->ssl) {
		n = send(s->fd, s->out + s->out_done, left, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			*want = EV_WRITE;
		return n;
	}
	ERR_clear_error();
	how = SSL_write(s->ssl, s->out + s->out_done, (int)left);
	if (how > 0)
		return how;
	how = SSL_get_error(s->ssl, how);
	if (how == SSL_ERROR_WANT_READ)
		*want = EV_READ;
	else if (how == SSL_ERROR_WANT_WRITE)
		*want = EV_WRITE;
	return -1;
}

/* Sends what it can. false: the probe has ended. */
static bool flush(struct stream *s)
{
	short want;

	while (!stream_sent(s)) {
		ssize_t n = write_some(s, &want);

		if (n > 0) {
			s->out_done += (size_t)n;
		} else if (want) {
			return wait_for(s, (short)(want | EV_READ));
		} else if (s->ssl) {
			end_by_tls(s, "TLS with");
			return false;
		} else {
			/* Bytes that the server sent before it closed may still be there to read.
			 */
			if (errno != EPIPE && errno != ECONNRESET) {
				end_by_errno(s, errno);
				return false;
			}
			s->out_done = s->out_len;
		}
	}
	return wait_for(s, EV_READ);
}

bool stream_send(struct stream *s, const char *data, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (!copy) {
		stream_end(s, PROBE_ERROR, "out of memory");
		return false;
	}
	memcpy(copy, data, len);
	free(s->out);
	s->out = copy;
	s->out_len = len;
	s->out_done = 0;
	return flush(s);
}

void stream_take(struct stream *s, size_t n)
{
	if (n == 0)
		return;
	memmove(s->in, s->in + n, s->in_len - n);
	s->in_len -= n;
}

static bool make_room(struct stream *s)
{
	size_t room = s->in_room ? 2 * s->in_room : FIRST_ROOM;
	char *in;

	if (s->in_len < s->in_room)
		return true;
	in = realloc(s->in, room < CHECK_MAX_BODY ? room : CHECK_MAX_BODY);
	if (!in) {
		stream_end(s, PROBE_ERROR, "out of memory");
		return false;
	}
	s->in = in;
	s->in_room = room < CHECK_MAX_BODY ? room : CHECK_MAX_BODY;
	return true;
}

static void receive(struct stream *s)
{
	short want;

	for (uint32_t i = 0; i < READS_A_ROUND && !stream_full(s); i++) {
		ssize_t n;

		if (!make_room(s))
			return;
		n = read_some(s, s->in + s->in_len, s->in_room - s->in_len, &want);
		if (n > 0) {
			s->in_len += (size_t)n;
			if (!s->user->came(s))
				return;
			continue;
		}
		if (n < 0 && want) {
			/* Only a handshake in the middle of the talk wants to write. */
			wait_for(s, stream_sent(s) ? want : EV_READ | EV_WRITE);
			return;
		}
		if (n < 0 && s->ssl)
			end_by_tls(s, "TLS with");
		else if (n < 0)
			end_by_errno(s, errno);
		else
			s->user->closed(s);
		return;
	}
	/* Bytes that OpenSSL has read already make no descriptor readable. */
	if (s->ssl && SSL_has_pending(s->ssl) && !stream_full(s))
		event_active(&s->ev, EV_READ, 0);
}

static void talk(struct stream *s)
{
	s->stage = STREAM_TALK;
	if (wait_for(s, EV_READ) && s->user->opened)
		s->user->opened(s);
}

static void handshake(struct stream *s)
{
	int how;

	ERR_clear_error();
	how = SSL_do_handshake(s->ssl);
	if (how == 1) {
		talk(s);
		return;
	}
	how = SSL_get_error(s->ssl, how);
	if (how == SSL_ERROR_WANT_READ)
		wait_for(s, EV_READ);
	else if (how == SSL_ERROR_WANT_WRITE)
		wait_for(s, EV_WRITE);
	else
		end_by_tls(s, "TLS handshake with");
}

/* A header of the PROXY protocol for a connection of the router's own. The socket's buffer is
 * empty, so a send is whole. Returns 0 or an errno. */
static int header_send(const struct stream *s)
{
	static const char v1[] = "PROXY UNKNOWN\r\n";
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0"; /* its NUL: the last byte */
	const bool text = s->p->spec->header == CLIENT_ADDRESS_PROXY_V1;
	const size_t len = text ? sizeof(v1) - 1 : sizeof(v2);
	ssize_t n;

	/* Later bytes do not wait until the server has acknowledged the header. */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	n = send(s->fd, text ? v1 : v2, len, MSG_NOSIGNAL);

	return n == (ssize_t)len ? 0 : n < 0 ? errno : ENOBUFS;
}

static void connected(struct stream *s)
{
	char why[128];
	int err = dial_result(s->fd);

	if (!err && s->p->spec->header != CLIENT_ADDRESS_OFF)
		err = header_send(s);
	if (err) {
		end_by_errno(s, err);
		return;
	}
	if (!s->p->spec->tls.on) {
		talk(s);
		return;
	}
	s->stage = STREAM_HANDSHAKE;
	if (!s->p->env->ssl || tls_open(s->p->env->ssl, &s->p->spec->tls, &s->p->target, s->fd,
					&s->ssl, why, sizeof(why)))
		stream_end(s, PROBE_ERROR, "TLS: %s", s->p->env->ssl ? why : "not available");
	else
		handshake(s);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	switch (s->stage) {
	case STREAM_CONNECT:
		connected(s);
		break;
	case STREAM_HANDSHAKE:
		handshake(s);
		break;
	default:
		if ((what & EV_WRITE || s->ssl) && !stream_sent(s)) {
			if (!flush(s))
				return;
			if (stream_sent(s) && s->user->sent && !s->user->sent(s))
				return;
		}
		receive(s);
	}
}
