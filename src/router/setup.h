/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_SETUP_H
#define PLVS_ROUTER_SETUP_H

/*
 * The settings of the data plane and of the Linux side of ports, from the configuration.
 * Context: main, before threads start.
 */

#include "config/config.h"
#include "dataplane/dataplane.h"
#include "ha/ha.h"
#include "link/link.h"

void setup_dataplane(const struct config *config, struct dataplane_config *out);

/* Ports as dp has them; addresses and routes are those of config. For setup_link_fini(). 0 or
 * -ENOMEM. */
int setup_link(const struct config *config, struct dataplane *dp, struct link_config *out);
void setup_link_fini(struct link_config *lc);

/* dp and link outlive the ha thread. */
struct setup_host {
	struct dataplane *dp;
	struct link *link;
	struct control *control; /* from before the ha thread starts */
};
void setup_ha(const struct config *config, struct setup_host *host, struct ha_options *out);

#endif
