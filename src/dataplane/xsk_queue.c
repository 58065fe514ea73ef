/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/xsk_queue.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define CHUNK 4096
#define RING  64

/* The least that the kernel asks of a socket before it is bound. */
static int prepare(int fd, void *memory)
{
	const struct xdp_umem_reg umem = {
		.addr = (uintptr_t)memory, .len = CHUNK, .chunk_size = CHUNK};
	const int rings[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING};
	const int n = RING;

	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) != 0)
		return -errno;
	for (unsigned int i = 0; i < sizeof(rings) / sizeof(rings[0]); i++)
		if (setsockopt(fd, SOL_XDP, rings[i], &n, sizeof(n)) != 0)
			return -errno;
	return 0;
}

int xsk_queue_try(uint32_t if_index, uint32_t queue)
{
	const struct sockaddr_xdp at = {.sxdp_family = AF_XDP,
					.sxdp_ifindex = if_index,
					.sxdp_queue_id = queue,
					.sxdp_flags = XDP_COPY};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), rc;
	void *memory;

	if (fd < 0)
		return -errno;
	memory = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	rc = memory == MAP_FAILED ? -errno : prepare(fd, memory);
	if (rc == 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		rc = -errno;
	close(fd);
	if (memory != MAP_FAILED)
		munmap(memory, CHUNK);
	return rc;
}
