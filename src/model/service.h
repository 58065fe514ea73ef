/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SERVICE_H
#define PLVS_MODEL_SERVICE_H

/*
 * A virtual service and its real servers as one snapshot sees them: immutable once
 * published. Identity is protocol + first VIP:port, or the firewall mark. State that
 * changes under traffic is in runtime.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/client_address.h"
#include "model/conn_state.h"
#include "model/encap.h"
#include "model/mark_prefix.h"
#include "model/runtime.h"

/* X(NAME, name, name of ipvsadm) */
#define FORWARD_METHODS(X)                                                                         \
	X(NAT, nat, "Masq")	    /* masquerading */                                             \
	X(DR, dr, "Route")	    /* direct routing */                                           \
	X(TUNNEL, tunnel, "Tunnel") /* encap.h */                                                  \
	X(LOCAL, local, "Local")    /* the router itself */                                        \
	X(FULLNAT, fullnat, "Masq") /* both addresses: ipvsadm has no name for it */

enum forward_method {
#define X(NAME, name, ipvs) FWD_##NAME,
	FORWARD_METHODS(X)
#undef X
		FWD_MAX
};

#define FORWARD_DEFAULT FWD_NAT /* of a configuration that states none */

/* Properties of forwarding methods. A property is the set of the methods that have it: see
 * forward_has(). Stage rewrite alone goes by the method. */
#define FORWARD_REPLIES_PASS (1U << FWD_NAT | 1U << FWD_FULLNAT) /* replies of the server pass */
#define FORWARD_REWRITES     (1U << FWD_NAT | 1U << FWD_FULLNAT) /* addresses and ports change */
#define FORWARD_BY_SOURCE    (1U << FWD_NAT)	 /* replies are told by the server's address */
#define FORWARD_BY_LOCAL     (1U << FWD_FULLNAT) /* replies are told by an address of a pool */
/* The server has the VIP as an address of its own, and answers the client itself. */
#define FORWARD_SERVER_HAS_VIP (1U << FWD_DR | 1U << FWD_TUNNEL)
#define FORWARD_SAME_LINK      (1U << FWD_DR)	  /* the server has to be the next hop */
#define FORWARD_OUTER_HEADER   (1U << FWD_TUNNEL) /* packets travel in packets of the router */
/* The server may be of the other family. */
#define FORWARD_CROSSES	  (FORWARD_OUTER_HEADER | FORWARD_BY_LOCAL)
#define FORWARD_ENDS_HERE (1U << FWD_LOCAL) /* packets go to Linux: no next hop */

static inline bool forward_has(unsigned int method, unsigned int set)
{
	return set >> method & 1;
}

/* "nat", "dr", "tunnel", "local", "fullnat", NULL. */
extern const char *const forward_names[FWD_MAX + 1];
extern const char
	*const forward_ipvs_names[FWD_MAX]; /* "Masq", "Route", "Tunnel", "Local", "Masq" */

/* Of a number that may be no method: then "?". */
static inline const char *forward_name(unsigned int method)
{
	return method < FWD_MAX ? forward_names[method] : "?";
}

/* A real server in its place of the list. 64 bytes. */
struct server {
	struct server_rt *rt;
	struct addr addr;
	be16 port;	      /* 0 = keep the destination port (mark and port-0 services) */
	uint8_t method;	      /* enum forward_method */
	uint8_t down;	      /* by health: not chosen; the place in the list stays */
	uint32_t weight;      /* the weight for schedulers; health may lower it */
	uint32_t last_weight; /* last non-zero weight; mh deals by it */
	uint32_t upper, lower;
	uint32_t configured; /* the operator's weight, with which an edit of the list is compared */
	struct encap encap;  /* of tunnels */
	uint8_t as_removed;  /* with down: its connections are treated by on_server_gone */
	uint8_t pad[3];
	uint32_t id; /* of rt: set by sched_attach() */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct server) == 64, "a real server is one cache line");

/* TCP to a service's port, without a connection and opening none. */
enum unknown_policy {
	UNKNOWN_LINUX, /* Linux answers, with a RST */
	UNKNOWN_RST,
	UNKNOWN_DROP,
	UNKNOWN_MAX
};

/* The treatment of packets without a connection from the port that a NAT server has in a
 * service. */
enum reply_policy {
	REPLY_ROUTE, /* Linux routes the packet, with the server's address as its source (IPVS) */
	REPLY_RESET, /* TCP is answered with a RST, UDP is dropped */
	REPLY_VIP,   /* the same, but UDP leaves as the VIP where there is only one */
	REPLY_MAX
};

/* States in which a SYN makes a new connection in place of the old one: bits of IPVS's
 * conn_reuse_mode. */
#define REUSE_CLOSED   0x1U /* TIME_WAIT, CLOSE */
#define REUSE_FIN_WAIT 0x2U /* also FIN_WAIT, where no reply passes here (DR) */

