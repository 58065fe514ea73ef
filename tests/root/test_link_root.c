/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Linux side of ports against a real kernel, in a namespace of its own: TAPs, and a
 * "wire" thread in the place of workers and ports that answers ARP, solicitations and echo
 * requests for a few hosts. Needs CAP_NET_ADMIN; exits 77 without.
 *
 * Tests are written with addresses of IPv4. Run for IPv6, each stands for the address of
 * 2001:db8::/96 that ends in it, and the length of a prefix grows by 96.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/csum.h"
#include "base/log.h"
#include "link/link.h"
#include "link/nlreq.h"

#define N_PORTS 2
#define N_HOSTS 8
#define MAC_PUBLIC                                                                                 \
	{                                                                                          \
		{                                                                                  \
			0x02, 0, 0, 0, 0, 0x01                                                     \
		}                                                                                  \
	}
#define MAC_PRIVATE                                                                                \
	{                                                                                          \
		{                                                                                  \
			0x02, 0, 0, 0, 0, 0x02                                                     \
		}                                                                                  \
	}

/* A station on the wire. */
struct host {
	const char *ip;
	struct mac mac;
	uint16_t port;
	uint16_t vlan;
	bool answers;
	unsigned int arps, echoes;
};

static struct host hosts[N_HOSTS];
static unsigned int n_hosts;
static pthread_mutex_t hosts_lock = PTHREAD_MUTEX_INITIALIZER;

static struct exchange exchange;
static struct published published;
static struct link *side;
static pthread_t wire;
static uint32_t wire_stop;
static uint32_t mtu_answer;		/* errno, 0 = accepted */
static uint32_t mtu_asked;		/* last MTU */
static uint32_t bulk_seen, urgent_seen; /* by the wire, see count_discard() */
static uint32_t callback_hold;		/* the callback waits while it is set */
static uint32_t carrier_edges;

/* --- The wire ------------------------------------------------------------------------------ */

static uint64_t grace_start(void *arg)
{
	(void)arg;
	return 0;
}

static bool grace_passed(void *arg, uint64_t token)
{
	(void)arg;
	(void)token;
	return true;
}

/* In segments where one buffer is too small, as a port would give it. */
static void to_linux(uint16_t port, enum punt_class class, const uint8_t *frame, uint32_t len)
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

static uint8_t family = ADDR_V4;

static struct addr ip(const char *text)
{
	struct addr a, a6 = {.family = ADDR_V6, .v6 = {0x20, 0x01, 0x0d, 0xb8}};

	assert_int_equal(addr_parse(text, &a), 0);
	if (family == ADDR_V4 || a.family == ADDR_V6)
		return a;
	memcpy(a6.v6 + 12, &a.v4, 4);
	return a6;
}

static uint8_t bits(uint8_t len)
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

