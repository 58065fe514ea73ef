/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

socklen_t dial_sockaddr(const struct endpoint *ep, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (ep->addr.family == ADDR_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = ep->port;
		in->sin_addr.s_addr = ep->addr.v4;
		return sizeof(*in);
	}
	if (ep->addr.family == ADDR_V6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = ep->port;
		memcpy(&in6->sin6_addr, ep->addr.v6, 16);
		return sizeof(*in6);
	}
	return 0;
}

/* port: host order, 0 = any. */
static int socket_open(sa_family_t family, uint16_t port, int *fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_storage from = {.ss_family = family};
	const int on = 1;
	int s, err;

	s = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	if (setsockopt(s, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		goto err_close;
	if (port) {
		/* Other servers' probes may have the same port at this moment. */
		if (family == AF_INET)
			((struct sockaddr_in *)&from)->sin_port = be16_from(port);
		else
			((struct sockaddr_in6 *)&from)->sin6_port = be16_from(port);
		if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		    bind(s, (struct sockaddr *)&from,
			 family == AF_INET ? sizeof(struct sockaddr_in)
					   : sizeof(struct sockaddr_in6)))
			goto err_close;
	}
	*fd = s;
	return 0;
err_close:
	err = errno;
	close(s);
	return -err;
}

static int connect_from(const struct probe *p, uint16_t port, int *fd)
{
	struct sockaddr_storage to;
	socklen_t len = dial_sockaddr(&p->target, &to);
	int err, s = -1;

	if (len == 0)
		return -EAFNOSUPPORT;
	err = socket_open(to.ss_family, port, &s);
	if (err)
		return err;
	if (connect(s, (struct sockaddr *)&to, len) && errno != EINPROGRESS) {
		err = -errno;
		close(s);
		return err;
	}
	*fd = s;
	return 0;
}

int dial_start(const struct probe *p, int *fd)
{
	uint32_t n = (uint32_t)p->via_last - p->via_first + 1;
	int err = -EDESTADDRREQ;

	if (!p->spec->via_vip)
		return connect_from(p, 0, fd);
	if (p->via_first == 0 || p->via_last < p->via_first)
		return err;
	/* Another check of this server may hold the first. */
	for (uint32_t i = 0; i < n; i++) {
		err = connect_from(p, (uint16_t)(p->via_first + i), fd);
		if (err != -EADDRINUSE && err != -EADDRNOTAVAIL)
			break;
	}
	return err;
}

int dial_result(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

enum probe_verdict dial_verdict(int err)
{
	switch (err) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EDESTADDRREQ:
	case EAFNOSUPPORT:
	case EACCES:
	case EPERM:
		return PROBE_ERROR;
	default:
		return PROBE_FAIL;
	}
}

void dial_fail(struct probe *p, int err)
{
	char ep[ENDPOINT_STRLEN];

	endpoint_format(&p->target, ep, sizeof(ep));
	switch (err) {
	case ECONNREFUSED:
		probe_end(p, PROBE_FAIL, "%s refused the connection", ep);
		break;
	case ECONNRESET:
	case EPIPE:
		probe_end(p, PROBE_FAIL, "%s reset the connection", ep);
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		probe_end(p, PROBE_FAIL, "%s cannot be reached", ep);
		break;
	case EDESTADDRREQ:
		probe_end(p, PROBE_ERROR, "no source ports are reserved to ask %s by the VIP", ep);
		break;
	default:
		probe_end(p, dial_verdict(err), "connection to %s: %s", ep, strerror(err));
	}
}
