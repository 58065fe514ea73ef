/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_KEPT_CONNECTIONS_H
#define PLVS_ROUTER_KEPT_CONNECTIONS_H

/*
 * The connections of a router over a restart: a file in its state directory, written when it
 * ends in order and no peer has them, read before the first packet. A crash leaves none. There
 * is none either where the directory does not exist. Of a pair, what the peer tells later
 * replaces what the file held (ha/role/role.h, `kept`).
 *
 * Context: main, while no worker runs. A snapshot is published.
 */

#include "dataplane/dataplane.h"

#define KEEP_MAX_AGE_S 120 /* older connections are more likely in the way than wanted */

/* What there is, and whether it could be taken, is logged. True: connections were taken up,
 * *term is what they were served under. */
bool kept_connections_load(struct dataplane *dp, const char *state_dir, uint64_t *term);
void kept_connections_save(struct dataplane *dp, const char *state_dir, uint64_t term);

#endif