static void *wire_main(void *arg)
{
	static uint8_t frame[65536];
	bool urgent;
	struct rte_mbuf *m;
	const void *flat;
	const struct timespec pause = {.tv_nsec = 200000};

	(void)arg;
	while (!__atomic_load_n(&wire_stop, __ATOMIC_RELAXED)) {
		m = next_injected(&urgent);
		if (!m) {
			nanosleep(&pause, NULL);
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

static struct host *host_add(const char *ip, uint8_t last, uint16_t port, uint16_t vlan,
			     bool answers)
{
	struct host *h;

	pthread_mutex_lock(&hosts_lock);
	assert_true(n_hosts < N_HOSTS);
	h = &hosts[n_hosts];
	*h = (struct host){ip, {{0x02, 0xaa, 0, 0, 0, last}}, port, vlan, answers, 0, 0};
	n_hosts++;
	pthread_mutex_unlock(&hosts_lock);
	return h;
}

/* An unasked ARP reply or advertisement of a host, to all. */
static void host_announce(const struct host *h)
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

/* --- Help ----------------------------------------------------------------------------------- */

/* The text with each address, and the length behind it, as the family has them. */
static const char *of_family(const char *text, char *out, size_t room)
{
	size_t n = 0;

	while (*text && n + ADDR_STRLEN < room) {
		size_t len = strspn(text, "0123456789.");
		char quad[16] = "", *end;
		struct addr a;

		if (len && len < sizeof(quad))
			memcpy(quad, text, len);
		if (len && quad[len - 1] == '.')
			quad[--len] = '\0';
		if (family == ADDR_V4 || !len || addr_parse(quad, &a) < 0) {
			len = len ? len : 1;
			memcpy(out + n, text, len);
			n += len;
			text += len;
			continue;
		}
		a = ip(quad);
		addr_format(&a, out + n, room - n);
		n += strlen(out + n);
		text += len;
		if (*text == '/') {
			n += (size_t)sprintf(out + n, "/%u",
					     bits((uint8_t)strtoul(text + 1, &end, 10)));
			text = end;
		}
	}
	out[n] = '\0';
	return out;
}

static bool run_ok(const char *command)
{
	char text[2048];

	return system(of_family(command, text, sizeof(text))) == 0;
}

static void run(const char *command)
{
	char text[2048];
	int ret = system(of_family(command, text, sizeof(text)));

	if (ret != 0)
		fail_msg("\"%s\" ended with %d", text, ret);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Polls a condition for up to s seconds. */
#define WITHIN(s, condition)                                                                       \
	({                                                                                         \
		double until_ = now_s() + (s);                                                     \
		bool met_;                                                                         \
		while (!(met_ = (condition)) && now_s() < until_)                                  \
			usleep(2000);                                                              \
		met_;                                                                              \
	})

#define assert_ip(a, text)                                                                         \
	do {                                                                                       \
		const struct addr is_ = (a), want_ = ip(text);                                     \
		assert_memory_equal(&is_, &want_, sizeof(is_));                                    \
	} while (0)

static struct link_ifaddr ifaddr(const char *text)
{
	struct link_ifaddr a;
	char of[128];

	assert_int_equal(addr_with_len_parse(of_family(text, of, sizeof(of)), &a.addr, &a.len), 0);
	return a;
}

static int mtu_changed(void *arg, uint16_t port, uint16_t mtu)
{
	(void)arg;
	(void)port;
	__atomic_store_n(&mtu_asked, mtu, __ATOMIC_RELEASE);
	while (__atomic_load_n(&callback_hold, __ATOMIC_ACQUIRE))
		usleep(1000);
	return -(int)__atomic_load_n(&mtu_answer, __ATOMIC_RELAXED);
}

static void carrier_changed(void *arg, uint16_t port, bool up)
{
	(void)arg;
	(void)port;
	(void)up;
	__atomic_fetch_add(&carrier_edges, 1, __ATOMIC_RELAXED);
}

static bool vlan_there[N_PORTS][MAX_VLAN + 1], link_is_up = true;

static void vlan_changed(void *arg, uint16_t port, uint16_t vlan, bool there)
{
	(void)arg;
	assert_true(port < N_PORTS && vlan > 0 && vlan <= MAX_VLAN);
	__atomic_store_n(&vlan_there[port][vlan], there, __ATOMIC_RELEASE);
}

static bool vlan_is(uint16_t port, uint16_t vlan, bool there)
{
	return __atomic_load_n(&vlan_there[port][vlan], __ATOMIC_ACQUIRE) == there;
}

static bool port_up(void *arg, uint16_t port)
{
	(void)arg;
	(void)port;
	return __atomic_load_n(&link_is_up, __ATOMIC_ACQUIRE);
}

static struct link_ifaddr addr_public, addr_private, addr_vlan;
static struct link_route route_default;
static struct link_vlan_config vlan_config;

/* Two ports: public 192.0.2.10/24 with a default route, private 10.10.0.2/16 with VLAN 10. */
static struct link_config config_make(void)
{
	struct link_config c = {.n_ports = N_PORTS};
	const char *error;
	char text[128];

	addr_public = ifaddr("192.0.2.10/24");
	addr_private = ifaddr("10.10.0.2/16");
	addr_vlan = ifaddr("10.20.0.2/24");
	assert_int_equal(link_route_parse(of_family("default via 192.0.2.1", text, sizeof(text)),
					  &route_default, &error),
			 0);
	vlan_config = (struct link_vlan_config){.id = 10, .linux_side = {&addr_vlan, NULL, 1, 0}};
	c.ports[0] = (struct link_port_config){.name = "public",
					       .tap = "public",
					       .mac = MAC_PUBLIC,
					       .mtu = 1500,
					       .carrier = true,
					       .linux_side = {&addr_public, &route_default, 1, 1}};
	c.ports[1] = (struct link_port_config){.name = "private",
					       .tap = "private",
					       .mac = MAC_PRIVATE,
					       .mtu = 1500,
					       .carrier = true,
					       .linux_side = {&addr_private, NULL, 1, 0},
					       .vlans = &vlan_config,
					       .n_vlans = 1};
	c.callbacks.mtu_changed = mtu_changed;
	c.callbacks.carrier_changed = carrier_changed;
	c.callbacks.vlan_changed = vlan_changed;
	return c;
}

static void side_start(const struct link_config *c)
{
	char error[LINK_ERROR_LEN] = "";

	if (link_create(c, &published, &exchange, &side, error) < 0 || link_start(side, error) < 0)
		fail_msg("%s", error);
}

static void side_end(void)
{
	link_stop(side);
	link_destroy(side);
	side = NULL;
	nexthop_table_fini(&published.nexthops);
	assert_int_equal(nexthop_table_init(&published.nexthops, 1024), 0);
}

static int each_start(void **state)
{
	const struct link_config c = config_make();

	(void)state;
	n_hosts = 0;
	mtu_answer = 0;
	/* Of a test that failed. */
	run("for i in public private wire0; do ip link del $i 2>/dev/null; done; true");
	side_start(&c);
	return 0;
}

static int each_end(void **state)
{
	(void)state;
	if (side)
		side_end();
	return 0;
}

/* The route that workers find, or NULL. */
static const struct link_fib_route *route_to(const char *dest)
{
	static struct link_fib_route out;
	const struct addr a = ip(dest);
	const struct route4 *r4;
	const struct route6 *r6;

	link_sync(side);
	r4 = family == ADDR_V4 ? fib4_find(published.fib->v4, a.v4) : NULL;
	r6 = family == ADDR_V6 ? fib6_find(published.fib->v6, addr6_of(&a)) : NULL;
	if (!r4 && !r6)
		return NULL;
	if (r4)
		out = (struct link_fib_route){.dest.len = r4->len,
					      .via = addr_from_v4(r4->via),
					      .source = addr_from_v4(r4->source),
					      .link = r4->link,
					      .mtu = r4->mtu,
					      .kind = r4->kind};
	else
		out = (struct link_fib_route){.dest.len = r6->len,
					      .via = addr_from_addr6(r6->via),
					      .source = addr_from_addr6(r6->source),
					      .link = r6->link,
					      .mtu = r6->mtu,
					      .kind = r6->kind};
	return &out;
}

static bool is_local(const char *text)
{
	const struct addr a = ip(text);

	return family == ADDR_V6 ? fib6_find_local(published.fib->v6, addr6_of(&a)) != NULL
				 : fib4_find_local(published.fib->v4, a.v4) != NULL;
}

static const struct nexthop *hop_of(link_id link, const char *text)
{
	const struct addr a = ip(text);
	uint32_t id = family == ADDR_V6 ? nexthop_find6(&published.nexthops, link, addr6_of(&a))
					: nexthop_find4(&published.nexthops, link, a.v4);

	return id ? nexthop_by_id(&published.nexthops, id) : NULL;
}

static bool hop_is(link_id link, const char *text, enum nexthop_state state, const struct mac *mac)
{
	const struct nexthop *nh = hop_of(link, text);

	return nh && nh->state == state && (!mac || memcmp(nh->l2, mac, 6) == 0);
}

static void want(link_id link, const char *text)
{
	const struct link_want w = {link, ip(text)};

	assert_int_equal(link_want_nexthops(side, &w, 1), 0);
}

static void resolve(link_id link, const char *text)
{
	struct resolve_request req = {link, ip(text)};
	uint64_t one = 1;

	assert_int_equal(rte_ring_sp_enqueue_elem(exchange.worker[0].resolve, &req, sizeof(req)),
			 0);
	assert_int_equal(write(exchange.link_eventfd, &one, sizeof(one)), sizeof(one));
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void a_ping_goes_out_of_the_tap_and_comes_back(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);

	(void)state;
	/* -w bounds the whole; -c then counts answers: a busy machine may lose a first one. */
	run("ping -q -c 3 -i 0.05 -w 20 192.0.2.1 >/dev/null");
	assert_true(WITHIN(3, h->echoes >= 3));
	/* Larger than one buffer's room: in segments, both ways. */
	run("ip link set public mtu 6000 && ping -q -c 1 -w 20 -s 5000 192.0.2.1 >/dev/null");
	assert_true(WITHIN(3, h->echoes >= 4));
	/* Counted after the write that wakes ping. */
	assert_true(WITHIN(3, link_port_counters(side, 0)->to_tap_bytes > 5000));
}

static void addresses_and_routes_of_the_configuration_are_in_linux_and_in_the_fib(void **state)
{
	const struct link_fib_route *r = route_to("8.8.8.8");

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->kind, ROUTE_GATEWAY);
	assert_ip(r->via, "192.0.2.1");
	assert_ip(r->source, "192.0.2.10");
	assert_int_equal(r->link, link_id_of(0, 0));
	r = route_to("10.10.3.4");
	assert_int_equal(r->kind, ROUTE_ONLINK);
	assert_int_equal(r->link, link_id_of(1, 0));
	assert_ip(r->source, "10.10.0.2");
	r = route_to("10.20.0.9");
	assert_int_equal(r->kind, ROUTE_ONLINK);
	assert_int_equal(r->link, link_id_of(1, 10));
	assert_true(is_local("10.20.0.2"));
	assert_false(is_local("10.20.0.3"));
	assert_string_equal(fib_link(published.fib, link_id_of(1, 10))->name, "private.10");
	assert_true(fib_link(published.fib, link_id_of(1, 10))->up);
	assert_null(fib_link(published.fib, link_id_of(1, 11)));
	run("grep -qx 2 /proc/sys/net/ipv4/conf/private.10/arp_announce");
	run("grep -qx 1 /proc/sys/net/ipv4/conf/public/forwarding");
	run("ip link show public | grep -q 02:00:00:00:00:01");
}

static void routes_that_come_and_go_are_followed(void **state)
{
	uint32_t gen = published.resolve_gen;

	(void)state;
	run("ip route add 10.99.0.0/16 via 10.10.0.9");
	assert_ip(route_to("10.99.1.1")->via, "10.10.0.9");
	assert_true(published.resolve_gen > gen);
	run("ip route replace 10.99.0.0/16 via 10.10.0.8 mtu 1400");
	assert_ip(route_to("10.99.1.1")->via, "10.10.0.8");
	assert_int_equal(route_to("10.99.1.1")->mtu, 1400);
	run("ip route add blackhole 10.99.1.0/24");
	assert_int_equal(route_to("10.99.1.1")->kind, ROUTE_BLOCK);
	run("ip route del blackhole 10.99.1.0/24 && ip route del 10.99.0.0/16");
	assert_ip(route_to("10.99.1.1")->via, "192.0.2.1");
	/* Out of an interface that is not a port's. */
	run("ip link set lo up && ip route add 10.98.0.0/16 dev lo");
	assert_int_equal(route_to("10.98.0.1")->kind, ROUTE_BLOCK);
	run("ip route del 10.98.0.0/16");
	/* Without a word from Linux. */
	run("ip link set public down");
	assert_null(route_to("8.8.8.8"));
	run("ip link set public up && ip route add default via 192.0.2.1");
	assert_int_equal(route_to("8.8.8.8")->kind, ROUTE_GATEWAY);
	gen = published.resolve_gen;
	run("ip route replace default via 192.0.2.1");
	link_sync(side);
	assert_int_equal(published.resolve_gen, gen);
}

static void a_wanted_server_is_resolved_and_its_new_mac_is_taken_up(void **state)
{
	struct host *h = host_add("10.10.0.11", 0x11, 1, 0, true);
	const uint8_t expected[14] = {0x02,
				      0xaa,
				      0,
				      0,
				      0,
				      0x11,
				      0x02,
				      0,
				      0,
				      0,
				      0,
				      2,
				      family == ADDR_V6 ? 0x86 : 8,
				      family == ADDR_V6 ? 0xdd : 0};
	const struct nexthop *nh;

	(void)state;
	want(LINK_ANY, "10.10.0.11");
	assert_true(WITHIN(3, hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, NULL)));
	nh = hop_of(link_id_of(1, 0), "10.10.0.11");
	assert_int_equal(nh->l2_len, 14);
	assert_memory_equal(nh->l2, expected, 14);
	assert_int_equal(nh->port, 1);
	assert_int_equal(nh->mtu, 1500);
	run("ip neigh show dev private | grep -q '10.10.0.11.*managed'");
	pthread_mutex_lock(&hosts_lock);
	h->mac.byte[5] = 0x77;
	pthread_mutex_unlock(&hosts_lock);
	/* Linux ignores a second answer within a second of the first. */
	assert_true(
		WITHIN(4, (host_announce(h), usleep(50000),
			   hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, &h->mac))));
	/* A flush costs nothing: the MAC stays, and Linux is asked to manage it again. */
	run("ip neigh flush dev private");
	assert_true(hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, &h->mac));
	assert_true(WITHIN(3, run_ok("ip neigh show dev private | grep -q '10.10.0.11.*managed'")));
	/* The administrator's permanent entry wins, and stays. */
	run("ip neigh replace 10.10.0.11 lladdr 02:bb:00:00:00:01 nud permanent dev private");
	assert_true(WITHIN(2, hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE,
				     &(struct mac){{2, 0xbb, 0, 0, 0, 1}})));
}

