/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_CPU_WAIT_H
#define PLVS_TESTS_LIB_CPU_WAIT_H

/*
 * The time for which threads of this process were ready to run while other programs had the CPU.
 * Tests and benches subtract this time, or measure again: the time says nothing about plvs.
 */

#include <stdint.h>
#include <sys/types.h>

/* Microseconds since the thread's start. 0: all threads together. A kernel without
 * /proc/self/task/TID/schedstat counts none, and the function returns 0. */
uint64_t cpu_wait_us(pid_t tid);

/* The thread of an lcore of EAL, by its name. 0: there is no such thread. */
pid_t cpu_wait_lcore(unsigned int lcore);

#endif
