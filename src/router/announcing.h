/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_ANNOUNCING_H
#define PLVS_ROUTER_ANNOUNCING_H

/*
 * The routes of VIPs (announce/vip_routes.h) in the life of the process. Without
 * node.announce.table every function does nothing.
 * Context: main.
 */

#include <signal.h>

#include "announce/bgp_look.h"
#include "announce/vip_routes.h"
#include "base/error_text.h"
#include "config/config.h"
#include "dataplane/dataplane.h"

struct control;

struct announcing {
	struct vip_routes_config config;
	uint32_t drain_ms;
	struct dataplane *dp;
	struct control *control;
	struct vip_routes *routes; /* NULL: no routes */
	struct bgp_look bgp;
};

/* Before ports open: removes routes of an earlier process. 0, or -errno with a sentence. */
int announcing_prepare(struct announcing *a, const struct config_node *node,
		       char error[ERROR_TEXT]);
/* Call when workers run and control does not yet. 0, or -errno with a sentence. */
int announcing_start(struct announcing *a, struct dataplane *dp, struct control *control,
		     char error[ERROR_TEXT]);
/* All parts of the router run. */
void announcing_ready(struct announcing *a);
/* Call at the beginning of the end. Withdraws all VIPs and waits until no packet for them comes any
 * more, for at most node.announce.drain, or until a signal of the set comes. */
void announcing_leave(struct announcing *a, const sigset_t *set);
/* After control has ended, before workers end. */
void announcing_stop(struct announcing *a);

/* plvs --withdraw: removes the routes that a killed process left. Returns the exit code. */
int announcing_withdraw(const char *config_path);

#endif
