/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_DATAPLANE_FRAGMENT_LAB_H
#define PLVS_TESTS_UNIT_DATAPLANE_FRAGMENT_LAB_H

/*
 * The laboratory (lab.h) with services of all forwarding methods, and datagrams that leave in
 * fragments:
 *
 *	udp VIP:53	NAT to SERVER:8053
 *	udp VIP:54	DR to SERVER2
 *	udp VIP:55	tunnel to SERVER2
 *	tcp VIP:80	the router itself
 */

#include "lib/lab.h"

#define VIP	     "10.1.0.100"
#define CLIENT	     "192.168.1.1"
#define SERVER	     "10.10.0.1"
#define SERVER2	     "10.10.0.2"
#define ETH	     14U
#define DATAGRAM_MAX 4096

/* A cmocka test on such a director of one worker. */
#define GOLDEN(test) LAB_TEST(test, fragment_setup, 1)

int fragment_setup(void **state);
struct packet udp_from_client(uint16_t sport, uint16_t dport, uint16_t payload);
/* Sets the checksum of an IPv4 header. */
void header_sum(uint8_t *ip);

/* A datagram put together again from the frames that a port sent. */
struct datagram {
	uint8_t frame[DATAGRAM_MAX];
	size_t len;
	unsigned int n;		    /* fragments */
	uint16_t at[32], total[32]; /* bytes; IP lengths */
	uint8_t options[32][40];    /* of each */
};

/* Takes n frames, and no more must be there; each must have a right header and the same identity.
 */
void gather(unsigned int port, unsigned int n, struct datagram *d);
/* The MTU of the servers' link. */
void lan_mtu(uint16_t mtu);

#endif
