/* SPDX-License-Identifier: BSD-3-Clause */
/* From bytes of a client to requests. */
#include "rpc/rpc_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define AREA "control"

/* Half requests of all clients together, in units of max_request. */
#define MAX_HALVES	4
#define READ_STEP	262144 /* bytes of one client before others run */
#define REQUESTS_STEP	32     /* requests likewise */
#define STEP_US		500    /* time for them likewise, but for one request at least */
#define IDLE_BUFFER_MAX 65536

/* The text of what is wrong with a document as a request, or NULL. */
static const char *request_fault(const json_t *doc, enum rpc_code *code)
{
	const json_t *version, *id, *params;

	*code = RPC_NOT_REQUEST;
	if (json_is_array(doc))
		return "batches are not supported: send one request per line";
	if (!json_is_object(doc))
		return "a request is a JSON object";
	version = json_object_get(doc, "jsonrpc");
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	id = json_object_get(doc, "id");
	if (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "\"id\" must be a string or a number";
	if (!json_is_string(json_object_get(doc, "method")))
		return "\"method\" must be a string";
	params = json_object_get(doc, "params");
	*code = RPC_BAD_PARAMS;
	if (params && !json_is_object(params))
		return "\"params\" must be an object: parameters are named";
	return NULL;
}

static void client_request(struct rpc_client *c, const char *line, size_t len)
{
	struct rpc_server *s = c->server;
	struct rpc_request *r;
	const char *fault;
	enum rpc_code code;
	json_error_t err;
	char message[320];
	json_t *doc;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (strspn(line, " \t\r") >= len)
		return;
	doc = json_loadb(line, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &err);
	if (!doc && json_error_code(&err) == json_error_duplicate_key) {
		snprintf(message, sizeof(message), "column %d: %s", err.column, err.text);
		client_send_error(c, RPC_NOT_REQUEST, message);
		return;
	}
	if (!doc) {
		snprintf(message, sizeof(message), "not JSON: column %d: %s", err.column, err.text);
		client_end(c, RPC_NOT_JSON, message);
		return;
	}
	fault = request_fault(doc, &code);
	r = fault ? NULL : calloc(1, sizeof(*r));
	if (!r) {
		json_t *id = json_object_get(doc, "id");

		if (!json_is_string(id) && !json_is_number(id))
			id = json_null();
		client_send(c, client_error_doc(id, fault ? code : RPC_INTERNAL, NULL,
						fault ? fault : "out of memory"));
		json_decref(doc);
		return;
	}
	r->client = c;
	r->peer = c->peer;
	r->level = s->opt.level;
	r->id = json_incref(json_object_get(doc, "id"));
	TAILQ_INSERT_TAIL(&c->requests, r, entry);
	c->n_requests++;
	s->opt.dispatch(s->opt.arg, r, json_string_value(json_object_get(doc, "method")),
			json_object_get(doc, "params"));
	json_decref(doc);
}

/* Moves in_scanned to the next newline, or to the end. */
static void client_scan(struct rpc_client *c)
{
	char *nl;

	if (c->in_scanned >= c->in_len)
		return;
	nl = memchr(c->in + c->in_scanned, '\n', c->in_len - c->in_scanned);
	c->in_scanned = nl ? (size_t)(nl - c->in) : c->in_len;
}

/* Gives memory of what was taken back. */
static void client_compact(struct rpc_client *c)
{
	size_t rest = c->in_len - c->in_start;

	if (c->in_start == 0)
		return;
	memmove(c->in, c->in + c->in_start, rest);
	c->in_scanned -= c->in_start;
	c->in_start = 0;
	c->in_len = rest;
	if (rest == 0 && c->in_cap > IDLE_BUFFER_MAX) {
		c->server->in_bytes -= c->in_cap;
		free(c->in);
		c->in = NULL;
		c->in_cap = 0;
	}
}

static const char too_large[] = "the request is larger than the limit of 64 MiB";

/* Takes complete lines as requests, a bounded number. May free the client. */
static void client_process(struct rpc_client *c)
{
	uint64_t until = clock_us() + STEP_US;

	c->busy = true;
	for (int n = 0; n < REQUESTS_STEP && !c->closing && !c->broken; n++) {
		size_t start = c->in_start, end;

		if (n > 0 && clock_us() >= until)
			break;

		client_scan(c);
		if (!client_has_line(c) || client_paused(c))
			break;
		end = c->in_scanned;
		if (end - start > c->server->opt.max_request) {
			client_end(c, RPC_LIMIT, too_large);
			break;
		}
		c->in[end] = '\0';
		c->in_start = c->in_scanned = end + 1;
		client_request(c, c->in + start, end - start);
	}
	client_scan(c);
	client_compact(c);
	if (!c->closing && !client_has_line(c) &&
	    c->in_len - c->in_start > c->server->opt.max_request)
		client_end(c, RPC_LIMIT, too_large);
	c->busy = false;
	client_flush(c);
}

/* --- receiving --- */

/* Room for at least one more byte. 0, or the error that ends the client. */
static const char *client_grow(struct rpc_client *c)
{
	struct rpc_server *s = c->server;
	size_t cap = c->in_cap ? c->in_cap * 2 : 4096;
	char *in;

	if (c->in_len < c->in_cap)
		return NULL;
	if (c->in_len - c->in_start > s->opt.max_request + READ_STEP)
		return too_large;
	if (s->in_bytes + cap - c->in_cap > s->opt.max_request * MAX_HALVES)
		return "limit reached: too many large requests at a time";
	in = realloc(c->in, cap);
	if (!in)
		return "no memory for the request";
	s->in_bytes += cap - c->in_cap;
	c->in = in;
	c->in_cap = cap;
	return NULL;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_client *c = arg;
	size_t taken = 0;

	(void)what;
	while (taken < READ_STEP) {
		const char *fault = client_grow(c);
		ssize_t n;

		if (fault) {
			client_end(c, RPC_LIMIT, fault);
			break;
		}
		n = recv(fd, c->in + c->in_len, c->in_cap - c->in_len, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			c->eof = true;
			c->broken = n < 0;
			event_del(c->read_ev);
			break;
		}
		c->in_len += (size_t)n;
		taken += (size_t)n;
	}
	client_process(c);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_process(arg);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_flush(arg);
}

/* Half a request for too long, or an error that the client does not take. */
static void on_half(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_client *c = arg;

	(void)fd;
	(void)what;
	if (c->closing)
		c->broken = true;
	else
		client_end(c, RPC_NOT_REQUEST, "the request was not complete in time");
	client_flush(c);
}

void client_create(struct rpc_server *s, int fd, const char *named)
{
	struct rpc_client *c = calloc(1, sizeof(*c));

	if (!c)
		goto err_close;
	c->server = s;
	c->fd = fd;
	rpc_peer_read(fd, &c->peer);
	if (named)
		rpc_peer_set_session(&c->peer, named);
	TAILQ_INIT(&c->requests);
	c->out = evbuffer_new();
	c->read_ev = event_new(s->base, fd, EV_READ | EV_PERSIST, on_read, c);
	c->write_ev = event_new(s->base, fd, EV_WRITE, on_write, c);
	c->resume_ev = event_new(s->base, -1, 0, on_resume, c);
	c->half_ev = event_new(s->base, -1, 0, on_half, c);
	if (!c->out || !c->read_ev || !c->write_ev || !c->resume_ev || !c->half_ev)
		goto err_free;
	TAILQ_INSERT_TAIL(&s->clients, c, entry);
	s->n_clients++;
	event_add(c->read_ev, NULL);
	return;

err_free:
	if (c->read_ev)
		event_free(c->read_ev);
	if (c->write_ev)
		event_free(c->write_ev);
	if (c->resume_ev)
		event_free(c->resume_ev);
	if (c->half_ev)
		event_free(c->half_ev);
	if (c->out)
		evbuffer_free(c->out);
	free(c);
err_close:
	log_error(AREA, "no memory for another client");
	close(fd);
}
