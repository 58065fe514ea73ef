/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_LINK_H
#define PLVS_LINK_LINK_H

/*
 * The Linux side of all ports: a TAP interface per port, the pump between TAPs and rings,
 * the mirror of Linux's addresses and routes, and next hops kept fresh by Linux. The
 * link thread sleeps when idle; functions of this header send it messages.
 *
 * Order of a start: dataplane_create() (MACs, rings, pools, published are there),
 * link_create(), link_start() (TAPs, left-over VIPs removed, first fib published), then
 * dataplane_start(). Order of an end: dataplane_stop(), link_stop(), link_destroy(),
 * dataplane_destroy().
 *
 * Context: control or main, unless noted. "Any thread" excludes workers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error_text.h"
#include "base/addr.h"
#include "model/exchange.h"
#include "model/fib.h"
#include "model/limits.h"
#include "model/link_id.h"
#include "model/nexthop.h"
#include "model/published.h"

#define LINK_IFNAME_LEN 16 /* IFNAMSIZ */

struct link;

/* Addresses and routes that plvs adds to an interface that plvs makes. */
struct link_linux {
	const struct net_addr *addrs;
	const struct net_route *routes;
	uint32_t n_addrs, n_routes;
};

struct link_vlan_config {
	uint16_t id; /* 1 .. MAX_VLAN */
	bool loose;  /* real servers may send by this link, against routes */
	struct link_linux linux_side;
};

struct link_port_config {
	char name[MAX_NAME + 1];   /* role name: "public" */
	char tap[LINK_IFNAME_LEN]; /* with VLANs: room for ".4094" */
	struct mac mac;		   /* of the port */
	uint16_t mtu;		   /* of the port, bytes of IP */
	bool carrier;		   /* at start; then link_set_carrier() */
	bool loose; /* real servers may send by this port and its VLANs, against routes */
	/* af_packet and af_xdp always report "up", so the interface that the device reads (iface=,
	 * in the namespace of link_create()'s caller) has to be up, too. "" = only
	 * link_set_carrier() counts. */
	char kernel_if[LINK_IFNAME_LEN];
	/* Linux keeps kernel_if, which is the Linux side of the port. There is no TAP, Linux
	 * manages addresses and routes, and the interface gets no VIPs. tap is its name. */
	bool shared;
	struct link_linux linux_side;
	struct link_vlan_config *vlans;
	uint32_t n_vlans;
};

/* Addresses that move in a failover, or belong to services. */
enum link_address_kind {
	LINK_ADDRESS_VIP,     /* a /32 (/128) of the interface while active */
	LINK_ADDRESS_GATEWAY, /* with its prefix length while active */
	LINK_ADDRESS_PREFIX,  /* a local route of the whole prefix while active */
};

struct link_address {
	struct addr addr;
	uint8_t len;  /* of a gateway or prefix; VIPs: ignored */
	uint8_t kind; /* enum link_address_kind */
	bool active;  /* on this router, now */
	link_id link; /* LINK_ANY: where Linux has a prefix around it, else port 0 */
};

/* A next hop that is resolved and kept fresh also without traffic: all real servers. link LINK_ANY:
 * by Linux's routes (then a gateway on the way is resolved). */
struct link_want {
	link_id link;
	struct addr addr;
};

struct link_fib_route;

/* Called from the link thread: must return soon and must not call link_*() that wait. */
struct link_callbacks {
	/* The administrator changed a TAP's MTU. 0: the port has the MTU now. -errno: the port
	 * cannot; the TAP is set back and the refusal is logged. NULL: all changes are refused. */
	int (*mtu_changed)(void *arg, uint16_t port, uint16_t mtu);
	/* A port's carrier, once per edge. May be NULL. */
	void (*carrier_changed)(void *arg, uint16_t port, bool up);
	/* The carrier of a port, as the device reports it: called every 100 ms, and when
	 * exchange.link_eventfd is written with all rings empty. NULL: link_set_carrier(), and for
	 * ports with kernel_if only the interface. */
	bool (*port_up)(void *arg, uint16_t port);
	/* A link with this VLAN appeared on the port's TAP (also each time that it comes up) or was
	 * removed. Called before the port starts for VLANs of the configuration. May be NULL. */
	void (*vlan_changed)(void *arg, uint16_t port, uint16_t vlan, bool there);
	/* Frames received on the port since the start. NULL: no look for silence. */
	uint64_t (*port_received)(void *arg, uint16_t port);
	/* The port's link is up and receives no frames, though Linux tries to resolve this many
	 * neighbours. 0: the silence is over. Once per edge. May be NULL. */
	void (*port_silent)(void *arg, uint16_t port, uint32_t neighbours);
	/* The routes that workers follow have changed; those of kind ROUTE_LOCAL are the router's
	 * own addresses. May be NULL. */
	void (*routes_changed)(void *arg, const struct link_fib_route *routes, uint32_t n);
	void *arg;
};

struct link_config {
	char netns[256]; /* name under /run/netns, or a path; "" = the caller's */
	uint16_t n_ports;
	struct link_port_config ports[MAX_PORTS]; /* by port index */
	struct link_address *addresses;		  /* all of the configuration */
	uint32_t n_addresses;
	/* Ports that Linux does not give to sockets by itself, host order; 0: none. */
	uint16_t reserved_first, reserved_last;
	bool inactive; /* until link_set_active(true): this router stands by */
	bool realtime; /* heartbeats pass: SCHED_FIFO where allowed */
	struct link_callbacks callbacks;
};

/* Copies the configuration. published and exchange outlive the link. 0 or -errno: -EINVAL (a wrong
 * configuration; error names the field), -ENOMEM, or of socket(). */
