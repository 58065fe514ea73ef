/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXPLAIN_EXPLAIN_H
#define PLVS_DATAPLANE_EXPLAIN_EXPLAIN_H

/*
 * Explain: the fate of a packet, without sending it. The packet goes through the real stages with a
 * copy of a worker (shadow.h). The copy has all objects that the packet can reach: the connection,
 * the template, the service with its cursor and counts, the connections that would give way. The
 * doors of the copy send no packet. So the answer is that of the stages, and the router does not
 * change.
 *
 * A worker runs a leg of the way between two bursts, on its own tables (CMD_EXPLAIN). A packet that
 * is handed off goes on at the other worker with the next leg. Control makes and frees the copy,
 * and one thread at a time uses it.
 */

#include <rte_mbuf.h>

#include "dataplane/dataplane.h"
#include "dataplane/stages/pkt.h"
#include "model/nexthop.h"
#include "sched/sched.h"

#define EXPLAIN_FRAME_MAX 2048 /* bytes of a frame to explain */
#define EXPLAIN_LEGS	  8
#define EXPLAIN_OUT	  4   /* frames that leave: fragments, and answers to the sender */
#define EXPLAIN_HEAD	  256 /* bytes of such a frame that are copied */
#define EXPLAIN_ANY_PORT  0xffff

enum explain_stage {
	EXPLAIN_PARSE,
	EXPLAIN_STEER,
	EXPLAIN_SCHEDULE,
	EXPLAIN_RESOLVE,
	EXPLAIN_REWRITE,
	EXPLAIN_TRANSMIT,
	EXPLAIN_HOME, /* the template's worker decides */
	EXPLAIN_STAGES
};

enum explain_door {
	EXPLAIN_NO_DOOR, /* still on its way */
	EXPLAIN_SENT,
	EXPLAIN_HANDED_OFF,
	EXPLAIN_PUNTED,
	EXPLAIN_ANSWERED,
	EXPLAIN_DROPPED,
	EXPLAIN_PARKED,
	EXPLAIN_DOORS
};

extern const char *const explain_stage_names[EXPLAIN_STAGES];
extern const char *const explain_door_names[EXPLAIN_DOORS];

/* A packet by description, in place of a frame. */
struct explain_packet {
	struct endpoint source, dest;
	uint8_t proto; /* TCP or UDP */
	uint8_t tcp_flags;
	uint8_t hops;
	uint16_t len; /* of the IP packet; 0: headers alone */
};

/* The way through one worker. */
struct explain_leg {
	uint16_t worker;
	uint8_t kind;	/* enum handoff_kind of the packet's arrival */
	uint8_t stage;	/* enum explain_stage by which it left */
	uint8_t door;	/* enum explain_door */
	uint8_t reason; /* enum drop_reason, enum punt_class */
	uint16_t to;	/* EXPLAIN_HANDED_OFF: worker */
};

/* A server as the scheduler saw it. */
struct explain_server {
	struct endpoint ep;
	uint64_t counts;
	uint32_t id, weight;
	bool overloaded, down, quiesced;
};

struct explain_out {
	uint16_t port;
	uint16_t len; /* of the frame */
	uint16_t caplen;
	bool told; /* made here: an ICMP error, a RST, an answer */
	uint8_t head[EXPLAIN_HEAD];
};

struct shadow;

struct explain {
	/* --- control: wo, before the first leg --- */
	uint16_t port;		      /* that the packet arrives at, or EXPLAIN_ANY_PORT */
	uint16_t vlan;		      /* with port, of a described packet */
	uint16_t frame_len;	      /* 0: described */
	bool whole;		      /* the frame has an Ethernet header */
	struct explain_packet packet; /* described */
	uint8_t frame[EXPLAIN_FRAME_MAX];

	/* --- worker: wo. Valid when the last leg is done --- */
	const char *fault; /* the reason why the packet cannot be explained; or NULL */
	uint32_t n_legs;
	struct explain_leg leg[EXPLAIN_LEGS];
	bool parsed, steered, found, made, matched, exact, template_found, scheduled, resolved;
	uint8_t family; /* enum addr_family */
	uint8_t proto, tcp_flags;
	uint8_t dir;   /* enum pkt_dir, with steered */
	uint8_t flags; /* PKT_* */
	link_id link;
	uint16_t arrived; /* port */
	uint16_t l3_len;
	uint16_t owner, home; /* workers, with steered; home with a template */
	struct endpoint source, dest;
	struct conn_view before, after; /* with found; with made or found */
	uint32_t mark, mark_rule;	/* rule: from 1; 0: no mark */
	char service[96];
	uint32_t service_id;
	uint32_t persist_s;
	struct endpoint template_server;
	/* With scheduled. */
	const char *scheduler;
	uint64_t cursor_before, cursor_after;
	int32_t choice;	    /* index into the list, or SCHED_NONE */
	uint32_t n_servers; /* of the service */
	struct explain_server servers[MAX_SERVERS_PER_SERVICE];
	/* With resolved. */
	struct nexthop nh;
	uint16_t mtu; /* of IP, towards the next hop; a tunnel's header is taken off */
	uint16_t tx_worker;
	/* The next hop that the packet waits for. */
	link_id wanted_link;
	struct addr wanted;
	uint32_t n_out;
	struct explain_out out[EXPLAIN_OUT];
	bool out_full;		  /* there were more */
	uint8_t in[EXPLAIN_HEAD]; /* the frame as it arrived */
	uint16_t in_caplen, in_len;

	/* --- the copy --- */
	struct shadow *shadow;
	struct rte_mbuf *m; /* the packet between two legs */
	uint16_t next;	    /* worker of the next leg */
};

/* Control. A copy for workers of dp; NULL: out of memory. */
struct explain *explain_create(struct dataplane *dp);
void explain_destroy(struct explain *x);

/* Worker, between two bursts. x->next names the worker. True: the packet goes on with another leg,
 * at x->next. */
bool explain_leg(struct worker *w, struct explain *x);

/* Control: the last leg is done, or none follows. */
static inline const struct explain_leg *explain_last(const struct explain *x)
{
	return x->n_legs ? &x->leg[x->n_legs - 1] : NULL;
}

#endif
