/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_FLOW_H
#define PLVS_TESTS_LIB_FLOW_H

/*
 * A TCP conversation with right sequence numbers, on a bed (bed.h) whose clients are far: what a
 * real client and a real server send, and what somebody else sends in their names. With `udp`
 * set, datagrams of the same two: flags and numbers are not used.
 */

#include "lib/harness.h"

#define FLOW_VIP       "10.1.0.100"
#define FLOW_SERVER    "10.10.0.1"
#define FLOW_PORT_NAT  80 /* by NAT to FLOW_SERVER:8080 */
#define FLOW_PORT_DR   81 /* by DR to FLOW_SERVER */
#define FLOW_PORT_BASE 8080
#define FLOW_UDP_NAT   53
#define FLOW_UDP_DR    54

struct flow {
	struct harness *h;
	uint32_t client; /* host order */
	uint16_t port;
	bool nat, udp;	     /* udp: false from flow_of() */
	uint32_t cseq, sseq; /* what each side sends next */
};

/* The server, its services (tcp, udp port 53 by NAT and 54 by DR) and its neighbours. -1: no
 * memory. */
int flow_bed_open(struct harness *h, unsigned int workers, uint64_t max_connections);

struct flow flow_of(struct harness *h, uint32_t client, uint16_t port, bool nat);
/* Frames wait at the port until the next round. Numbers as given. dir: enum pkt_dir. */
void flow_raw(const struct flow *f, unsigned int dir, uint8_t flags, uint32_t seq, uint32_t ack,
	      uint16_t payload);
/* The right numbers, which move on. `out` by DR: the server's numbers move, nothing is sent. */
void flow_send(struct flow *f, unsigned int dir, uint8_t flags, uint16_t payload);
/* The same, and rounds until nothing waits; what comes out is thrown away. True: something did,
 * on the other side. */
bool flow_pass(struct flow *f, unsigned int dir, uint8_t flags, uint16_t payload);
bool flow_pass_raw(const struct flow *f, unsigned int dir, uint8_t flags, uint32_t seq,
		   uint32_t ack, uint16_t payload);
/* The handshake. */
void flow_open(struct flow *f);
/* Rounds, and throws away what came out. Returns how much. */
unsigned int flow_drain(struct harness *h);

/* Its entry at its owner, or NULL. */
struct conn4 *flow_entry(const struct flow *f);

#endif