static void a_server_that_does_not_answer_is_failed_until_it_does(void **state)
{
	struct host *h = host_add("10.10.0.12", 0x12, 1, 0, false);

	(void)state;
	want(link_id_of(1, 0), "10.10.0.12");
	assert_true(WITHIN(2, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_INCOMPLETE, NULL)));
	assert_true(WITHIN(8, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_FAILED, NULL)));
	pthread_mutex_lock(&hosts_lock);
	h->answers = true;
	pthread_mutex_unlock(&hosts_lock);
	assert_true(WITHIN(12, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_REACHABLE, &h->mac)));
}

static void what_a_worker_asks_for_is_resolved_and_nonsense_is_not(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);

	(void)state;
	resolve(link_id_of(0, 0), "192.0.2.1");
	resolve(link_id_of(7, 0), "192.0.2.1");
	resolve(link_id_of(0, 99), "192.0.2.1");
	resolve(link_id_of(0, 0), family == ADDR_V6 ? "ff02::1" : "224.0.0.1");
	resolve(link_id_of(0, 0), family == ADDR_V6 ? "::1" : "127.0.0.1");
	resolve(LINK_ANY, "192.0.2.1");
	assert_true(WITHIN(3, hop_is(link_id_of(0, 0), "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	assert_true(WITHIN(2, link_counters(side)->resolve_refused == 5));
	assert_int_equal(published.nexthops.n, 1);
	/* Proven: from now on Linux keeps it. */
	assert_true(WITHIN(3, run_ok("ip neigh show dev public | grep -q '192.0.2.1 .*managed'")));
}

static void a_vlan_interface_of_the_administrator_is_a_link(void **state)
{
	const link_id link = link_id_of(0, 42);
	struct host *h = host_add("172.16.0.1", 0x42, 0, 42, true);
	const struct nexthop *nh;
	const uint8_t tag[6] = {
		0x81, 0, 0, 42, family == ADDR_V6 ? 0x86 : 8, family == ADDR_V6 ? 0xdd : 0};

	(void)state;
	if (!run_ok("ip link add link public name v42 type vlan id 42 2>/dev/null"))
		skip(); /* a kernel without 8021q */
	run("ip link del v42");
	run("ip link add link public name v42 type vlan id 42 && ip link set v42 up && "
	    "ip addr add 172.16.0.2/24 dev v42");
	assert_int_equal(route_to("172.16.0.1")->link, link);
	assert_true(vlan_is(0, 42, true)); /* the port's filter lets the tag through */
	run("ping -q -c 2 -i 0.05 -W 2 172.16.0.1 >/dev/null");
	assert_int_equal(h->echoes, 2);
	resolve(link, "172.16.0.1");
	assert_true(WITHIN(3, hop_is(link, "172.16.0.1", NEXTHOP_REACHABLE, &h->mac)));
	nh = hop_of(link, "172.16.0.1");
	assert_int_equal(nh->l2_len, 18);
	assert_memory_equal(nh->l2 + 12, tag, 6);
	run("ip link set v42 mtu 1400");
	assert_true(WITHIN(2, hop_of(link, "172.16.0.1")->mtu == 1400));
	run("ip link del v42");
	link_sync(side);
	assert_null(fib_link(published.fib, link));
	assert_true(vlan_is(0, 42, false));
	assert_int_equal(hop_of(link, "172.16.0.1")->state, NEXTHOP_FAILED);
}

static void a_vlan_of_the_configuration_works_with_and_without_8021q(void **state)
{
	const link_id link = link_id_of(1, 10);
	struct host *h = host_add("10.20.0.1", 0x42, 1, 10, true);
	const struct nexthop *nh;
	const uint8_t tag[6] = {
		0x81, 0, 0, 10, family == ADDR_V6 ? 0x86 : 8, family == ADDR_V6 ? 0xdd : 0};

	(void)state;
	run("ping -q -c 2 -i 0.05 -W 2 10.20.0.1 >/dev/null");
	assert_int_equal(h->echoes, 2);
	want(LINK_ANY, "10.20.0.1");
	assert_true(WITHIN(3, hop_is(link, "10.20.0.1", NEXTHOP_REACHABLE, &h->mac)));
	nh = hop_of(link, "10.20.0.1");
	assert_int_equal(nh->l2_len, 18);
	assert_memory_equal(nh->l2 + 12, tag, 6);
	run("ip link set private.10 mtu 1400");
	assert_true(WITHIN(2, hop_of(link, "10.20.0.1")->mtu == 1400));
	/* The whole port goes and comes back. */
	run("ip link del private");
	assert_true(
		WITHIN(4, run_ok("ip addr show dev private 2>/dev/null | grep -q 10.10.0.2/16")));
	assert_true(WITHIN(4, run_ok("ping -q -c 1 -W 1 10.20.0.1 >/dev/null 2>&1")));
	run("ip link del private.10");
	link_sync(side);
}

static void active_vips_are_addresses_of_the_tap_and_leave_when_they_are_not(void **state)
{
	struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
		{ip("10.10.255.254"), bits(16), LINK_ADDRESS_GATEWAY, true, link_id_of(1, 0)},
		{ip("192.0.2.81"), 0, LINK_ADDRESS_VIP, false, link_id_of(0, 0)},
	};

	(void)state;
	link_set_addresses(side, list, 3);
	link_sync(side);
	run("ip addr show dev public | grep -q '192.0.2.80/32'");
	run("ip addr show dev private | grep -q '10.10.255.254/16'");
	run("! ip addr show | grep -q 192.0.2.81");
	assert_true(is_local("192.0.2.80"));
	/* Its own address stays the source, not the one that moves. */
	assert_ip(route_to("10.10.7.7")->source, "10.10.0.2");
	/* Taken away by hand: put back. */
	run("ip addr del 192.0.2.80/32 dev public");
	assert_true(WITHIN(2, run_ok("ip addr show dev public | grep -q 192.0.2.80/32")));
	list[0].active = false;
	list[2].active = true;
	link_set_addresses(side, list, 3);
	link_sync(side);
	run("! ip addr show | grep -q 192.0.2.80");
	run("ip addr show dev public | grep -q 192.0.2.81/32");
	assert_false(is_local("192.0.2.80"));
	link_set_addresses(side, NULL, 0);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.81|10.10.255.254'");
	run("ip addr show dev private | grep -q 10.10.0.2/16");
}

static void addresses_leave_as_a_group_when_the_peer_takes_over_and_come_back(void **state)
{
	const struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
		{ip("10.10.255.254"), bits(16), LINK_ADDRESS_GATEWAY, true, link_id_of(1, 0)},
	};

	(void)state;
	link_set_addresses(side, list, 2);
	link_set_active(side, false);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.80|10.10.255.254'");
	run("ip addr show dev private | grep -q 10.10.0.2/16");
	/* What control says meanwhile does not make it active. */
	link_set_addresses(side, list, 2);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.80|10.10.255.254'");
	link_set_active(side, true);
	link_sync(side);
	run("ip addr show dev public | grep -q '192.0.2.80/32'");
	run("ip addr show dev private | grep -q '10.10.255.254/16'");
}

