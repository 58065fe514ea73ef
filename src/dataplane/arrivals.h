/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_ARRIVALS_H
#define PLVS_DATAPLANE_ARRIVALS_H

/*
 * Packets that other workers handed off. Each other worker has a ring to this one. With many
 * workers a ring holds a few packets at a time, so a burst is filled from all rings. Packets of one
 * ring keep their order. The packets of a connection come by one ring as long as the port delivers
 * them to one worker.
 *
 * Worker context.
 */

#include "dataplane/worker.h"

/* Takes at most BURST_MAX packets of each ring. Returns their number. */
uint32_t arrivals_receive(struct worker *w);

#endif
