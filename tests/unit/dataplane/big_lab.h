/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_BIG_LAB_H
#define PLVS_TESTS_BIG_LAB_H

/* The laboratory (lib/lab.h) with big frames (dataplane/big/big_frame.h). */

#include "dataplane/big/big_frame.h"
#include "lib/lab.h"

#define BIG_VIP	    "10.1.0.100"
#define BIG_CLIENT  "192.168.1.1"
#define BIG_SERVER  "10.10.0.1"
#define BIG_SERVER2 "10.10.0.2"
#define ETH	    14U
#define TCP	    20U
#define KIND_UDP    5 /* VIRTIO_NET_HDR_GSO_UDP_L4 */

/* Services of the VIP: TCP 80 and 21 (FTP), UDP 53 by NAT, 81 by direct routing, 83 by a tunnel. */
int big_lab_setup(void **state);

/* Two bytes as they lie there. */
uint16_t big_lab_load(const uint8_t *at);
/* The folded sum of the pseudo header of an IP packet without options. */
uint16_t big_lab_pseudo(const uint8_t *ip, uint32_t l4_len);
/* The packet with so many bytes behind its headers, others at each place, in as many mbufs as it
 * takes. Untagged. */
struct rte_mbuf *big_lab_frame(const struct packet *p, uint32_t payload);
uint8_t big_lab_byte(uint32_t at);
uint32_t big_lab_l3_len(const struct rte_mbuf *m);
/* The checksum of TCP or UDP. */
uint8_t *big_lab_field(const struct rte_mbuf *m, uint8_t proto);
/* As Linux hands a frame over: the pseudo header's sum in the field, made wrong by `wrong`, and the
 * description. segment: bytes, or 0. */
struct virtio_net_hdr big_lab_describe(struct rte_mbuf *m, uint8_t proto, uint16_t segment,
				       uint16_t wrong);
/* A big frame arrives at a port. */
void big_lab_arrives(unsigned int port, struct packet p, uint32_t payload, uint16_t segment,
		     uint16_t wrong);

/* TCP with DF from the client to a port of the VIP. */
struct packet big_lab_client(uint16_t port, uint8_t flags);
/* A connection by NAT: the server has answered. */
void big_lab_established(uint16_t port);

#endif