static void ten_thousand_vips_are_set_while_pings_go_on(void **state)
{
	enum { N = 10000 };
	struct link_address *list = calloc(N, sizeof(*list));
	double start = now_s();

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	for (uint32_t i = 0; i < N; i++)
		list[i] = (struct link_address){addr_from_v4(be32_from(0x0b000000U + i)), 32,
						LINK_ADDRESS_VIP, true, link_id_of(0, 0)};
	assert_int_equal(link_set_addresses(side, list, N), 0);
	run("ping -q -c 20 -i 0.02 -w 5 192.0.2.1 >/dev/null");
	assert_true(WITHIN(30, fib4_find_local(published.fib->v4, list[N - 1].addr.v4)));
	link_sync(side);
	for (uint32_t i = 0; i < N; i++)
		assert_non_null(fib4_find_local(published.fib->v4, list[i].addr.v4));
	print_message("10000 VIPs in %.2f s, %lu fibs\n", now_s() - start,
		      link_counters(side)->fibs_published);
	free(list);
}

static void an_urgent_frame_passes_a_tap_that_is_full(void **state)
{
	enum { BULK = 4000, URGENT = 20 }; /* a TAP's queue holds 1000 */
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = ip("192.0.2.1").v4};
	int bulk = socket(AF_INET, SOCK_DGRAM, 0), urgent = socket(AF_INET, SOCK_DGRAM, 0);
	int priority = 7;

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	run("ping -q -c 1 -w 20 192.0.2.1 >/dev/null"); /* the neighbour is known */
	assert_int_equal(setsockopt(urgent, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)),
			 0);
	bulk_seen = urgent_seen = 0;
	/* The link thread reads nothing meanwhile. */
	__atomic_store_n(&callback_hold, 1, __ATOMIC_RELEASE);
	run("ip link set public mtu 1450");
	assert_true(WITHIN(5, mtu_asked == 1450));
	for (unsigned int i = 0; i < BULK; i++)
		(void)!sendto(bulk, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	for (unsigned int i = 0; i < URGENT; i++)
		(void)!sendto(urgent, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	__atomic_store_n(&callback_hold, 0, __ATOMIC_RELEASE);
	assert_true(WITHIN(10, __atomic_load_n(&urgent_seen, __ATOMIC_RELAXED) == URGENT));
	assert_true(WITHIN(10, __atomic_load_n(&bulk_seen, __ATOMIC_RELAXED) > 0));
	assert_true(bulk_seen < BULK); /* it was full indeed */
	close(bulk);
	close(urgent);
}

static void a_tap_that_exists_is_left_as_it_is_but_for_left_over_vips(void **state)
{
	struct link_config c = config_make();
	struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, false, LINK_ANY},
		{ip("192.0.2.82"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
	};
	const struct addr marked = ip("192.0.2.99");
	struct nlreq req;
	struct nl_link k;

	(void)state;
	side_end();
	/* As a crash leaves it: a VIP of the configuration, and one that only the mark tells. */
	run("ip tuntap add mode tap name public && ip link set public up && "
	    "ip addr add 198.51.100.7/24 dev public && ip addr add 192.0.2.80/32 dev public && "
	    "true");
	/* Older "ip" cannot set the mark. */
	assert_int_equal(nlreq_open(&req), 0);
	assert_int_equal(nlreq_link_get(&req, "public", &k), 0);
	assert_int_equal(nlreq_addr_add(&req, k.ifindex, &marked, bits(32), 0x70), 0);
	nlreq_close(&req);
	c.addresses = list;
	c.n_addresses = 2;
	side_start(&c);
	run("ip addr show dev public | grep -q 198.51.100.7/24");
	run("! ip addr show dev public | grep -qE '192.0.2.10/|192.0.2.80|192.0.2.99'");
	run("ip addr show dev public | grep -q 192.0.2.82/32");
	run("ip link show public | grep -q LOWER_UP");
	side_end();
	run("ip addr show dev public | grep -q 198.51.100.7/24");
	run("! ip addr show dev public | grep -q 192.0.2.82");
	run("! ip link show private 2>/dev/null");
	run("ip link del public");
}

static void a_tap_that_disappears_comes_back_with_what_was_configured(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);
	struct link_address vip = {ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, 0};

	(void)state;
	link_set_addresses(side, &vip, 1);
	want(LINK_ANY, "192.0.2.1");
	assert_true(WITHIN(3, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	run("ip link del public");
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_lost == 1));
	assert_true(
		WITHIN(4, run_ok("ip addr show dev public 2>/dev/null | grep -q 192.0.2.80/32")));
	run("{ ip route; ip -6 route; } | grep -q 'default via 192.0.2.1'");
	run("ping -q -c 2 -i 0.05 -W 2 192.0.2.1 >/dev/null");
	assert_true(WITHIN(4, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	assert_int_equal(link_port_counters(side, 0)->tap_lost, 1);
}

static void an_mtu_goes_to_the_port_or_is_set_back(void **state)
{
	(void)state;
	run("ip link set public mtu 1400");
	assert_true(WITHIN(2, mtu_asked == 1400));
	link_sync(side);
	assert_int_equal(route_to("8.8.8.8")->mtu, 1400);
	mtu_answer = EINVAL;
	run("ip link set public mtu 9000");
	assert_true(WITHIN(2, mtu_asked == 9000));
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q 'mtu 1400'")));
	run("ip link set public address 02:00:00:00:00:99");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q 02:00:00:00:00:01")));
}

static void lost_events_are_made_up_by_reading_everything(void **state)
{
	enum { N = 60000 };
	char path[64], command[128], text[256];
	FILE *batch;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/plvs-link-test.%d", getpid());
	batch = fopen(path, "w");
	assert_non_null(batch);
	for (unsigned int i = 0; i < N; i++) {
		snprintf(command, sizeof(command), "route add 20.%u.%u.%u/32 via 192.0.2.1\n",
			 i >> 16 & 255, i >> 8 & 255, i & 255);
		fputs(of_family(command, text, sizeof(text)), batch);
	}
	fclose(batch);
	__atomic_store_n(&callback_hold, 1, __ATOMIC_RELEASE);
	run("ip link set public mtu 1450");
	assert_true(WITHIN(2, mtu_asked == 1450));
	snprintf(command, sizeof(command), "ip -batch %s", path);
	run(command);
	unlink(path);
	__atomic_store_n(&callback_hold, 0, __ATOMIC_RELEASE);
	assert_true(WITHIN(20, link_counters(side)->netlink_overruns > 0));
	link_sync(side);
	assert_int_equal(route_to("20.0.234.95")->dest.len, bits(32));
	assert_int_equal(route_to("20.0.0.0")->dest.len, bits(32));
	assert_true(link_counters(side)->routes >= N);
	/* And it follows from there. */
	run("ip route del 20.0.0.0/32");
	assert_int_equal(route_to("20.0.0.0")->dest.len, bits(0));
}

static void carrier_follows_the_interface_under_the_port(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	run("ip link add wire0 type veth peer name wire1 && ip link set wire0 up");
	strcpy(c.ports[0].kernel_if, "wire0");
	side_start(&c);
	run("ip link show public | grep -q NO-CARRIER");
	carrier_edges = 0;
	run("ip link set wire1 up");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q LOWER_UP")));
	link_set_carrier(side, 0, false); /* not for this port */
	link_set_carrier(side, 1, false);
	link_sync(side);
	run("ip link show public | grep -q LOWER_UP");
	run("ip link show private | grep -q NO-CARRIER");
	run("ip link del wire0");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q NO-CARRIER")));
	assert_int_equal(carrier_edges, 3);
}

/* No interrupt, no word to the eventfd: the device alone says that its link went. */
static void a_link_that_goes_without_a_word_is_seen_within_a_second(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	link_is_up = true;
	c.callbacks.port_up = port_up;
	side_start(&c);
	run("ip link show public | grep -q LOWER_UP");
	__atomic_store_n(&link_is_up, false, __ATOMIC_RELEASE);
	assert_true(WITHIN(1, run_ok("ip link show public | grep -q NO-CARRIER")));
	__atomic_store_n(&link_is_up, true, __ATOMIC_RELEASE);
	assert_true(WITHIN(1, run_ok("ip link show public | grep -q LOWER_UP")));
}

static void the_port_is_told_of_vlans_of_the_configuration_before_it_starts(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	memset(vlan_there, 0, sizeof(vlan_there));
	side_start(&c);
	/* link_start() has returned: ports start now. */
	assert_true(vlan_is(1, 10, true));
	assert_true(vlan_is(0, 10, false));
}

static void *hold_namespace(void *arg)
{
	if (unshare(CLONE_NEWNET) < 0)
		abort();
	__atomic_store_n((int *)arg, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void taps_live_in_the_namespace_that_is_named(void **state)
{
	struct link_config c = config_make();
	char command[512];
	pthread_t holder;
	int tid = 0;

	(void)state;
	side_end();
	assert_int_equal(pthread_create(&holder, NULL, hold_namespace, &tid), 0);
	assert_true(WITHIN(2, __atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0));
	snprintf(c.netns, sizeof(c.netns), "/proc/%d/task/%d/ns/net", getpid(), tid);
	side_start(&c);
	host_add("192.0.2.1", 1, 0, 0, true);
	run("! ip link show public 2>/dev/null");
	snprintf(command, sizeof(command),
		 "nsenter --net=%s sh -c 'ip addr show dev public | grep -q 192.0.2.10/24 && "
		 "grep -qx 1 /proc/sys/net/ipv4/ip_forward && "
		 "ping -q -c 1 -W 2 192.0.2.1 >/dev/null'",
		 c.netns);
	run(command);
	side_end();
	__atomic_store_n(&tid, 0, __ATOMIC_RELEASE);
	pthread_join(holder, NULL);
}

static void what_cannot_be_is_said_with_its_name(void **state)
{
	struct link_config c = config_make();
	char error[LINK_ERROR_LEN] = "";
	struct link *l;

	(void)state;
	side_end();
	strcpy(c.netns, "no-such-namespace");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), 0);
	assert_int_equal(link_start(l, error), -ENOENT);
	assert_non_null(strstr(error, "no-such-namespace"));
	assert_int_equal(link_sync(l), -ESHUTDOWN);
	link_destroy(l);
	c = config_make();
	run("ip link add public type veth peer name other");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), 0);
	assert_true(link_start(l, error) < 0);
	assert_non_null(strstr(error, "TAP public"));
	link_destroy(l);
	run("ip link del public");
	strcpy(c.ports[1].tap, "public");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
	strcpy(c.ports[1].tap, "eleven-long");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
	c = config_make();
	strcpy(c.ports[0].tap, "../x");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
}

