/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "dataplane/conn/tcp_state.h"

be16 scene_client_port(uint32_t i)
{
	return be16_from((uint16_t)(1024 + i % 64 * 991));
}

const struct mac scene_own_mac = {{0x02, 0, 0, 0, 0, 1}};

void packet_write(const struct scene *s, struct rte_mbuf *m, uint32_t i, enum pkt_dir dir,
		  uint8_t tcp_flags)
{
	static const struct rte_ether_addr from = {{0x02, 0, 0, 0, 1, 1}};
	const bool v4 = (dir == DIR_IN ? s->family : s->servers) == ADDR_V4;
	struct rte_ether_hdr *eth;
	struct rte_tcp_hdr *tcp;
	uint8_t *l3;
	uint16_t ip_len;

	rte_pktmbuf_reset(m);
	m->port = 0;
	pkt_tag_fresh(m);
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	memcpy(&eth->dst_addr, &scene_own_mac, 6);
	eth->src_addr = from;
	eth->ether_type = rte_cpu_to_be_16(v4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	l3 = (uint8_t *)(eth + 1);
	ip_len = v4 ? packet4_ip(s, l3, i, dir, TCP_LEN) : packet6_ip(s, l3, i, dir, TCP_LEN);
	m->data_len = (uint16_t)(sizeof(*eth) + ip_len + TCP_LEN);
	m->pkt_len = m->data_len;
	tcp = (struct rte_tcp_hdr *)(l3 + ip_len);
	*tcp = (struct rte_tcp_hdr){
		.src_port = dir == DIR_IN ? scene_client_port(i) : be16_from(SCENE_SERVER_PORT),
		.dst_port = dir == DIR_IN	       ? be16_from(SCENE_VIP_PORT)
			    : s->method == FWD_FULLNAT ? s->local_port[i]
						       : scene_client_port(i),
		.data_off = 0x50,
		.tcp_flags = tcp_flags,
		.sent_seq = rte_cpu_to_be_32((dir == DIR_IN ? 0x1000U : 0x2000U) +
					     !(tcp_flags & TCP_SYN)),
		.recv_ack = rte_cpu_to_be_32(
			tcp_flags & TCP_ACK ? (dir == DIR_IN ? 0x2001U : 0x1001U) : 0),
		.cksum = be16_from(0x1234),
	};
}

void packets_fill(const struct scene *s, struct rte_mbuf **frames, unsigned int n)
{
	static __thread uint64_t x = 0x2545f4914f6cdd1dULL;

	for (unsigned int k = 0; k < n; k++) {
		enum pkt_dir dir;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		dir = scene_replies(s) && (x & 1) ? DIR_OUT : DIR_IN;
		packet_write(s, frames[k], (uint32_t)((x >> 32) * s->n >> 32), dir,
			     TCP_ACK | TCP_PSH);
	}
}