int link_create(const struct link_config *config, struct published *published,
		struct exchange *exchange, struct link **out, char error[ERROR_TEXT]);
/* Starts the thread and waits until TAPs are made, left-over VIPs are removed, and the
 * first fib is published. 0 or -errno; after an error only link_destroy() may follow. */
int link_start(struct link *l, char error[ERROR_TEXT]);
/* Ends the thread: removes active VIPs and gateways, and the interfaces that it made. */
void link_stop(struct link *l);
/* Also after a failed link_start(). Unpublishes and frees the fib: workers have ended. */
void link_destroy(struct link *l);

/* --- Any thread; no wait. 0 or -ENOMEM. ------------------------------------------------ */

/* Replaces the list of addresses. Removes addresses from Linux that are not active or not listed
 * any more, and adds missing active ones. */
int link_set_addresses(struct link *l, const struct link_address *list, uint32_t n);
/* A takeover, or a fence: adds all active addresses of the list to Linux, or removes them. Gateways
 * first. */
int link_set_active(struct link *l, bool active);
/* True: the thread has the priority of the configuration. */
bool link_is_realtime(const struct link *l);
/* Has the thread make a round, so that its progress shows that it runs. Any thread; no wait. */
void link_poke(struct link *l);
/* Replaces the list of next hops that are wanted. */
int link_want_nexthops(struct link *l, const struct link_want *list, uint32_t n);
/* Adds one to the list, or removes it. */
int link_want_nexthop(struct link *l, const struct link_want *want, bool wanted);
/* Sets the carrier of a port, as DPDK reports it. Ignored for ports with kernel_if. */
int link_set_carrier(struct link *l, uint16_t port, bool up);

/* --- Control; waits for the link thread (milliseconds). *out is for free(). ------------- */

struct link_nexthop {
	struct nexthop nh;
	uint32_t idle_s; /* since a worker used it, to about 10 s */
	bool wanted;
};

struct link_neighbour {
	link_id link;
	struct addr addr;
	struct mac mac; /* zero: not known */
	uint16_t state; /* NUD_* of linux/neighbour.h */
	bool managed;
};

/* A route that workers follow, of either family. Compared as bytes. */
struct link_fib_route {
	struct prefix dest;
	struct addr via;    /* with ROUTE_GATEWAY; else ADDR_NONE */
	struct addr source; /* the router's own address towards dest, or ADDR_NONE */
	link_id link;	    /* LINK_ANY: no link of plvs */
	uint32_t metric;
	uint32_t links_at; /* as in struct fib */
	uint16_t mtu;
	uint8_t kind; /* enum route_kind */
};

/* 0, -ENOMEM, or -ESHUTDOWN when the thread is not running. */
int link_list_routes(struct link *l, struct link_fib_route **out, uint32_t *n);
int link_list_nexthops(struct link *l, struct link_nexthop **out, uint32_t *n);
int link_list_neighbours(struct link *l, struct link_neighbour **out, uint32_t *n);
/* Returns when every earlier message and netlink change has been taken up and, where needed,
 * published. For tests and "apply". */
int link_sync(struct link *l);

/* --- Counters: link thread writes, any thread reads with relaxed loads. ----------------- */

/* X(name, unit, help): per port. */
#define LINK_PORT_COUNTERS(X)                                                                      \
	X(to_tap_pkts, NULL, "frames given to Linux")                                              \
	X(to_tap_bytes, "bytes", "bytes of frames given to Linux")                                 \
	X(from_tap_pkts, NULL, "frames that Linux sent")                                           \
	X(from_tap_bytes, "bytes", "bytes of frames that Linux sent")                              \
	X(tap_down, NULL, "frames dropped because the TAP is down or gone")                        \
	X(tap_error, NULL, "frames that the TAP refused")                                          \
	X(inject_full, NULL, "frames of Linux dropped: the worker's ring was full")                \
	X(inject_no_mbuf, NULL, "frames of Linux dropped: no packet buffer")                       \
	X(tap_lost, NULL, "times the TAP disappeared")

/* X(name, help): of the thread. */
#define LINK_COUNTERS(X)                                                                           \
	X(progress, "rounds of the link thread")                                                   \
	X(netlink_events, "netlink messages taken up")                                             \
	X(netlink_malformed, "netlink messages ignored because they are malformed")                \
	X(netlink_overruns, "times that netlink events were lost and all state was read again")    \
	X(netlink_errors, "requests that Linux refused")                                           \
	X(reconciles, "times that all state was read from Linux")                                  \
	X(fibs_published, "route tables published")                                                \
	X(routes, "routes in the published table")                                                 \
	X(routes_over, "routes left out: over the limit")                                          \
	X(nexthops, "next hops")                                                                   \
	X(nexthops_reachable, "next hops with a valid MAC")                                        \
	X(nexthops_reclaimed, "next hops removed because they were not used")                      \
	X(nexthops_full, "next hops refused: table full")                                          \
	X(resolve_requests, "requests of workers")                                                 \
	X(resolve_refused, "requests of workers for unknown links or invalid addresses")           \
	X(unknown_port, "punted frames of a port that does not exist")

struct link_port_counters {
#define X(name, unit, help) uint64_t name;
	LINK_PORT_COUNTERS(X)
#undef X
};

struct link_counters {
#define X(name, help) uint64_t name;
	LINK_COUNTERS(X)
#undef X
};

const struct link_port_counters *link_port_counters(const struct link *l, uint16_t port);
const struct link_counters *link_counters(const struct link *l);

/* --- Text. Any. -------------------------------------------------------------------------- */

#endif