static void frames_for_a_tap_that_is_down_or_no_port_are_counted(void **state)
{
	const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	(void)state;
	run("ip link set public down");
	to_linux(0, PUNT_TRANSIT, frame, sizeof(frame));
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_down == 1));
	run("ip link set public up");
	to_linux(0, PUNT_TRANSIT, frame, 10);
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_error == 1));
	struct rte_mbuf *m = rte_pktmbuf_alloc(exchange.pool[0]);
	assert_non_null(rte_pktmbuf_append(m, 60));
	m->port = 9;
	rte_ring_sp_enqueue(exchange.worker[0].punt[PUNT_ARP], m);
	to_linux(0, PUNT_TRANSIT, frame, sizeof(frame));
	assert_true(WITHIN(2, link_counters(side)->unknown_port == 1));
}

static void listings_show_what_there_is(void **state)
{
	struct link_nexthop *hops;
	struct link_neighbour *neighbours;
	const struct addr gateway = ip("192.0.2.1");
	struct link_fib_route *routes;
	uint32_t n;
	bool found = false;

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	want(LINK_ANY, "8.8.8.8");
	assert_true(WITHIN(3, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, NULL)));
	assert_int_equal(link_list_nexthops(side, &hops, &n), 0);
	assert_int_equal(n, 1);
	assert_true(hops[0].wanted);
	assert_ip(hops[0].nh.addr, "192.0.2.1");
	free(hops);
	assert_int_equal(link_list_neighbours(side, &neighbours, &n), 0);
	for (uint32_t i = 0; i < n; i++)
		found |= addr_equal(&neighbours[i].addr, &gateway) && neighbours[i].managed;
	assert_true(found);
	free(neighbours);
	assert_int_equal(link_list_routes(side, &routes, &n), 0);
	assert_true(n >= 4);
	free(routes);
}

