/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"

/* Addresses as in docs/performance.md: clients behind a gateway, servers on the
 * link. */
be32 scene_client(uint32_t i)
{
	return be32_from(0x0a400000 + i / 64);
}

be16 scene_client_port(uint32_t i)
{
	return be16_from((uint16_t)(1024 + i % 64 * 991));
}

be32 scene_vip(void)
{
	return be32_from(0xc6336464); /* 198.51.100.100 */
}

be32 scene_server(unsigned int k)
{
	return be32_from(0xc0a80a0b + k); /* 192.168.10.11 ... */
}

const struct mac scene_own_mac = {{0x02, 0, 0, 0, 0, 1}};

void packet_write(const struct scene *s, struct rte_mbuf *m, uint32_t i, enum pkt_dir dir,
		  uint8_t tcp_flags)
{
	static const struct rte_ether_addr from = {{0x02, 0, 0, 0, 1, 1}};
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_tcp_hdr *tcp;

	rte_pktmbuf_reset(m);
	m->data_len = FRAME_LEN;
	m->pkt_len = FRAME_LEN;
	m->port = 0;
	pkt_tag_fresh(m);
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	memcpy(&eth->dst_addr, &scene_own_mac, 6);
	eth->src_addr = from;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(FRAME_LEN - sizeof(*eth)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = dir == DIR_IN ? scene_client(i) : scene_server(s->server_of[i]),
		.dst_addr = dir == DIR_IN ? scene_vip() : scene_client(i),
	};
	ip->hdr_checksum = csum_of(ip, sizeof(*ip));
	tcp = (struct rte_tcp_hdr *)(ip + 1);
	*tcp = (struct rte_tcp_hdr){
		.src_port = dir == DIR_IN ? scene_client_port(i) : be16_from(SCENE_SERVER_PORT),
		.dst_port = dir == DIR_IN ? be16_from(SCENE_VIP_PORT) : scene_client_port(i),
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
	static uint64_t x = 0x2545f4914f6cdd1dULL;

	for (unsigned int k = 0; k < n; k++) {
		enum pkt_dir dir;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		dir = s->method == FWD_NAT && (x & 1) ? DIR_OUT : DIR_IN;
		packet_write(s, frames[k], (uint32_t)((x >> 32) * s->n >> 32), dir,
			     TCP_ACK | TCP_PSH);
	}
}
