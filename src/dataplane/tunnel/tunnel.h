/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TUNNEL_TUNNEL_H
#define PLVS_DATAPLANE_TUNNEL_TUNNEL_H

/*
 * Tunnels to real servers (FORWARD_OUTER_HEADER): outer headers (outer.h) of the server's family,
 * which may differ from the client's, around the client's packet. The functions choose the source
 * of outer packets, keep the path MTU of servers, and pass ICMP errors about outer packets on to
 * clients. Worker context.
 */

#include <stdbool.h>

#include "dataplane/stages/ip.h"
#include "dataplane/worker.h"

#define TUNNEL_MTU_MIN	552  /* lower values are ignored (Linux, ip_rt_min_pmtu) */
#define TUNNEL_MTU6_MIN 1280 /* the least MTU of an IPv6 link */
#define TUNNEL_MTU_S	600  /* validity of a path MTU (Linux, ip_rt_mtu_expires) */

/* The path MTU that this worker learnt of a real server. */
struct tunnel_path {
	uint16_t mtu; /* of the outer packet; 0 = not known */
	uint16_t pad;
	uint32_t until_s;
};

/* The MTU of outer packets to a server (its server_rt id), in bytes. link_mtu: of the next hop. */
uint16_t tunnel_mtu(const struct worker *w, uint32_t server, uint16_t link_mtu);

/* An ICMP error about an outer packet, taken apart; pointers into the packet. */
struct tunnel_quote {
	uint8_t outer_family, inner_family;
	struct icmp_wire what; /* in outer_family */
	uint32_t mtu;	       /* of too big; else 0 */
	uint16_t outer_len;    /* of the quoted packet, its header included */
	bool outer_whole;      /* the quoted packet must not be fragmented */
	struct addr from, to;  /* of the quoted packet */
	struct encap encap;    /* of the quoted packet; without its checksum setting */
	uint16_t header_len;   /* of all headers before the inner packet */
	uint8_t *inner;	       /* IP header, then at least 8 bytes */
	uint16_t len;	       /* readable bytes from inner on */
	uint16_t ports;	       /* from inner */
	uint8_t proto;
};

/* True: the error is that the packet was too big. */
bool tunnel_quote_too_big(const struct tunnel_quote *q);

#define FAM_TEMPLATE "dataplane/tunnel/tunnel.fam.h"
#include "base/both_families.h"

#endif
