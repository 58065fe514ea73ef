/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_LOCAL_POOL_H
#define PLVS_MODEL_LOCAL_POOL_H

/*
 * The addresses of `kind` `pool`: under these, servers see the clients of services with full NAT.
 * An address belongs to one link. The address is used for servers that routes reach by this link,
 * so that their replies come back by the link. Immutable; shared by snapshots through a reference
 * count.
 */

#include "model/addr_table.h"

#define LOCAL_POOL_MAX 128 /* addresses of one link and family */

struct local_pool_link {
	link_id link;
	uint32_t first, n;
};

#define FAM_TEMPLATE "model/local_pool.fam.h"
#include "base/both_families.h"

#endif
