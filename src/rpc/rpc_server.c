/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/rpc_client.h"

#define AREA "control"

#define MAX_CLIENTS	1024
#define HALF_REQUEST_MS 30000
#define MAX_REQUEST	(64UL << 20)
#define MAX_BACKLOG	(256UL << 20)
#define ACCEPT_PAUSE_MS 100 /* after the process ran out of descriptors */

static void refuse(struct rpc_server *s, int fd)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":"
			 "\"limit reached: %u clients are connected\"}}\n",
			 RPC_LIMIT, s->opt.max_clients);

	(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct timeval tv = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
	struct rpc_server *s = arg;
	int client;

	(void)what;
	for (int i = 0; i < 64; i++) {
		client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (client < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (client < 0) {
			log_warning(AREA, "a client could not be accepted: %s", strerror(errno));
			event_del(s->accept_ev);
			event_add(s->accept_again, &tv);
			return;
		}
		if (s->n_clients >= s->opt.max_clients)
			refuse(s, client);
		else
			client_create(s, client, NULL);
	}
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_server *s = arg;

	(void)fd;
	(void)what;
	event_add(s->accept_ev, NULL);
}

int rpc_server_create(struct event_base *base, const struct rpc_options *options,
		      struct rpc_server **out, char error[ERROR_TEXT])
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_text(error, -ENOMEM, "out of memory");
	s->base = base;
	s->opt = *options;
	s->opt.path = NULL;
	s->opt.max_clients = options->max_clients ? options->max_clients : MAX_CLIENTS;
	s->opt.half_request_ms =
		options->half_request_ms ? options->half_request_ms : HALF_REQUEST_MS;
	s->opt.max_request = options->max_request ? options->max_request : MAX_REQUEST;
	s->opt.max_backlog = options->max_backlog ? options->max_backlog : MAX_BACKLOG;
	TAILQ_INIT(&s->clients);
	s->listen.fd = -1;
	if (!options->path) {
		*out = s;
		return 0;
	}
	ret = listen_socket_open(&s->listen, options->path, options->mode, error);
	if (ret < 0)
		goto err_free;
	ret = options->chown ? listen_socket_own(&s->listen, options->uid, options->gid, error) : 0;
	if (ret < 0)
		goto err_events;
	s->accept_ev = event_new(base, s->listen.fd, EV_READ | EV_PERSIST, on_accept, s);
	s->accept_again = event_new(base, -1, 0, on_accept_again, s);
	if (!s->accept_ev || !s->accept_again || event_add(s->accept_ev, NULL) < 0) {
		ret = error_text(error, -ENOMEM, "out of memory");
		goto err_events;
	}
	*out = s;
	return 0;

err_events:
	if (s->accept_ev)
		event_free(s->accept_ev);
	if (s->accept_again)
		event_free(s->accept_again);
	listen_socket_close(&s->listen);
err_free:
	free(s);
	return ret;
}

void rpc_server_destroy(struct rpc_server *s)
{
	if (!s)
		return;
	if (s->accept_ev) {
		event_free(s->accept_ev);
		event_free(s->accept_again);
		listen_socket_close(&s->listen);
	}
	while (!TAILQ_EMPTY(&s->clients)) {
		struct rpc_client *c = TAILQ_FIRST(&s->clients);

		(void)client_write(c);
		client_destroy(c);
	}
	free(s);
}

void rpc_server_take(struct rpc_server *s, int fd, const char *named)
{
	if (s->n_clients >= s->opt.max_clients)
		refuse(s, fd);
	else
		client_create(s, fd, named);
}

uint32_t rpc_server_clients(const struct rpc_server *s)
{
	return s->n_clients;
}
