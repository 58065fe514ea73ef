/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DNS question by UDP. The id is random, the port is the kernel's. Datagrams that do not answer
 * the question are passed over until time is up, so a forger must guess both.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health/checkers.h"
#include "health/dial.h"
#include "health/dns.h"

#define READS_A_ROUND 8U
#define MAX_DATAGRAM  4096 /* more than any server sends unasked: the rest of it is lost */

struct dns_probe {
	struct event readable;
	struct dns_query query;
	int fd;
	uint32_t n_foreign;
};

static void dns_close(struct dns_probe *d)
{
	event_del(&d->readable);
	close(d->fd);
}

static void fail_errno(struct probe *p, int err)
{
	dns_close(p->state);
	dial_datagram_fail(p, err);
}

static void judge(struct probe *p, const struct dns_answer *a)
{
	const struct check_spec *spec = p->spec;
	bool wants = spec->dns.expect.family != ADDR_NONE;
	char ep[ENDPOINT_STRLEN], rcode[16], want[ADDR_STRLEN];
	const char *name = spec->dns.name ? spec->dns.name : ".";
	const char *code = dns_rcode_format(a->rcode, rcode, sizeof(rcode));

	endpoint_format(&p->target, ep, sizeof(ep));
	if (a->rcode != 0 && !spec->dns.any_rcode)
		probe_end(p, PROBE_FAIL, "DNS %s for %.64s from %s", code, name, ep);
	else if (wants && !a->found)
		probe_end(p, PROBE_FAIL, "DNS %s for %.64s without %s%s from %s", code, name,
			  addr_format(&spec->dns.expect, want, sizeof(want)),
			  a->cut ? ", cut short," : "", ep);
	else
		probe_end(p, PROBE_OK, "DNS %s for %.64s with %u record%s from %s", code, name,
			  a->n, a->n == 1 ? "" : "s", ep);
}

/* false: the probe has ended. */
static bool datagram_take(struct probe *p, const uint8_t *data, size_t len)
{
	struct dns_probe *d = p->state;
	struct dns_answer a;
	char ep[ENDPOINT_STRLEN];

	switch (dns_answer_parse(&d->query, data, len, &p->spec->dns.expect, &a)) {
	case DNS_FOREIGN:
		d->n_foreign++;
		return true;
	case DNS_BROKEN:
		dns_close(d);
		probe_end(p, PROBE_FAIL, "broken DNS answer: %s, from %s", a.fault,
			  endpoint_format(&p->target, ep, sizeof(ep)));
		return false;
	default:
		dns_close(d);
		judge(p, &a);
		return false;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t data[MAX_DATAGRAM];
	struct probe *p = arg;

	(void)what;
	for (uint32_t i = 0; i < READS_A_ROUND; i++) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail_errno(p, errno);
			return;
		}
		if (!datagram_take(p, data, (size_t)n))
			return;
	}
}

/* The type of record: as the spec says, or that of the expected address. */
static uint16_t qtype_of(const struct check_spec *spec)
{
	if (spec->dns.qtype)
		return spec->dns.qtype;
	return spec->dns.expect.family == ADDR_V6 ? DNS_AAAA : DNS_A;
}

static void dns_start(struct probe *p)
{
	struct dns_probe *d = p->state;
	uint16_t id;
	int err;

	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id)) {
		probe_end(p, PROBE_ERROR, "no random numbers yet");
		return;
	}
	if (dns_query_make(p->spec->dns.name, qtype_of(p->spec), id, &d->query)) {
		probe_end(p, PROBE_ERROR, "\"%.64s\" is not a DNS name", p->spec->dns.name);
		return;
	}
	err = dial_datagram(p, &d->fd);
	if (err) {
		dial_datagram_fail(p, -err);
		return;
	}
	event_assign(&d->readable, p->env->base, d->fd, EV_READ | EV_PERSIST, on_readable, p);
	if (event_add(&d->readable, NULL)) {
		dns_close(d);
		probe_end(p, PROBE_ERROR, "out of memory");
	} else if (send(d->fd, d->query.bytes, d->query.len, MSG_NOSIGNAL) < 0) {
		fail_errno(p, errno);
	}
}

static void dns_cancel(struct probe *p, char *phase, size_t len)
{
	struct dns_probe *d = p->state;

	if (d->n_foreign)
		snprintf(phase, len, "no DNS answer, but %u other datagrams", d->n_foreign);
	else
		snprintf(phase, len, "no DNS answer");
	dns_close(d);
}

const struct checker_ops check_dns_ops = {
	.type = CHECK_DNS,
	.state_size = sizeof(struct dns_probe),
	.start = dns_start,
	.cancel = dns_cancel,
};
