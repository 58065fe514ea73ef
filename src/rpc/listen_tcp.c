/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/listen_tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sockaddr.h"

int listen_tcp(const struct endpoint *ep, int backlog, int *out, char error[ERROR_TEXT])
{
	const bool v6 = ep->addr.family == ADDR_V6;
	struct sockaddr_storage sa;
	const socklen_t len = endpoint_sockaddr(ep, &sa);
	char text[ENDPOINT_STRLEN];
	int fd, one = 1, err;

	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, backlog) < 0) {
		err = error_text(error, -errno, "cannot listen at %s: %s",
				 endpoint_format(ep, text, sizeof(text)), strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	*out = fd;
	return 0;
}
