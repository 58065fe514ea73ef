/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pages.h"

#include <numa.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* Rounded to whole huge pages when it is worth one, so that none is split at the end. */
static size_t pages_size(size_t bytes)
{
	size_t unit = bytes >= HUGE_PAGE ? HUGE_PAGE : 4096;

	return (bytes + unit - 1) / unit * unit;
}

void *pages_alloc(size_t bytes, int socket)
{
	size_t size = pages_size(bytes), slack = size >= HUGE_PAGE ? HUGE_PAGE : 0, lead;
	uint8_t *p = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (slack) { /* align to a huge page and give the rest back */
		lead = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
		if (lead)
			munmap(p, lead);
		if (slack - lead)
			munmap(p + lead + size, slack - lead);
		p += lead;
		madvise(p, size, MADV_HUGEPAGE);
	}
	if (socket >= 0 && numa_available() >= 0 && numa_max_node() > 0)
		numa_tonode_memory(p, size, socket);
	return p;
}

void pages_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, pages_size(bytes));
}

void pages_sparse(void *p, size_t bytes)
{
	madvise(p, pages_size(bytes), MADV_NOHUGEPAGE);
}
