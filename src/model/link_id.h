/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_LINK_ID_H
#define PLVS_MODEL_LINK_ID_H

/*
 * A link is (port, VLAN or none). Addresses, neighbours, next hops, ARP answers and mark rules
 * refer to links. The id holds both, so that planes need no table of links. Context: any.
 */

#include <stdint.h>

#include "model/limits.h"

typedef uint32_t link_id; /* port << 12 | VLAN id; VLAN 0 = untagged */

#define LINK_ANY ((link_id)~0U)
#define LINK_MAX (MAX_PORTS << 12)

static inline link_id link_id_of(unsigned int port, unsigned int vlan)
{
	return port << 12 | vlan;
}

static inline uint16_t link_port(link_id link)
{
	return (uint16_t)(link >> 12);
}

static inline uint16_t link_vlan(link_id link)
{
	return (uint16_t)(link & 0xfff);
}

#endif
