/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client's life:
 *
 *	HEADER --whole--> BODY --all made and sent--> CLOSING --its end, or a second--> gone
 *	   |                                             ^
 *	   `--not for us: an answer without a document---'
 *
 * evhttp bounds neither its clients nor how long each may take.
 */
#include "rpc/scrape.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/listen_tcp.h"
#include "rpc/socket_file.h"

#define AREA		"control"
#define MAX_CLIENTS	32
#define MAX_DOCUMENTS	2
#define MAX_HEADER	8192
#define HEADER_MS	5000
#define TOTAL_MS	30000
#define CLOSING_MS	1000
#define STEP_US		2000 /* of work before others of the loop run */
#define ACCEPTS_A_ROUND 16
#define PAUSE_MS	100 /* after the process ran out of descriptors */

enum scrape_state { SCRAPE_HEADER, SCRAPE_BODY, SCRAPE_CLOSING };

struct client {
	TAILQ_ENTRY(client) entry;
	struct scrape_server *server;
	enum scrape_state state;
	struct bufferevent *bev;
	struct event *limit, *step;
	void *document;		   /* or NULL */
	bool chunked, whole, deaf; /* deaf: its sending half is closed */
};
TAILQ_HEAD(client_list, client);

struct scrape_server {
	struct event_base *base;
	struct scrape_options opt;
	struct listen_socket socket; /* with a path */
	int fd;
	struct event *accept_ev, *again_ev;
	struct client_list clients; /* oldest first */
	struct scrape_counters counters;
};

static void arm_ms(struct event *ev, uint32_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	event_add(ev, &tv);
}

/* --- the end --- */

static void document_end(struct client *c)
{
	struct scrape_server *s = c->server;

	if (!c->document)
		return;
	s->opt.end(s->opt.arg, c->document);
	c->document = NULL;
	s->counters.documents--;
}

static void client_destroy(struct client *c)
{
	struct scrape_server *s = c->server;

	document_end(c);
	TAILQ_REMOVE(&s->clients, c, entry);
	s->counters.clients--;
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->limit)
		event_free(c->limit);
	if (c->step)
		event_free(c->step);
	free(c);
}

static void client_break(struct client *c)
{
	if (c->state != SCRAPE_CLOSING)
		c->server->counters.broken++;
	client_destroy(c);
}

/* Everything is with the kernel: our end is closed, and its end awaited, so that no reset
 * overtakes the answer. */
static void client_close(struct client *c)
{
	c->server->counters.answered += c->whole;
	c->state = SCRAPE_CLOSING;
	if (c->deaf) {
		client_destroy(c);
		return;
	}
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	arm_ms(c->limit, CLOSING_MS);
}

/* --- the document --- */

static void chunk_put(struct client *c, struct evbuffer *slice)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t len = evbuffer_get_length(slice);

	if (len && c->chunked)
		evbuffer_add_printf(out, "%zx\r\n", len);
	evbuffer_add_buffer(out, slice);
	if (len && c->chunked)
		evbuffer_add(out, "\r\n", 2);
}

static void document_step(struct client *c)
{
	struct scrape_server *s = c->server;
	struct evbuffer *slice = evbuffer_new();
	int more = -1;

	if (slice)
		more = s->opt.more(s->opt.arg, c->document, slice, clock_us() + STEP_US);
	if (slice)
		chunk_put(c, slice);
	if (slice)
		evbuffer_free(slice);
	if (more < 0) {
		/* Without its last chunk the client knows that it is not whole. */
		client_break(c);
		return;
	}
	if (more == 0) {
		if (c->chunked)
			evbuffer_add(bufferevent_get_output(c->bev), "0\r\n\r\n", 5);
		document_end(c);
		c->whole = true;
		if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
			client_close(c);
		return;
	}
	/* Else the kernel's taking it is what goes on. */
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		arm_ms(c->step, 0);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	document_step(arg);
}

/* --- the request --- */

static void answer_short(struct client *c, const char *status, const char *more)
{
	char body[80];
	int n = snprintf(body, sizeof(body), "%s\n", status);

	c->state = SCRAPE_BODY;
	evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "HTTP/1.1 %s\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\n"
			    "Connection: close\r\n\r\n%s",
			    status, more, n, body);
}

static void answer_bad(struct client *c, const char *status, const char *more)
{
	c->server->counters.bad++;
	answer_short(c, status, more);
}

static void answer_document(struct client *c, bool head, bool chunked, enum expo_format format)
{
	struct scrape_server *s = c->server;

	if (s->counters.documents >= s->opt.max_documents && !head) {
		s->counters.refused++;
		answer_short(c, "503 Service Unavailable", "Retry-After: 1\r\n");
		return;
	}
	if (!head) {
		c->document = s->opt.begin(s->opt.arg, format);
		if (!c->document) {
			answer_short(c, "503 Service Unavailable", "");
			return;
		}
		s->counters.documents++;
	}
	c->state = SCRAPE_BODY;
	c->chunked = chunked;
	evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nVary: Accept\r\n"
			    "%sConnection: close\r\n\r\n",
			    expo_content_type(format),
			    chunked ? "Transfer-Encoding: chunked\r\n" : "");
}

static void answer_page(struct client *c, bool head)
{
	const struct scrape_page *page = c->server->opt.page;
	struct evbuffer *out = bufferevent_get_output(c->bev);

	c->state = SCRAPE_BODY;
	evbuffer_add_printf(out,
			    "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n"
			    "Connection: close\r\n\r\n",
			    page->headers, page->len);
	if (!head)
		evbuffer_add_reference(out, page->body, page->len, NULL, NULL);
}

static void answer_reasons(struct client *c, bool head)
{
	const struct scrape_options *opt = &c->server->opt;
	struct evbuffer *out = bufferevent_get_output(c->bev), *body = evbuffer_new();

	if (body && opt->reasons(opt->arg, body)) {
		c->state = SCRAPE_BODY;
		evbuffer_add_printf(out,
				    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
				    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
				    evbuffer_get_length(body));
		if (!head)
			evbuffer_add_buffer(out, body);
	} else {
		answer_short(c, "503 Service Unavailable", "");
	}
	if (body)
		evbuffer_free(body);
}

/* The format for the headers in in; of several Accept headers the first counts. */
static enum expo_format headers_format(struct evbuffer *in)
{
	enum expo_format format = EXPO_TEXT;
	bool found = false;
	char *line;

	while (!found && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF)) != NULL) {
		found = strncasecmp(line, "Accept:", 7) == 0;
		if (found)
			format = expo_format_of(line + 7);
		free(line);
	}
	return format;
}

/* "GET /metrics HTTP/1.1" */
static void request_take(struct client *c, char *line, enum expo_format format)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
	bool head;

	if (!version || strncmp(version + 1, "HTTP/1.", 7) != 0) {
		answer_bad(c, "400 Bad Request", "");
		return;
	}
	*target++ = '\0';
	*version++ = '\0';
	head = strcmp(line, "HEAD") == 0;
	target[strcspn(target, "?")] = '\0';
	if (!head && strcmp(line, "GET") != 0)
		answer_bad(c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
	else if (strcmp(target, "/metrics") == 0)
		answer_document(c, head, strcmp(version, "HTTP/1.0") != 0, format);
	else if (strcmp(target, "/") == 0 && c->server->opt.page)
		answer_page(c, head);
	else if (strcmp(target, "/reasons") == 0 && c->server->opt.reasons)
		answer_reasons(c, head);
	else
		answer_bad(c, "404 Not Found", "");
}

static bool header_is_whole(struct evbuffer *in)
{
	return evbuffer_search(in, "\r\n\r\n", 4, NULL).pos >= 0 ||
	       evbuffer_search(in, "\n\n", 2, NULL).pos >= 0;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct client *c = arg;
	enum expo_format format;
	char *line;

	if (c->state != SCRAPE_HEADER) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (!header_is_whole(in)) {
		if (evbuffer_get_length(in) >= c->server->opt.max_header)
			answer_bad(c, "431 Request Header Fields Too Large", "");
		return;
	}
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	format = headers_format(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	arm_ms(c->limit, c->server->opt.total_ms);
	if (line)
		request_take(c, line, format);
	else
		client_break(c);
	free(line);
}

/* The kernel has taken all that was made. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->state != SCRAPE_BODY)
		return;
	if (c->document)
		arm_ms(c->step, 0);
	else
		client_close(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	(void)bev;
	/* A client that closes its sending half still reads. */
	if (what & BEV_EVENT_EOF && c->state == SCRAPE_BODY)
		c->deaf = true;
	else
		client_break(c);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_break(arg);
}

/* --- the beginning --- */

static void client_create(struct scrape_server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	TAILQ_INSERT_TAIL(&s->clients, c, entry);
	s->counters.clients++;
	c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		close(fd);
	c->limit = event_new(s->base, -1, 0, on_limit, c);
	c->step = event_new(s->base, -1, 0, on_step, c);
	if (!c->bev || !c->limit || !c->step) {
		client_destroy(c);
		return;
	}
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, s->opt.max_header);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	arm_ms(c->limit, s->opt.header_ms);
}

/* A client that has not even asked yet makes room. */
static bool make_room(struct scrape_server *s)
{
	struct client *c;

	if (s->counters.clients < s->opt.max_clients)
		return true;
	TAILQ_FOREACH(c, &s->clients, entry)
	{
		if (c->state == SCRAPE_BODY)
			continue;
		client_break(c);
		return true;
	}
	return false;
}

static void refuse(struct scrape_server *s, int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	s->counters.refused++;
	(void)!send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct scrape_server *s = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (client < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (client < 0) {
			log_warning(AREA, "a client could not be accepted: %s", strerror(errno));
			event_del(s->accept_ev);
			arm_ms(s->again_ev, PAUSE_MS);
			return;
		}
		if (make_room(s))
			client_create(s, client);
		else
			refuse(s, client);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_add(((struct scrape_server *)arg)->accept_ev, NULL);
}

static void default_to(uint32_t *v, uint32_t value)
{
	if (*v == 0)
		*v = value;
}

int scrape_server_create(struct event_base *base, const struct scrape_options *options,
			 struct scrape_server **out, char error[ERROR_TEXT])
{
	struct scrape_server *s = calloc(1, sizeof(*s));
	int ret = error_text(error, -ENOMEM, "out of memory");

	if (!s)
		return -ENOMEM;
	s->base = base;
	s->opt = *options;
	s->fd = -1;
	default_to(&s->opt.max_clients, MAX_CLIENTS);
	default_to(&s->opt.max_documents, MAX_DOCUMENTS);
	default_to(&s->opt.max_header, MAX_HEADER);
	default_to(&s->opt.header_ms, HEADER_MS);
	default_to(&s->opt.total_ms, TOTAL_MS);
	TAILQ_INIT(&s->clients);
	if (options->path)
		ret = listen_socket_open(&s->socket, options->path, 0, error);
	else
		ret = listen_tcp(&options->listen, MAX_CLIENTS, &s->fd, error);
	if (ret < 0)
		goto err_free;
	if (options->path)
		s->fd = s->socket.fd;
	s->accept_ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
	s->again_ev = event_new(base, -1, 0, on_again, s);
	if (!s->accept_ev || !s->again_ev || event_add(s->accept_ev, NULL) < 0) {
		scrape_server_destroy(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;

err_free:
	free(s);
	return ret;
}

void scrape_server_destroy(struct scrape_server *s)
{
	if (!s)
		return;
	while (!TAILQ_EMPTY(&s->clients))
		client_destroy(TAILQ_FIRST(&s->clients));
	if (s->accept_ev)
		event_free(s->accept_ev);
	if (s->again_ev)
		event_free(s->again_ev);
	if (s->opt.path)
		listen_socket_close(&s->socket);
	else if (s->fd >= 0)
		close(s->fd);
	free(s);
}

void scrape_server_counters(const struct scrape_server *s, struct scrape_counters *out)
{
	*out = s->counters;
}
