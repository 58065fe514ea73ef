/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/json_arena.h"

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BYTES (4UL << 30) /* of address space: 64 for each byte of the longest text */
#define ALIGN 16UL

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint8_t *base; /* NULL: there is no arena. Set once */
static uint32_t held;
static size_t used; /* holder: rw */
static _Thread_local bool filling;

static void *value_malloc(size_t n)
{
	void *value;

	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (!filling || n > BYTES - used)
		return malloc(n);
	value = base + used;
	used += n;
	return value;
}

static void value_free(void *value)
{
	const uint8_t *from = __atomic_load_n(&base, __ATOMIC_RELAXED);

	if (!from || (uintptr_t)value - (uintptr_t)from >= BYTES)
		free(value);
}

static void map(void)
{
	void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return;
	(void)madvise(at, BYTES, MADV_HUGEPAGE);
	(void)madvise(at, BYTES, MADV_DONTDUMP);
	__atomic_store_n(&base, at, __ATOMIC_RELEASE);
	json_set_alloc_funcs(value_malloc, value_free);
}

bool json_arena_take(void)
{
	pthread_once(&once, map);
	return base && __atomic_exchange_n(&held, 1, __ATOMIC_ACQUIRE) == 0;
}

void json_arena_fill(bool on)
{
	filling = on;
}

void json_arena_give(void)
{
	filling = false;
	(void)madvise(base, used, MADV_DONTNEED);
	used = 0;
	__atomic_store_n(&held, 0, __ATOMIC_RELEASE);
}
