/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_PACKET_H
#define PLVS_TESTS_LIB_PACKET_H

/* Frames for tests: made from a description, and described again. */

#include <stddef.h>
#include <stdint.h>

#include "base/family.h"

#define FRAME_MAX 2048

struct packet {
	struct mac dst, src;
	uint16_t vlan; /* 0 = untagged */
	be32 saddr, daddr;
	/* IPv6 has its addresses here, and saddr and daddr are not used. */
	bool v6;
	struct addr6 saddr6, daddr6;
	uint8_t traffic_class;
	uint32_t flow_label;
	/* Extension headers of IPv6 (packet_build): bytes, the next header of the last one is
	 * filled in; ext_first names the first one. */
	const uint8_t *ext;
	uint16_t ext_len, ext_last; /* where the last one starts */
	uint8_t ext_first;
	be16 sport, dport; /* ICMP: sport holds type << 8 | code in host order */
	uint8_t proto;
	uint8_t ttl; /* 0 = 64 */
	uint8_t tcp_flags;
	uint32_t seq, ack; /* TCP */
	uint8_t df;
	uint16_t payload;	       /* bytes of 'x' after the L4 header */
	uint8_t bad_l4, bad_ip, no_l4; /* wrong checksums; UDP: none */
	const void *data;	       /* of payload bytes, NULL = 'x' */
};

/* The MACs of a packet that arrives at a port of a harness. from NULL: of a station. */
void packet_to_port(struct packet *p, unsigned int port, const struct mac *from);
/* Ethernet, [VLAN,] IPv4 or IPv6, TCP/UDP/ICMP with right checksums. Returns the length. */
size_t packet_build(const struct packet *p, uint8_t frame[FRAME_MAX]);
/* 0, or -1 when it is neither IPv4 nor IPv6 whose next header is known. Of an ICMPv6 message
 * sport is as of ICMP. bad_l4, bad_ip, no_l4 tell about checksums; data points
 * into the frame. */
int packet_describe(const uint8_t *frame, size_t len, struct packet *p);
be32 ipv4(const char *text);
struct addr6 ipv6(const char *text);

#endif
