/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SNAPSHOT_H
#define PLVS_MODEL_SNAPSHOT_H

/*
 * The configuration that workers read: an immutable tree. A change replaces one service's node
 * and the root; snapshots share the parts below by reference count. Control builds and frees
 * snapshots; workers read them between two quiescent states.
 */

#include <stddef.h>
#include <stdint.h>

#include "model/addr_table.h"
#include "model/listener_table.h"
#include "model/local_pool.h"
#include "model/service.h"

struct mark_table;
struct mark_cover4;
struct mark_cover6;
struct service_holder; /* of snapshot.c */

struct snapshot {
	uint64_t generation; /* 1, 2, ...: of every published snapshot */
	struct addr_table4 *addrs4;
	struct addr_table6 *addrs6;
	struct listener_table4 *listeners4; /* marks as well: LISTENER_MARK */
	struct listener_table6 *listeners6;
	struct listener_table4 *owned4; /* owned_port.h; NULL = none */
	struct listener_table6 *owned6;
	struct local_pool4 *pool4; /* local_pool.h; NULL = no address */
	struct local_pool6 *pool6;
	struct mark_cover4 *cover4; /* mark.h; NULL = no rule leads to a service */
	struct mark_cover6 *cover6;
	struct mark_table *marks; /* mark.h; of both families; NULL = no rules */
	/* shared.compat is `ipvs`: without a service no connection is looked up, and Linux judges
	 * TCP with flags that plvs drops otherwise. */
	bool ipvs;
	struct service_holder **holders; /* Control. The references of the nodes, 64 to a holder */
	uint32_t max_service_id;
	struct service *services[]; /* [max_service_id + 1] by id; NULL = none */
};

/* Any. The node of a service id, or NULL. s may be NULL. */
static inline struct service *snapshot_service(const struct snapshot *s, uint32_t id)
{
	return s && id <= s->max_service_id ? s->services[id] : NULL;
}

/* Control. The addresses of both families, in no order; free() them. NULL: out of memory. */
struct addr_entry *snapshot_addrs(const struct snapshot *s, uint32_t *n);

/* Control. A root with every slot NULL and generation 0. NULL: out of memory. */
struct snapshot *snapshot_create(uint32_t max_service_id);
/* A copy of the root that shares everything below, with room for as many services as s or more. */
struct snapshot *snapshot_clone(const struct snapshot *s, uint32_t max_service_id);
/* Replaces one service's node (may be NULL) and drops the old node's reference. Takes over the
 * caller's reference of svc, unless -ENOMEM: possible for the first change of a copy's services of
 * the same 64 ids only. */
int snapshot_set_service(struct snapshot *s, uint32_t id, struct service *svc);
/* Takes over the caller's reference. NULL: no marks. */
void snapshot_set_marks(struct snapshot *s, struct mark_table *marks);
/* Drops the root and its references; frees each part whose last reference this was. */
void snapshot_destroy(struct snapshot *s);

/* Control. A service node with room for n servers and listeners, counts set, the rest
 * zeroed, one reference. NULL: out of memory. */
struct service *service_create(uint32_t n_servers, uint32_t n_listen);
/* Drops a reference; frees what the scheduler built, the name and the node with the last. */
void service_put(struct service *svc);

#define FAM_TEMPLATE "model/snapshot.fam.h"
#include "base/both_families.h"

#endif
