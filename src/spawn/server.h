/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SERVER_H
#define PLVS_SPAWN_SERVER_H

/* The spawner's own loop. Context: the spawner's process; one thread. */

#include <stdint.h>
#include <sys/types.h>

#include "spawn/spawner.h"

#define SERVER_END_MS 2000 /* supervisors have this long to end what they run */

/*
 * Says on pair that it serves, answers each byte there with one, and serves. Ends the process
 * when life ends (end of file) or router (a pidfd, or -1) is gone. Returns when pair ends: the
 * keeper is gone, and clients have been let go of.
 */
void server_run(int router, int life, int pair, const int *clients, uint32_t n);

#endif
