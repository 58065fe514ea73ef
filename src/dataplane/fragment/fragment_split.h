/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FRAGMENT_FRAGMENT_SPLIT_H
#define PLVS_DATAPLANE_FRAGMENT_FRAGMENT_SPLIT_H

/*
 * Splitting: an IPv4 packet without DF that is larger than its next hop's MTU leaves as
 * fragments (RFC 791), with the boundaries that Linux would choose. So does the outer IPv6 packet
 * of a tunnel (RFC 2473, 7.1): the router is its sender. Worker context.
 */

#include "dataplane/worker.h"

#define FRAGMENTS_MAX 64 /* of one packet; a smaller MTU than 1044 for 64 KiB is refused */

#define FAM_TEMPLATE "dataplane/fragment/fragment_split.fam.h"
#include "base/both_families.h"

#endif
