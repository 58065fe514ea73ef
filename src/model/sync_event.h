/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SYNC_EVENT_H
#define PLVS_MODEL_SYNC_EVENT_H

/*
 * Synchronisation of connections, as the planes share it. Workers report changes of their
 * connections (struct sync_event). Changes of the peer's connections come to workers in the same
 * struct, as operations. Ids of servers are this router's own and never leave it: the ha thread
 * translates them by identity (ha/sync/identity.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/family.h"
#include "model/limits.h"

/* published.sync. ha: wo, worker: ro. */
#define SYNC_EMIT 0x1U /* a peer is there: workers report changes of connections */
/* The active router is heard: connections that it reported do not age. When the bit is cleared,
 * each of them starts over with its state's whole time-out. */
#define SYNC_HOLD   0x2U
#define SYNC_LEDGER 0x4U /* dataplane: rows of the ledger are written (ledger_format.h) */

enum sync_kind {
	SYNC_NONE,
	/* A connection or template as it is now: new, in another state, or alive when the
	 * wheel looked. */
	SYNC_PUT,
	SYNC_END,	 /* the entry is gone; only its in key is set */
	SYNC_FTP_SEQ,	 /* the shift of the sequence numbers of an FTP control connection */
	SYNC_FTP_EXPECT, /* a control connection announced a data connection */
	/* To a worker: report all entries (SYNC_F_TRANSFER). From a worker: all entries are
	 * reported. Later changes of an entry follow its event. */
	SYNC_WALK,
	/* To a worker, which sends it back with the same token behind all earlier events. */
	SYNC_FLUSH,
	/* Removes entries that no operation of transfer `gen` or later brought. */
	SYNC_SWEEP,
	SYNC_KIND_MAX
};

#define SYNC_F_TRANSFER 0x1U /* of a walk */
#define SYNC_F_FTP	0x2U /* an FTP control connection */
#define SYNC_F_ASSURED	0x4U /* by evidence: it gives way last */
#define SYNC_F_V6	0x8U /* its addresses are of IPv6 */
/* By full NAT, with a server of the other family: its local address is of that family. */
#define SYNC_F_OTHER  0x10U
#define SYNC_F_CLIENT 0x20U /* SYNC_FTP_SEQ: the client's numbers, not the server's */

/* Transfers are numbered 1 .. SYNC_GEN_MAX, then 1 again; 0: not of a transfer. */
#define SYNC_GEN_MAX 15

/* The address of a connection: of IPv6 with SYNC_F_V6. A source for one family says FAM(name). */
#define SYNC_ADDR(name)                                                                            \
	union {                                                                                    \
		be32 name, name##4;                                                                \
		struct addr6 name##6;                                                              \
	}

struct sync_event {
	/* The in key of the connection. Of a template: as conn.h says. */
	SYNC_ADDR(caddr);
	SYNC_ADDR(vaddr);
	union {
		SYNC_ADDR(daddr); /* SYNC_PUT */
		struct {	  /* SYNC_FTP_SEQ: as struct ftp_shift has them */
			uint32_t pos;
			int32_t before, after;
		};
		struct { /* SYNC_FTP_EXPECT */
			uint32_t left_s;
			be16 data_cport; /* active: the client's port; 0: passive */
			be16 data_port;	 /* passive: the server's */
			be16 data_lport; /* active, full NAT: the client's for the server */
			be16 no_port;
		};
		uint32_t token; /* SYNC_WALK, SYNC_FLUSH */
	};
	uint32_t server; /* SYNC_PUT: server_rt id */
	be16 cport, vport;
	be16 dport;    /* SYNC_PUT */
	uint8_t proto; /* with PROTO_TEMPLATE: a template */
	uint8_t kind;  /* enum sync_kind */
	uint8_t state; /* enum conn_state */
	uint8_t method;
	uint8_t flags; /* SYNC_F_* */
	uint8_t gen;   /* operations: the transfer under way, or the last one */
	/* SYNC_PUT by full NAT: the address (of the other family with SYNC_F_OTHER) and port that
	 * the server sees. lport 0: none. */
	SYNC_ADDR(laddr);
	be16 lport;
	uint8_t proxy; /* SYNC_PUT: as a connection has it (model/client_address.h) */
	uint8_t zero;
	uint32_t first; /* with PROXY_SENDING: where the client's stream begins */
};
_Static_assert(sizeof(struct sync_event) == 88, "a cache line, and the local address");

