/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments and forwarding methods beside NAT and DR: golden packets through the stages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/bed.h"
#include "lib/harness.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "model/mark.h"
#include "sched/sched.h"

#define VIP	     "10.1.0.100"
#define CLIENT	     "192.168.1.1"
#define SERVER	     "10.10.0.1"
#define SERVER2	     "10.10.0.2"
#define LAN	     link_id_of(1, 0)
#define ETH	     14U
#define DATAGRAM_MAX 4096

static struct harness h;
static char error[256];

static const struct mac router[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};
static const struct mac station = {{2, 9, 9, 9, 9, 9}};

static int bed_setup_n(unsigned int workers)
{
	static const struct world_server nat[] = {{SERVER ":8053", 1, FWD_NAT}};
	static const struct world_server dr[] = {{SERVER2 ":54", 1, FWD_DR}};
	static const struct world_server tunnel[] = {{SERVER2 ":55", 1, FWD_TUNNEL}};
	static const struct world_server local[] = {{"192.168.1.254:80", 1, FWD_LOCAL}};
	static const char *const servers[] = {SERVER, SERVER2, NULL};
	static const char *const clients[] = {CLIENT, NULL};
	const struct sched_ops *rr = sched_find("rr");

	if (bed_open(&h, workers, 0, false) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(0, 0), clients);
	bed_neighbours(&h, link_id_of(1, 0), servers);
	world_service(&h, "udp", VIP ":53", rr, nat, 1);
	world_service(&h, "udp", VIP ":54", rr, dr, 1);
	world_service(&h, "udp", VIP ":55", rr, tunnel, 1);
	world_service(&h, "tcp", VIP ":80", rr, local, 1);
	return 0;
}

static int bed_setup(void **state)
{
	(void)state;
	return bed_setup_n(1);
}

static int bed_setup_three(void **state)
{
	(void)state;
	return bed_setup_n(3);
}

static int bed_teardown(void **state)
{
	(void)state;
	return bed_close(&h);
}

