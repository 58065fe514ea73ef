/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/path.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"

#define AREA	       "ha"
#define BUFFER_DEFAULT (256 * 1024)
#define BATCH	       16
#define SLOT	       2048 /* bytes; longer than any datagram of ours */
#define DRAIN_MAX      128  /* datagrams per wake: a flood must not hold up timers */
#define SENT_MASK      255
#define CS6	       0xc0
#define URGENT	       7 /* TC_PRIO_CONTROL: needs CAP_NET_ADMIN */
#define NEARLY_URGENT  6
#define RTT_MAX_US     60000000

#define SET(field, v)	__atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define COUNT(field, n) SET(field, (field) + (n))

struct path {
	struct path_config config;
	struct event_base *base;
	const struct ha_keys *keys;
	struct path_ops ops;
	int fd;
	struct event *event;
	int told; /* errno that was logged, 0: none */
	struct path_state state;

	uint32_t sequence; /* the last one sent */
	struct {
		uint32_t sequence;
		uint64_t us;
	} sent[SENT_MASK + 1];

	uint32_t peer_sequence; /* the newest received; 0: none */
	uint64_t peer_us;

	uint8_t in[BATCH][SLOT];
};

/* ---- the socket ---- */

static socklen_t endpoint_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (e->addr.family == ADDR_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = e->port;
		in->sin_addr.s_addr = e->addr.v4;
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = e->port;
	memcpy(&in6->sin6_addr, e->addr.v6, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

static void set_int(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		log_debug(AREA, "socket option %d/%d: %s", level, option, strerror(errno));
}

/* A refused option costs priority or buffer space, not the path. */
static void socket_options(const struct path *p, int fd)
{
	int size = p->config.buffer ? (int)p->config.buffer : BUFFER_DEFAULT, urgent = URGENT;

	if (p->config.own.addr.family == ADDR_V4) {
		set_int(fd, IPPROTO_IP, IP_TOS, CS6);
		set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	} else {
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, CS6);
	}
	/* After IP_TOS, which sets it too. */
	if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &urgent, sizeof(urgent)) < 0)
		set_int(fd, SOL_SOCKET, SO_PRIORITY, NEARLY_URGENT);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
}

