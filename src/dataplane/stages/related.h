/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_RELATED_H
#define PLVS_DATAPLANE_STAGES_RELATED_H

/*
 * ICMP errors about balanced connections, found by the quoted packet and sent to the sender of that
 * packet, as in IPVS:
 *	about a reply, to the VIP     NAT: destination and quoted source become the server's;
 *				      DR: to the server as it is
 *	about a forwarded packet,     NAT: the source becomes the VIP, whoever sent it, and
 *	to the client		      the quoted destination the VIP and its port
 * By full NAT both addresses of the error and of the quoted packet are rewritten. Worker context.
 */

#include "dataplane/stages/ip.h"
#include "dataplane/stages/pkt.h"

/* The packet that an error quotes: places from l3 of the error on. */
struct related_quote {
	uint16_t at;	/* the IP header */
	uint16_t ports; /* the L4 header */
	uint8_t proto;
};

#define FAM_TEMPLATE "dataplane/stages/related.fam.h"
#include "base/both_families.h"

#endif
