/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PACKET_POOL_H
#define PLVS_DATAPLANE_PACKET_POOL_H

/*
 * The pools of packet buffers: one for each NUMA node with ports, and two if the node has both
 * AF_XDP ports (umem_pool.h) and others. Control context.
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

/* The NUMA node of the pool of a port. Workers exist. */
int packet_pool_socket(const struct dataplane *dp, const struct port *p);
/* Makes the pools of all ports, which were found before: sets port.pool and exchange.pool.
 * per_port: buffers for each port; 0 = from queues and descriptors. 0, or -ENOMEM (also: the driver
 * of a port cannot use all buffers) with a sentence in error. */
int packet_pools_create(struct dataplane *dp, uint32_t per_port, char error[ERROR_TEXT]);
void packet_pools_free(struct dataplane *dp);

#endif
