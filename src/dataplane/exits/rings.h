/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_RINGS_H
#define PLVS_DATAPLANE_EXITS_RINGS_H

/*
 * The rings between workers, and between workers and the other threads (exchange.h).
 * Control context.
 */

#include "dataplane/dataplane.h"

#define COMMAND_RING_SIZE 64

/* For dp->workers as they are. 0, or -errno with a sentence in error. */
int rings_create(struct dataplane *dp, char error[256]);
/* Workers have ended: drops and counts what is parked or waits in rings that they consume,
 * and answers their commands empty. */
void rings_drain(struct dataplane *dp);
/* The link thread has ended too: frees what waits for it, and all rings. */
void rings_destroy(struct dataplane *dp);

#endif
