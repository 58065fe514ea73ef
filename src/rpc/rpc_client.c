/* SPDX-License-Identifier: BSD-3-Clause */
/* A client: sending, and the events that the loop waits for. */
#include "rpc/rpc_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/json_dump.h"

#define AREA "control"

#define CLOSING_MS    5000	  /* for a client to take the error that ends it */
#define PAUSE_BACKLOG (4UL << 20) /* no more requests are taken above this */
#define PAUSE_PENDING 64

static void client_update(struct rpc_client *c);

static struct timeval ms_timeval(uint32_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

void client_destroy(struct rpc_client *c)
{
	struct rpc_server *s = c->server;
	struct rpc_request *r;

	while ((r = TAILQ_FIRST(&c->requests))) {
		TAILQ_REMOVE(&c->requests, r, entry);
		r->client = NULL;
	}
	TAILQ_REMOVE(&s->clients, c, entry);
	s->n_clients--;
	s->in_bytes -= c->in_cap;
	event_free(c->read_ev);
	event_free(c->write_ev);
	event_free(c->resume_ev);
	event_free(c->half_ev);
	evbuffer_free(c->out);
	close(c->fd);
	free(c->in);
	free(c);
}

/* --- sending --- */

/* A client that does not read is disconnected before memory ends. */
void client_bound(struct rpc_client *c)
{
	size_t waiting = evbuffer_get_length(c->out);

	if (waiting <= c->server->opt.max_backlog || c->broken)
		return;
	log_warning(AREA, "a client does not read: disconnected with %zu bytes waiting", waiting);
	c->broken = true;
}

/* Takes doc over. May not free the client: callers go on with it. */
void client_send(struct rpc_client *c, json_t *doc)
{
	if (!doc || json_dump_evbuffer(doc, false, c->out) < 0 ||
	    evbuffer_add(c->out, "\n", 1) < 0) {
		log_error(AREA, "no memory for an answer: its client is disconnected");
		c->broken = true;
	}
	client_bound(c);
	json_decref(doc);
}

json_t *client_error_doc(json_t *id, int code, json_t *data, const char *message)
{
	json_t *text = json_string(message);

	if (!text) /* not UTF-8: a path that someone sent */
		text = json_string("the message is not UTF-8");
	return json_pack("{s:s, s:O, s:{s:i, s:o, s:o*}}", "jsonrpc", "2.0", "id", id, "error",
			 "code", code, "message", text, "data", data);
}

/* An error that belongs to no request. */
void client_send_error(struct rpc_client *c, int code, const char *message)
{
	json_t *null = json_null();

	client_send(c, client_error_doc(null, code, NULL, message));
}

/* Says why, then closes once that is sent or the client has had its time. */
void client_end(struct rpc_client *c, int code, const char *message)
{
	struct timeval tv = ms_timeval(CLOSING_MS);

	client_send_error(c, code, message);
	c->closing = true;
	event_del(c->read_ev);
	event_del(c->half_ev);
	event_add(c->half_ev, &tv);
}

bool client_write(struct rpc_client *c)
{
	while (evbuffer_get_length(c->out) > 0) {
		struct evbuffer_iovec vec[16];
		struct msghdr msg = {.msg_iov = (struct iovec *)vec};
		int n = evbuffer_peek(c->out, 1 << 20, NULL, vec, 16);
		ssize_t sent;

		msg.msg_iovlen = (size_t)(n < 16 ? n : 16);
		sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		evbuffer_drain(c->out, (size_t)sent);
	}
	return true;
}

/* Sends, and chooses the events that the client waits for next. May free the client. */
void client_flush(struct rpc_client *c)
{
	if (!c->broken && !client_write(c))
		c->broken = true;
	client_update(c);
}

bool client_paused(const struct rpc_client *c)
{
	return evbuffer_get_length(c->out) > PAUSE_BACKLOG || c->n_requests >= PAUSE_PENDING;
}

bool client_has_line(const struct rpc_client *c)
{
	return c->in_scanned < c->in_len;
}

/* Arms the events that fit the client's state. May free the client. */
static void client_update(struct rpc_client *c)
{
	static const struct timeval now = {0};
	bool waits = evbuffer_get_length(c->out) > 0;

	if (c->busy)
		return;
	if (c->broken || ((c->closing || c->eof) && !waits && c->n_requests == 0 &&
			  (c->closing || !client_has_line(c)))) {
		client_destroy(c);
		return;
	}
	if (waits)
		event_add(c->write_ev, NULL);
	else
		event_del(c->write_ev);
	if (c->closing)
		return;
	if (client_paused(c)) {
		event_del(c->read_ev);
		event_del(c->half_ev);
		return;
	}
	if (client_has_line(c))
		/* Not event_active(): events that are made active while others run are run before
		 * the loop looks at sockets and timers again, and clients could go on for ever. */
		event_add(c->resume_ev, &now);
	else if (!c->eof)
		event_add(c->read_ev, NULL);
	if (c->in_len > c->in_start && !client_has_line(c) && !c->eof) {
		struct timeval tv = ms_timeval(c->server->opt.half_request_ms);

		if (!event_pending(c->half_ev, EV_TIMEOUT, NULL))
			event_add(c->half_ev, &tv);
	} else {
		event_del(c->half_ev);
	}
}
