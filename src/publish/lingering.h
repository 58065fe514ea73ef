/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_PUBLISH_LINGERING_H
#define PLVS_PUBLISH_LINGERING_H

/*
 * Objects that left the configuration and still have connections: VIPs whose last service went
 * (ADDR_KIND_LINGERING), servers that were NAT, prefixes that a mark claimed. Workers look up
 * the packets of these objects in the connection table until no connection is left.
 * Context: control.
 */

#include "publish/publisher.h"

/* Before the draft's addresses are built: VIPs that it loses, and that came back. 0 or -ENOMEM. */
int linger_vips(struct publisher *p);
/* Now and then: what has no connection any more goes, by a publication. */
void linger_reap(struct publisher *p);

#endif
