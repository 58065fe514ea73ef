/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PROXY_PROXY_START_H
#define PLVS_DATAPLANE_PROXY_PROXY_START_H

#include <stdint.h>

/* For a connection with PROXY_SENDING, in an array beside the entries: the begin of its stream in
 * the client's numbers, and the window scale of the server. Later only SACK needs it. */
struct proxy_start {
	uint32_t first;
	uint8_t scale;
	uint8_t pad[3];
};

#endif
