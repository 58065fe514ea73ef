/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SERVER_H
#define PLVS_SPAWN_SERVER_H

/* The spawner's own loop. Context: the spawner's process; one thread. */

#include <stdint.h>
#include <sys/types.h>

#include "spawn/spawner.h"

#define SERVER_END_MS 2000 /* supervisors have this time to end their programs */

/*
 * Serves clients. Writes a byte to pair at the start, and answers each byte there with one. Ends
 * the process when life ends (end of file) or router (a pidfd, or -1) is gone. Returns when pair
 * ends: the keeper is gone, and the clients were closed.
 */
void server_run(int router, int life, int pair, const int *clients, uint32_t n);

#endif
