/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_NOT_BALANCED_H
#define PLVS_DATAPLANE_STAGES_NOT_BALANCED_H

/*
 * The decision of stage steer on a packet, and the ways of packets that are of no connection and of
 * no service: to Linux, to the peer, answered here, or dropped. Worker context.
 */

#include "dataplane/worker.h"

enum steering {
	STEER_IN,
	STEER_OUT,
	STEER_UNDECIDED,  /* by the look at plain packets alone */
	STEER_ND,	  /* neighbour discovery (nd.h) */
	STEER_ECHO,	  /* ICMP that quotes nothing, to an address that is active here */
	STEER_TO_VIP,	  /* another protocol to such an address */
	STEER_OWN,	  /* to an address of the router's own, or to a group */
	STEER_CHECK,	  /* the same: the reply to a check (check_path.h) */
	STEER_TRANSIT,	  /* to any other address */
	STEER_NOT_ACTIVE, /* of the router of a pair that is active */
	STEER_DROP,	  /* STEER_DROP + reason: dropped */
};

static inline enum steering steer_drop(enum drop_reason reason)
{
	return (enum steering)(STEER_DROP + (int)reason);
}

static inline bool proto_is_balanced(uint8_t proto)
{
	return (proto == IPPROTO_TCP) | (proto == IPPROTO_UDP);
}

#define FAM_TEMPLATE "dataplane/stages/not_balanced.fam.h"
#include "base/both_families.h"

#endif
