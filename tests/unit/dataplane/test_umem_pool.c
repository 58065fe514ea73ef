/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_mbuf.h>

#include "dataplane/umem_pool.h"
#include "lib/eal_run.h"
#include "lib/harness.h"

#define N    3000
#define OPS  "ring_mp_mc"
#define PAGE 4096

static void fills_a_page(struct rte_mempool *pool, void *arg, void *obj, unsigned int i)
{
	const struct rte_mbuf *m = obj;
	uintptr_t begin = (uintptr_t)obj - pool->header_size;

	(void)arg;
	(void)i;
	assert_int_equal(begin % PAGE, 0);
	assert_int_equal((uintptr_t)m->buf_addr + m->buf_len, begin + PAGE);
}

static void every_buffer_of_an_af_xdp_pool_is_a_page(void **state)
{
	struct rte_mempool *pool = umem_pool_create("test_umem", N, 0, SOCKET_ID_ANY, OPS);

	(void)state;
	assert_non_null(pool);
	assert_int_equal(pool->populated_size, N);
	assert_int_equal(rte_mempool_avail_count(pool), N);
	rte_mempool_obj_iter(pool, fills_a_page, NULL);
	rte_mempool_free(pool);
}

static void all_of_an_af_xdp_pool_is_what_the_driver_registers(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 20000; n += 3333) {
		struct rte_mempool *pool = umem_pool_create("test_umem", n, 0, SOCKET_ID_ANY, OPS);

		assert_non_null(pool);
		assert_int_equal(umem_pool_outside(pool), 0);
		rte_mempool_free(pool);
	}
}

/* Buffers of this size leave gaps at the ends of pages. */
static void an_ordinary_pool_reaches_beyond_what_the_driver_registers(void **state)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"test_pool", N, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	uint32_t size;

	(void)state;
	assert_non_null(pool);
	size = pool->header_size + pool->elt_size + pool->trailer_size;
	assert_true(size > PAGE / 2); /* one buffer a page */
	/* A gap of each page, but for the last pages. */
	assert_true(umem_pool_outside(pool) > (uint64_t)(N - 2) * (PAGE - size));
	rte_mempool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_buffer_of_an_af_xdp_pool_is_a_page),
		cmocka_unit_test(all_of_an_af_xdp_pool_is_what_the_driver_registers),
		cmocka_unit_test(an_ordinary_pool_reaches_beyond_what_the_driver_registers),
	};

	return eal_run(1, 256, tests);
}
