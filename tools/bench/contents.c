/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that left, against what they were before: length, Ethernet header, addresses and ports
 * of each one, and of each 16th all bytes and both checksums. What must be there is made from the
 * scene's addresses, and the IP checksum is computed anew. The TCP checksum of the bench's frames
 * is wrong, and has to leave as wrong as it came. Compiled for each address family.
 */
#include "bench.h"

#include <string.h>

#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/stages/ip.h"

#define L2 14

static struct rte_tcp_hdr *tcp_of(uint8_t *frame)
{
	return (struct rte_tcp_hdr *)(frame + L2 + IP_HDR);
}

/* The router's answer to the frame. */
static void rewrite(const struct scene *s, uint8_t *frame, uint32_t i, enum pkt_dir dir)
{
	const FAM_ADDR server = FAM_FN(scene, server)(scene_server_look(s, i));
	const FAM_ADDR next = dir == DIR_IN ? server : FAM_FN(scene, gateway)();
	const struct nexthop_table *hops = s->w->nexthops;
	const uint32_t id = FAM(nexthop_find)(hops, link_id_of(0, 0), next);
	uint8_t *const l3 = frame + L2;
	struct rte_tcp_hdr *tcp = tcp_of(frame);

	memcpy(frame, nexthop_by_id(hops, id)->l2, L2);
	(*FAM_FN(ip, hop_limit)(l3))--;
	if (dir == DIR_IN && s->method != FWD_DR) {
		FAM_FN(ip, addr_put)(l3, IP_DEST, server);
		tcp->dst_port = be16_from(SCENE_SERVER_PORT);
	} else if (dir == DIR_OUT) {
		FAM_FN(ip, addr_put)(l3, IP_SOURCE, FAM_FN(scene, vip)());
		tcp->src_port = be16_from(SCENE_VIP_PORT);
	}
	if (s->method == FWD_FULLNAT && dir == DIR_IN) {
		FAM_FN(ip, addr_put)(l3, IP_SOURCE, FAM_FN(scene, pool)(s->local_of[i]));
		tcp->src_port = s->local_port[i];
	} else if (s->method == FWD_FULLNAT) {
		FAM_FN(ip, addr_put)(l3, IP_DEST, FAM_FN(scene, client)(i));
		tcp->dst_port = scene_client_port(i);
	}
#if FAMILY == 4
	((struct rte_ipv4_hdr *)l3)->hdr_checksum = 0;
	((struct rte_ipv4_hdr *)l3)->hdr_checksum = csum_of(l3, IP_HDR);
#endif
}

/* The sum over pseudo header and segment: 0 and 0xffff are one value. */
static uint16_t tcp_sum(uint8_t *frame)
{
	const uint64_t pseudo = FAM_FN(ip, pseudo_sum)(frame + L2, IPPROTO_TCP, TCP_LEN);
	const uint16_t sum = csum_fold(csum_add(pseudo, tcp_of(frame), TCP_LEN));

	return sum == 0xffff ? 0 : sum;
}

void FAM_FN(contents, check)(const struct scene *s, const char *who, const struct rte_mbuf *m,
			     const uint8_t *before, uint32_t i, enum pkt_dir dir, bool whole)
{
	const size_t len = L2 + IP_HDR + TCP_LEN;
	uint8_t want[L2 + 40 + TCP_LEN], got[sizeof(want)];

	if (rte_pktmbuf_pkt_len(m) != len || m->nb_segs != 1)
		fail("%s: a frame has %u bytes of %zu", who, rte_pktmbuf_pkt_len(m), len);
	memcpy(want, before, len);
	memcpy(got, rte_pktmbuf_mtod(m, const uint8_t *), len);
	rewrite(s, want, i, dir);
	if (memcmp(got, want, L2) != 0)
		fail("%s: a frame has a wrong Ethernet header", who);
	if (memcmp(FAM_FN(ip, addr_at)(got + L2, IP_SOURCE),
		   FAM_FN(ip, addr_at)(want + L2, IP_SOURCE), 2 * sizeof(FAM_ADDR)) != 0)
		fail("%s: a frame has a wrong address", who);
	if (memcmp(tcp_of(got), tcp_of(want), 4) != 0)
		fail("%s: a frame has a wrong port", who);
	if (!whole)
		return;
	memcpy(want, before, len);
	if (tcp_sum(got) != tcp_sum(want))
		fail("%s: a frame has a wrong TCP checksum", who);
	rewrite(s, want, i, dir);
	tcp_of(want)->cksum = tcp_of(got)->cksum;
	if (memcmp(got, want, len) != 0)
		fail("%s: a frame was changed where it must not be", who);
}
