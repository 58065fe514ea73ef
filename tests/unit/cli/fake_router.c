/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_router.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_router {
	pthread_t thread;
	int listen_fd, stop[2], close_after;
	char dir[64], path[96];
	const char *answer;
	char request[65536];
};

static void answer_send(struct fake_router *r, int fd)
{
	const char *id = strstr(r->request, "\"id\":"), *p = r->answer, *mark;
	size_t id_len;

	if (!id || !p)
		return;
	id += 5;
	id_len = strspn(id, "0123456789");
	for (; (mark = strstr(p, "$ID")); p = mark + 3) {
		if (send(fd, p, (size_t)(mark - p), MSG_NOSIGNAL) < 0 ||
		    send(fd, id, id_len, MSG_NOSIGNAL) < 0)
			return;
	}
	while (*p) {
		ssize_t n = send(fd, p, strlen(p), MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
	}
}

static void client_serve(struct fake_router *r, int fd)
{
	size_t used = 0;

	for (;;) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
				      {.fd = r->stop[0], .events = POLLIN}};
		ssize_t n;

		if (poll(p, 2, -1) < 0 || p[1].revents)
			return;
		n = recv(fd, r->request + used, sizeof(r->request) - used - 1, 0);
		if (n <= 0)
			return;
		used += (size_t)n;
		r->request[used] = '\0';
		if (r->request[used - 1] != '\n')
			continue;
		r->request[used - 1] = '\0';
		used = 0;
		answer_send(r, fd);
		if (r->close_after)
			return;
	}
}

static void *fake_router_main(void *arg)
{
	struct fake_router *r = arg;

	for (;;) {
		struct pollfd p[2] = {{.fd = r->listen_fd, .events = POLLIN},
				      {.fd = r->stop[0], .events = POLLIN}};
		int fd;

		if (poll(p, 2, -1) < 0 || p[1].revents)
			return NULL;
		fd = accept(r->listen_fd, NULL, NULL);
		if (fd < 0)
			continue;
		client_serve(r, fd);
		close(fd);
	}
}

struct fake_router *fake_router_start(const char *answer, int close_after)
{
	struct fake_router *r = calloc(1, sizeof(*r));
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (!r)
		abort();
	strcpy(r->dir, "/tmp/plvsctl-test-XXXXXX");
	if (!mkdtemp(r->dir))
		abort();
	snprintf(r->path, sizeof(r->path), "%s/s", r->dir);
	strcpy(sa.sun_path, r->path);
	r->answer = answer;
	r->close_after = close_after;
	r->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(r->listen_fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(r->listen_fd, 4) < 0 || pipe(r->stop) < 0 ||
	    pthread_create(&r->thread, NULL, fake_router_main, r) != 0)
		abort();
	return r;
}

const char *fake_router_path(const struct fake_router *r)
{
	return r->path;
}

const char *fake_router_request(struct fake_router *r)
{
	return r->request;
}

void fake_router_stop(struct fake_router *r)
{
	if (write(r->stop[1], "", 1) != 1)
		abort();
	pthread_join(r->thread, NULL);
	close(r->listen_fd);
	close(r->stop[0]);
	close(r->stop[1]);
	unlink(r->path);
	rmdir(r->dir);
	free(r);
}
