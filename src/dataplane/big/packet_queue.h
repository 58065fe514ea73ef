/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_PACKET_QUEUE_H
#define PLVS_DATAPLANE_BIG_PACKET_QUEUE_H

/*
 * The receive queue and the transmit queue of the sockets of packet_socket.h, with the functions
 * that DPDK's rte_eth_rx_burst() and rte_eth_tx_burst() call for the port.
 *
 * A frame that is longer than a packet buffer continues in one buffer of the pool `big`, whose
 * buffers hold the rest of the longest frame; without a buffer in that pool the frame is dropped.
 */

#include <rte_mbuf.h>

#include "dataplane/big/packet_socket.h"

#define PACKET_BIG_ROOM 65408 /* bytes of a buffer of the pool `big` */

/* Worker of the queue: wo, port recovery: ro (relaxed). */
struct packet_rx_counters {
	uint64_t no_buffer; /* frames dropped, or delayed: no packet buffer */
	uint64_t cut; /* longer than a slot, and the socket had no room; or longer than 64 KiB */
	uint64_t unknown; /* description that contradicts the frame, or of a kind that is not known
			   */
};

struct packet_rx {
	int fd;
	uint8_t *ring;
	uint32_t slots, next;
	struct rte_mempool *pool, *big;
	struct packet_rx_counters counters;
};

struct packet_tx {
	int fd;
	uint64_t refused; /* frames that the kernel refused. worker: wo, port recovery: ro (relaxed)
			   */
};

/* Control, while no worker uses the queue. */
void packet_rx_init(struct packet_rx *q, const struct packet_sockets *s, struct rte_mempool *pool,
		    struct rte_mempool *big);

/* Worker of the queue: struct packet_rx. */
uint16_t packet_rx_burst(void *queue, struct rte_mbuf **out, uint16_t max);
/* Worker of the queue: struct packet_tx. */
uint16_t packet_tx_burst(void *queue, struct rte_mbuf **frames, uint16_t n);

#endif
