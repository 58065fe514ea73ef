/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#define PUMP_BURST	  32
#define SPILL_LEN	  (65536 + 64) /* no TAP frame is longer */
#define MACS_LEN	  12
#define TAG_LEN		  4
#define PUNT_SEGS_MAX	  64
#define COUNT(counter, n) __atomic_store_n(&(counter), (counter) + (n), __ATOMIC_RELAXED)

int pump_init(struct pump *p)
{
	p->spill = malloc(SPILL_LEN);
	p->first = 0;
	return p->spill ? 0 : -ENOMEM;
}

void pump_fini(struct pump *p)
{
	for (unsigned int i = 0; i < MAX_PORTS; i++)
		free(p->vlan_taps[i]);
	free(p->spill);
	p->spill = NULL;
}

int pump_add_vlan_tap(struct pump *p, struct tap *tap)
{
	if (!p->vlan_taps[tap->port])
		p->vlan_taps[tap->port] = calloc(4096, sizeof(*p->vlan_taps[0]));
	if (!p->vlan_taps[tap->port])
		return -ENOMEM;
	p->vlan_taps[tap->port][tap->vlan] = tap;
	return 0;
}

/* Where a frame goes: the port's TAP as it is, or, without its tag, that of its VLAN. */
static const struct tap *tap_for(const struct pump *p, const struct rte_mbuf *m)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct tap *tap = NULL;

	if (p->vlan_taps[m->port] && m->data_len >= MACS_LEN + TAG_LEN && f[12] == 0x81 &&
	    f[13] == 0x00)
		tap = p->vlan_taps[m->port][(f[14] & 0xf) << 8 | f[15]];
	return tap ? tap : p->taps[m->port];
}

static void punt_one(struct pump *p, struct rte_mbuf *m)
{
	struct iovec iov[PUNT_SEGS_MAX + 1];
	const struct tap *tap;
	struct link_port_counters *c;
	uint32_t len = m->pkt_len;
	int n = 0;
	ssize_t wrote = -1;

	if (m->port >= p->n_ports) {
		COUNT(p->totals->unknown_port, 1);
		rte_pktmbuf_free(m);
		return;
	}
	c = &p->counters[m->port];
	tap = tap_for(p, m);
	if (tap->vlan) {
		iov[n].iov_base = rte_pktmbuf_mtod(m, void *);
		iov[n++].iov_len = MACS_LEN;
	}
	for (struct rte_mbuf *seg = m; seg && n < PUNT_SEGS_MAX; seg = seg->next, n++) {
		uint16_t skip = seg == m && tap->vlan ? MACS_LEN + TAG_LEN : 0;

		iov[n].iov_base = rte_pktmbuf_mtod_offset(seg, void *, skip);
		iov[n].iov_len = (size_t)(seg->data_len - skip);
	}
	errno = EBADF;
	if (tap->fd >= 0)
		wrote = writev(tap->fd, iov, n);
	if (wrote >= 0) {
		COUNT(c->to_tap_pkts, 1);
		COUNT(c->to_tap_bytes, len);
	} else if (errno == EIO || errno == ENETDOWN || errno == EBADF || errno == EBADFD) {
		COUNT(c->tap_down, 1);
	} else {
		COUNT(c->tap_error, 1);
	}
	rte_pktmbuf_free(m);
}

/* Up to a burst of one ring. */
static unsigned int punt_burst(struct pump *p, struct rte_ring *r, unsigned int max)
{
	struct rte_mbuf *m[PUMP_BURST];
	unsigned int n;

	if (!r)
		return 0;
	n = rte_ring_sc_dequeue_burst(r, (void **)m, max < PUMP_BURST ? max : PUMP_BURST, NULL);
	for (unsigned int k = 0; k < n; k++)
		punt_one(p, m[k]);
	return n;
}

/* ARP, heartbeats, BGP and BFD, both ways: after every burst of something else. Workers bound how
 * many there are, and each round takes a burst of a ring at most. */
