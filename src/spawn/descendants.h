/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_DESCENDANTS_H
#define PLVS_SPAWN_DESCENDANTS_H

/*
 * Descendants of the calling process, which is a subreaper: their orphans become its
 * children. Needs CONFIG_PROC_CHILDREN; without it only direct process groups can be ended.
 *
 * Context: supervisor, spawner. One thread.
 */

#include <stdint.h>
#include <sys/types.h>

#define DESCENDANTS_MAX 1024 /* processes looked at in one pass; orphans come up for the next */

/* Signals all descendants but spared[n] and their descendants. Returns the number of signalled
 * processes. */
uint32_t descendants_signal(int sig, const pid_t *spared, uint32_t n);

#endif
