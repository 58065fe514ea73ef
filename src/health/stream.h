/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_STREAM_H
#define PLVS_HEALTH_STREAM_H

/*
 * A TCP connection of a check, with TLS or without: one socket, one event, a bounded buffer of
 * received bytes. The stream reports events to its user; a fault ends the probe with a sentence of
 * its own.
 *
 * The user's functions return false if they ended the probe.
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
	/* At every end: frees the user's memory and deletes its own events. */
	void (*cleanup)(struct stream *s);
};

struct stream {
	struct probe *p;
	const struct stream_user *user;
	struct event ev;
	SSL *ssl;
	int fd;
	uint8_t stage; /* enum stream_stage */
	short wants;   /* EV_READ, EV_WRITE: events that ev waits for */
	char *out;     /* to be sent; owned */
	size_t out_len, out_done;
	char *in; /* [in_len] received and not taken; room grows up to CHECK_MAX_BODY */
	size_t in_len, in_room;
};

/* Begins. May end the probe at once. s is zeroed. */
void stream_start(struct stream *s, struct probe *p, const struct stream_user *user);
/* Sends, once open; at most one text at a time. false: no memory, the probe has ended. */
bool stream_send(struct stream *s, const char *data, size_t len);
/* Removes n bytes from in. */
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

/* Ends the probe and the connection, and frees s. */
void stream_end(struct stream *s, enum probe_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with advice; r->reason is set. */
void stream_end_result(struct stream *s, const struct probe_result *r);
/* For a checker's cancel(): closes the connection and writes the step under way to phase (`talking`
 * once the stream is open). */
void stream_cancel(struct stream *s, const char *talking, char *phase, size_t len);

#endif
