/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/rpc_server.h"

/*
 * Any bytes from a client of the control socket, which then closes its sending half: every
 * line is answered or refused, and the connection ends. Whoever comes next is served.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct rpc_server *server;
static char path[64];

static void silent(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

static void dispatch(void *arg, struct rpc_request *req, const char *method, json_t *params)
{
	(void)arg;
	if (strcmp(method, "rows") == 0)
		rpc_rows(req, json_pack("[{s:i}]", "row", 1));
	if (params)
		rpc_answer(req, json_incref(params));
	else
		rpc_fail(req, RPC_NO_METHOD, NULL, "no such method: %.100s", method);
}

static void clean_up(void)
{
	rpc_server_destroy(server);
	event_base_free(base);
}

static void start(void)
{
	struct rpc_options opt = {.path = path, .dispatch = dispatch, .max_request = 1 << 20};
	char error[256];

	snprintf(path, sizeof(path), "/tmp/plvs-fuzz-rpc.%d", (int)getpid());
	log_set_sink(silent);
	base = event_base_new();
	if (!base || rpc_server_create(base, &opt, &server, error) < 0)
		abort();
	atexit(clean_up);
}

static int dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		abort();
	return fd;
}

/* Sends all of it, reads until the server closes, turn by turn in one thread. */
static void talk(int fd, const uint8_t *data, size_t size)
{
	char buf[4096];
	ssize_t n;

	for (int rounds = 0; rounds < 1000000; rounds++) {
		if (size > 0) {
			n = send(fd, data, size, MSG_NOSIGNAL);
			if (n > 0) {
				data += n;
				size -= (size_t)n;
			}
		}
		if (size == 0)
			shutdown(fd, SHUT_WR);
		event_base_loop(base, EVLOOP_NONBLOCK);
		n = recv(fd, buf, sizeof(buf), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return;
	}
	abort(); /* it hangs */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;

	if (!base)
		start();
	fd = dial();
	talk(fd, data, size);
	close(fd);
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (rpc_server_clients(server) != 0)
		abort();
	return 0;
}
