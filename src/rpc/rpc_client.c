/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/rpc_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/json_dump.h"

#define AREA "control"

/* Half requests of all clients together, in units of max_request. */
#define MAX_HALVES    4
#define CLOSING_MS    5000	  /* for a client to take the error that ends it */
#define READ_STEP     262144	  /* bytes of one client before others have their turn */
#define REQUESTS_STEP 32	  /* requests likewise */
#define STEP_US	      500	  /* time for them likewise, but for one request at least */
#define PAUSE_BACKLOG (4UL << 20) /* no more requests are taken above this */
#define PAUSE_PENDING 64
#define KEEP_BUFFER   65536

struct rpc_request {
	TAILQ_ENTRY(rpc_request) entry;
	struct rpc_client *client; /* NULL: hung up */
	json_t *id;		   /* NULL: a notification, nobody wants an answer */
	struct rpc_peer peer;	   /* outlives the client */
	uint32_t level;
	rpc_ended *ended; /* or NULL */
	void *ended_arg;
	/* Of nobody's connection: the answer goes there, once. */
	void (*local)(void *arg, const char *text, size_t len);
	void *local_arg;
};

static void client_flush(struct rpc_client *c);
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

/* Who does not read is disconnected before memory ends. */
static void client_bound(struct rpc_client *c)
{
	size_t waiting = evbuffer_get_length(c->out);

	if (waiting <= c->server->opt.max_backlog || c->broken)
		return;
	log_warning(AREA, "a client does not read: disconnected with %zu bytes waiting", waiting);
	c->broken = true;
}

/* Takes doc over. May not free the client: callers go on with it. */
static void client_send(struct rpc_client *c, json_t *doc)
{
	if (!doc || json_dump_evbuffer(doc, JSON_COMPACT, c->out) < 0 ||
	    evbuffer_add(c->out, "\n", 1) < 0) {
		log_error(AREA, "no memory for an answer: its client is disconnected");
		c->broken = true;
	}
	client_bound(c);
	json_decref(doc);
}

static json_t *error_doc(json_t *id, int code, json_t *data, const char *message)
{
	json_t *text = json_string(message);

	if (!text) /* not UTF-8: a path that someone sent */
		text = json_string("the message is not UTF-8");
	return json_pack("{s:s, s:O, s:{s:i, s:o, s:o*}}", "jsonrpc", "2.0", "id", id, "error",
			 "code", code, "message", text, "data", data);
}

/* An error that belongs to no request. */
static void client_send_error(struct rpc_client *c, int code, const char *message)
{
	json_t *null = json_null();

	client_send(c, error_doc(null, code, NULL, message));
}

/* Says why, then closes once that is sent or the client has had its time. */
static void client_end(struct rpc_client *c, int code, const char *message)
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

/* Sends, and settles what the client is to wait for next. May free the client. */
static void client_flush(struct rpc_client *c)
{
	if (!c->broken && !client_write(c))
		c->broken = true;
	client_update(c);
}

static bool client_paused(const struct rpc_client *c)
{
	return evbuffer_get_length(c->out) > PAUSE_BACKLOG || c->n_requests >= PAUSE_PENDING;
}

static bool client_has_line(const struct rpc_client *c)
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

/* --- requests --- */

struct rpc_request *rpc_request_local(void (*done)(void *arg, const char *text, size_t len),
				      void *arg)
{
	struct rpc_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->local = done;
	r->local_arg = arg;
	return r;
}

uint32_t rpc_level(const struct rpc_request *r)
{
	return r->local ? UINT32_MAX : r->level;
}

const struct rpc_peer *rpc_peer(const struct rpc_request *r)
{
	return r->local ? NULL : &r->peer;
}

bool rpc_may_name(const struct rpc_request *r)
{
	return r->client && r->client->server->opt.named;
}

int rpc_name_session(struct rpc_request *r, const char *name)
{
	if (!rpc_may_name(r))
		return -EPERM;
	rpc_peer_set_session(&r->client->peer, name);
	return 0;
}

void rpc_on_end(struct rpc_request *r, rpc_ended *ended, void *arg)
{
	r->ended = ended;
	r->ended_arg = arg;
}

