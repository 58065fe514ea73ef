/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SOURCE_LINK_H
#define PLVS_DATAPLANE_STAGES_SOURCE_LINK_H

/*
 * Sources that a link can bring. A packet of a NAT server comes in by a link over which the
 * fib reaches that server (fib_reaches4()), or by a link that the configuration calls loose.
 * A VIP or an address of the router's own comes in by no link.
 *
 * Packets of NAT servers are checked one by one, so each worker remembers what the fib said:
 * two links for each server's address. The memory is indexed by the address' hash, and
 * each slot is valid for one resolve generation, which every change of routes raises. Servers
 * with more than two links, or with a hash in common, ask the fib again.
 *
 * Other sources are checked where a packet makes a connection or goes to Linux: established
 * connections pay nothing for the check. Worker context.
 */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/source_link.fam.h"
#include "base/both_families.h"

#endif
