/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of the HTTP server, from the accepted socket to the end: see scrape_internal.h. */
#include "rpc/scrape_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSING_MS 1000

/* --- the end --- */

void scrape_client_destroy(struct scrape_client *c)
{
	struct scrape_server *s = c->server;

	scrape_document_end(c);
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

void scrape_client_break(struct scrape_client *c)
{
	if (c->state != SCRAPE_CLOSING)
		c->server->counters.broken++;
	scrape_client_destroy(c);
}

/* The kernel has all bytes of the answer. The server closes its half of the connection and waits
 * for the client's end, so that no reset overtakes the answer. */
static void client_close(struct scrape_client *c)
{
	c->server->counters.answered += c->whole;
	c->state = SCRAPE_CLOSING;
	if (c->deaf) {
		scrape_client_destroy(c);
		return;
	}
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	scrape_arm(c->limit, CLOSING_MS);
}

/* --- the document --- */

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct scrape_client *c = arg;
	const int more = scrape_document_step(c);
	const bool taken = evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;

	(void)fd;
	(void)what;
	c->whole = more == 0;
	/* A document without its last chunk shows the client that the end is missing. */
	if (more < 0)
		scrape_client_break(c);
	else if (taken && more == 0)
		client_close(c);
	else if (taken)
		scrape_arm(c->step, 0); /* else on_write() goes on */
}

/* --- the request --- */

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

static bool header_is_whole(struct evbuffer *in)
{
	return evbuffer_search(in, "\r\n\r\n", 4, NULL).pos >= 0 ||
	       evbuffer_search(in, "\n\n", 2, NULL).pos >= 0;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct scrape_client *c = arg;
	enum expo_format format;
	char *line;

	if (c->state != SCRAPE_HEADER) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (!header_is_whole(in)) {
		if (evbuffer_get_length(in) >= c->server->opt.max_header)
			scrape_answer_bad(c, "431 Request Header Fields Too Large", "");
		return;
	}
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	format = headers_format(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	scrape_arm(c->limit, c->server->opt.total_ms);
	if (line)
		scrape_answer(c, line, format);
	else
		scrape_client_break(c);
	free(line);
}

/* The kernel has taken all that was made. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct scrape_client *c = arg;

	(void)bev;
	if (c->state != SCRAPE_BODY)
		return;
	if (c->document)
		scrape_arm(c->step, 0);
	else
		client_close(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct scrape_client *c = arg;

	(void)bev;
	/* A client that closes its sending half still reads. */
	if (what & BEV_EVENT_EOF && c->state == SCRAPE_BODY)
		c->deaf = true;
	else
		scrape_client_break(c);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	scrape_client_break(arg);
}

/* --- the beginning --- */

void scrape_client_create(struct scrape_server *s, int fd)
{
	struct scrape_client *c = calloc(1, sizeof(*c));

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
		scrape_client_destroy(c);
		return;
	}
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, s->opt.max_header);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	scrape_arm(c->limit, s->opt.header_ms);
}