static void pump_first(struct pump *p)
{
	for (unsigned int w = 0; w < p->exchange->n_workers; w++)
		for (unsigned int class = 0; class <= PUNT_ROUTING; class ++)
			punt_burst(p, p->exchange->worker[w].punt[class], PUMP_BURST);
	/* The result is not needed: the TAP's own event shows that a TAP is gone. */
	for (uint16_t port = 0; port < p->n_ports; port++)
		if (p->taps[port] && p->taps[port]->urgent_fd >= 0)
			(void)pump_tap_urgent(p, p->taps[port]);
}

bool pump_punts(struct pump *p)
{
	unsigned int left = PUMP_PUNT_BUDGET, n_workers = p->exchange->n_workers;

	for (unsigned int class = 0; class < PUNT_MAX; class ++) {
		for (unsigned int i = 0; i < n_workers; i++) {
			struct rte_ring *r =
				p->exchange->worker[(p->first + i) % n_workers].punt[class];
			unsigned int n;

			do {
				if (left == 0) {
					p->first = (uint16_t)((p->first + 1) % n_workers);
					return true;
				}
				n = punt_burst(p, r, left);
				left -= n;
				if (n && class > PUNT_ROUTING)
					pump_first(p);
			} while (n == PUMP_BURST);
		}
	}
	return false;
}

