/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/echo.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sockaddr.h"
#include "base/csum.h"
#include "health/dial.h"

#define READS_A_ROUND 32U
#define BUCKETS	      256U
#define MAGIC	      4U /* bytes of the token that are the socket's */

/* On the wire. */
struct echo_packet {
	uint8_t type, code;
	be16 checksum;
	be16 id, sequence;
	uint8_t token[ECHO_TOKEN];
};
_Static_assert(sizeof(struct echo_packet) == 8 + ECHO_TOKEN, "as on the wire");

LIST_HEAD(echo_list, echo_request);

/* The raw socket of a family. */
struct raw_socket {
	struct echo_socket *echo;
	struct event ev;
	int fd; /* -1: closed, nothing is asked by it */
	bool v6;
	uint32_t n; /* requests */
};

struct echo_socket {
	struct event_base *base;
	struct raw_socket raw[2]; /* IPv4, IPv6 */
	bool raw_only;
	uint16_t id_first, id_last; /* 0, 0: one at random */
	uint16_t id, next;
	uint8_t magic[MAGIC];
	struct echo_list requests[BUCKETS]; /* of the raw sockets, by sequence number */
};

static bool is_ipv6(const struct echo_request *r)
{
	return r->target.family == ADDR_V6;
}

static struct raw_socket *raw_of(const struct echo_request *r)
{
	return &r->echo->raw[is_ipv6(r)];
}

int echo_create(struct event_base *base, struct echo_socket **out)
{
	struct echo_socket *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->base = base;
	for (unsigned int i = 0; i < 2; i++)
		e->raw[i] = (struct raw_socket){.echo = e, .fd = -1, .v6 = i};
	for (uint32_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&e->requests[i]);
	*out = e;
	return 0;
}

void echo_destroy(struct echo_socket *e)
{
	free(e);
}

void echo_use_raw(struct echo_socket *e)
{
	e->raw_only = true;
}

void echo_set_ids(struct echo_socket *e, uint16_t first, uint16_t last)
{
	e->id_first = first;
	e->id_last = last;
}

/* ---- the end of a request ---- */

static void raw_close(struct raw_socket *raw)
{
	event_del(&raw->ev);
	close(raw->fd);
	raw->fd = -1;
}

void echo_stop(struct echo_request *r)
{
	struct raw_socket *raw = raw_of(r);

	if (r->fd >= 0) {
		event_del(&r->ev);
		close(r->fd);
		return;
	}
	LIST_REMOVE(r, of_socket);
	if (--raw->n == 0)
		raw_close(raw);
}

static void finish(struct echo_request *r, int err)
{
	echo_stop(r);
	r->done(r, err);
}

static uint8_t reply_type(bool v6)
{
	return v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHOREPLY;
}

/* The address alone: an ICMP socket has its identifier in the place of a port. */
static struct addr addr_of(const struct sockaddr_storage *from)
{
	struct addr a = {.family = ADDR_V6};

	if (from->ss_family != AF_INET6)
		return addr_from_v4(((const struct sockaddr_in *)from)->sin_addr.s_addr);
	memcpy(a.v6, &((const struct sockaddr_in6 *)from)->sin6_addr, sizeof(a.v6));
	return a;
}

static bool is_reply(const struct echo_packet *m, ssize_t len, const struct echo_request *r)
{
	return len >= (ssize_t)sizeof(*m) && m->type == reply_type(is_ipv6(r)) && m->code == 0 &&
	       be16_to(m->sequence) == r->sequence && memcmp(m->token, r->token, ECHO_TOKEN) == 0;
}

/* ---- a ping socket: the kernel sorts by id ---- */