static void put_frame(unsigned int port, const uint8_t *frame, size_t len)
{
	assert_int_equal(
		harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
}

static uint64_t dropped(enum drop_reason reason)
{
	return bed_dropped(&h, reason);
}

static struct packet udp_from_client(uint16_t sport, uint16_t dport, uint16_t payload)
{
	return (struct packet){.dst = router[0],
			       .src = station,
			       .saddr = ipv4(CLIENT),
			       .daddr = ipv4(VIP),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_UDP,
			       .payload = payload};
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void header_sum(uint8_t *ip)
{
	be16 sum;

	memset(ip + 10, 0, 2);
	sum = csum_of(ip, (size_t)(ip[0] & 0xf) * 4);
	memcpy(ip + 10, &sum, 2);
}

/* A datagram put together again from the frames that a port sent. */
struct datagram {
	uint8_t frame[DATAGRAM_MAX];
	size_t len;
	unsigned int n;		    /* fragments */
	uint16_t at[32], total[32]; /* bytes; IP lengths */
	uint8_t options[32][40];    /* of each */
};

/* Takes n frames; each must have a right header and the same identity. */
static void gather(unsigned int port, unsigned int n, struct datagram *d)
{
	size_t data = 0;
	uint16_t id = 0;

	memset(d, 0, sizeof(*d));
	for (d->n = 0; d->n < n; d->n++) {
		struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
		const uint8_t *f, *ip;
		size_t ihl, len, at;

		assert_non_null(m);
		f = rte_pktmbuf_mtod(m, const uint8_t *);
		ip = f + ETH;
		ihl = (size_t)(ip[0] & 0xf) * 4;
		len = get16(ip + 2) - ihl;
		at = (get16(ip + 6) & 0x1fffU) * 8U;
		assert_int_equal(csum_fold(csum_add(0, ip, ihl)), 0xffff);
		assert_int_equal(rte_pktmbuf_pkt_len(m), ETH + get16(ip + 2));
		assert_int_equal(m->nb_segs, 1);
		if (d->n == 0)
			id = get16(ip + 4);
		assert_int_equal(get16(ip + 4), id);
		if (at == 0)
			memcpy(d->frame, f, ETH + ihl);
		if (!(ip[6] & 0x20))
			data = at + len;
		else
			assert_int_equal(len % 8, 0);
		assert_true(ETH + ihl + at + len <= sizeof(d->frame));
		memcpy(d->frame + ETH + ihl + at, ip + ihl, len);
		memcpy(d->options[d->n], ip + 20, ihl - 20);
		d->at[d->n] = (uint16_t)at;
		d->total[d->n] = get16(ip + 2);
		rte_pktmbuf_free(m);
	}
	assert_null(harness_sent(&h, (uint16_t)port));
	assert_true(data > 0);
	d->len = ETH + (size_t)(d->frame[ETH] & 0xf) * 4 + data;
	put16(d->frame + ETH + 2, (uint16_t)(d->len - ETH));
	d->frame[ETH + 6] &= 0x40;
	header_sum(d->frame + ETH);
}

static void lan_mtu(uint16_t mtu)
{
	world_link(&h, LAN, mtu);
	world_neighbour(&h, LAN, SERVER, "02:01:0a:0a:00:01");
	world_neighbour(&h, LAN, SERVER2, "02:01:0a:0a:00:02");
}

/* ---- splitting ---- */

static void a_nat_datagram_larger_than_the_mtu_leaves_in_two_fragments(void **state)
{
	struct packet p = udp_from_client(7011, 53, 1450), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	lan_mtu(1400);
	put_frame(0, frame, packet_build(&p, frame));
	gather(1, 2, &d);
	/* As recorded from Linux: 1376 bytes in the first. */
	assert_int_equal(d.at[0], 0);
	assert_int_equal(d.total[0], 20 + 1376);
	assert_int_equal(d.at[1], 1376);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(got.dport), 8053);
	assert_int_equal(got.ttl, 63);
	assert_int_equal(got.payload, 1450);
	assert_false(got.bad_ip || got.bad_l4);
	assert_int_equal(dropped(DROP_TOO_BIG), 0);
}

static void a_direct_routing_datagram_is_cut_into_as_many_as_it_takes(void **state)
{
	struct packet p = udp_from_client(7012, 54, 1472), got;
	struct worker_counters c;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	lan_mtu(68);
	put_frame(0, frame, packet_build(&p, frame));
	gather(1, 31, &d); /* 1480 bytes by 48 */
	for (unsigned int i = 0; i < d.n; i++)
		assert_int_equal(d.at[i], i * 48);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.daddr, ipv4(VIP));
	assert_int_equal(got.payload, 1472);
	assert_false(got.bad_ip || got.bad_l4);
	dataplane_worker_counters(h.dp, &c);
	assert_int_equal(c.generated, 30);
	assert_int_equal(c.sent, 31);
}

static void only_options_marked_so_are_copied_into_later_fragments(void **state)
{
	/* Record route (not copied) of 7 bytes, router alert (copied), end. */
	static const uint8_t options[12] = {7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0, 0};
	static const uint8_t later[12] = {1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0, 0};
	struct packet p = udp_from_client(7013, 53, 1400), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;
	size_t len;

	(void)state;
	lan_mtu(1000);
	len = packet_build(&p, frame);
	memmove(frame + ETH + 32, frame + ETH + 20, len - ETH - 20);
	memcpy(frame + ETH + 20, options, sizeof(options));
	frame[ETH] = 0x48;
	put16(frame + ETH + 2, (uint16_t)(len - ETH + 12));
	header_sum(frame + ETH);
	put_frame(0, frame, len + 12);
	gather(1, 2, &d);
	assert_int_equal(d.at[1], 968); /* 1000 - 32 */
	assert_memory_equal(d.options[0], options, 12);
	assert_memory_equal(d.options[1], later, 12);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1400);
	assert_false(got.bad_ip || got.bad_l4);
}

