/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SOURCE_LINK_H
#define PLVS_DATAPLANE_STAGES_SOURCE_LINK_H

/*
 * The check of source addresses by link. A packet of a NAT server may come in by a link over which
 * the fib reaches that server (fib_reaches4()), or by a link with source_check `loose`. No packet
 * may come in with a VIP or an address of the router's own as its source.
 *
 * Each packet of a NAT server is checked, so each worker stores the answers of the fib: two links
 * for each server's address. A slot, found by the address's hash, is valid for one resolve
 * generation, which every change of routes raises. Servers with more than two links, or with a
 * common hash, need the fib again.
 *
 * Other sources are checked where a packet makes a connection or goes to Linux: the check costs
 * established connections nothing. Worker context.
 */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/source_link.fam.h"
#include "base/both_families.h"

#endif
