/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the HTTP server: the document in slices, the page, short ones. */
#include "rpc/scrape_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define STEP_US 2000 /* of work before others of the loop run */

/* --- the document --- */

void scrape_document_end(struct scrape_client *c)
{
	struct scrape_server *s = c->server;

	if (!c->document)
		return;
	s->opt.end(s->opt.arg, c->document);
	c->document = NULL;
	s->counters.documents--;
}

static void chunk_put(struct scrape_client *c, struct evbuffer *slice)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t len = evbuffer_get_length(slice);

	if (len && c->chunked)
		evbuffer_add_printf(out, "%zx\r\n", len);
	evbuffer_add_buffer(out, slice);
	if (len && c->chunked)
		evbuffer_add(out, "\r\n", 2);
}

int scrape_document_step(struct scrape_client *c)
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
	if (more != 0)
		return more;
	if (c->chunked)
		evbuffer_add(bufferevent_get_output(c->bev), "0\r\n\r\n", 5);
	scrape_document_end(c);
	return 0;
}

/* --- answers --- */

static void answer_short(struct scrape_client *c, const char *status, const char *more)
{
	char body[80];
	int n = snprintf(body, sizeof(body), "%s\n", status);

	c->state = SCRAPE_BODY;
	evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "HTTP/1.1 %s\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\n"
			    "Connection: close\r\n\r\n%s",
			    status, more, n, body);
}

void scrape_answer_bad(struct scrape_client *c, const char *status, const char *more)
{
	c->server->counters.bad++;
	answer_short(c, status, more);
}

static void answer_document(struct scrape_client *c, bool head, bool chunked,
			    enum expo_format format)
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

static void answer_page(struct scrape_client *c, bool head)
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

static void answer_reasons(struct scrape_client *c, bool head)
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

void scrape_answer(struct scrape_client *c, char *line, enum expo_format format)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
	bool head;

	if (!version || strncmp(version + 1, "HTTP/1.", 7) != 0) {
		scrape_answer_bad(c, "400 Bad Request", "");
		return;
	}
	*target++ = '\0';
	*version++ = '\0';
	head = strcmp(line, "HEAD") == 0;
	target[strcspn(target, "?")] = '\0';
	if (!head && strcmp(line, "GET") != 0)
		scrape_answer_bad(c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
	else if (strcmp(target, "/metrics") == 0)
		answer_document(c, head, strcmp(version, "HTTP/1.0") != 0, format);
	else if (strcmp(target, "/") == 0 && c->server->opt.page)
		answer_page(c, head);
	else if (strcmp(target, "/reasons") == 0 && c->server->opt.reasons)
		answer_reasons(c, head);
	else
		scrape_answer_bad(c, "404 Not Found", "");
}
