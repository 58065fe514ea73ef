/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP echo: one request, one reply. Its identifier is what a port is to other checks. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "health/checkers.h"
#include "health/dial.h"
#include "health/echo.h"
#include "health/source.h"

struct icmp_probe {
	struct echo_request request; /* first: done() finds the probe by it */
	struct probe *p;
};

static void icmp_fail(struct probe *p, int err)
{
	char addr[ADDR_STRLEN];

	addr_format(&p->target.addr, addr, sizeof(addr));
	if (err == EPERM || err == EACCES)
		probe_end(p, PROBE_ERROR,
			  "no right to send ICMP echo: it takes CAP_NET_RAW or "
			  "net.ipv4.ping_group_range");
	else if (err == EDESTADDRREQ)
		probe_end(p, PROBE_ERROR, "no identifiers are reserved to ask %s by the VIP", addr);
	else if (err == EHOSTUNREACH || err == ENETUNREACH || err == ECONNREFUSED)
		probe_end(p, PROBE_FAIL, "%s cannot be reached", addr);
	else if (err == EAGAIN)
		probe_end(p, PROBE_ERROR, "ICMP echo to %s could not be sent", addr);
	else
		probe_end(p, dial_verdict(err), "ICMP echo to %s: %s", addr, strerror(err));
}

static void icmp_done(struct echo_request *r, int err)
{
	struct probe *p = ((struct icmp_probe *)r)->p;
	char addr[ADDR_STRLEN];

	if (err)
		icmp_fail(p, err);
	else
		probe_end(p, PROBE_OK, "echo reply from %s",
			  addr_format(&p->target.addr, addr, sizeof(addr)));
}

static int ask(struct probe *p, struct echo_request *r)
{
	const uint8_t proto = r->target.family == ADDR_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int err = -EPERM;

	for (int i = 0; p->env->echo && i < SOURCE_TRIES; i++) {
		err = source_take(p, proto, 0, &r->id);
		if (err == 0)
			err = echo_start(p->env->echo, r);
		if (err != -EADDRINUSE)
			break;
	}
	return err;
}

static void icmp_start(struct probe *p)
{
	struct icmp_probe *i = p->state;
	int err;

	i->p = p;
	i->request.target = p->target.addr;
	i->request.done = icmp_done;
	err = ask(p, &i->request);
	if (err)
		icmp_fail(p, -err);
}

static void icmp_cancel(struct probe *p, char *phase, size_t len)
{
	struct icmp_probe *i = p->state;

	snprintf(phase, len, "no echo reply");
	echo_stop(&i->request);
}

const struct checker_ops check_icmp_ops = {
	.type = CHECK_ICMP,
	.state_size = sizeof(struct icmp_probe),
	.start = icmp_start,
	.cancel = icmp_cancel,
};
