/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_SILENCE_H
#define PLVS_LINK_SILENCE_H

/*
 * Detection of a port that receives no frames while its link is up and Linux sends. Such a port
 * loses frames without any error: a driver that lost its last interrupt, a switch port in the wrong
 * VLAN, a filter in the NIC. Silence alone proves no fault, since a quiet network is silent too;
 * silence after requests for neighbours leads to a warning.
 *
 * Link thread.
 */

#include <stdbool.h>
#include <stdint.h>

#define SILENCE_S      30 /* without a frame; Linux repeats a request for a neighbour every 5 s */
#define SILENCE_FRAMES 3  /* of Linux in that time, at least */

/* The state of a port, as of its last frame. */
struct silence {
	uint64_t received, sent; /* frames: of the port, of Linux on the port's TAP */
	uint32_t since_s;
	uint32_t neighbours; /* in the warning; 0: no warning */
	bool up;
};

/* Looks at the port's counters, once a second. True: the port is silent for SILENCE_S, though Linux
 * has sent SILENCE_FRAMES frames. now_s: of any clock that does not go back. */
bool silence_lasts(struct silence *s, bool up, uint64_t received, uint64_t sent, uint32_t now_s);

#endif
