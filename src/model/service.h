/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SERVICE_H
#define PLVS_MODEL_SERVICE_H

/*
 * A virtual service and its real servers as one snapshot sees them: immutable once
 * published. Identity is protocol + first VIP:port, or the firewall mark; what changes
 * under traffic is in runtime.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/conn_state.h"
#include "model/runtime.h"

enum forward_method {
	FWD_NAT,    /* masquerading */
	FWD_DR,	    /* direct routing */
	FWD_TUNNEL, /* IPIP */
	FWD_LOCAL,  /* the router itself */
	FWD_MAX
};

extern const char *const forward_names[FWD_MAX];      /* "nat", "dr", "tunnel", "local" */
extern const char *const forward_ipvs_names[FWD_MAX]; /* "Masq", "Route", "Tunnel", "Local" */
/* 0 or -EINVAL. */
int forward_parse(const char *text, enum forward_method *out);

/* One real server, a place in the list. 64 bytes. */
struct server {
	struct server_rt *rt;
	struct addr addr;
	be16 port;	      /* 0 = keep the destination port (mark and port-0 services) */
	uint8_t method;	      /* enum forward_method */
	uint8_t down;	      /* health leaves it out of choices; its place stays */
	uint32_t weight;      /* what schedulers go by; health may lower it */
	uint32_t last_weight; /* last non-zero weight; mh deals by it */
	uint32_t upper, lower;
	uint32_t configured; /* the operator's weight: what an edit of the list is held against */
	uint8_t gone;	     /* with down: its connections are treated by on_server_gone */
	uint8_t pad[11];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct server) == 64, "a real server is one cache line");

#define SERVICE_ONE_PACKET 0x1U /* one-packet scheduling (UDP) */
#define SERVICE_SLOPPY_TCP 0x2U
/* A template whose server has weight 0 is not used (expire_quiescent_template). */
#define SERVICE_EXPIRE_QUIESCENT 0x4U
/* A packet of a real server's port without a connection is refused (nat_icmp_send). */
#define SERVICE_NAT_ICMP 0x8U
/* NAT: its connections are FTP control connections. */
#define SERVICE_FTP 0x10U
/* Flags of TCP without a connection are judged as IPVS does. */
#define SERVICE_ANY_FLAGS 0x20U
/* Sequence numbers of TCP judge no RST, and nobody's handshake (sequence_check is off). */
#define SERVICE_SEQUENCE_OFF 0x40U

/* TCP to a service's port, without a connection and opening none. */
enum unknown_policy {
	UNKNOWN_LINUX, /* Linux answers, with a RST */
	UNKNOWN_RST,
	UNKNOWN_DROP,
	UNKNOWN_MAX
};

/* What a NAT server sends from its port of a service, without a connection. */
enum reply_policy {
	REPLY_ROUTE, /* Linux routes it, with the server's address as its source (IPVS) */
	REPLY_RESET, /* TCP is answered with a RST, UDP is dropped */
	REPLY_VIP,   /* the same, but UDP leaves as the VIP where there is only one */
	REPLY_MAX
};

/* When a SYN on a connection that exists is a new one: bits of IPVS's conn_reuse_mode. */
#define REUSE_CLOSED   0x1U /* TIME_WAIT, CLOSE */
#define REUSE_FIN_WAIT 0x2U /* also FIN_WAIT, where no reply passes here (DR) */

/* Flags of schedulers (ipvsadm -b). */
#define SCHED_SH_FALLBACK 0x1U
#define SCHED_SH_PORT	  0x2U
#define SCHED_MH_FALLBACK 0x1U
#define SCHED_MH_PORT	  0x2U

struct sched_ops;

struct service {
	struct service_rt *rt;
	const struct sched_ops *sched;
	void *sched_data; /* tables the scheduler built for this list; immutable */
	void (*sched_release)(struct service *svc); /* set by sched_attach(): frees sched_data */
	uint32_t sched_gen;  /* changes with the list, weights or scheduler; see sched/sched.h */
	uint32_t sched_prev; /* the generation that this node replaced */
	uint32_t sched_flags;
	uint32_t refs; /* control only: snapshots that hold this node */
	uint32_t flags;
	uint32_t fwmark;       /* 0 = none */
	uint8_t proto;	       /* IPPROTO_TCP, IPPROTO_UDP; 0 for a mark */
	uint8_t family;	       /* enum addr_family */
	uint8_t method;	       /* default of its servers */
	uint8_t netmask_len;   /* of persistence; 0 with persist_s 0 */
	uint8_t gone;	       /* enum server_gone; workers look in rt */
	uint8_t unknown;       /* enum unknown_policy */
	uint8_t unknown_reply; /* enum reply_policy */
	uint8_t reuse;	       /* REUSE_* */
	uint8_t tunnel_len;    /* prefix that tunnels come from; 0: the router's own address */
	be32 tunnel_net;
	uint32_t drain_s; /* with GONE_DRAIN */
	uint32_t persist_s;
	uint32_t extension_s; /* of a template whose time ends while connections are under it */
	uint32_t locality_s;  /* lblc, lblcr: an address unused for so long is forgotten */
	uint32_t timeout_s[CONN_STATE_MAX];
	uint32_t n_listen;
	struct endpoint *listen; /* [n_listen], in the node; listen[0] is the identity */
	char *name;		 /* label from malloc, freed with the node; or NULL */
	uint32_t n_servers;
	struct server servers[]; /* in the kernel's order: head first */
};

/* Writes "tcp:10.1.0.100:80" or "fwmark:7". */
const char *service_key_format(uint8_t proto, const struct endpoint *ep, uint32_t fwmark, char *buf,
			       size_t len);

#endif