bool pump_pending(const struct pump *p)
{
	/* Pairs with the fence of a worker between its enqueue and its look at whether the
	 * ring was empty: one of the two sees the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned int w = 0; w < p->exchange->n_workers; w++) {
		const struct worker_exchange *x = &p->exchange->worker[w];

		for (unsigned int class = 0; class < PUNT_MAX; class ++)
			if (x->punt[class] && !rte_ring_empty(x->punt[class]))
				return true;
		if (x->resolve && !rte_ring_empty(x->resolve))
			return true;
	}
	return false;
}

/* The frame's rest into further segments. */
static int append_spill(struct rte_mbuf *m, struct rte_mempool *pool, const uint8_t *from,
			uint32_t len)
{
	struct rte_mbuf *last = m;

	while (len) {
		struct rte_mbuf *seg = rte_pktmbuf_alloc(pool);
		uint32_t n;

		if (!seg)
			return -ENOMEM;
		seg->data_off = 0; /* no header goes in front of a later segment */
		n = seg->buf_len < len ? seg->buf_len : len;
		memcpy(rte_pktmbuf_mtod(seg, void *), from, n);
		seg->data_len = (uint16_t)n;
		last->next = seg;
		last = seg;
		m->nb_segs++;
		m->pkt_len += n;
		from += n;
		len -= n;
	}
	return 0;
}

static int put_tag(struct rte_mbuf *m, uint16_t vlan)
{
	uint8_t *f = (uint8_t *)rte_pktmbuf_prepend(m, TAG_LEN);

	if (!f || m->data_len < MACS_LEN + TAG_LEN)
		return -EINVAL;
	memmove(f, f + TAG_LEN, MACS_LEN);
	f[12] = 0x81;
	f[13] = 0x00;
	f[14] = (uint8_t)(vlan >> 8);
	f[15] = (uint8_t)vlan;
	return 0;
}

/* 1: *out is a frame, or NULL when it was dropped. 0: nothing there. -errno: TAP gone. */
static int read_one(struct pump *p, const struct tap *tap, int fd, struct rte_mbuf **out)
{
	uint16_t port = tap->port;
	struct link_port_counters *c = &p->counters[port];
	struct rte_mempool *pool = p->exchange->pool[port];
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint32_t room = m ? rte_pktmbuf_tailroom(m) : 0;
	struct iovec iov[2] = {
		{m ? rte_pktmbuf_mtod(m, void *) : p->spill, room},
		{p->spill, SPILL_LEN},
	};
	ssize_t n = readv(fd, iov, 2);
	uint32_t first;

	*out = NULL;
	if (n <= 0) {
		int err = n < 0 ? errno : EBADFD;

		rte_pktmbuf_free(m);
		return err == EAGAIN || err == EINTR ? 0 : -err;
	}
	COUNT(c->from_tap_pkts, 1);
	COUNT(c->from_tap_bytes, (uint64_t)n);
	/* Read even without a buffer: what waits in the TAP would wake us for ever. */
	if (!m) {
		COUNT(c->inject_no_mbuf, 1);
		return 1;
	}
	first = (uint64_t)n < room ? (uint32_t)n : room;
	m->data_len = (uint16_t)first;
	m->pkt_len = first;
	m->port = port;
	if ((tap->vlan && put_tag(m, tap->vlan) < 0) ||
	    append_spill(m, pool, p->spill, (uint32_t)n - first) < 0) {
		COUNT(c->inject_no_mbuf, 1);
		rte_pktmbuf_free(m);
		return 1;
	}
	*out = m;
	return 1;
}

/* Frames that the urgent ring does not take go with the others. */
static void inject(struct pump *p, uint16_t port, struct rte_mbuf **m, unsigned int n, bool first)
{
	struct worker_exchange *x = &p->exchange->worker[p->exchange->port_worker[port]];
	unsigned int done = 0;

	if (first && x->inject_first)
		done = rte_ring_sp_enqueue_burst(x->inject_first, (void **)m, n, NULL);
	done += rte_ring_sp_enqueue_burst(x->inject, (void **)m + done, n - done, NULL);
	wake_up(&x->wake);
	if (done < n) {
		COUNT(p->counters[port].inject_full, n - done);
		rte_pktmbuf_free_bulk(m + done, n - done);
	}
}

#define NEXT_HEADER_AT 6 /* of the IPv6 header */
#define ICMP6	       58
#define ICMP6_AT       40
#define ND_FIRST       133 /* router solicitation to redirect */
#define ND_LAST	       137

/* Neighbour discovery, and what has the traffic class CS6. */
static bool is_urgent6(const uint8_t *ip6, size_t len)
{
	if (len < ICMP6_AT + 1)
		return false;
	if ((ip6[0] & 0xf) == 0xc && (ip6[1] & 0xc0) == 0)
		return true;
	return ip6[NEXT_HEADER_AT] == ICMP6 && ip6[ICMP6_AT] >= ND_FIRST &&
	       ip6[ICMP6_AT] <= ND_LAST;
}

/* Of a TAP with one queue: ARP and ND, and IP with DSCP CS6, as path.c of ha sends. */
static bool is_urgent(const struct rte_mbuf *m)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned int l2 = MACS_LEN;

	if (m->data_len < MACS_LEN + TAG_LEN + 4)
		return false;
	if (f[l2] == 0x81 && f[l2 + 1] == 0x00)
		l2 += TAG_LEN;
	if (f[l2] == 0x86 && f[l2 + 1] == 0xdd)
		return is_urgent6(f + l2 + 2, m->data_len - l2 - 2);
	if (f[l2] != 0x08)
		return false;
	return f[l2 + 1] == 0x06 || (f[l2 + 1] == 0x00 && (f[l2 + 3] & 0xfc) == 0xc0);
}

int pump_tap_urgent(struct pump *p, const struct tap *tap)
{
	struct rte_mbuf *m[PUMP_BURST];
	unsigned int n = 0;
	int ret = 1;

	for (unsigned int i = 0; i < PUMP_BURST && ret > 0; i++) {
		ret = read_one(p, tap, tap->urgent_fd, &m[n]);
		if (ret > 0 && m[n])
			n++;
	}
	if (n)
		inject(p, tap->port, m, n, true);
	return ret;
}

int pump_tap(struct pump *p, struct tap *tap)
{
	struct rte_mbuf *m[PUMP_BURST];
	unsigned int n = 0;
	int ret = 1;

	for (unsigned int i = 0; i < PUMP_INJECT_BUDGET && ret > 0; i++) {
		ret = read_one(p, tap, tap->fd, &m[n]);
		if (ret > 0 && m[n]) {
			if (tap->urgent_fd < 0 && is_urgent(m[n]))
				inject(p, tap->port, &m[n], 1, true);
			else
				n++;
		}
		if (n == PUMP_BURST) {
			inject(p, tap->port, m, n, false);
			n = 0;
			pump_first(p);
		}
	}
	if (n)
		inject(p, tap->port, m, n, false);
	return ret;
}
