/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_CONN_H
#define PLVS_DATAPLANE_CONN_CONN_H

/*
 * A connection. Only its owner, one worker, reads and writes it, without atomics. struct conn is
 * common to both families; conn4 and conn6 (conn.fam.h) add the keys. Entries live in an array; an
 * index names an entry, and index 0 names none. The wheel and the lists of give_way.h link entries
 * in arrays of their own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/be.h"
#include "model/client_address.h"
#include "model/conn_state.h"
#include "model/limits.h"

#define CONN_F_EMBRYONIC  0x01U /* half-open: no packet has followed the first one */
#define CONN_F_NOOUTPUT	  0x02U /* no reply has passed: the INPUT_ONLY state table holds */
#define CONN_F_ACTIVE	  0x04U /* counted as active at its server */
#define CONN_F_TEMPLATE	  0x08U /* persistence template: not counted */
#define CONN_F_OUT_KEY	  0x10U /* the out key is in the table */
#define CONN_F_LIVE	  0x20U /* a connection or template; not a server's half (crossing.h) */
#define CONN_F_ONE_PACKET 0x40U
#define CONN_F_PAYLOAD	  0x80U /* the router writes payload: see conn4_is_ftp(), proxy.h */

/* conn.evidence: evidence.h. The last two bits hold the list of give_way.h. */
#define EVIDENCE_ASSURED    0x01U /* the entry gives way last */
#define EVIDENCE_DOUBT	    0x02U /* a RST came whose number proves nothing */
#define EVIDENCE_CLIENT	    0x04U /* end[DIR_IN] is known */
#define EVIDENCE_SERVER	    0x08U /* end[DIR_OUT] is known */
#define EVIDENCE_LEARN	    0x10U /* no handshake: the ends come from the next segments */
#define EVIDENCE_HANDSHAKE  0x20U /* end[DIR_IN] is the number after the SYN */
#define EVIDENCE_LIST_SHIFT 6

struct conn {
	/* --- every hit --- */
	uint32_t tick;	 /* of the last packet */
	uint32_t gen;	 /* resolve generation of nexthop[]; or GEN_ENDED */
	uint32_t server; /* server_rt id */
	union {
		uint16_t nexthop[2]; /* by enum pkt_dir: id, 0 = resolve */
		/* CONN_F_TEMPLATE: holds by connections and by packets under way. Any worker,
		 * atomics only. The owner may end the template when the count is 0 and no other
		 * worker can reach the template. */
		uint32_t children;
	};
	union {
		struct {
			uint16_t l4_delta; /* NAT: of `in`; `out` is its inverse */
			uint16_t ip_delta; /* full NAT of IPv6 as well */
		};
		struct { /* full NAT, with a server of the same family: fullnat/local_end.h */
			be16 lport;
			uint16_t local_id; /* IPv4: the number of the local address */
		};
		/* CONN_F_TEMPLATE: TEMPLATE_*. Workers with a hold and the owner, atomics only. */
		uint32_t assured;
	};
	uint8_t state; /* enum conn_state */
	uint8_t flags; /* CONN_F_* */
	uint8_t proto;
	uint8_t method; /* enum forward_method */
	/* --- state changes and expiry --- */
	union {
		uint32_t timeout; /* ticks */
		uint32_t group;	  /* a server's half: the group of its local port, local_port.h */
	};
	uint16_t slot;	  /* of the wheel */
	uint8_t evidence; /* EVIDENCE_* */
	union {
		uint8_t rank;  /* moments of traffic, and the time of the last one: evidence.c */
		uint8_t place; /* a server's half: place of its local port in the group */
	};
	union {
		/* TCP, by direction: the sequence number behind the last byte that was seen. */
		uint32_t end[2];
		uint32_t free_next; /* an unused entry: the next one */
		struct {	    /* while only the out key is missing: its hash, in the place of
				       end[DIR_OUT] */
			uint32_t end_in;
			uint32_t out_hash;
		};
	};
};
_Static_assert(sizeof(struct conn) == 40, "hot part of a connection");

/* State, flags, proto and method as one number, for comparisons. */
#define CONN_KIND(state, flags, proto, method)                                                     \
	((uint32_t)(state) | (uint32_t)(flags) << 8 | (uint32_t)(proto) << 16 |                    \
	 (uint32_t)(method) << 24)
static inline uint32_t conn_kind(const struct conn *c)
{
	uint32_t kind;

	memcpy(&kind, &c->state, sizeof(kind));
	return kind;
}
_Static_assert(offsetof(struct conn, flags) == offsetof(struct conn, state) + 1 &&
		       offsetof(struct conn, proto) == offsetof(struct conn, state) + 2 &&
		       offsetof(struct conn, method) == offsetof(struct conn, state) + 3 &&
		       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "four bytes of a connection are one number");

enum conn_end { END_SERVER, END_CLIENT, END_VIP, END_MAX };

/* The first end of the key of a direction (enum pkt_dir). The second one follows. */
static inline unsigned int end_first(unsigned int dir)
{
	return END_CLIENT - dir;
}

#define FAM_TEMPLATE "dataplane/conn/conn.fam.h"
#include "base/both_families.h"

/* A template is an entry in the table of its home, which may be another worker than the owner of
 * its connections. */
#define CONTROL_INDEX_BITS     26
#define CONTROL_INDEX_MAX      ((1U << CONTROL_INDEX_BITS) - 1)
#define CONTROL(worker, index) ((uint32_t)(worker) << CONTROL_INDEX_BITS | (index))
_Static_assert(MAX_WORKERS <= 1U << (32 - CONTROL_INDEX_BITS), "a worker and an index");

/* conn.assured of a template. THROUGH: a client got through, by the state of its connection (IPVS;
 * shown as ASSURED). PROVEN: a client is assured by evidence. */
#define TEMPLATE_THROUGH 1U
#define TEMPLATE_PROVEN	 2U

/* A bit in the protocol of a template's key, so that no packet has the key. A template of a mark
 * has no protocol, and the mark as its virtual address. */
#define PROTO_TEMPLATE 0x80U

#endif
