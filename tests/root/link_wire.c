/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/csum.h"
#include "root/link_lab.h"

#define N_HOSTS	 8
#define SLEEP_MS 20

uint32_t wire_stop;
unsigned int wire_lost;
uint32_t bulk_seen, urgent_seen;
pthread_mutex_t hosts_lock = PTHREAD_MUTEX_INITIALIZER;

static struct host hosts[N_HOSTS];
static unsigned int n_hosts;

void hosts_forget(void)
{
	n_hosts = 0;
}

/* In segments where one buffer is too small, as a port would give it. */
void to_linux(uint16_t port, enum punt_class class, const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *m = NULL, *seg;
	struct rte_ring *r = exchange.worker[0].punt[class];
	uint64_t one = 1;

	for (uint32_t done = 0, n; done < len; done += n) {
		seg = rte_pktmbuf_alloc(exchange.pool[port]);
		if (!seg)
			abort();
		n = rte_pktmbuf_tailroom(seg);
		n = n < len - done ? n : len - done;
		memcpy(rte_pktmbuf_append(seg, (uint16_t)n), frame + done, n);
		if (!m)
			m = seg;
		else
			rte_pktmbuf_chain(m, seg);
	}
	m->port = port;
	if (rte_ring_sp_enqueue_burst(r, (void **)&m, 1, NULL) == 0)
		rte_pktmbuf_free(m);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (write(exchange.link_eventfd, &one, sizeof(one)) < 0)
		abort();
}

uint8_t family = ADDR_V4;

struct addr ip(const char *text)
{
	struct addr a, a6 = {.family = ADDR_V6, .v6 = {0x20, 0x01, 0x0d, 0xb8}};

	assert_int_equal(addr_parse(text, &a), 0);
	if (family == ADDR_V4 || a.family == ADDR_V6)
		return a;
	memcpy(a6.v6 + 12, &a.v4, 4);
	return a6;
}

uint8_t bits(uint8_t len)
{
	return family == ADDR_V6 && len ? (uint8_t)(len + 96) : len;
}

/* at: an address of the family, as it is in a packet. */
static struct host *host_find(uint16_t port, uint16_t vlan, const uint8_t *at)
{
	for (unsigned int i = 0; i < n_hosts; i++) {
		const struct addr a = ip(hosts[i].ip);

		if (hosts[i].port == port && hosts[i].vlan == vlan &&
		    memcmp(a.v6, at, family == ADDR_V6 ? 16 : 4) == 0)
			return &hosts[i];
	}
	return NULL;
}

static uint16_t header_len(const uint8_t *f, uint16_t *vlan)
{
	if (f[12] == 0x81 && f[13] == 0) {
		*vlan = (uint16_t)((f[14] & 0xf) << 8 | f[15]);
		return 18;
	}
	*vlan = 0;
	return 14;
}

/* An ICMPv6 message of len bytes behind the IPv6 header at p. */
static void icmp6_csum(uint8_t *p, size_t len)
{
	const uint8_t rest[8] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 58};
	be16 csum;

	memset(p + 42, 0, 2);
	csum = (be16)~csum_fold(
		csum_add(csum_add(csum_add(0, p + 8, 32), rest, sizeof(rest)), p + 40, len));
	memcpy(p + 42, &csum, 2);
}

/* An advertisement at p, an IPv6 header: of a host, to whoever is named. */
static void advertisement(uint8_t *p, const struct host *h, const uint8_t to[16], uint8_t flags)
{
	const struct addr a = ip(h->ip);

	memset(p, 0, 72);
	p[0] = 0x60;
	p[5] = 32;
	p[6] = 58;
	p[7] = 255;
	memcpy(p + 8, a.v6, 16);
	memcpy(p + 24, to, 16);
	p[40] = 136;
	p[44] = flags;
	memcpy(p + 48, a.v6, 16);
	p[64] = 2;
	p[65] = 1;
	memcpy(p + 66, h->mac.byte, 6);
	icmp6_csum(p, 32);
}

/* Each turns a request that Linux sent into a host's answer; NULL: no such request, or nobody
 * answers. */
static struct host *answer6(uint16_t port, uint16_t vlan, uint8_t *p, uint32_t len)
{
	struct host *h = NULL;
	uint8_t from[16];

	if (len < 48 || p[6] != 58)
		return NULL;
	memcpy(from, p + 8, 16);
	if (p[40] == 135 && len >= 72) {
		h = host_find(port, vlan, p + 48);
		if (!h || !h->answers)
			return NULL;
		advertisement(p, h, from, 0x60);
	} else if (p[40] == 128) {
		h = host_find(port, vlan, p + 24);
		if (!h || !h->answers)
			return NULL;
		h->echoes++;
		memcpy(p + 8, p + 24, 16);
		memcpy(p + 24, from, 16);
		p[40] = 129;
		icmp6_csum(p, (size_t)(p[4] << 8 | p[5]));
	}
	return h;
}

static struct host *answer_arp(uint16_t port, uint16_t vlan, uint8_t *p)
{
	struct host *h = host_find(port, vlan, p + 24);
	const struct addr a = h ? ip(h->ip) : (struct addr){0};

	if (h)
		h->arps++;
	if (!h || !h->answers)
		return NULL;
	p[7] = 2;
	memcpy(p + 18, p + 8, 10); /* target = who asked */
	memcpy(p + 8, h->mac.byte, 6);
	memcpy(p + 14, &a.v4, 4);
	return h;
}

static struct host *answer_echo(uint16_t port, uint16_t vlan, const uint8_t *f, uint8_t *p)
{
	struct host *h = host_find(port, vlan, p + 16);
	uint32_t sum;
	uint8_t tmp[4];

