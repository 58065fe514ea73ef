/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_END_LIMIT_H
#define PLVS_ROUTER_END_LIMIT_H

/*
 * A limit of time for the end of the process. A driver may wait without end for its device (DPDK's
 * virtio driver polls the control queue until the device answers), and every thread that wants the
 * port's lock waits with it. A step of the end that takes longer than the limit is named on
 * standard error, and the process ends at once with status 1, as after a crash: the kernel removes
 * TAPs and addresses that belong to the process.
 *
 * Main thread. Uses SIGALRM, which must not be blocked in the main thread.
 */

/* Begins a step that may take limit_s seconds. what: its name, a string constant. */
void end_limit_step(const char *what, unsigned int limit_s);
/* Ends the step. */
void end_limit_clear(void);

#endif
