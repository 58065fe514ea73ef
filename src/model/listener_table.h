/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_LISTENER_TABLE_H
#define PLVS_MODEL_LISTENER_TABLE_H

/*
 * From (protocol, address, port) to a service: listener_table4 and listener_table6. A listener with
 * port 0 matches any port (persistent services), after a look-up of the exact port. Built once from
 * an array by control, immutable, shared by snapshots through a reference count.
 *
 * A firewall mark stands in the table of its service's family as an address, under a protocol of
 * its own. The marks of IPv4 and of IPv6 are apart, as in IPVS.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/family.h"

#define LISTENER_MARK 0xffU

#define FAM_TEMPLATE "model/listener_table.fam.h"
#include "base/both_families.h"

#endif