void *rpc_end_arg(const struct rpc_request *r, rpc_ended *ended)
{
	return r->ended == ended ? r->ended_arg : NULL;
}

static void tell_end(struct rpc_request *r, const char *message)
{
	rpc_ended *ended = r->ended;

	r->ended = NULL;
	if (ended)
		ended(r->ended_arg, message);
}

/* Takes doc over. */
static void local_end(struct rpc_request *r, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	const char *none = "{\"error\":{\"code\":-32603,\"message\":\"out of memory\"}}";

	json_decref(doc);
	r->local(r->local_arg, text ? text : none, strlen(text ? text : none));
	free(text);
	free(r);
}

static void request_end(struct rpc_request *r, json_t *doc)
{
	struct rpc_client *c = r->client;

	json_decref(r->id);
	if (!c) {
		json_decref(doc);
		free(r);
		return;
	}
	TAILQ_REMOVE(&c->requests, r, entry);
	c->n_requests--;
	free(r);
	if (doc)
		client_send(c, doc);
	client_flush(c);
}

void rpc_answer(struct rpc_request *r, json_t *result)
{
	tell_end(r, NULL);
	if (r->local) {
		local_end(r, json_pack("{s:o}", "result", result ? result : json_object()));
		return;
	}
	if (!r->client || !r->id) {
		json_decref(result);
		request_end(r, NULL);
		return;
	}
	request_end(r, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", r->id, "result",
				 result ? result : json_object()));
}

void rpc_answer_text(struct rpc_request *r, struct evbuffer *result)
{
	struct rpc_client *c = r->client;
	char *id;

	tell_end(r, NULL);
	if (r->local) {
		evbuffer_prepend(result, "{\"result\":", 10);
		evbuffer_add(result, "}", 1);
		r->local(r->local_arg, (const char *)evbuffer_pullup(result, -1),
			 evbuffer_get_length(result));
		free(r);
		return;
	}
	if (!c || !r->id) {
		request_end(r, NULL);
		return;
	}
	id = json_dumps(r->id, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!id ||
	    evbuffer_add_printf(c->out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", id) < 0 ||
	    evbuffer_add_buffer(c->out, result) < 0 || evbuffer_add(c->out, "}\n", 2) < 0)
		c->broken = true;
	free(id);
	client_bound(c);
	request_end(r, NULL);
}

void rpc_fail(struct rpc_request *r, enum rpc_code code, json_t *data, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	tell_end(r, message);
	if (r->local) {
		local_end(r, json_pack("{s:{s:i, s:s, s:o*}}", "error", "code", code, "message",
				       message, "data", data));
		return;
	}
	if (!r->client || !r->id) {
		json_decref(data);
		request_end(r, NULL);
		return;
	}
	request_end(r, error_doc(r->id, code, data, message));
}

void rpc_rows(struct rpc_request *r, json_t *rows)
{
	struct rpc_client *c = r->client;

	if (!c || !r->id) {
		json_decref(rows);
		return;
	}
	client_send(c, json_pack("{s:s, s:s, s:{s:O, s:o}}", "jsonrpc", "2.0", "method", "rows",
				 "params", "id", r->id, "rows", rows));
	client_flush(c);
}

size_t rpc_backlog(const struct rpc_request *r)
{
	return r->client ? evbuffer_get_length(r->client->out) : 0;
}

bool rpc_round(const struct rpc_request *r, uint64_t round)
{
	if (!r->client)
		return true;
	if (r->client->round == round)
		return false;
	r->client->round = round;
	return true;
}

bool rpc_gone(const struct rpc_request *r)
{
	return !r->client && !r->local;
}

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
		client_send(c, error_doc(id, fault ? code : RPC_INTERNAL, NULL,
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
	if (rest == 0 && c->in_cap > KEEP_BUFFER) {
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

void client_create(struct rpc_server *s, int fd)
{
	struct rpc_client *c = calloc(1, sizeof(*c));

	if (!c)
		goto err_close;
	c->server = s;
	c->fd = fd;
	rpc_peer_read(fd, &c->peer);
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
