/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/eal_run.h"
#include "lib/harness.h"

int eal_run_group(unsigned int n_lcores, unsigned int megabytes, const struct CMUnitTest *tests,
		  size_t n)
{
	int failed;

	if (harness_eal_init(n_lcores, megabytes, NULL) < 0)
		return 1;
	failed = _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
	harness_eal_fini();
	return failed;
}
