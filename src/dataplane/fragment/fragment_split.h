/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FRAGMENT_FRAGMENT_SPLIT_H
#define PLVS_DATAPLANE_FRAGMENT_FRAGMENT_SPLIT_H

/*
 * Splitting: an IPv4 packet without DF that is larger than its next hop's MTU leaves as
 * fragments (RFC 791), with the boundaries that Linux would choose. Worker context.
 */

#include "dataplane/worker.h"

#define FRAGMENTS_MAX 64 /* of one packet; a smaller MTU than 1044 for 64 KiB is refused */

/*
 * Sends p, rewritten and with its Ethernet header in place, as fragments of p->nh. Takes
 * p->m. The first one is the packet itself; those beyond it are counted as generated.
 * Drops: too_big when it would be more than FRAGMENTS_MAX, no_buffer.
 */
void fragment_send(struct worker *w, struct pkt4 *p);

#endif
