/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_MARK_PREFIX_H
#define PLVS_MODEL_MARK_PREFIX_H

/* A prefix that a packet's address is compared with. */

#include <stdint.h>

#include "base/addr.h"

/* Without padding that is not zero: compared as bytes. */
struct mark_prefix {
	struct addr addr; /* host bits zero; ADDR_NONE with len 0 = any, of either family */
	uint8_t len;	  /* 0 = any of the family */
	uint8_t negate;
	uint8_t pad[2];
};

#endif
