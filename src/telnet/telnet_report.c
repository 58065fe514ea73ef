/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "telnet/telnetd.h"

int telnet_router_connect(const char *path)
{
	/* A router that does not answer holds nobody up for longer. */
	const struct timeval tv = {.tv_sec = 1};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -1;
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void router_tell(const char *path, const char *line)
{
	char answer[512];
	int fd = telnet_router_connect(path);

	if (fd < 0)
		return;
	/* The answer is waited for, so that the router has read the request before it is gone. */
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		(void)!recv(fd, answer, sizeof(answer), 0);
	close(fd);
}

void telnet_report(const struct telnet_config *c, const char *event, const char *user,
		   const char *from, const char *detail)
{
	json_t *params = json_pack("{s:s, s:s, s:s*, s:s*}", "event", event, "from", from, "user",
				   user, "detail", detail);
	json_t *doc = params ? json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1,
					 "method", "session.report", "params", params)
			     : NULL;
	/* ASCII: what a client typed for a name reaches no log as it is. */
	char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL, *line = NULL;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		router_tell(c->sockets[TELNET_READ], line);
	fprintf(stderr, "plvs-telnetd: %s from %s%s%s%s%s\n", event, from, user ? " as " : "",
		user ? user : "", detail ? ": " : "", detail ? detail : "");
	free(line);
	free(text);
	json_decref(doc);
}