/* --- Start ---------------------------------------------------------------------------------- */

static void rings_make(void)
{
	struct worker_exchange *x = &exchange.worker[0];
	char name[32];

	exchange.n_workers = 1;
	exchange.link_eventfd = eventfd(0, EFD_NONBLOCK);
	for (unsigned int i = 0; i < PUNT_MAX; i++) {
		snprintf(name, sizeof(name), "punt%u", i);
		x->punt[i] =
			rte_ring_create(name, PUNT_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	}
	x->inject = rte_ring_create("inject", INJECT_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	x->inject_first =
		rte_ring_create("first", INJECT_FIRST_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	x->resolve = rte_ring_create_elem("resolve", sizeof(struct resolve_request),
					  RESOLVE_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	exchange.pool[0] = rte_pktmbuf_pool_create_by_ops(
		"frames", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0, "ring_mt_rts");
	exchange.pool[1] = exchange.pool[0];
	if (!x->inject || !x->inject_first || !x->resolve || !exchange.pool[0])
		abort();
}

static int each_start6(void **state)
{
	family = ADDR_V6;
	return each_start(state);
}

static int each_end6(void **state)
{
	const int ret = each_end(state);

	family = ADDR_V4;
	return ret;
}

#define T4(f) cmocka_unit_test_setup_teardown(f, each_start, each_end)
#define T(f)                                                                                       \
	T4(f),                                                                                     \
	{                                                                                          \
#f " (IPv6)", f, each_start6, each_end6, NULL                                      \
	}

int main(int argc, char **argv)
{
	char prefix[64];
	char *eal[] = {argv[0],
		       (char *)"--no-huge",
		       (char *)"-m",
		       (char *)"128",
		       (char *)"--no-pci",
		       (char *)"--no-shconf",
		       (char *)"--no-telemetry",
		       (char *)"--lcores",
		       (char *)"0@0",
		       prefix,
		       (char *)"--log-level=4"};
	const struct CMUnitTest tests[] = {
		T(a_ping_goes_out_of_the_tap_and_comes_back),
		T(addresses_and_routes_of_the_configuration_are_in_linux_and_in_the_fib),
		T(routes_that_come_and_go_are_followed),
		T(a_wanted_server_is_resolved_and_its_new_mac_is_taken_up),
		T(a_server_that_does_not_answer_is_failed_until_it_does),
		T(what_a_worker_asks_for_is_resolved_and_nonsense_is_not),
		T(a_vlan_interface_of_the_administrator_is_a_link),
		T(a_vlan_of_the_configuration_works_with_and_without_8021q),
		T(active_vips_are_addresses_of_the_tap_and_leave_when_they_are_not),
		T(addresses_leave_as_a_group_when_the_peer_takes_over_and_come_back),
		T4(ten_thousand_vips_are_set_while_pings_go_on),
		T4(an_urgent_frame_passes_a_tap_that_is_full),
		T(a_tap_that_exists_is_left_as_it_is_but_for_left_over_vips),
		T(a_tap_that_disappears_comes_back_with_what_was_configured),
		T(an_mtu_goes_to_the_port_or_is_set_back),
		T(lost_events_are_made_up_by_reading_everything),
		T4(carrier_follows_the_interface_under_the_port),
		T4(a_link_that_goes_without_a_word_is_seen_within_a_second),
		T4(the_port_is_told_of_vlans_of_the_configuration_before_it_starts),
		T(taps_live_in_the_namespace_that_is_named),
		T4(what_cannot_be_is_said_with_its_name),
		T4(frames_for_a_tap_that_is_down_or_no_port_are_counted),
		T(listings_show_what_there_is),
	};
	unsigned int in_use;
	int ret;

	if (unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
		fprintf(stderr, "skipped: needs CAP_NET_ADMIN and /dev/net/tun\n");
		return 77;
	}
	snprintf(prefix, sizeof(prefix), "--file-prefix=plvs-link-test-%d", getpid());
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	rings_make();
	published.grace = (struct grace){grace_start, grace_passed, NULL};
	if (nexthop_table_init(&published.nexthops, 1024) < 0)
		return 1;
	if (pthread_create(&wire, NULL, wire_main, NULL) != 0)
		return 1;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	__atomic_store_n(&wire_stop, 1, __ATOMIC_RELEASE);
	pthread_join(wire, NULL);
	/* Every frame came back to its pool. */
	for (struct rte_mbuf *m;
	     rte_ring_sc_dequeue_burst(exchange.worker[0].inject, (void **)&m, 1, NULL);)
		rte_pktmbuf_free(m);
	for (struct rte_mbuf *m;
	     rte_ring_sc_dequeue_burst(exchange.worker[0].inject_first, (void **)&m, 1, NULL);)
		rte_pktmbuf_free(m);
	for (unsigned int i = 0; i < PUNT_MAX; i++)
		for (struct rte_mbuf *m;
		     rte_ring_sc_dequeue_burst(exchange.worker[0].punt[i], (void **)&m, 1, NULL);)
			rte_pktmbuf_free(m);
	in_use = rte_mempool_in_use_count(exchange.pool[0]);
	if (in_use) {
		fprintf(stderr, "%u packet buffers leaked\n", in_use);
		ret = 1;
	}
	rte_eal_cleanup();
	return ret != 0;
}