static void on_ping(evutil_socket_t fd, short what, void *arg)
{
	struct echo_request *r = arg;

	(void)what;
	for (uint32_t i = 0; i < READS_A_ROUND; i++) {
		struct sockaddr_storage from = {0};
		socklen_t from_len = sizeof(from);
		struct echo_packet m;
		struct addr addr;
		ssize_t n;

		n = recvfrom(fd, &m, sizeof(m), 0, (struct sockaddr *)&from, &from_len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		addr = addr_of(&from);
		/* Connected or not, such a socket takes replies from anybody. */
		if (n < 0 || (addr_equal(&addr, &r->target) && is_reply(&m, n, r))) {
			finish(r, n < 0 ? errno : 0);
			return;
		}
	}
}

/* ---- the raw socket ---- */

/* Only echo replies with an id of ours and the beginning of our token reach the socket. */
static int filter_set(const struct raw_socket *raw)
{
	const struct echo_socket *e = raw->echo;
	uint16_t first = e->id_first ? e->id_first : e->id;
	uint16_t last = e->id_first ? e->id_last : e->id;
	uint32_t magic = (uint32_t)e->magic[0] << 24 | (uint32_t)e->magic[1] << 16 |
			 (uint32_t)e->magic[2] << 8 | e->magic[3];
	/* The length of the IP header, which an IPv6 socket does not show. */
	const struct sock_filter header4 = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	const struct sock_filter header6 = BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
	struct sock_filter code[] = {
		raw->v6 ? header6 : header4,
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, reply_type(raw->v6), 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 4),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, magic, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 128),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(raw->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static struct echo_request *request_find(struct echo_socket *e, const struct echo_packet *m,
					 ssize_t len, const struct addr *from)
{
	struct echo_request *r;

	LIST_FOREACH(r, &e->requests[be16_to(m->sequence) % BUCKETS], of_socket)
	if (is_reply(m, len, r) && be16_to(m->id) == r->id && addr_equal(from, &r->target))
		return r;
	return NULL;
}

static void on_raw(evutil_socket_t fd, short what, void *arg)
{
	struct raw_socket *raw = arg;

	(void)what;
	for (uint32_t i = 0; i < READS_A_ROUND; i++) {
		struct sockaddr_storage from = {0};
		socklen_t from_len = sizeof(from);
		struct echo_request *r;
		struct echo_packet m;
		uint8_t data[128];
		struct addr addr;
		ssize_t n, header;

		n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);
		if (n < 0)
			return;
		header = n > 0 && !raw->v6 ? (data[0] & 0x0f) * 4 : 0;
		if (n < header + (ssize_t)sizeof(m))
			continue;
		memcpy(&m, data + header, sizeof(m));
		addr = addr_of(&from);
		r = request_find(raw->echo, &m, n - header, &addr);
		if (!r)
			continue;
		finish(r, 0);
		if (raw->fd != fd)
			return; /* r was the last request, or done() began anew */
	}
}

/* The fields that the filters of both sockets look at. */
static int ids_make(struct echo_socket *e)
{
	if (e->raw[0].fd >= 0 || e->raw[1].fd >= 0)
		return 0;
	if (getrandom(&e->id, sizeof(e->id), GRND_NONBLOCK) != sizeof(e->id) ||
	    getrandom(e->magic, MAGIC, GRND_NONBLOCK) != MAGIC)
		return -EAGAIN;
	if (e->id_first)
		e->id = (uint16_t)(e->id_first + e->id % (e->id_last - e->id_first + 1));
	return 0;
}

static int raw_open(struct raw_socket *raw)
{
	struct echo_socket *e = raw->echo;
	int err;

	if (raw->fd >= 0)
		return 0;
	err = ids_make(e);
	if (err)
		return err;
	raw->fd = socket(raw->v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 raw->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (raw->fd < 0)
		return -errno;
	dial_hurry(raw->fd);
	err = filter_set(raw) ? -errno : 0;
	event_assign(&raw->ev, e->base, raw->fd, EV_READ | EV_PERSIST, on_raw, raw);
	if (!err && event_add(&raw->ev, NULL))
		err = -ENOMEM;
	if (err) {
		close(raw->fd);
		raw->fd = -1;
	}
	return err;
}

/* ---- asking ---- */

/* A ping socket that is connected to the target. -EACCES: the kernel allows none. */
static int ping_open(struct echo_socket *e, struct echo_request *r)
{
	const struct endpoint target = {.addr = r->target};
	/* The port that a ping socket is bound to is its identifier. */
	const struct endpoint own = {.addr.family = r->target.family, .port = be16_from(r->id)};
	struct sockaddr_storage to, from;
	const socklen_t len = endpoint_sockaddr(&target, &to);
	int err = 0, fd;

	endpoint_sockaddr(&own, &from);
	fd = e->raw_only ? -1
			 : socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				  is_ipv6(r) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		return e->raw_only ? -EACCES : -errno;
	dial_hurry(fd);
	if ((r->id && bind(fd, (const struct sockaddr *)&from, len)) ||
	    connect(fd, (const struct sockaddr *)&to, len))
		err = -errno;
	event_assign(&r->ev, e->base, fd, EV_READ | EV_PERSIST, on_ping, r);
	if (!err && event_add(&r->ev, NULL))
		err = -ENOMEM;
	if (err)
		close(fd);
	else
		r->fd = fd;
	return err;
}

static int socket_take(struct echo_socket *e, struct echo_request *r)
{
	struct raw_socket *raw = raw_of(r);
	int err = ping_open(e, r);

	if (err != -EACCES && err != -EPROTONOSUPPORT && err != -EPERM)
		return err;
	err = raw_open(raw);
	if (err)
		return err;
	memcpy(r->token, e->magic, MAGIC);
	if (r->id == 0)
		r->id = e->id;
	LIST_INSERT_HEAD(&e->requests[r->sequence % BUCKETS], r, of_socket);
	raw->n++;
	return 0;
}

int echo_start(struct echo_socket *e, struct echo_request *r)
{
	const struct endpoint target = {.addr = r->target};
	struct echo_packet m = {.type = is_ipv6(r) ? ICMPV6_ECHO_REQUEST : ICMP_ECHO};
	struct sockaddr_storage to;
	const socklen_t len = endpoint_sockaddr(&target, &to);
	int err;

	if (len == 0)
		return -EAFNOSUPPORT;
	if (getrandom(r->token, ECHO_TOKEN, GRND_NONBLOCK) != ECHO_TOKEN)
		return -EAGAIN;
	r->echo = e;
	r->fd = -1;
	r->sequence = e->next++;
	err = socket_take(e, r);
	if (err)
		return err;
	m.id = be16_from(r->id); /* a ping socket puts in its own */
	m.sequence = be16_from(r->sequence);
	memcpy(m.token, r->token, ECHO_TOKEN);
	m.checksum = csum_of(&m, sizeof(m)); /* of ICMPv6 the kernel puts in its own */
	if (sendto(r->fd >= 0 ? r->fd : raw_of(r)->fd, &m, sizeof(m), MSG_NOSIGNAL,
		   (struct sockaddr *)&to, len) < 0) {
		err = -errno;
		echo_stop(r);
	}
	return err;
}
