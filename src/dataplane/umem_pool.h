/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_UMEM_POOL_H
#define PLVS_DATAPLANE_UMEM_POOL_H

/*
 * The pool of packet buffers of AF_XDP ports.
 *
 * The driver net_af_xdp (DPDK 22.11) registers one range of memory with the kernel, the umem:
 * from the page of the pool's first byte, number of buffers times size of a buffer. Buffers of
 * an ordinary pool leave a gap at the end of each page, so the last ones lie beyond the umem.
 * The kernel loses such buffers when they are given to receive, and the frames in them when they
 * are given to transmit, until no buffer is left.
 *
 * A buffer of this pool fills a page of 4 KiB exactly, with and without huge pages. So there
 * are no gaps, and no buffer crosses a page, which the kernel refuses in zero-copy mode.
 *
 * Control context.
 */

#include <rte_mempool.h>

/* Bytes of the longest frame that fits into a buffer: the kernel leaves 256 bytes free before
 * a frame that arrives. */
#define UMEM_FRAME_MAX (3584 - RTE_CACHE_LINE_SIZE) /* 3520 on x86-64, 3456 on arm64 */

/* n buffers on a NUMA node; ops: mempool operations by name. NULL: no memory, with rte_errno. */
struct rte_mempool *umem_pool_create(const char *name, uint32_t n, uint32_t cache, int socket,
				     const char *ops);

/* Bytes of the pool's buffers that lie outside of the umem which the driver would register.
 * 0: every buffer can be used. */
uint64_t umem_pool_outside(struct rte_mempool *pool);

#endif
