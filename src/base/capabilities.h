/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_CAPABILITIES_H
#define PLVS_BASE_CAPABILITIES_H

/* Capabilities of the calling thread. Context: any, signal handlers as well. */

#include <linux/capability.h>
#include <stdint.h>

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* Of those that the thread has, permits and uses the ones in left; the rest is gone for good.
 * 0 or -errno. */
int capabilities_reduce(uint64_t left);

#endif
