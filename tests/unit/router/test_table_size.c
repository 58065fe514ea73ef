/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "router/table_size.h"

#define GIB (1UL << 30)

static void the_default_follows_the_memory_of_the_machine(void **state)
{
	(void)state;
	assert_int_equal(table_size_default(8 * GIB), 1 << 20);
	assert_int_equal(table_size_default(24 * GIB), 3 << 20);
	assert_int_equal(table_size_default(64 * GIB), 8 << 20);
}

static void the_default_has_a_least_and_a_most(void **state)
{
	(void)state;
	assert_int_equal(table_size_default(0), 1000000);
	assert_int_equal(table_size_default(2 * GIB), 1000000);
	assert_int_equal(table_size_default(128 * GIB), 16000000);
	assert_int_equal(table_size_default(UINT64_MAX), 16000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_follows_the_memory_of_the_machine),
		cmocka_unit_test(the_default_has_a_least_and_a_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
