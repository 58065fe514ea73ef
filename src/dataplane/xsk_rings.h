/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_XSK_RINGS_H
#define PLVS_DATAPLANE_XSK_RINGS_H

/*
 * Resources that net_af_xdp (DPDK 22.11) does not release when it closes a device: the packet
 * buffers in the four rings of each socket (2048 and more), the socket itself, which keeps the
 * interface's queue busy, and two of the mappings. plvs notes the resources before the closing and
 * releases them afterwards, so that a port can be opened again any number of times.
 *
 * The driver's own structures are private. The rings are found in /proc/self/maps as mappings
 * of the socket.
 *
 * Control context; no worker uses the port.
 */

#include <rte_mempool.h>

#include "dataplane/kernel_socket.h"

struct xsk_left;

/* Notes the buffers that the rings of these sockets hold. pool: of umem_pool_create().
 * NULL: no memory, or no AF_XDP socket. */
struct xsk_left *xsk_left_note(const struct kernel_sockets *sockets, struct rte_mempool *pool);
/* The driver closed the device: closes sockets that are still open, and puts the buffers back into
 * the pool. Frees left, which may be NULL. Returns the number of buffers. */
uint32_t xsk_left_return(struct xsk_left *left);

#endif
