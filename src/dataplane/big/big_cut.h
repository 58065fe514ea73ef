/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_BIG_CUT_H
#define PLVS_DATAPLANE_BIG_BIG_CUT_H

/*
 * Finishes marked frames (big_frame.h) whose way has no device that does so: computes the checksum,
 * and cuts a frame of several segments into as many frames. Worker context.
 */

#include "dataplane/big/big_frame.h"
#include "dataplane/worker.h"

/* The most segments of one frame: 64 KiB of the smallest segments that hosts use. */
#define BIG_SEGMENTS_MAX 128

/* Takes a marked frame, and gives the finished frames for it, at least one, in order and without
 * the mark. 0: the frame was dropped (DROP_SEGMENTS). Frames beyond the first count as generated.
 */
uint16_t big_cut(struct worker *w, struct rte_mbuf *m, struct rte_mbuf *out[BIG_SEGMENTS_MAX]);

#endif