#define SYNC_EVENT_ADDR(e, name)                                                                   \
	((e)->flags & SYNC_F_V6 ? addr_from_addr6((e)->name##6) : addr_from_addr4((e)->name##4))

/* Whether both are of the same connection. */
static inline bool sync_event_same(const struct sync_event *a, const struct sync_event *b)
{
	if (a->cport != b->cport || a->vport != b->vport || a->proto != b->proto ||
	    ((a->flags ^ b->flags) & SYNC_F_V6))
		return false;
	return a->flags & SYNC_F_V6
		       ? addr6_equal(a->caddr6, b->caddr6) && addr6_equal(a->vaddr6, b->vaddr6)
		       : a->caddr4 == b->caddr4 && a->vaddr4 == b->vaddr4;
}

/* The ha thread's access to the data plane, given to the thread at start. Only the ha thread calls
 * these functions, and no call waits. */
struct sync_access {
	void *arg;
	uint16_t n_workers;
	/* Events of all workers, in order per connection, at most max. */
	uint32_t (*take)(void *arg, struct sync_event *out, uint32_t max);
	/* Events that found a ring full, since the start. */
	uint64_t (*lost)(void *arg);
	/* An operation for the owner of its connection (SYNC_PUT, _END, _FTP_*). 0, or -EAGAIN: try
	 * again later. */
	int (*give)(void *arg, const struct sync_event *op);
	/* An operation for every worker (SYNC_WALK, _FLUSH, _SWEEP). 0, or -EAGAIN: no worker
	 * has it. */
	int (*tell)(void *arg, const struct sync_event *op);
	/* Operations that workers have not come to yet. */
	uint64_t (*pending)(void *arg);
	/* Sets SYNC_EMIT and SYNC_HOLD. */
	void (*set_mode)(void *arg, uint32_t mode);
};

/* --- identities ---------------------------------------------------------------------- */

struct sync_service {
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP; 0 = a mark */
	uint8_t pad;
	be16 port;
	uint32_t mark;	  /* host order; 0: not of a mark */
	struct addr addr; /* of the first listener; of a mark: zero, and the service's family */
};

/* Compared as bytes. */
struct sync_server {
	struct sync_service service;
	struct addr addr;
	be16 port;
	uint16_t pad;
};
_Static_assert(sizeof(struct sync_server) == 52, "without padding of the compiler's own");

/* A real server of an update. */
struct identity_entry {
	uint32_t id; /* server_rt */
	struct addr addr;
	be16 port;
	uint16_t pad;
};

/* A change of identities: the servers of a service as the list is now, or (service_id 0) ids that
 * are forgotten. Made by control, read and freed by ha. */
struct identity_update {
	struct identity_update *next;
	uint32_t service_id;
	struct sync_service service;
	uint32_t n;
	struct identity_entry servers[];
};

/* From control to ha, without a lock. Zeroed is empty. */
struct identity_feed {
	struct identity_update *newest;
};

struct service;

/* Control. The list of a service; NULL: no memory. */
struct identity_update *identity_update_create(const struct service *svc);
/* Control. A removed service, or the id of a forgotten server. NULL: no memory. */
struct identity_update *identity_update_gone(uint32_t service_id, uint32_t server_id);
/* Control. Takes u over. */
void identity_feed_push(struct identity_feed *f, struct identity_update *u);
/* ha. All updates in order, linked by next, each to be freed with free(). NULL: none. */
struct identity_update *identity_feed_take(struct identity_feed *f);
/* Call when no thread uses the feed any more. */
void identity_feed_fini(struct identity_feed *f);

struct sync_service sync_service_of(const struct service *svc);

#endif