static void replies_are_split_towards_clients_too(void **state)
{
	struct packet p = udp_from_client(7014, 53, 10), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	put_frame(0, frame, packet_build(&p, frame));
	gather(1, 1, &d);
	world_link(&h, link_id_of(0, 0), 600);
	world_neighbour(&h, link_id_of(0, 0), CLIENT, "02:01:c0:a8:01:01");
	p = (struct packet){.dst = router[1],
			    .src = station,
			    .saddr = ipv4(SERVER),
			    .daddr = ipv4(CLIENT),
			    .sport = be16_from(8053),
			    .dport = be16_from(7014),
			    .proto = IPPROTO_UDP,
			    .payload = 1200};
	put_frame(1, frame, packet_build(&p, frame));
	gather(0, 3, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.saddr, ipv4(VIP));
	assert_int_equal(got.payload, 1200);
	assert_false(got.bad_ip || got.bad_l4);
}

static void a_chained_buffer_is_split_as_well(void **state)
{
	struct packet p = udp_from_client(7015, 53, 1450), got;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m, *tail;
	struct datagram d;
	size_t len;

	(void)state;
	lan_mtu(600);
	len = packet_build(&p, frame);
	m = harness_frame(&h, frame, 100);
	tail = harness_frame(&h, frame + 100, (uint16_t)(len - 100));
	assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
	assert_int_equal(harness_receive(&h, 0, 0, m), 0);
	harness_run(&h);
	m = harness_sent(&h, 0);
	assert_null(m);
	/* The first keeps its segments: made one here. */
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, ETH + 20 + 576);
	assert_int_equal(rte_pktmbuf_linearize(m), 0);
	memcpy(d.frame, rte_pktmbuf_mtod(m, void *), m->pkt_len);
	rte_pktmbuf_free(m);
	{
		uint8_t head[ETH + 20 + 576];

		memcpy(head, d.frame, sizeof(head));
		for (unsigned int i = 1; i < 3; i++) {
			m = harness_sent(&h, 1);
			assert_non_null(m);
			len = m->pkt_len - ETH - 20;
			memcpy(d.frame + ETH + 20 + i * 576U,
			       rte_pktmbuf_mtod_offset(m, uint8_t *, ETH + 20), len);
			rte_pktmbuf_free(m);
		}
		memcpy(d.frame, head, sizeof(head));
	}
	d.len = ETH + 20 + 1152 + len;
	put16(d.frame + ETH + 2, (uint16_t)(d.len - ETH));
	d.frame[ETH + 6] = 0;
	header_sum(d.frame + ETH);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1450);
	assert_false(got.bad_ip || got.bad_l4);
}

/* ---- tunnel ---- */

/* The IP packet inside, as a frame of its own. */
static size_t unwrap(const uint8_t *frame, size_t len, uint8_t *inner)
{
	assert_true(len > ETH + 40);
	memcpy(inner, frame, ETH);
	memcpy(inner + ETH, frame + ETH + 20, len - ETH - 20);
	return len - 20;
}

static void a_tunnel_wraps_the_packet_and_copies_ttl_tos_and_df(void **state)
{
	struct packet p = udp_from_client(7101, 55, 100), got;
	uint8_t frame[FRAME_MAX], inner[FRAME_MAX];
	uint16_t id = 0;

	(void)state;
	for (unsigned int df = 0; df < 2; df++) {
		struct rte_mbuf *m;
		const uint8_t *f, *ip;
		size_t len;

		p.df = (uint8_t)df;
		p.ttl = 33;
		len = packet_build(&p, frame);
		frame[ETH + 1] = 0xb8;
		header_sum(frame + ETH);
		put_frame(0, frame, len);
		m = harness_sent(&h, 1);
		assert_non_null(m);
		f = rte_pktmbuf_mtod(m, const uint8_t *);
		ip = f + ETH;
		assert_memory_equal(f, "\x02\x01\x0a\x0a\x00\x02", 6);
		assert_memory_equal(f + 6, &router[1], 6);
		assert_int_equal(rte_pktmbuf_pkt_len(m), len + 20);
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(ip[1], 0xb8);
		assert_int_equal(get16(ip + 2), 20 + 20 + 8 + 100);
		assert_int_equal(get16(ip + 6), df ? 0x4000 : 0);
		assert_int_equal(ip[8], 32);
		assert_int_equal(ip[9], IPPROTO_IPIP);
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_memory_equal(ip + 12, "\x0a\x0a\xff\xfe", 4);
		assert_memory_equal(ip + 16, "\x0a\x0a\x00\x02", 4);
		assert_int_equal(
			packet_describe(inner, unwrap(f, rte_pktmbuf_pkt_len(m), inner), &got), 0);
		assert_int_equal(got.daddr, ipv4(VIP));
		assert_int_equal(got.saddr, ipv4(CLIENT));
		assert_int_equal(be16_to(got.dport), 55);
		assert_int_equal(got.ttl, 32);
		assert_int_equal(got.df, df);
		assert_false(got.bad_ip || got.bad_l4);
		if (df)
			assert_int_not_equal(get16(ip + 4), id);
		id = get16(ip + 4);
		rte_pktmbuf_free(m);
	}
}

