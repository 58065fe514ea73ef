/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/umem_pool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>

#define BUFFER 4096U /* bytes: the smallest page of Linux on the machines that DPDK runs on */
#define FLAGS  RTE_MEMPOOL_F_NO_SPREAD /* padding would make a buffer longer than a page */

/* The header of an object, its mbuf and the headroom precede a frame. */
#define BEFORE_FRAME                                                                               \
	(RTE_ALIGN_CEIL(sizeof(struct rte_mempool_objhdr), RTE_MEMPOOL_ALIGN) +                    \
	 sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM)
_Static_assert(BEFORE_FRAME + XDP_PACKET_HEADROOM + UMEM_FRAME_MAX == BUFFER, "a page, exactly");

static void memory_free(struct rte_mempool_memhdr *hdr, void *arg)
{
	(void)hdr;
	rte_memzone_free(arg);
}

/* The memory of all buffers: one range, from the beginning of a page. 0 or -errno. */
static int populate(struct rte_mempool *pool, uint32_t n)
{
	char name[RTE_MEMZONE_NAMESIZE];
	const struct rte_memzone *mz;
	size_t page;
	int rc;

	rc = rte_mempool_get_page_size(pool, &page);
	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "umem_%.20s", pool->name);
	mz = rte_memzone_reserve_aligned(name, (size_t)n * BUFFER, pool->socket_id,
					 RTE_MEMZONE_1GB | RTE_MEMZONE_SIZE_HINT_ONLY, BUFFER);
	if (!mz)
		return -rte_errno;
	rc = rte_mempool_populate_virt(pool, mz->addr, (size_t)n * BUFFER, page, memory_free,
				       (void *)(uintptr_t)mz);
	if (rc <= 0)
		rte_memzone_free(mz);
	return rc < 0 ? rc : (uint32_t)rc == n ? 0 : -ENOBUFS;
}

struct rte_mempool *umem_pool_create(const char *name, uint32_t n, uint32_t cache, int socket,
				     const char *ops)
{
	struct rte_mempool_objsz size;
	struct rte_pktmbuf_pool_private priv = {0};
	struct rte_mempool *pool;
	uint32_t element;
	int rc;

	rte_mempool_calc_obj_size(sizeof(struct rte_mbuf), FLAGS, &size);
	element = BUFFER - size.header_size;
	priv.mbuf_data_room_size = (uint16_t)(element - sizeof(struct rte_mbuf));
	pool = rte_mempool_create_empty(name, n, element, cache, sizeof(priv), socket, FLAGS);
	if (!pool)
		return NULL;
	rc = rte_mempool_set_ops_byname(pool, ops, NULL);
	if (rc == 0) {
		rte_pktmbuf_pool_init(pool, &priv);
		rc = populate(pool, n);
	}
	if (rc != 0) {
		rte_mempool_free(pool);
		rte_errno = -rc;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

struct extent {
	uintptr_t first, end;
};

static void extent_add(struct rte_mempool *pool, void *arg, void *obj, unsigned int i)
{
	uintptr_t at = (uintptr_t)obj - pool->header_size;
	size_t size = (size_t)pool->header_size + pool->elt_size + pool->trailer_size;
	struct extent *e = arg;

	e->first = i == 0 || at < e->first ? at : e->first;
	e->end = at + size > e->end ? at + size : e->end;
}

uint64_t umem_pool_outside(struct rte_mempool *pool)
{
	const struct rte_mempool_memhdr *chunk = STAILQ_FIRST(&pool->mem_list);
	uintptr_t begin, end, page = (uintptr_t)getpagesize();
	struct extent e = {0};
	uint64_t size, outside = 0;

	if (!chunk)
		return 0;
	/* As the driver computes: see its get_base_addr() and xdp_umem_configure(). */
	size = (uint64_t)pool->populated_size *
	       rte_mempool_calc_obj_size(pool->elt_size, pool->flags, NULL);
	begin = (uintptr_t)chunk->addr & ~(page - 1);
	end = (uintptr_t)chunk->addr + size;
	rte_mempool_obj_iter(pool, extent_add, &e);
	if (e.first < begin)
		outside += begin - e.first;
	if (e.end > end)
		outside += e.end - end;
	return outside;
}
