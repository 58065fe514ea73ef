/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SIEVE_SIEVE_BPF_H
#define PLVS_DATAPLANE_SIEVE_SIEVE_BPF_H

/* System calls of the sieve. All return 0 or -errno. */

#include "dataplane/sieve/sieve.h"

#define SIEVE_FILE "sieve.bpf.o"

int sieve_map_set(int fd, const void *key, const void *value);
/* 0 also if the key is not there. */
int sieve_map_del(int fd, const void *key);
/* The descriptors of the three maps with an id above `after`; of several of a name the newest.
 * -ENOENT: not all three are there. The descriptors belong to the driver. */
int sieve_maps_find(uint32_t after, int fds[SIEVE_MAPS]);

#endif