static void the_tunnels_header_is_taken_off_the_mtu_that_is_told(void **state)
{
	struct packet p = udp_from_client(7102, 55, 1452); /* 1480: just fits */
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;
	const uint8_t *ip;

	(void)state;
	p.df = 1;
	put_frame(0, frame, packet_build(&p, frame));
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_pkt_len(m), ETH + 1500);
	rte_pktmbuf_free(m);
	p.payload++;
	put_frame(0, frame, packet_build(&p, frame));
	assert_null(harness_sent(&h, 1));
	m = harness_sent(&h, 0);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, const uint8_t *) + ETH;
	assert_int_equal(get16(ip + 20), 3 << 8 | 4);
	assert_int_equal(get16(ip + 26), 1480);
	assert_memory_equal(ip + 12, "\x0a\x01\x00\x64", 4);
	rte_pktmbuf_free(m);
	assert_int_equal(dropped(DROP_TOO_BIG), 1);
}

static void what_does_not_fit_a_tunnel_leaves_as_fragments_of_the_outer_packet(void **state)
{
	struct packet p = udp_from_client(7103, 55, 1472), got;
	uint8_t frame[FRAME_MAX], inner[DATAGRAM_MAX];
	struct datagram d;

	(void)state;
	put_frame(0, frame, packet_build(&p, frame));
	gather(1, 2, &d);
	assert_int_equal(d.frame[ETH + 9], IPPROTO_IPIP);
	assert_int_equal(packet_describe(inner, unwrap(d.frame, d.len, inner), &got), 0);
	assert_int_equal(got.payload, 1472);
	assert_false(got.bad_ip || got.bad_l4);
}

static void a_tunnel_answers_a_spent_ttl(void **state)
{
	struct packet p = udp_from_client(7104, 55, 10), got;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;

	(void)state;
	p.ttl = 1;
	put_frame(0, frame, packet_build(&p, frame));
	assert_null(harness_sent(&h, 1));
	m = harness_sent(&h, 0);
	assert_non_null(m);
	assert_int_equal(packet_describe(rte_pktmbuf_mtod(m, uint8_t *), m->pkt_len, &got), 0);
	assert_int_equal(got.sport, 11 << 8);
	rte_pktmbuf_free(m);
}

/* ---- local ---- */

static void a_local_servers_packets_go_to_linux_as_they_came(void **state)
{
	struct packet p = udp_from_client(7201, 80, 0);
	struct server_rt *rt;
	enum punt_class class;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;
	size_t len;

	(void)state;
	p.proto = IPPROTO_TCP;
	p.tcp_flags = TCP_SYN;
	p.ttl = 1; /* it has arrived */
	len = packet_build(&p, frame);
	put_frame(0, frame, len);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_OWN);
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), frame, len);
	rte_pktmbuf_free(m);
	rt = world_server(&h, "tcp", VIP ":80", "192.168.1.254:80");
	assert_non_null(rt);
	assert_int_equal(counts_active(rt->counts), 1);
	p.tcp_flags = TCP_ACK;
	put_frame(0, frame, packet_build(&p, frame));
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	p.tcp_flags = TCP_RST;
	put_frame(0, frame, packet_build(&p, frame));
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	assert_null(harness_sent(&h, 0));
	assert_null(harness_sent(&h, 1));
	assert_int_equal(counts_active(rt->counts), 0);
	assert_int_equal(counts_inactive(rt->counts), 1);
}

/* ---- following ---- */

#define PIECE 480U

