/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_PUBLISH_LINGERING_H
#define PLVS_PUBLISH_LINGERING_H

/*
 * Objects that left the configuration and still have connections: VIPs whose last service was
 * removed (ADDR_KIND_LINGERING), servers whose method was NAT, destinations of a removed mark rule.
 * Workers look up the packets of these objects in the connection table until no connection is left.
 * Context: control.
 */

#include "publish/publisher.h"

/* Notes VIPs that the draft loses or has again, before the draft's addresses are built. 0 or
 * -ENOMEM. */
int linger_vips(struct publisher *p);
/* Removes objects without connections, by a publication. Call from a timer. */
void linger_reap(struct publisher *p);

/* A removed service is counted by its servers. The servers of a service that lost a listener go on,
 * so workers are asked for connections to the address (control/vip_look.h). */

/* The next address of a service that is there, by the numbers of struct lingering. NULL: none, or
 * workers may still make connections to it. */
const struct lingering *linger_next(const struct publisher *p, uint64_t after);
/* No connection to the address is left: it goes by a publication. */
void linger_end(struct publisher *p, uint64_t number);

#endif
