/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_TABLE_H
#define PLVS_DATAPLANE_CONN_TABLE_H

/*
 * The connection tables of one worker, one for each family (table.fam.h): buckets of eight
 * references (bucket.h), keys inside the entries. A look-up is two misses (IPv6: three, two of
 * them at once), all prefetched across the burst: table4_hash(), table4_prefetch_bucket(),
 * table4_prefetch_entry(), table4_find_guess(). The hash is seeded: a stranger cannot aim at a
 * bucket.
 *
 * Worker context, one owner; table4_create/destroy: control. Only create allocates memory.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/conn/bucket.h"
#include "dataplane/conn/conn.h"
#include "dataplane/stages/pkt.h"
#include "model/service.h"

static inline uint16_t table_tag(uint32_t hash)
{
	const uint32_t tag = hash >> 16;

	return (uint16_t)(tag + (tag == 0));
}

#define FAM_TEMPLATE "dataplane/conn/table.fam.h"
#include "base/both_families.h"

#endif