/* Fragment i of a datagram cut every `piece` bytes, as a frame; 0: there is none. */
static size_t cut(const uint8_t *frame, size_t len, uint16_t id, unsigned int i, size_t piece,
		  uint8_t *out)
{
	size_t data = len - ETH - 20, at = i * piece, n;
	bool last;

	if (at >= data)
		return 0;
	last = at + piece >= data;
	n = last ? data - at : piece;
	memcpy(out, frame, ETH + 20);
	memcpy(out + ETH + 20, frame + ETH + 20 + at, n);
	put16(out + ETH + 2, (uint16_t)(20 + n));
	put16(out + ETH + 4, id);
	put16(out + ETH + 6, (uint16_t)((last ? 0 : 0x2000) | at / 8));
	header_sum(out + ETH);
	return ETH + 20 + n;
}

/* Sends fragments in the order given, three of them. */
static void put_cut(unsigned int port, const struct packet *p, uint16_t id, const char *order)
{
	uint8_t frame[FRAME_MAX], piece[FRAME_MAX];
	size_t len = packet_build(p, frame);

	for (; *order; order++) {
		size_t n = cut(frame, len, id, (unsigned int)(*order - '0'), PIECE, piece);

		assert_true(n > 0);
		put_frame(port, piece, n);
	}
}

static uint64_t parked(void)
{
	struct worker_counters c;

	dataplane_worker_counters(h.dp, &c);
	return c.parked;
}

static const char *const orders[] = {"012", "021", "102", "120", "201", "210"};

static void expect_nat(unsigned int n, const struct packet *sent, bool in)
{
	struct packet got;
	struct datagram d;

	gather(in ? 1 : 0, n, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, sent->payload);
	assert_int_equal(got.daddr, in ? ipv4(SERVER) : sent->daddr);
	assert_int_equal(got.saddr, in ? sent->saddr : ipv4(VIP));
	assert_int_equal(be16_to(in ? got.dport : got.sport), in ? 8053 : 53);
	assert_int_equal(got.ttl, 63);
	assert_false(got.bad_ip || got.bad_l4);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(d.at[i] % PIECE, 0);
}

static void fragments_follow_their_first_in_any_order_by_nat_both_ways(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 6; i++) {
		for (uint16_t k = 0; k < 8; k++) { /* owners and homes of all kinds */
			struct packet p = udp_from_client((uint16_t)(2000 + i * 8 + k), 53, 1400);

			put_cut(0, &p, (uint16_t)(i * 8 + k), orders[i]);
			expect_nat(3, &p, true);
			p = (struct packet){.dst = router[1],
					    .src = station,
					    .saddr = ipv4(SERVER),
					    .daddr = ipv4(CLIENT),
					    .sport = be16_from(8053),
					    .dport = p.sport,
					    .proto = IPPROTO_UDP,
					    .payload = 1300};
			put_cut(1, &p, (uint16_t)(i * 8 + k), orders[5 - i]);
			expect_nat(3, &p, false);
		}
	}
	assert_int_equal(parked(), 0);
	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		assert_int_equal(h.dp->workers[i]->v4.follow->n, 0); /* all complete: forgotten */
}

static void fragments_follow_by_direct_routing_and_are_split_again(void **state)
{
	struct packet p = udp_from_client(2100, 54, 1400), got;
	struct datagram d;

	(void)state;
	lan_mtu(268); /* 248 bytes of data each: 480 = 248 + 232 */
	put_cut(0, &p, 9, "201");
	gather(1, 6, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1400);
	assert_int_equal(got.daddr, ipv4(VIP));
	assert_false(got.bad_ip || got.bad_l4);
}

/* All go to one server, whichever that is. */
static void expect_together(const struct packet *sent)
{
	struct packet got;
	struct datagram d;

	gather(1, 3, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, sent->payload);
	assert_int_equal(got.saddr, sent->saddr);
	assert_int_equal(be16_to(got.dport), 8057);
	assert_false(got.bad_ip || got.bad_l4);
}

static const struct world_server both[] = {{SERVER ":8057", 1, FWD_NAT},
					   {SERVER2 ":8057", 1, FWD_NAT}};

