/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TUNNEL_TUNNEL_H
#define PLVS_DATAPLANE_TUNNEL_TUNNEL_H

/*
 * What a tunnel (FWD_TUNNEL, IPIP) needs beside its header: the address that the outer packet
 * comes from, the path MTU learnt of a server, and ICMP errors about outer packets, which come
 * to that address and are told to the client. Worker context.
 */

#include <stdbool.h>

#include "dataplane/worker.h"

#define TUNNEL_MTU_MIN 552 /* less is not believed (Linux, ip_rt_min_pmtu) */
#define TUNNEL_MTU_S   600 /* how long a path MTU is known (Linux, ip_rt_mtu_expires) */

/* What this worker learnt of the path to a real server. */
struct tunnel_path {
	uint16_t mtu; /* of the outer packet; 0 = nothing */
	uint16_t pad;
	uint32_t until_s;
};

/* The router's own address towards the server or, with a prefix (tunnel_source), one of it by
 * the client's endpoint, so that what spreads by addresses spreads. 0: there is no route. */
be32 tunnel4_source(const struct worker *w, const struct conn4 *c);

/* What an outer packet may have. link_mtu: of the next hop. */
uint16_t tunnel4_mtu(const struct worker *w, const struct conn4 *c, uint16_t link_mtu);

/*
 * An ICMP error about an outer packet, found by the inner packet that it quotes: unreachable
 * and time exceeded go to the client with the same type and code (IPVS), fragmentation needed
 * is learnt and told less the outer header. Such an error about no connection, or that
 * contradicts it, is dropped (icmp_unrelated). True: it was one, the packet has left. Stage
 * steer calls it for what would go to Linux.
 */
bool tunnel4_error(struct worker *w, struct pkt4 *p);

#endif
