/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_ARRIVALS_H
#define PLVS_DATAPLANE_ARRIVALS_H

/*
 * Packets that other workers handed over. Each other worker has a ring to this one. With many
 * workers a ring holds a few packets at a time; the stages run on full bursts of what all rings
 * have. Packets of one ring keep their order, so those of a connection do: they come by one ring
 * as long as the port delivers them to one worker.
 *
 * Worker context.
 */

#include "dataplane/worker.h"

/* Takes BURST_MAX packets of each ring at most. Returns their number. */
uint32_t arrivals_receive(struct worker *w);

#endif
