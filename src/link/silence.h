/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_SILENCE_H
#define PLVS_LINK_SILENCE_H

/*
 * A port that receives nothing at all while its link is up and Linux sends. Frames go missing
 * there without an error anywhere: a driver that lost its last interrupt, a switch port in the
 * wrong VLAN, a filter in the NIC. Silence alone proves nothing, since a quiet network is
 * silent; silence after questions for neighbours is worth a word to the operator.
 *
 * Link thread.
 */

#include <stdbool.h>
#include <stdint.h>

#define SILENCE_S      30 /* without a frame; Linux asks for a neighbour every 5 s */
#define SILENCE_FRAMES 3  /* of Linux in that time, at least */

/* The state of a port, as of its last frame. */
struct silence {
	uint64_t received, sent; /* frames: of the port, of Linux on the port's TAP */
	uint32_t since_s;
	uint32_t neighbours; /* told to the operator; 0: nothing was told */
	bool up;
};

/* Looks at the port's counters, once a second. True: the port is silent for SILENCE_S, though Linux
 * has sent SILENCE_FRAMES frames. now_s: of any clock that does not go back. */
bool silence_lasts(struct silence *s, bool up, uint64_t received, uint64_t sent, uint32_t now_s);

#endif
