/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_PKT_H
#define PLVS_DATAPLANE_STAGES_PKT_H

/*
 * A packet in the stages, and a burst of up to 32 packets. A burst holds packets of one family
 * (pkt.fam.h). Worker context.
 */

#include <stddef.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "model/link_id.h"
#include "model/published.h"

#define BURST_MAX 32

enum pkt_dir {
	DIR_IN,	 /* client to VIP */
	DIR_OUT, /* real server of a NAT service to client */
};

#define PKT_TRIED_OUT 0x1U  /* steered `out` without a connection: now tried as `in` */
#define PKT_FOLLOWS   0x2U  /* a later fragment: ports are those of the first, no L4 header */
#define PKT_REPLAYED  0x4U  /* was parked: already counted as received */
#define PKT_FRAGMENT  0x8U  /* ports are known from steer on: fragment_track.h */
#define PKT_NEW	      0x20U /* this packet made its connection */
#define PKT_UNCOUNTED 0x40U /* the server was removed: counts at no server (IPVS) */
#define PKT_RELATED   0x80U /* ICMP error: key is the quoted connection's; see related.h */
#define PKT_BAD_L4    0x10U /* TCP or UDP header that does not fit its packet */

/* The tag of an mbuf, in a dynamic field. The tag stays with the mbuf in hand-off rings and while
 * the mbuf is parked. At the start of a packet only the first 8 bytes are set. */
struct pkt_tag {
	uint8_t kind;  /* enum handoff_kind */
	uint8_t flags; /* PKT_* */
	uint8_t hops;
	uint8_t fragment : 1; /* sport and dport are its datagram's */
	uint8_t udp : 1;      /* with fragment, IPv6: its protocol, TCP or UDP */
	uint8_t v6 : 1;	      /* HANDOFF_DECIDED: control is of an IPv6 template;
			       * HANDOFF_STEERED: the packet is of IPv6 */
	uint8_t observed : 1; /* a trace or capture observes the packet: observe/observer.h */
	uint8_t ours : 1;     /* a program of this router sent the packet: pipeline_inject() */
	uint8_t no_sum : 1;   /* with fragment, IPv4: of a UDP datagram without a checksum */
	union {
		uint16_t tx_port; /* HANDOFF_TX */
		struct {
			be16 sport, dport; /* with fragment, until transmit */
		};
		struct { /* HANDOFF_STEERED: stages/steered.h */
			uint16_t l3_len;
			uint8_t proto, tcp_flags;
		};
	};
	union {
		struct {
			uint32_t server;  /* HANDOFF_DECIDED: server_rt id */
			uint32_t control; /* HANDOFF_DECIDED: a hold on this template, or 0 */
		};
		struct { /* HANDOFF_STEERED */
			uint32_t hash;
			uint16_t vlan : 12;
			uint16_t dir : 1;
			uint8_t l3_off, l4_off; /* from the frame's start, from the IP header */
		};
	};
};
_Static_assert(sizeof(struct pkt_tag) == 16, "the dynamic fields of an mbuf have room");

enum handoff_kind {
	HANDOFF_STEER,	  /* for its owner, from the start of the pipeline */
	HANDOFF_STEERED,  /* for its owner, from look-up on: stages/steered.h */
	HANDOFF_TX,	  /* finished: to be sent by tx_port */
	HANDOFF_HOME,	  /* for the home of its client's template, to choose a server */
	HANDOFF_DECIDED,  /* its server is chosen and counted */
	HANDOFF_UNLEASED, /* as HANDOFF_TX without a lease: frames of Linux, relayed ones */
};

extern int pkt_tag_offset; /* set once at start by pkt_tag_register() */
/* Control, after EAL start. 0 or -rte_errno. */
int pkt_tag_register(void);

static inline struct pkt_tag *pkt_tag(struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, pkt_tag_offset, struct pkt_tag *);
}

/* The environment of all stages for one burst. */
struct burst_env {
	uint32_t now_tick; /* CONN_TICK_HZ ticks; wraps: compare by difference */
	uint32_t now_s;
	uint32_t gen;		   /* resolve_gen, read before the pointers */
	bool lease_off;		   /* VIPs are not active */
	uint32_t vip_flags;	   /* VIP_GRACE, VIP_FREEZE */
	const struct relay *relay; /* or NULL */
	uint32_t leavers;	   /* 0: no real server is removed */
	bool many_servers;	   /* their state exceeds the first caches */
	uint32_t sync;		   /* SYNC_EMIT, SYNC_HOLD */
	const struct snapshot *snap;
	const struct fib *fib;
};

#define CONN_TICK_HZ 16 /* 62.5 ms */

#define FAM_TEMPLATE "dataplane/stages/pkt.fam.h"
#include "base/both_families.h"
_Static_assert(sizeof(struct pkt4) == 64, "a packet of a burst is one cache line");

#endif
