/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/source.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/sockaddr.h"
#include "health/dial.h"

/* Leaves room for the tunnel header that a worker adds. */
#define VIA_MSS 1200

int source_take(struct probe *p, uint8_t proto, be16 peer_port, uint16_t *port)
{
	struct check_ports *ports = p->env->ports;
	int got;

	source_release(p, p->start_us);
	*port = 0;
	if (p->via && (!ports || p->vip.addr.family == ADDR_NONE))
		return -EDESTADDRREQ;
	/* A worker changes addresses, not the family. */
	if (p->via && p->target.addr.family != p->vip.addr.family)
		return -EAFNOSUPPORT;
	if (!ports)
		return 0;
	p->source_peer = (struct check_peer){
		.server = p->target.addr,
		.port = peer_port,
		.proto = proto,
		.tunnel = p->via == VIA_TUNNEL,
	};
	if (p->via)
		p->source_peer.vip = p->vip.addr;
	got = check_port_bind(ports, &p->source_peer, p->start_us / 1000);
	if (got < 0)
		return p->via ? got : 0;
	*port = p->source_port = (uint16_t)got;
	return 0;
}

/* The port that the check names, or one that workers know; 0: any will do. 0 or -errno. */
static int port_choose(struct probe *p, uint8_t proto, uint16_t *port)
{
	*port = (uint16_t)p->spec->source_port;
	return *port ? 0 : source_take(p, proto, p->target.port, port);
}

int source_bind(struct probe *p, int fd, uint8_t proto)
{
	struct endpoint own = {.addr = p->spec->source};
	const bool named = own.addr.family != ADDR_NONE || p->spec->source_port;
	struct sockaddr_storage from;
	socklen_t len;
	const int on = 1, mss = VIA_MSS;
	uint16_t port;
	int err = 0;

	if (own.addr.family == ADDR_NONE)
		own.addr.family = p->target.addr.family;
	if (own.addr.family != p->target.addr.family)
		return -EAFNOSUPPORT;
	for (int i = 0; i < SOURCE_TRIES; i++) {
		err = port_choose(p, proto, &port);
		if (err || (port == 0 && !named))
			return err;
		/* Checks of other servers may have the same port at this moment. */
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
			return -errno;
		if (p->via && proto == IPPROTO_TCP &&
		    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)))
			return -errno;
		own.port = be16_from(port);
		len = endpoint_sockaddr(&own, &from);
		if (bind(fd, (struct sockaddr *)&from, len) == 0)
			return 0;
		err = -errno;
		if (err != -EADDRINUSE || p->spec->source_port)
			break;
	}
	source_release(p, p->start_us);
	/* A program has them: an ordinary check goes without. */
	return p->via || named || err != -EADDRINUSE ? err : 0;
}

void source_release(struct probe *p, uint64_t now_us)
{
	if (p->source_port == 0)
		return;
	check_port_release(p->env->ports, p->source_port, &p->source_peer, now_us / 1000);
	p->source_port = 0;
}
