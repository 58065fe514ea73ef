/* SPDX-License-Identifier: BSD-3-Clause */
/* evhttp bounds neither its clients nor how long each may take. */
#include "rpc/scrape_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/listen_tcp.h"

#define AREA		"control"
#define MAX_CLIENTS	32
#define MAX_DOCUMENTS	2
#define MAX_HEADER	8192
#define HEADER_MS	5000
#define TOTAL_MS	30000
#define ACCEPTS_A_ROUND 16
#define PAUSE_MS	100 /* after the process ran out of descriptors */

/* A client that has not even asked yet makes room. */
static bool make_room(struct scrape_server *s)
{
	struct scrape_client *c;

	if (s->counters.clients < s->opt.max_clients)
		return true;
	TAILQ_FOREACH(c, &s->clients, entry)
	{
		if (c->state == SCRAPE_BODY)
			continue;
		scrape_client_break(c);
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
			scrape_arm(s->again_ev, PAUSE_MS);
			return;
		}
		if (make_room(s))
			scrape_client_create(s, client);
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
		scrape_client_destroy(TAILQ_FIRST(&s->clients));
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
