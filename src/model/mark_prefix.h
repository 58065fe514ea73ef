/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_MARK_PREFIX_H
#define PLVS_MODEL_MARK_PREFIX_H

/* A prefix that a packet's address is held against. */

#include <stdint.h>

#include "base/be.h"

struct mark_prefix {
	be32 addr;   /* host bits zero */
	uint8_t len; /* 0 = any */
	uint8_t negate;
	uint8_t pad[2];
};

#endif
