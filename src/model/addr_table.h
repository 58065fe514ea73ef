/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_ADDR_TABLE_H
#define PLVS_MODEL_ADDR_TABLE_H

/*
 * Addresses that mean something to this router: addr_table4 and addr_table6. Built once from an
 * array by control, immutable, shared by snapshots through a reference count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/family.h"
#include "model/link_id.h"

/* The kinds of an address, as this router sees the address. Kinds combine: bits. */
#define ADDR_KIND_VIP	     0x01U /* a virtual service or the operator's list has it */
#define ADDR_KIND_ACTIVE     0x02U /* with VIP: this router answers and forwards for it */
#define ADDR_KIND_NAT_SERVER 0x04U /* real server of a NAT service, removed ones included */
#define ADDR_KIND_GATEWAY    0x08U /* moves in a failover; Linux owns it while active */
#define ADDR_KIND_ROUTED     0x10U /* with VIP: in a routed prefix, or not claimed; no ARP */
/* A former VIP whose servers still have connections: packets are looked up. A packet without a
 * connection, ARP and ping are treated as for any other address. */
#define ADDR_KIND_LINGERING 0x20U
/* Control only, while a table is built: ADDR_KIND_ROUTED is to be removed. */
#define ADDR_KIND_CLAIMED 0x40U
/* With ROUTED: the address is outside of routed prefixes and its services claim no address. Where
 * Linux has the address, Linux answers ARP for it. */
#define ADDR_KIND_UNCLAIMED 0x80U
/* With VIP: no service has the address. Servers see clients of full NAT under this address:
 * local_pool.h. */
#define ADDR_KIND_POOL 0x100U
/* With VIP: reached by routes, as in a fleet. No ARP is answered and none announced. */
#define ADDR_KIND_SILENT 0x200U
/* An entry of either family, for listings. */
struct addr_entry {
	struct addr addr;
	uint32_t kinds;
	link_id link;
};

#define FAM_TEMPLATE "model/addr_table.fam.h"
#include "base/both_families.h"

#endif
