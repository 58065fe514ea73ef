/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SERVER_H
#define PLVS_SPAWN_SERVER_H

/* The spawner's own loop. Context: the spawner's process; one thread. */

#include <stdint.h>
#include <sys/types.h>

#include "spawn/spawner.h"

/*
 * Serves until life ends (end of file), the process router is gone, or all clients are.
 * Owns the descriptors, which are the only ones open beside 0 to 2.
 */
void server_run(pid_t router, int life, const int *clients, uint32_t n) __attribute__((noreturn));

#endif
