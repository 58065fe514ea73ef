/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_SYSCALL_FILTER_H
#define PLVS_ROUTER_SYSCALL_FILTER_H

/*
 * The system calls that the router makes once it runs. Any other call returns EPERM and is written
 * to the kernel's audit log. The call fails and the process lives on: a call that is missing in the
 * list costs one function, but the end of the router would cost every connection.
 *
 * Context: main, when everything runs.
 */

#include <stdbool.h>

/* For every thread of the process. xdp: AF_XDP ports may be opened again. 0 or -errno; -ENOSYS:
 * built with a sanitizer, which makes calls of its own. */
int syscall_filter_load(bool xdp);

#endif
