/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_CAPABILITIES_H
#define PLVS_BASE_CAPABILITIES_H

/* Capabilities of the calling thread. Context: any, signal handlers as well. */

#include <linux/capability.h>
#include <stdint.h>

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* Keeps those capabilities of the thread that are in left. The thread cannot get the others back. 0
 * or -errno. */
int capabilities_reduce(uint64_t left);

#endif
