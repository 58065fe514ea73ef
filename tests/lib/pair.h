/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_PAIR_H
#define PLVS_TESTS_LIB_PAIR_H

/*
 * Two directors of the same configuration, with ids of their own, and the traffic that tests
 * of synchronisation send through them. Services:
 *
 *	tcp PAIR_VIP:80		NAT to PAIR_SERVER1:8080 and PAIR_SERVER2:8080, rr
 *	tcp PAIR_VIP:81		DR to the same servers, rr
 *	udp PAIR_VIP:53		NAT
 *	tcp PAIR_VIP:443	NAT, persistent
 *	tcp PAIR_VIP:21		NAT, FTP
 *	tcp PAIR_VIP:82		full NAT to the servers of port 80, rr, by one address of a pool
 *	tcp PAIR_VIP:83		the same, and servers are told the client by PROXY version 2
 *	tcp PAIR_VIP:84		full NAT to PAIR_SERVER6:8080 by PAIR_LOCAL6, translated
 *	tcp PAIR_VIP:85		full NAT to PAIR_SERVER1:21, FTP
 *	mark 7			NAT: no rule leads there
 */

#include "lib/bed.h"
#include "lib/packet.h"
#include "model/sync_event.h"

#define PAIR_VIP     "10.1.0.100"
#define PAIR_SERVER1 "10.10.0.1"
#define PAIR_SERVER2 "10.10.0.2"
#define PAIR_SERVER6 "2001:db8:10::1"
#define PAIR_LOCAL6  "2001:db8:10::200"

struct pair {
	struct harness a, b;
	struct sync_access access_a, access_b;
};

/* Setup and teardown of a test. 0 or -1. */
int pair_open(struct pair *p, unsigned int workers_a, unsigned int workers_b, uint64_t max);
int pair_close(struct pair *p);

/* A frame through a port, and all that follows from it. */
void pair_put(struct harness *h, unsigned int port, struct packet p);
/* The text of the next packet that left by a port; false: none. All others are forgotten. */
bool pair_sent(struct harness *h, unsigned int port, struct packet *out);

struct packet pair_from_client(uint32_t client, uint16_t sport, uint8_t proto, uint16_t dport,
			       uint8_t tcp_flags);
/* The answer to what arrived at a server. */
struct packet pair_answer(const struct packet *arrived, uint8_t tcp_flags);

/* A NAT or DR connection from client:sport, up to ESTABLISHED (UDP: answered). Its server as
 * chosen, or 0. */
be32 pair_connect(struct harness *h, uint32_t client, uint16_t sport, uint8_t proto,
		  uint16_t dport);

uint32_t pair_entries(const struct harness *h);
struct conn4 *pair_find(struct harness *h, be32 client, uint16_t sport, uint8_t proto, be32 vaddr,
			uint16_t vport);
/* Both tables hold the same, embryonic entries aside; and every server's counts agree. Prints
 * what differs. */
bool pair_equal(struct pair *p);

#endif
