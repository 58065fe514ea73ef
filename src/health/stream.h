/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_STREAM_H
#define PLVS_HEALTH_STREAM_H

/*
 * A TCP connection of a check that talks, with TLS or without: one socket, one event, a
 * bounded buffer of received bytes. The stream tells its user of events; a fault on the way ends
 * the probe with a sentence of its own.
 *
 * The user's functions say whether the probe goes on: false when they ended it.
 *
 * Context: control.
 */

#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "health/check.h"

enum stream_stage { STREAM_CONNECT, STREAM_HANDSHAKE, STREAM_TALK };

struct stream;
struct stream_user {
	bool (*opened)(struct stream *s); /* may be NULL */
	bool (*came)(struct stream *s);	  /* in_len grew */
	bool (*sent)(struct stream *s);	  /* the rest of a text is sent; may be NULL */
	void (*closed)(struct stream *s); /* the server closed: the user ends the probe */
	/* However it ends: what the user holds is freed, its own events deleted. */
	void (*cleanup)(struct stream *s);
};

struct stream {
	struct probe *p;
	const struct stream_user *user;
	struct event ev;
	SSL *ssl;
	int fd;
	uint8_t stage; /* enum stream_stage */
	short wants;   /* EV_READ, EV_WRITE: what ev waits for */
	char *out;     /* to be sent; owned */
	size_t out_len, out_done;
	char *in; /* [in_len] came and was not taken; room grows up to CHECK_MAX_BODY */
	size_t in_len, in_room;
};

/* Begins. May end the probe at once. s is zeroed. */
void stream_start(struct stream *s, struct probe *p, const struct stream_user *user);
/* Sends, once open; at most one text at a time. false: no memory, the probe has ended. */
bool stream_send(struct stream *s, const char *data, size_t len);
/* Bytes of in are used. */
void stream_take(struct stream *s, size_t n);
static inline bool stream_full(const struct stream *s)
{
	return s->in_len >= CHECK_MAX_BODY;
}
/* The kernel has all bytes that were to be sent. */
static inline bool stream_sent(const struct stream *s)
{
	return s->out_done == s->out_len;
}

/* Ends the probe and the connection. s is gone afterwards. */
void stream_end(struct stream *s, enum probe_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with advice; r->reason is set. */
void stream_end_result(struct stream *s, const struct probe_result *r);
/* Of a checker's cancel(): closes, and says what was under way unless the stream talks. */
void stream_cancel(struct stream *s, const char *talking, char *phase, size_t len);

#endif
