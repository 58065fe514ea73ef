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
	struct vip_routes *routes; /* NULL: nothing is announced */
	struct bgp_look bgp;
};

/* Before ports open: routes of a process before this one go. 0, or -errno with a sentence. */
int announcing_prepare(struct announcing *a, const struct config_node *node,
		       char error[ERROR_TEXT]);
/* Workers run, control does not yet. 0, or -errno with a sentence. */
int announcing_start(struct announcing *a, struct dataplane *dp, struct control *control,
		     char error[ERROR_TEXT]);
/* Everything runs. */
void announcing_ready(struct announcing *a);
/* The end begins: withdraws all VIPs and waits until no packet for them comes any more, for
 * node.announce.drain at most, or until a signal of the set comes. */
void announcing_leave(struct announcing *a, const sigset_t *set);
/* After control has ended, before workers end. */
void announcing_stop(struct announcing *a);

/* plvs --withdraw: removes what a process that was killed left. The exit code. */
int announcing_withdraw(const char *config_path);

#endif
