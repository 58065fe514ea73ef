/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PROXY_PROXY_START_H
#define PLVS_DATAPLANE_PROXY_PROXY_START_H

#include <stdint.h>

/* Of a connection with PROXY_SENDING, in a table beside the entries: where its stream begins, in
 * the client's numbers, and the window scale of the server. Read after that only for SACK. */
struct proxy_start {
	uint32_t first;
	uint8_t scale;
	uint8_t pad[3];
};

#endif
