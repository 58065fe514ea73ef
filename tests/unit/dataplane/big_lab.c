/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/dataplane/big_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "sched/sched.h"

#define VIP	BIG_VIP
#define CLIENT	BIG_CLIENT
#define SERVER	BIG_SERVER
#define SERVER2 BIG_SERVER2

int big_lab_setup(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{SERVER2 ":80", 1, FWD_DR}};
	static const struct world_server tunnel[] = {{SERVER2 ":83", 1, FWD_TUNNEL}};
	const struct world_policy ftp = {.ftp = true};
	const struct sched_ops *rr = sched_find("rr");

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", rr, nat, 1);
	world_service(&h, "udp", VIP ":53", rr, nat, 1);
	world_service(&h, "tcp", VIP ":81", rr, dr, 1);
	world_service(&h, "tcp", VIP ":83", rr, tunnel, 1);
	world_policy(&h, &ftp);
	world_service(&h, "tcp", VIP ":21", rr, nat, 1);
	world_policy(&h, NULL);
	return 0;
}

uint16_t big_lab_load(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* The folded sum of the pseudo header of an IP packet without options. */
uint16_t big_lab_pseudo(const uint8_t *ip, uint32_t l4_len)
{
	const bool v6 = ip[0] >> 4 == 6;
	const uint64_t sum = v6 ? csum_add(0, ip + 8, 32) : csum_add(0, ip + 12, 8);

	return csum_fold(sum + be16_from((uint16_t)l4_len) + be16_from(v6 ? ip[6] : ip[9]));
}

uint8_t big_lab_byte(uint32_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* Bytes behind the headers of p, other ones at each place. In as many mbufs as it takes. */
struct rte_mbuf *big_lab_frame(const struct packet *p, uint32_t payload)
{
	uint8_t head[FRAME_MAX];
	size_t len = packet_build(p, head);
	struct rte_mbuf *m = harness_frame(&h, head, (uint16_t)len), *last = m;
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, ETH);
	uint16_t sum;

	for (uint32_t at = 0; at < payload;) {
		uint32_t room = rte_pktmbuf_tailroom(last), n = RTE_MIN(room, payload - at);
		uint8_t *to = rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len);

		for (uint32_t i = 0; i < n; i++)
			to[i] = big_lab_byte(at + i);
		last->data_len = (uint16_t)(last->data_len + n);
		m->pkt_len += n;
		at += n;
		if (at < payload) {
			last->next = rte_pktmbuf_alloc(h.dp->pools[0]);
			assert_non_null(last->next);
			last = last->next;
			m->nb_segs++;
		}
	}
	if (p->v6) {
		lab_put16(ip + 4, (uint16_t)(m->pkt_len - ETH - 40));
	} else {
		lab_put16(ip + 2, (uint16_t)(m->pkt_len - ETH));
		memset(ip + 10, 0, 2);
		sum = csum_of(ip, 20);
		memcpy(ip + 10, &sum, 2);
	}
	if (p->proto == IPPROTO_UDP)
		lab_put16(ip + (p->v6 ? 44 : 24), (uint16_t)(8 + payload));
	return m;
}

uint32_t big_lab_l3_len(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH) >> 4 == 6 ? 40 : 20;
}

uint8_t *big_lab_field(const struct rte_mbuf *m, uint8_t proto)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *,
				       ETH + big_lab_l3_len(m) + (proto == IPPROTO_TCP ? 16 : 6));
}

/* As Linux hands it over: the pseudo header's sum, made wrong by `wrong`, and the description. */
struct virtio_net_hdr big_lab_describe(struct rte_mbuf *m, uint8_t proto, uint16_t segment,
				       uint16_t wrong)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH);
	const uint16_t sum =
		csum_add16(big_lab_pseudo(ip, m->pkt_len - ETH - big_lab_l3_len(m)), wrong);
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_size = segment,
		.csum_start = (uint16_t)(ETH + big_lab_l3_len(m)),
		.csum_offset = proto == IPPROTO_TCP ? 16 : 6,
	};

	memcpy(big_lab_field(m, proto), &sum, 2);
	if (segment)
		hdr.gso_type = proto == IPPROTO_UDP ? KIND_UDP
			       : ip[0] >> 4 == 6    ? VIRTIO_NET_HDR_GSO_TCPV6
						    : VIRTIO_NET_HDR_GSO_TCPV4;
	return hdr;
}

void big_lab_arrives(unsigned int port, struct packet p, uint32_t payload, uint16_t segment,
		     uint16_t wrong)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;

	packet_to_port(&p, port, &lab_station);
	m = big_lab_frame(&p, payload);
	hdr = big_lab_describe(m, p.proto, segment, wrong);
	assert_true(big_arrive(m, &hdr));
	assert_true(big_is_marked(m));
	assert_int_equal(harness_receive(&h, (uint16_t)port, 0, m), 0);
	harness_run(&h);
}

struct packet big_lab_client(uint16_t port, uint8_t flags)
{
	struct packet p = lab_tcp(CLIENT, 1001, VIP, port, flags);

	p.df = 1;
	return p;
}

/* A connection to a port of the VIP; its NAT server has answered. */
void big_lab_established(uint16_t port)
{
	lab_put(0, big_lab_client(port, TCP_SYN));
	lab_drain(1);
	lab_put(1, lab_tcp(SERVER, 8080, CLIENT, 1001, TCP_SYN | TCP_ACK));
	lab_drain(0);
	lab_put(0, big_lab_client(port, TCP_ACK));
	lab_drain(1);
}
