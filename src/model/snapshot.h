/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SNAPSHOT_H
#define PLVS_MODEL_SNAPSHOT_H

/*
 * What workers read of the configuration: an immutable tree. A change replaces one
 * service's node and the root; the parts below are shared by reference count between
 * snapshots. Built and freed by control, read by workers between two quiescent states.
 */

#include <stddef.h>
#include <stdint.h>

#include "model/link_id.h"
#include "model/service.h"

/* What an address is to this router. Kinds combine: bits. */
#define ADDR_KIND_VIP	     0x01U /* a virtual service or the operator's list has it */
#define ADDR_KIND_ACTIVE     0x02U /* with VIP: this router answers and forwards for it */
#define ADDR_KIND_NAT_SERVER 0x04U /* real server of a NAT service, removed ones included */
#define ADDR_KIND_GATEWAY    0x08U /* moves in a failover; Linux owns it while active */
#define ADDR_KIND_ROUTED     0x10U /* with VIP: in a routed prefix, or not claimed; no ARP */
/* Was a VIP, and its services' servers still have connections: their packets are looked up;
 * all else, ARP and ping included, is as for any other address. */
#define ADDR_KIND_LINGERING 0x20U
/* Control only, while a table is built: ROUTED does not hold. */
#define ADDR_KIND_CLAIMED 0x40U
/* With ROUTED: outside of routed prefixes, of services that claim no address. Where Linux has the
 * address, Linux answers ARP for it. */
#define ADDR_KIND_UNCLAIMED 0x80U

struct addr_entry4 {
	be32 addr;
	uint32_t kinds; /* 0 = free slot */
	link_id link;	/* where ARP for it is answered; LINK_ANY */
};

/* Open addressing, linear probing, power of two, at most half full. */
struct addr_table4 {
	uint32_t refs; /* control only */
	uint32_t mask; /* slots - 1 */
	uint32_t n;
	struct addr_entry4 slots[];
};

/* Listener: (protocol, address, port) -> service id. Port 0 matches any port (persistent
 * services), asked after the exact one. */
struct listener4 {
	be32 addr;
	be16 port;
	uint8_t proto; /* 0 = free slot */
	uint8_t flags; /* of snapshot.owned4: OWNED_* */
	uint32_t service_id;
};

struct listener_table4 {
	uint32_t refs;
	uint32_t mask;
	uint32_t n;
	struct listener4 slots[];
};

struct mark_table;
struct mark_cover;

struct snapshot {
	uint64_t generation; /* 1, 2, ...: of every published snapshot */
	struct addr_table4 *addrs4;
	struct listener_table4 *listeners4; /* marks as well: LISTENER_MARK */
	struct listener_table4 *owned4;	    /* owned_port.h; NULL = none */
	struct mark_table *marks;	    /* mark.h; NULL = no rules */
	struct mark_cover *cover4;	    /* mark.h; NULL = no rule leads to a service */
	/* shared.compat is `ipvs`: where no service is, no connection is looked at, and Linux
	 * judges whatever flags TCP has. */
	bool ipvs;
	uint32_t max_service_id;
	struct service *services[]; /* [max_service_id + 1] by id; NULL = none */
};

/* Any. The node of a service id, or NULL; of no snapshot as well. */
static inline struct service *snapshot_service(const struct snapshot *s, uint32_t id)
{
	return s && id <= s->max_service_id ? s->services[id] : NULL;
}

static inline uint32_t addr4_hash(be32 addr)
{
	/* The high half: on a little-endian machine neighbours differ in the top byte only. */
	return (uint32_t)((uint64_t)addr * 0x9e3779b97f4a7c15ULL >> 32);
}

/* Worker or any. The entry, or NULL. */
static inline const struct addr_entry4 *addr_table4_find(const struct addr_table4 *t, be32 addr)
{
	for (uint32_t i = addr4_hash(addr);; i++) {
		const struct addr_entry4 *e = &t->slots[i & t->mask];

		if (e->kinds == 0)
			return NULL;
		if (e->addr == addr)
			return e;
	}
}

static inline uint32_t listener4_hash(uint8_t proto, be32 addr, be16 port)
{
	uint64_t h = (uint64_t)addr * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ (uint64_t)port << 8 ^ proto) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(h >> 32);
}

/* The entry, or NULL. */
static inline const struct listener4 *listener_table4_entry(const struct listener_table4 *t,
							    uint8_t proto, be32 addr, be16 port)
{
	for (uint32_t i = listener4_hash(proto, addr, port);; i++) {
		const struct listener4 *l = &t->slots[i & t->mask];

		if (l->proto == 0)
			return NULL;
		if (l->addr == addr && l->port == port && l->proto == proto)
			return l;
	}
}

/* The service id, or 0. */
static inline uint32_t listener_table4_find(const struct listener_table4 *t, uint8_t proto,
					    be32 addr, be16 port)
{
	const struct listener4 *l = listener_table4_entry(t, proto, addr, port);

	return l ? l->service_id : 0;
}

/* Control. Tables are built once from arrays. NULL with errno ENOMEM, or EEXIST (the
 * same listener twice). Entries for one address are merged by or-ing their kinds. */
struct addr_table4 *addr_table4_create(const struct addr_entry4 *entries, uint32_t n);
struct listener_table4 *listener_table4_create(const struct listener4 *entries, uint32_t n);

/* Control. A root with every slot NULL and generation 0. NULL: out of memory. */
struct snapshot *snapshot_create(uint32_t max_service_id);
/* A copy of the root that shares everything below (takes a reference of each). */
struct snapshot *snapshot_clone(const struct snapshot *s, uint32_t max_service_id);
/* Replaces one service's node (may be NULL) and drops the old node's reference.
 * Takes over the caller's reference of svc. */
void snapshot_set_service(struct snapshot *s, uint32_t id, struct service *svc);
void snapshot_set_addrs4(struct snapshot *s, struct addr_table4 *t);
void snapshot_set_listeners4(struct snapshot *s, struct listener_table4 *t);
void snapshot_set_owned4(struct snapshot *s, struct listener_table4 *t);
/* Take over the caller's reference; NULL is none. */
void snapshot_set_marks(struct snapshot *s, struct mark_table *marks);
void snapshot_set_cover4(struct snapshot *s, struct mark_cover *cover);
/* Drops the root and its references; frees what nobody holds any more. */
void snapshot_destroy(struct snapshot *s);

/* Control. A service node with room for n servers and listeners, counts set, the rest
 * zeroed, one reference. NULL: out of memory. */
struct service *service_create(uint32_t n_servers, uint32_t n_listen);
/* Drops a reference; frees what the scheduler built, the name and the node with the last. */
void service_put(struct service *svc);

#endif
