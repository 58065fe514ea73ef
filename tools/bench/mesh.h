/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BENCH_MESH_H
#define PLVS_BENCH_MESH_H

/* Workers that share a service by NAT and hand packets over to each other: handoff.c. */

#include "bench.h"

#include <string.h>

struct mesh {
	unsigned int n; /* workers */
	uint32_t connections;
	struct owner_map owners;
	struct scene s[MAX_WORKERS];
	struct scene front;				  /* writes packets of all connections */
	uint32_t *of[MAX_WORKERS], n_of[MAX_WORKERS];	  /* connections that a worker owns */
	struct rte_ring *rings[MAX_WORKERS][MAX_WORKERS]; /* [from][to] */
	unsigned int next_owner;
};

/* n workers with that many connections, all established. Worker k sends by devs[k]. */
void mesh_create(struct mesh *m, unsigned int n, uint32_t connections, const uint16_t *devs,
		 struct rte_ring *sink, struct rte_mempool *pool);
void mesh_destroy(struct mesh *m);
/* Writes packets that arrive at a worker: of its own connections, or (handed) of those of all
 * others in turn. */
void mesh_fill(struct mesh *m, unsigned int at, bool handed, struct rte_mbuf **frames,
	       unsigned int n);
/* A round of a worker that receives these frames, and what other workers handed over. */
void mesh_round(struct mesh *m, unsigned int at, struct rte_mbuf **frames, uint16_t n);
/* A burst for each worker, so many times. Returns the number of packets. */
uint32_t mesh_run(struct mesh *m, bool handed, uint32_t rounds, struct rte_mempool *pool);
/* Packets that all workers sent. Fails if one was dropped. */
uint64_t mesh_sent(const struct mesh *m);

#endif