static void in_all_orders(uint16_t dport)
{
	for (uint16_t i = 0; i < 6; i++) {
		for (uint16_t k = 0; k < 20; k++) { /* owners and homes of all kinds */
			struct packet p =
				udp_from_client((uint16_t)(2000 + i * 20 + k), dport, 1400);

			p.saddr = be32_from(be32_to(p.saddr) + k);
			put_cut(0, &p, (uint16_t)(i * 20 + k), orders[i]);
			expect_together(&p);
		}
	}
	assert_int_equal(parked(), 0);
	assert_int_equal(dropped(DROP_FRAGMENT), 0);
}

static void fragments_follow_by_one_packet_scheduling(void **state)
{
	const struct world_policy once = {.one_packet = true};

	(void)state;
	world_policy(&h, &once);
	world_service(&h, "udp", VIP ":57", sched_find("rr"), both, 2);
	in_all_orders(57);
}

static void fragments_follow_what_asks_the_home_of_a_template(void **state)
{
	const struct world_policy persistent = {.persist_s = 300};
	const struct world_policy once = {.persist_s = 300, .one_packet = true};

	(void)state;
	world_policy(&h, &persistent);
	world_service(&h, "udp", VIP ":57", sched_find("rr"), both, 2);
	in_all_orders(57);
	world_policy(&h, &once);
	world_service(&h, "udp", VIP ":58", sched_find("rr"), both, 2);
	in_all_orders(58);
}

static void fragments_to_a_marked_network_follow(void **state)
{
	static const struct world_server dr[] = {{SERVER2 ":0", 1, FWD_DR}};
	struct mark_rule rule = {.link = LINK_ANY, .mark = 9, .proto = IPPROTO_UDP};
	struct packet p = udp_from_client(2400, 99, 1400), got;
	enum punt_class class;
	struct datagram d;

	(void)state;
	rule.dest = (struct mark_prefix){.addr = addr_from_v4(ipv4("172.20.0.0")), .len = 16};
	assert_int_equal(world_service(&h, "mark", "9", NULL, dr, 1), 0);
	assert_int_equal(world_marks(&h, &rule, 1), 0);
	p.daddr = ipv4("172.20.1.1");
	for (uint16_t i = 0; i < 6; i++) {
		put_cut(0, &p, i, orders[i]);
		gather(1, 3, &d);
		assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
		assert_int_equal(got.daddr, p.daddr);
		assert_int_equal(got.payload, 1400);
	}
	assert_null(harness_punted(&h, &class));
}

static struct packet tcp_from_client(uint16_t sport, uint8_t flags, uint16_t payload)
{
	struct packet p = udp_from_client(sport, 57, payload);

	p.proto = IPPROTO_TCP;
	p.tcp_flags = flags;
	p.seq = 100;
	p.ack = 500;
	return p;
}

static void is_reset(unsigned int port, bool whole)
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
	struct packet got;

	assert_non_null(m);
	assert_int_equal(packet_describe(rte_pktmbuf_mtod(m, uint8_t *), m->pkt_len, &got), 0);
	assert_int_equal(got.proto, IPPROTO_TCP);
	assert_true(got.tcp_flags & TCP_RST);
	assert_int_equal(got.payload, 0);
	assert_false(got.bad_ip || got.bad_l4);
	if (whole)
		assert_int_equal(get16(rte_pktmbuf_mtod(m, uint8_t *) + ETH + 6) & 0x3fff, 0);
	rte_pktmbuf_free(m);
}

static void fragments_to_and_from_a_removed_server_are_reset(void **state)
{
	const struct world_policy reset = {.gone = GONE_RESET};

	(void)state;
	world_policy(&h, &reset);
	for (uint16_t sport = 3000; sport < 3002; sport++) {
		struct packet p = tcp_from_client(sport, TCP_SYN, 0);
		uint8_t frame[FRAME_MAX];

		world_service(&h, "tcp", VIP ":57", NULL, both, 2);
		put_frame(0, frame, packet_build(&p, frame));
		rte_pktmbuf_free(harness_sent(&h, 1));
		world_service(&h, "tcp", VIP ":57", NULL, both + 1, 1);
		if (sport == 3000) {
			p = tcp_from_client(sport, TCP_ACK, 1300);
			put_cut(0, &p, 7, "012");
			is_reset(0, true);
			assert_int_equal(dropped(DROP_SERVER_GONE), 1);
			assert_int_equal(dropped(DROP_FRAGMENT), 2);
		} else {
			p = (struct packet){.dst = router[1],
					    .src = station,
					    .saddr = ipv4(SERVER),
					    .daddr = ipv4(CLIENT),
					    .sport = be16_from(8057),
					    .dport = be16_from(sport),
					    .proto = IPPROTO_TCP,
					    .tcp_flags = TCP_ACK,
					    .payload = 1300};
			put_cut(1, &p, 8, "012");
			is_reset(1, true);
			is_reset(0, true);
			assert_int_equal(dropped(DROP_SERVER_GONE), 3);
		}
		assert_null(harness_sent(&h, 0));
		assert_null(harness_sent(&h, 1));
	}
}