	if (!h || !h->answers || memcmp(f, h->mac.byte, 6) != 0)
		return NULL;
	h->echoes++;
	memcpy(tmp, p + 12, 4);
	memcpy(p + 12, p + 16, 4);
	memcpy(p + 16, tmp, 4);
	p[20] = 0;
	/* 0x0800 became 0x0000: the checksum grows by as much. */
	sum = (uint32_t)(p[22] << 8 | p[23]) + 0x0800;
	sum = (sum & 0xffff) + (sum >> 16);
	p[22] = (uint8_t)(sum >> 8);
	p[23] = (uint8_t)sum;
	return h;
}

static void answer(uint16_t port, uint8_t *f, uint32_t len)
{
	uint16_t vlan, off = header_len(f, &vlan);
	const struct host *h = NULL;
	uint8_t *p = f + off;

	if (f[off - 2] == 0x86 && f[off - 1] == 0xdd && family == ADDR_V6)
		h = answer6(port, vlan, p, len - off);
	else if (family == ADDR_V4 && f[off - 2] == 8 && f[off - 1] == 6 && len >= off + 28u &&
		 p[7] == 1)
		h = answer_arp(port, vlan, p);
	else if (family == ADDR_V4 && f[off - 2] == 8 && f[off - 1] == 0 && len >= off + 28u &&
		 p[9] == 1 && p[20] == 8)
		h = answer_echo(port, vlan, f, p);
	if (!h)
		return;
	memcpy(f, f + 6, 6);
	memcpy(f + 6, h->mac.byte, 6);
	to_linux(port, f[off - 1] == 6 ? PUNT_ARP : PUNT_OWN, f, len);
}

/* As a worker: urgent ones before the rest. */
static struct rte_mbuf *next_injected(bool *urgent)
{
	struct rte_mbuf *m;

	*urgent = rte_ring_sc_dequeue_burst(exchange.worker[0].inject_first, (void **)&m, 1,
					    NULL) == 1;
	if (*urgent || rte_ring_sc_dequeue_burst(exchange.worker[0].inject, (void **)&m, 1, NULL))
		return m;
	return NULL;
}

/* UDP to the discard port: what a test sends in bulk, and what it sends as urgent. */
static void count_discard(const uint8_t *f, bool urgent)
{
	if (f[12] != 8 || f[13] != 0 || f[23] != IPPROTO_UDP || f[36] != 0 || f[37] != 9)
		return;
	__atomic_fetch_add(urgent ? &urgent_seen : &bulk_seen, 1, __ATOMIC_RELAXED);
}

/* Sleeps as a worker does. A frame that came meanwhile, from a link thread that did not wake this
 * one, is counted. */
static void wire_sleep(void)
{
	struct worker_exchange *x = &exchange.worker[0];
	struct pollfd fd = {.fd = x->wake.fd, .events = POLLIN};
	bool none;

	wake_begin(&x->wake);
	none = rte_ring_empty(x->inject) && rte_ring_empty(x->inject_first);
	if (none && poll(&fd, 1, SLEEP_MS) > 0) {
		wake_drain(&x->wake);
	} else if (none && !(rte_ring_empty(x->inject) && rte_ring_empty(x->inject_first))) {
		usleep(SLEEP_MS * 1000); /* the link thread may be about to wake this one */
		wire_lost += __atomic_load_n(&x->wake.asleep, __ATOMIC_RELAXED) != 0;
	}
	wake_end(&x->wake);
}

void *wire_main(void *arg)
{
	static uint8_t frame[65536];
	bool urgent;
	struct rte_mbuf *m;
	const void *flat;

	(void)arg;
	while (!__atomic_load_n(&wire_stop, __ATOMIC_RELAXED)) {
		m = next_injected(&urgent);
		if (!m) {
			wire_sleep();
			continue;
		}
		flat = rte_pktmbuf_read(m, 0, m->pkt_len, frame);
		if (flat != frame)
			memcpy(frame, flat, m->pkt_len);
		count_discard(frame, urgent);
		pthread_mutex_lock(&hosts_lock);
		answer(m->port, frame, m->pkt_len);
		pthread_mutex_unlock(&hosts_lock);
		rte_pktmbuf_free(m);
	}
	return NULL;
}

struct host *host_add(const char *text, uint8_t last, uint16_t port, uint16_t vlan, bool answers)
{
	struct host *h;

	pthread_mutex_lock(&hosts_lock);
	assert_true(n_hosts < N_HOSTS);
	h = &hosts[n_hosts];
	*h = (struct host){text, {{0x02, 0xaa, 0, 0, 0, last}}, port, vlan, answers, 0, 0};
	n_hosts++;
	pthread_mutex_unlock(&hosts_lock);
	return h;
}

/* An unasked ARP reply or advertisement of a host, to all. */
void host_announce(const struct host *h)
{
	static const uint8_t nodes[16] = {0xff, 0x02, [15] = 1};
	uint8_t f[86] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct addr a = ip(h->ip);

	memcpy(f + 6, h->mac.byte, 6);
	if (family == ADDR_V6) {
		memcpy(f, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
		memcpy(f + 12, (const uint8_t[]){0x86, 0xdd}, 2);
		advertisement(f + 14, h, nodes, 0x20);
		to_linux(h->port, PUNT_ARP, f, sizeof(f));
		return;
	}
	memcpy(f + 12, (const uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
	memcpy(f + 22, h->mac.byte, 6);
	memcpy(f + 28, &a.v4, 4);
	memcpy(f + 32, h->mac.byte, 6);
	memcpy(f + 38, &a.v4, 4);
	to_linux(h->port, PUNT_ARP, f, 60);
}
