/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/xsk_rings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_xdp.h>
#include <rte_mbuf.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define ADDRESS_MASK ((UINT64_C(1) << XSK_UNALIGNED_BUF_OFFSET_SHIFT) - 1)
#define MAPS_MAX     (2 * KERNEL_SOCKETS_MAX)

struct mapping {
	uintptr_t begin, end;
	uint64_t offset; /* which ring: XDP_PGOFF_RX_RING, ... */
	ino_t inode;
};

struct xsk_left {
	struct kernel_sockets sockets;
	struct rte_mempool *pool;
	struct mapping maps[MAPS_MAX]; /* fill and completion rings, which the driver leaves */
	uint16_t n_maps;
	uintptr_t base; /* of the umem */
	size_t size;	/* of a buffer */
	uint32_t n;	/* buffers of the pool */
	uint8_t held[]; /* by number of the buffer */
};

/* A ring of the kernel's layout: elements from consumer to producer wait in it. */
static void ring_note(struct xsk_left *left, const struct mapping *m,
		      const struct xdp_ring_offset *at, size_t element)
{
	const uint8_t *ring = (const uint8_t *)m->begin;
	uint32_t room = (uint32_t)((m->end - m->begin - at->desc) / element), mask = 1;
	uint32_t producer, consumer;

	while (mask <= room / 2)
		mask *= 2;
	mask--;
	consumer = __atomic_load_n((const uint32_t *)(ring + at->consumer), __ATOMIC_ACQUIRE);
	producer = __atomic_load_n((const uint32_t *)(ring + at->producer), __ATOMIC_ACQUIRE);
	if (producer - consumer > mask + 1)
		return;
	for (; consumer != producer; consumer++) {
		uint64_t address, i;

		/* An address in two of the rings, the first word of a descriptor in the others. */
		memcpy(&address, ring + at->desc + (consumer & mask) * element, sizeof(address));
		i = (address & ADDRESS_MASK) / left->size;
		if (i < left->n)
			left->held[i] = 1;
	}
}

static bool mapping_read(const char *line, struct mapping *out)
{
	uint64_t begin, end, offset, inode;

	if (!strstr(line, "socket:[") ||
	    sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %" SCNu64, &begin, &end,
		   &offset, &inode) != 4)
		return false;
	*out = (struct mapping){.begin = begin, .end = end, .offset = offset, .inode = inode};
	return true;
}

/* Rings that buffers leave are read before those that they go to: a buffer that the kernel
 * moves meanwhile is seen twice, never missed. */
static void socket_note(struct xsk_left *left, const struct kernel_socket *s,
			const struct mapping *maps, uint16_t n)
{
	struct xdp_mmap_offsets at;
	socklen_t len = sizeof(at);
	const struct {
		uint64_t offset;
		const struct xdp_ring_offset *ring;
		size_t element;
		bool stays; /* mapped after the driver closed the device */
	} rings[] = {
		{XDP_UMEM_PGOFF_FILL_RING, &at.fr, sizeof(uint64_t), true},
		{XDP_PGOFF_RX_RING, &at.rx, sizeof(struct xdp_desc), false},
		{XDP_PGOFF_TX_RING, &at.tx, sizeof(struct xdp_desc), false},
		{XDP_UMEM_PGOFF_COMPLETION_RING, &at.cr, sizeof(uint64_t), true},
	};

	if (s->family != AF_XDP || getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &len) != 0 ||
	    len != sizeof(at))
		return;
	for (size_t r = 0; r < sizeof(rings) / sizeof(rings[0]); r++) {
		for (uint16_t i = 0; i < n; i++) {
			if (maps[i].inode != s->inode || maps[i].offset != rings[r].offset)
				continue;
			ring_note(left, &maps[i], rings[r].ring, rings[r].element);
			if (rings[r].stays && left->n_maps < MAPS_MAX)
				left->maps[left->n_maps++] = maps[i];
		}
	}
}

struct xsk_left *xsk_left_note(const struct kernel_sockets *sockets, struct rte_mempool *pool)
{
	const struct rte_mempool_memhdr *chunk = STAILQ_FIRST(&pool->mem_list);
	struct mapping *maps = calloc(4 * KERNEL_SOCKETS_MAX, sizeof(*maps));
	FILE *file = fopen("/proc/self/maps", "re");
	struct xsk_left *left = NULL;
	uint16_t n = 0;
	char line[512];

	if (maps && file && chunk && sockets->n > 0)
		left = calloc(1, sizeof(*left) + pool->populated_size);
	if (!left)
		goto out;
	left->sockets = *sockets;
	left->pool = pool;
	left->base = (uintptr_t)chunk->addr & ~((uintptr_t)getpagesize() - 1);
	left->size = (size_t)pool->header_size + pool->elt_size + pool->trailer_size;
	left->n = pool->populated_size;
	while (n < 4 * KERNEL_SOCKETS_MAX && fgets(line, sizeof(line), file))
		n += mapping_read(line, &maps[n]);
	for (uint16_t i = 0; i < sockets->n; i++)
		socket_note(left, &sockets->v[i], maps, n);
out:
	if (file)
		fclose(file);
	free(maps);
	return left;
}

uint32_t xsk_left_return(struct xsk_left *left)
{
	uint32_t n = 0;

	if (!left)
		return 0;
	for (uint16_t i = 0; i < left->sockets.n; i++) {
		const struct kernel_socket *s = &left->sockets.v[i];

		if (!kernel_socket_is(s))
			continue; /* the driver did close it, and unmapped its rings */
		for (uint16_t m = 0; m < left->n_maps; m++)
			if (left->maps[m].inode == s->inode)
				munmap((void *)left->maps[m].begin,
				       left->maps[m].end - left->maps[m].begin);
		close(s->fd);
	}
	for (uint32_t i = 0; i < left->n; i++) {
		if (!left->held[i])
			continue;
		rte_pktmbuf_free(
			(struct rte_mbuf *)(left->base + i * left->size + left->pool->header_size));
		n++;
	}
	free(left);
	return n;
}
