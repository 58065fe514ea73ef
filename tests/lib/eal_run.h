/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_EAL_RUN_H
#define PLVS_TESTS_LIB_EAL_RUN_H

/* The main of a cmocka program whose tests need EAL. */

#include <stddef.h>

struct CMUnitTest;

/* Runs an array of tests between EAL's start and end (harness_eal_init()). The program's exit
 * status. */
#define eal_run(n_lcores, megabytes, tests)                                                        \
	eal_run_group(n_lcores, megabytes, tests, sizeof(tests) / sizeof((tests)[0]))
int eal_run_group(unsigned int n_lcores, unsigned int megabytes, const struct CMUnitTest *tests,
		  size_t n);

#endif
