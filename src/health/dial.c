/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/sockaddr.h"
#include "health/source.h"

void dial_hurry(int fd)
{
	const int urgent = 7, nearly = 6;

	/* More than 6 takes CAP_NET_ADMIN. */
	if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &urgent, sizeof(urgent)))
		(void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &nearly, sizeof(nearly));
}

static int socket_open(sa_family_t family, int type, int *fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int s, err;

	s = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	dial_hurry(s);
	if (type == SOCK_STREAM && setsockopt(s, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset))) {
		err = errno;
		close(s);
		return -err;
	}
	*fd = s;
	return 0;
}

static int connect_once(struct probe *p, int type, int *fd)
{
	struct sockaddr_storage to;
	socklen_t len = endpoint_sockaddr(&p->target, &to);
	int err, s = -1;

	if (len == 0)
		return -EAFNOSUPPORT;
	err = socket_open(to.ss_family, type, &s);
	if (err)
		return err;
	err = source_bind(p, s, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
	if (err == 0 && connect(s, (struct sockaddr *)&to, len) && errno != EINPROGRESS)
		err = -errno;
	if (err) {
		close(s);
		return err;
	}
	*fd = s;
	return 0;
}

static int dial(struct probe *p, int type, int *fd)
{
	int err = 0;

	for (int i = 0; i < SOURCE_TRIES; i++) {
		err = connect_once(p, type, fd);
		if (err != -EADDRINUSE && err != -EADDRNOTAVAIL)
			break;
	}
	return err;
}

int dial_start(struct probe *p, int *fd)
{
	return dial(p, SOCK_STREAM, fd);
}

int dial_datagram(struct probe *p, int *fd)
{
	return dial(p, SOCK_DGRAM, fd);
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

void dial_datagram_fail(struct probe *p, int err)
{
	char ep[ENDPOINT_STRLEN];

	if (err == ECONNREFUSED)
		probe_end(p, PROBE_FAIL, "%s is closed: refused by ICMP",
			  endpoint_format(&p->target, ep, sizeof(ep)));
	else
		dial_fail(p, err);
}