static void fragments_without_a_first_wait_and_go_by_time_out(void **state)
{
	struct packet p = udp_from_client(2200, 53, 1400);
	struct rte_mbuf *m;

	(void)state;
	put_cut(0, &p, 10, "21");
	assert_int_equal(parked(), 2);
	assert_true(harness_doors_add_up(&h, error));
	harness_advance_ms(&h, 4000);
	assert_int_equal(parked(), 0);
	assert_int_equal(dropped(DROP_FRAGMENT), 2);
	/* Too late: it is a datagram of its own. */
	put_cut(0, &p, 10, "0");
	m = harness_sent(&h, 1);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void overlapping_and_tiny_fragments_are_dropped_and_counted(void **state)
{
	struct packet p = udp_from_client(2300, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	size_t len, n;

	(void)state;
	put_cut(0, &p, 11, "0");
	rte_pktmbuf_free(harness_sent(&h, 1));
	put_cut(0, &p, 11, "0"); /* twice */
	assert_int_equal(dropped(DROP_FRAGMENT_BAD), 1);
	len = packet_build(&p, frame);
	n = cut(frame, len, 11, 1, PIECE, f);
	put16(f + ETH + 6, 0x2000 | (PIECE / 8 - 1)); /* reaches back into the first */
	header_sum(f + ETH);
	put_frame(0, f, n);
	assert_int_equal(dropped(DROP_FRAGMENT_BAD), 2);
	/* At offset 8: it would rewrite a TCP header's flags. */
	n = cut(frame, len, 12, 1, 8, f);
	put_frame(0, f, n);
	assert_int_equal(dropped(DROP_FRAGMENT_BAD), 3);
	/* Beyond 65535. */
	n = cut(frame, len, 13, 1, PIECE, f);
	put16(f + ETH + 6, 0x2000 | 0x1fff);
	header_sum(f + ETH);
	put_frame(0, f, n);
	assert_int_equal(dropped(DROP_FRAGMENT_BAD), 4);
	/* A first fragment with half a TCP header. */
	p.proto = IPPROTO_TCP;
	p.tcp_flags = TCP_SYN;
	len = packet_build(&p, frame);
	n = cut(frame, len, 14, 0, 16, f);
	put_frame(0, f, n);
	assert_int_equal(dropped(DROP_FRAGMENT_BAD), 5);
	assert_null(harness_sent(&h, 1));
	assert_int_equal(parked(), 0);
}

static void floods_of_fragments_stay_within_their_bounds(void **state)
{
	struct packet p = udp_from_client(2400, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	size_t len = packet_build(&p, frame), n;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) { /* one source */
		n = cut(frame, len, (uint16_t)i, 1, PIECE, f);
		put_frame(0, f, n);
	}
	assert_in_range(parked(), 1, FOLLOW_WAIT_MAX);
	for (unsigned int i = 0; i < 10000; i++) { /* many */
		n = cut(frame, len, (uint16_t)i, 1, PIECE, f);
		put16(f + ETH + 14, (uint16_t)(i * 7919));
		header_sum(f + ETH);
		put_frame(0, f, n);
		if (i % 500 == 0)
			harness_advance_ms(&h, 63);
	}
	assert_in_range(parked(), 1, FOLLOW_WAITING);
	assert_true(harness_doors_add_up(&h, error));
	assert_true(dropped(DROP_FRAGMENT_FULL) > 1000);
	harness_advance_ms(&h, 5000);
	assert_int_equal(parked(), 0);
	assert_int_equal(h.dp->workers[0]->v4.follow->n, 0);
	for (unsigned int i = 0; i < FOLLOW_SOURCES; i++)
		assert_int_equal(h.dp->workers[0]->v4.follow->datagrams[i], 0);
	put_cut(0, &p, 15, "102");
	expect_nat(3, &p, true);
}

/* 1,600 a second, from ever new sources: all places to wait are taken for good. */
static void in_a_flood_a_datagram_out_of_order_has_room(void **state)
{
	struct packet flood = udp_from_client(2401, 53, 1400), p = udp_from_client(2402, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	const size_t len = packet_build(&flood, frame);
	uint16_t i = 0;

	(void)state;
	for (unsigned int tick = 0; tick < 24; tick++) {
		for (unsigned int k = 0; k < 100; k++, i++) {
			const size_t n = cut(frame, len, i, 1, PIECE, f);

			put16(f + ETH + 14, (uint16_t)(i * 7919));
			header_sum(f + ETH);
			put_frame(0, f, n);
		}
		if (tick > 4)
			assert_int_equal(parked(), FOLLOW_WAITING);
		put_cut(0, &p, (uint16_t)(60000 + tick), "210");
		expect_nat(3, &p, true);
		harness_advance_ms(&h, 63);
	}
	assert_int_equal(dropped(DROP_FRAGMENT_FULL), 0);
	assert_true(dropped(DROP_FRAGMENT) > 1000);
	assert_true(harness_doors_add_up(&h, error));
}

static void fragments_that_no_service_claims_all_go_to_linux(void **state)
{
	struct packet p = udp_from_client(2500, 99, 1400);
	enum punt_class class;

	(void)state;
	put_cut(0, &p, 16, "210");
	for (unsigned int i = 0; i < 3; i++) {
		struct rte_mbuf *m = harness_punted(&h, &class);

		assert_non_null(m);
		assert_int_equal(class, PUNT_OWN);
		rte_pktmbuf_free(m);
	}
	assert_null(harness_punted(&h, &class));
}

#define GOLDEN(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(a_nat_datagram_larger_than_the_mtu_leaves_in_two_fragments),
		GOLDEN(a_direct_routing_datagram_is_cut_into_as_many_as_it_takes),
		GOLDEN(only_options_marked_so_are_copied_into_later_fragments),
		GOLDEN(replies_are_split_towards_clients_too),
		GOLDEN(a_chained_buffer_is_split_as_well),
		GOLDEN(fragments_follow_their_first_in_any_order_by_nat_both_ways),
		cmocka_unit_test_setup_teardown(
			fragments_follow_their_first_in_any_order_by_nat_both_ways, bed_setup_three,
			bed_teardown),
		GOLDEN(fragments_follow_by_direct_routing_and_are_split_again),
		cmocka_unit_test_setup_teardown(fragments_follow_by_one_packet_scheduling,
						bed_setup_three, bed_teardown),
		cmocka_unit_test_setup_teardown(fragments_follow_what_asks_the_home_of_a_template,
						bed_setup_three, bed_teardown),
		GOLDEN(fragments_to_and_from_a_removed_server_are_reset),
		cmocka_unit_test_setup_teardown(fragments_to_a_marked_network_follow,
						bed_setup_three, bed_teardown),
		GOLDEN(fragments_without_a_first_wait_and_go_by_time_out),
		GOLDEN(overlapping_and_tiny_fragments_are_dropped_and_counted),
		GOLDEN(floods_of_fragments_stay_within_their_bounds),
		GOLDEN(in_a_flood_a_datagram_out_of_order_has_room),
		GOLDEN(fragments_that_no_service_claims_all_go_to_linux),
		GOLDEN(a_tunnel_wraps_the_packet_and_copies_ttl_tos_and_df),
		GOLDEN(the_tunnels_header_is_taken_off_the_mtu_that_is_told),
		GOLDEN(what_does_not_fit_a_tunnel_leaves_as_fragments_of_the_outer_packet),
		GOLDEN(a_tunnel_answers_a_spent_ttl),
		GOLDEN(a_local_servers_packets_go_to_linux_as_they_came),
	};
	int ret;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