static int socket_open(const struct path *p)
{
	int family = p->config.own.addr.family == ADDR_V4 ? AF_INET : AF_INET6, ret;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage ss;
	socklen_t len;

	if (fd < 0)
		return -errno;
	socket_options(p, fd);
	len = endpoint_sockaddr(&p->config.own, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		goto err;
	len = endpoint_sockaddr(&p->config.peer, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0)
		goto err;
	return fd;
err:
	ret = -errno;
	close(fd);
	return ret;
}

/* Logs one line per edge: the path fails, fails with another error, or works again. */
static void tell(struct path *p, int err, const char *what)
{
	char own[ENDPOINT_STRLEN], peer[ENDPOINT_STRLEN];

	if (err == p->told)
		return;
	endpoint_format(&p->config.own, own, sizeof(own));
	endpoint_format(&p->config.peer, peer, sizeof(peer));
	if (err)
		log_warning(AREA, "path %s, %s to %s: %s: %s", p->config.name, own, peer, what,
			    strerror(err));
	else
		log_notice(AREA, "path %s, %s to %s: works again", p->config.name, own, peer);
	p->told = err;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct path *p = arg;

	(void)fd;
	(void)what;
	/* Datagrams beyond DRAIN_MAX wake the loop again. */
	path_drain(p, DRAIN_MAX, p->ops.now_us(p->ops.arg));
}

static void path_open(struct path *p)
{
	int fd = socket_open(p);

	if (fd < 0) {
		tell(p, -fd, "no socket yet");
		return;
	}
	p->event = event_new(p->base, fd, EV_READ | EV_PERSIST, on_readable, p);
	if (!p->event || event_add(p->event, NULL) < 0) {
		if (p->event)
			event_free(p->event);
		p->event = NULL;
		close(fd);
		return;
	}
	p->fd = fd;
	SET(p->state.open, true);
	tell(p, 0, "");
}

int path_create(const struct path_config *config, struct event_base *base,
		const struct ha_keys *keys, const struct path_ops *ops, struct path **out)
{
	struct path *p;

	if (config->own.addr.family != config->peer.addr.family ||
	    config->own.addr.family == ADDR_NONE || config->own.port == 0 || config->peer.port == 0)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->config = *config;
	p->base = base;
	p->keys = keys;
	p->ops = *ops;
	p->fd = -1;
	path_open(p);
	*out = p;
	return 0;
}

void path_destroy(struct path *p)
{
	if (!p)
		return;
	if (p->event)
		event_free(p->event);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

void path_tick(struct path *p, uint64_t now_us)
{
	(void)now_us;
	if (p->fd < 0)
		path_open(p);
}

/* ---- send ---- */

static uint32_t hold_us(const struct path *p, uint64_t now_us)
{
	uint64_t hold = now_us - p->peer_us;

	return p->peer_sequence == 0 || hold >= RTT_MAX_US ? HA_HOLD_UNKNOWN : (uint32_t)hold;
}

static int send_one(struct path *p, const uint8_t *datagram, size_t len)
{
	/* The first one may report what became of the one before: ICMP. */
	for (unsigned int attempt = 0; attempt < 2; attempt++) {
		if (send(p->fd, datagram, len, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != ECONNREFUSED)
			return -errno;
		COUNT(p->state.refused, 1);
	}
	return 0; /* another refusal in between: this one will show in the next */
}

int path_send(struct path *p, struct ha_envelope *e, const void *payload, size_t len,
	      uint64_t now_us)
{
	uint8_t datagram[HA_DATAGRAM_MAX];
	uint32_t sequence = p->sequence + 1 ? p->sequence + 1 : 1;
	int ret;

	if (p->fd < 0) {
		COUNT(p->state.counters.send_errors, 1);
		return -ENOTCONN;
	}
	e->path_sequence = sequence;
	e->path_echo = p->peer_sequence;
	e->path_hold_us = hold_us(p, now_us);
	ret = ha_envelope_seal(p->keys, e, payload, len, datagram, sizeof(datagram));
	if (ret < 0)
		return ret;
	ret = send_one(p, datagram, (size_t)ret);
	SET(p->state.failing, ret < 0);
	if (ret < 0) {
		COUNT(p->state.counters.send_errors, 1);
		if (ret != -EAGAIN) /* a full buffer is a matter of rate, not of the path */
			tell(p, -ret, "cannot send");
		return ret;
	}
	tell(p, 0, "");
	p->sequence = sequence;
	p->sent[sequence & SENT_MASK].sequence = sequence;
	p->sent[sequence & SENT_MASK].us = now_us;
	COUNT(p->state.counters.sent, 1);
	return 0;
}

/* ---- receive ---- */

/* Of the echo: once per datagram sent, so that one lost way back does not count twice. */
static void measure(struct path *p, const struct ha_envelope *e, uint64_t now_us)
{
	uint32_t i = e->path_echo & SENT_MASK;
	uint64_t rtt;

	if (e->path_echo == 0 || e->path_hold_us == HA_HOLD_UNKNOWN ||
	    p->sent[i].sequence != e->path_echo)
		return;
	p->sent[i].sequence = 0;
	rtt = now_us - p->sent[i].us;
	if (rtt > RTT_MAX_US || rtt < e->path_hold_us)
		return;
	rtt -= e->path_hold_us;
	if (p->state.rtt_us)
		rtt = (p->state.rtt_us * 7ULL + rtt) / 8;
	SET(p->state.rtt_us, rtt ? (uint32_t)rtt : 1);
}

static void account(struct path *p, const struct ha_envelope *e, uint64_t now_us)
{
	int32_t ahead = (int32_t)(e->path_sequence - p->peer_sequence);

	if (e->path_sequence == 0)
		return;
	if (p->peer_sequence && ahead <= 0) {
		COUNT(p->state.out_of_order, 1);
		if (ahead < 0 && p->state.counters.lost)
			COUNT(p->state.counters.lost, -1);
		return;
	}
	if (p->peer_sequence)
		COUNT(p->state.counters.lost, (uint64_t)ahead - 1);
	p->peer_sequence = e->path_sequence;
	p->peer_us = now_us;
	SET(p->state.heard_us, now_us);
	measure(p, e, now_us);
}

static void receive_one(struct path *p, const uint8_t *datagram, size_t n, uint64_t now_us)
{
	struct ha_envelope e;
	const uint8_t *payload;
	enum ha_wire_error error =
		ha_envelope_open(p->keys, p->config.cluster_id, datagram, n, &e, &payload);

	if (error != HA_WIRE_OK) {
		COUNT(p->state.bad[error], 1);
		return;
	}
	COUNT(p->state.counters.received, 1);
	if (p->ops.received(p->ops.arg, p, &e, payload, now_us))
		account(p, &e, now_us);
}

/* How many came; -errno when none did. */
static int receive_batch(struct path *p, unsigned int max, uint64_t now_us)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec iov[BATCH];
	int n;

	for (unsigned int i = 0; i < max; i++) {
		iov[i] = (struct iovec){p->in[i], SLOT};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(p->fd, messages, max, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		receive_one(p, p->in[i], messages[i].msg_len, now_us);
	return n;
}

bool path_drain(struct path *p, unsigned int budget, uint64_t now_us)
{
	while (budget && p->fd >= 0) {
		unsigned int want = budget < BATCH ? budget : BATCH;
		int n = receive_batch(p, want, now_us);

		if (n == -ECONNREFUSED) {
			COUNT(p->state.refused, 1);
			budget--; /* each error is reported once */
			continue;
		}
		if (n < (int)want)
			return false;
		budget -= (unsigned int)n;
	}
	return p->fd >= 0;
}

void path_refuse(struct path *p, enum ha_wire_error error)
{
	COUNT(p->state.bad[error], 1);
}

void path_forget(struct path *p)
{
	p->peer_sequence = 0;
	SET(p->state.rtt_us, 0);
}

const struct path_state *path_state(const struct path *p)
{
	return &p->state;
}

const char *path_name(const struct path *p)
{
	return p->config.name;
}
