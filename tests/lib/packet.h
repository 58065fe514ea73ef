/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_PACKET_H
#define PLVS_TESTS_LIB_PACKET_H

/* Frames for tests: made from a description, and described again. */

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define FRAME_MAX 2048

struct packet {
	struct mac dst, src;
	uint16_t vlan; /* 0 = untagged */
	be32 saddr, daddr;
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

/* Ethernet, [VLAN,] IPv4, TCP/UDP/ICMP with right checksums. Returns the length. */
size_t packet_build(const struct packet *p, uint8_t frame[FRAME_MAX]);
/* 0, or -1 when it is not IPv4. bad_l4, bad_ip, no_l4 tell about checksums; data points
 * into the frame. */
int packet_describe(const uint8_t *frame, size_t len, struct packet *p);
be32 ipv4(const char *text);

#endif
