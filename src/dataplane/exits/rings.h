/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_RINGS_H
#define PLVS_DATAPLANE_EXITS_RINGS_H

/*
 * The rings between workers, and between workers and the other threads (exchange.h).
 * Control context.
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

#define COMMAND_RING_SIZE 64
#define HANDOFF_RING_MIN  512

/* Packets that the ring from a worker to another holds. The more workers, the fewer packets come
 * by each ring: with n workers the rings to one worker hold 32,768 packets together, from 64
 * workers on 32,256. */
static inline unsigned int handoff_ring_size(unsigned int n_workers)
{
	unsigned int size = HANDOFF_RING_SIZE;

	for (unsigned int n = 8; n < n_workers && size > HANDOFF_RING_MIN; n *= 2)
		size /= 2;
	return size;
}

/* A ring for one producer and one consumer, without a memzone: DPDK has 2,560 memzones, and 64
 * workers need 4,032 rings. NULL with rte_errno. */
struct rte_ring *handoff_ring_create(unsigned int n_workers, int socket);
void handoff_ring_free(struct rte_ring *r);

/* Makes the rings of dp->workers. 0, or -errno with a sentence in error. */
int rings_create(struct dataplane *dp, char error[ERROR_TEXT]);
/* Workers have ended: drops and counts parked packets and packets in the rings that workers
 * consume, and answers their commands empty. */
void rings_drain(struct dataplane *dp);
/* The link thread has ended too: frees packets that wait for it, and all rings. */
void rings_destroy(struct dataplane *dp);

#endif