/* The part of a packet that tells the clients of a persistent service apart. */
enum persist_engine {
	PERSIST_BY_ADDRESS,
	PERSIST_BY_CALL_ID, /* UDP: by the Call-ID of SIP as well (IPVS's engine "sip") */
	PERSIST_ENGINE_MAX
};

/* Flags of schedulers (ipvsadm -b). */
#define SCHED_SH_FALLBACK 0x1U
#define SCHED_SH_PORT	  0x2U
#define SCHED_MH_FALLBACK 0x1U
#define SCHED_MH_PORT	  0x2U

/* A netmask of IPv4 with holes: its bits are the low ones. */
#define NETMASK_BITS 0x100000000ULL

#define MH_SLOTS_DEFAULT 4093 /* of the table of mh, as in IPVS */

/*
 * The part of a service's configuration that workers use. Rows of the configuration's schema write
 * these members. A new key is a member here, a row in config/schema_policy.c, and the code that
 * reads the member.
 */
struct service_policy {
	uint64_t netmask;   /* of persistence: a prefix length, or NETMASK_BITS */
	uint32_t persist_s; /* persistence; 0 = none */
	uint8_t forward;    /* enum forward_method: default of the servers */
	uint8_t on_removed; /* enum on_removed; workers look in rt */
	uint8_t unknown;    /* enum unknown_policy */
	bool one_packet;    /* one-packet scheduling (UDP) */
	bool sloppy_tcp;
	uint8_t unknown_reply;	/* enum reply_policy */
	bool any_flags;		/* flags of TCP without a connection are judged as IPVS does */
	bool sequence_check;	/* sequence numbers of TCP judge RSTs and handshakes */
	bool ftp;		/* NAT, full NAT, TCP: connections are FTP control ones */
	uint8_t client_address; /* enum client_address: how servers learn the client's */
	bool expire_quiescent;	/* a template whose server has weight 0 is not used */
	bool nat_icmp_send;	/* a packet of a server's port without a connection is refused */
	uint8_t persist_engine; /* enum persist_engine */
	bool adopt; /* connections that another router began are taken up; see sched/mh.c */
	uint32_t scheduler_flags;
	uint32_t mh_slots; /* of mh: a prime; 0: MH_SLOTS_DEFAULT */
	uint32_t reuse;	   /* REUSE_* */
	uint32_t drain_s;  /* with ON_REMOVED_DRAIN */
	/* Further life of a template whose time ends while connections hold it; 0: persist_s. */
	uint32_t extension_s;
	uint32_t locality_s; /* lblc, lblcr: an address unused for so long is forgotten */
	struct mark_prefix tunnel_source; /* len 0: the router's own address */
	uint32_t timeout_s[CONN_STATE_MAX];
};

struct sched_ops;

struct service {
	struct service_rt *rt;
	const struct sched_ops *sched;
	void *sched_data; /* tables the scheduler built for this list; immutable */
	void (*sched_release)(struct service *svc); /* set by sched_attach(): frees sched_data */
	uint32_t sched_gen;  /* changes with the list, weights or scheduler; see sched/sched.h */
	uint32_t sched_prev; /* the generation that this node replaced */
	uint32_t refs;	     /* control only: snapshots that hold this node */
	uint32_t fwmark;     /* 0 = none */
	uint8_t proto;	     /* IPPROTO_TCP, IPPROTO_UDP; 0 for a mark */
	uint8_t family;	     /* enum addr_family */
	uint16_t n_workers;  /* workers with a ranking of their own; 0: no rankings */
	bool unclaimed;	     /* control only: its addresses are not announced by this service */
	struct service_policy policy;
	uint32_t n_listen;
	struct endpoint *listen; /* [n_listen], in the node; listen[0] is the identity */
	char *name;		 /* label from malloc, freed with the node; or NULL */
	uint32_t n_servers;
	struct server servers[]; /* in the kernel's order: head first */
};

/* Any. The entry of a server in a node, or NULL. svc may be NULL. */
static inline const struct server *service_server(const struct service *svc,
						  const struct server_rt *rt)
{
	for (uint32_t i = 0; svc && i < svc->n_servers; i++)
		if (svc->servers[i].rt == rt)
			return &svc->servers[i];
	return NULL;
}

/* Writes "tcp:10.1.0.100:80", "udp:[2001:db8::1]:53", or for a mark "fwmark:7" and, of family
 * ADDR_V6, "fwmark:7/ipv6". */
const char *service_key_format(uint8_t proto, const struct endpoint *ep, uint32_t fwmark,
			       uint8_t family, char *buf, size_t len);
/* Parses a text of service_key_format(): *proto 0 and *fwmark, or *proto and *ep. The family of a
 * mark is *family. 0 or -EINVAL, with nothing written. */
int service_key_parse(const char *text, uint8_t *proto, struct endpoint *ep, uint32_t *fwmark,
		      uint8_t *family);

#endif
