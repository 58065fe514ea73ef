/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_KEEP_H
#define PLVS_KEEP_H

/*
 * The connections of a lone router over a restart: a file in its state directory, written
 * when it ends in order, read before the first packet. A crash leaves none. There is none
 * either where the directory does not exist.
 *
 * Context: main, while no worker runs. A snapshot is published.
 */

#include "dataplane/dataplane.h"

#define KEEP_MAX_AGE_S 120 /* older connections are more likely in the way than wanted */

/* What there is, and whether it could be taken, is logged. */
void keep_load(struct dataplane *dp, const char *state_dir);
void keep_save(struct dataplane *dp, const char *state_dir);

#endif
