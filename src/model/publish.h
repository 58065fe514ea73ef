/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_PUBLISH_H
#define PLVS_MODEL_PUBLISH_H

/*
 * Pointers that cross planes, and the rule to free what they pointed to.
 *
 * A publisher stores its pointer with release order, then, if connections may have to
 * resolve again, adds one to resolve_gen. A worker loads resolve_gen (acquire) before
 * the pointers, once per burst: what it resolves under generation g used pointers at
 * least as new as g.
 *
 * Old objects are retired: kept until every worker has passed a quiescent state.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/fib.h"
#include "model/nexthop.h"
#include "model/runtime.h"
#include "model/snapshot.h"

/* Grace periods. Filled in by the data plane (QSBR); tests give one that is always over.
 * start and passed may be called from any thread but a worker. */
struct grace {
	uint64_t (*start)(void *arg);
	bool (*passed)(void *arg, uint64_t token);
	void *arg;
};

struct published {
	struct snapshot *snapshot; /* control: wo (release), worker: ro */
	struct fib *fib;	   /* link: wo (release), worker: ro */
	uint32_t resolve_gen;	   /* control, link: atomic add; worker: ro */
	uint32_t vip_lease_off;	   /* ha: wo; worker: ro. Non-zero: VIP traffic is not_active */
	struct nexthop_table nexthops;
	struct runtime runtime;
	struct grace grace;
};

static inline void published_raise_gen(struct published *p)
{
	__atomic_fetch_add(&p->resolve_gen, 1, __ATOMIC_ACQ_REL);
}

/* A list of things to free after their grace period; one per thread that publishes. */
struct retired {
	void *object;
	void (*destroy)(void *object);
	uint64_t token;
};

struct retire_list {
	const struct grace *grace;
	struct retired *items;
	uint32_t head, n, capacity;
};

void retire_list_init(struct retire_list *l, const struct grace *grace);
/* Frees what is left without waiting: only after workers have stopped. */
void retire_list_fini(struct retire_list *l);
/* Never fails: without memory for the list it waits for the grace period itself. */
void retire(struct retire_list *l, void *object, void (*destroy)(void *object));
/* Frees what is due. Returns how many are still waiting. Call from a timer. */
uint32_t retire_poll(struct retire_list *l);

#endif
