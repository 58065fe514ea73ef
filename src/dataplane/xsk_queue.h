/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_XSK_QUEUE_H
#define PLVS_DATAPLANE_XSK_QUEUE_H

#include <stdint.h>

/*
 * Tries whether a queue of an interface is free for AF_XDP, by taking it for a moment. The kernel
 * frees a queue some time after its socket is closed, and an earlier attempt of net_af_xdp (DPDK
 * 22.11) loses 2048 packet buffers. Control context.
 *
 * 0; -EBUSY: another socket has the queue; or -errno of the kernel. */
int xsk_queue_try(uint32_t if_index, uint32_t queue);

#endif
