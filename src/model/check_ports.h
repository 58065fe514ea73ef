/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_CHECK_PORTS_H
#define PLVS_MODEL_CHECK_PORTS_H

/*
 * The source ports of checks under way, each with the server that the check asks and the check's
 * VIP. Checks bind a port here before they connect, so that workers know
 *	- a reply to a check from any other packet to the router's own address (PUNT_CHECK);
 *	- the VIP of a check with via_vip. Linux sends the probe to the real server's address, and a
 *	  worker writes the VIP into the probe. Replies come from the VIP, and a worker writes the
 *	  server's address into them.
 *
 * A port is shared by up to CHECK_PORT_WAYS checks, of other servers and, via_vip, of other
 * VIPs: the sender of a reply tells them apart. A port that is given back stays known for
 * CHECK_PORT_QUIET_MS: the RST that ends a connection is still on its way. For ICMP echo the
 * port is the identifier, and the other side's port 0.
 *
 * The range is in net.ipv4.ip_local_reserved_ports, which holds for IPv6 as well, so that Linux
 * gives none of it to others. Checks of both families share the range. The control thread
 * writes; workers read without locks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/family.h"

#define CHECK_PORT_FIRST    61000 /* beyond what Linux gives to others, by default */
#define CHECK_PORT_LAST	    64999
#define CHECK_PORT_WAYS	    4
#define CHECK_PORT_QUIET_MS 500

/* The target of a check. server and vip are of one family. */
struct check_peer {
	struct addr server; /* the destination of the probe as Linux sends it */
	struct addr vip;    /* ADDR_NONE: the server's own address is meant */
	be16 port;	    /* ICMP: 0 */
	uint8_t proto;
	bool tunnel; /* with vip: in an outer header */
};

/* who: all of check_peer but the addresses, and a count of changes. 0: a free slot. A reader that
 * finds the same who before and after it reads the addresses has the addresses of one check. */
struct check_slot {
	uint64_t who;	    /* control: wo (release), worker: ro */
	uint64_t server[2]; /* control: wo (release), worker: ro. The bytes of the address */
	uint64_t vip[2];    /* control: wo (release), worker: ro */
};

struct check_ports {
	uint16_t first, n;	     /* host order; set at creation */
	struct check_slot *slots;    /* [n][CHECK_PORT_WAYS] */
	struct check_ports_own *own; /* control's part */
};

/* Ports first to last. 0, -EINVAL or -ENOMEM. */
int check_ports_create(uint16_t first, uint16_t last, struct check_ports **out);
void check_ports_destroy(struct check_ports *t); /* NULL is allowed */

/* Control. A port for a check of this peer, host order; -EADDRNOTAVAIL: all are taken. */
int check_port_bind(struct check_ports *t, const struct check_peer *peer, uint64_t now_ms);
/* Control. The check of this peer at this port has ended. */
void check_port_release(struct check_ports *t, uint16_t port, const struct check_peer *peer,
			uint64_t now_ms);
/* Control. Ports bound now; without those that are quiet. */
uint32_t check_ports_bound(const struct check_ports *t);

/* Any. Whether a port, host order, is in the range. */
static inline bool check_ports_has(const struct check_ports *t, uint16_t port)
{
	return (uint16_t)(port - t->first) < t->n;
}

#define FAM_TEMPLATE "model/check_ports.fam.h"
#include "base/both_families.h"

#endif
