/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SOURCE_LINK_H
#define PLVS_DATAPLANE_STAGES_SOURCE_LINK_H

/*
 * The check of source addresses by link. A packet of a NAT server may come in by a link over which
 * the fib reaches that server (fib_reaches4()), or by a link with source_check `loose`. No packet
 * may come in with a VIP or an address of the router's own as its source.
 *
 * Each packet of a NAT server is checked, so each worker stores the answers of the fib: two links
 * for each server. A slot, found by the place of the server's address in the snapshot's table, is
 * valid for one resolve generation, which every change of routes raises. Places of up to 2,048
 * addresses differ in a table built anew: only servers beyond, with a common slot, and servers with
 * more than two links need the fib again.
 *
 * Other sources are checked where a packet makes a connection or goes to Linux: the check costs
 * established connections nothing. Worker context.
 */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/source_link.fam.h"
#include "base/both_families.h"

#endif
