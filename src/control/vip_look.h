/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VIP_LOOK_H
#define PLVS_CONTROL_VIP_LOOK_H

/*
 * VIPs that linger (publish/lingering.h) because a service that goes on lost a listener: one worker
 * after the other walks over its connections, until one to the address is found. An address without
 * any is let go. One address at a time; a worker walks in bounded steps. Context: the control
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

struct control;
struct event;

struct vip_look {
	struct event *ev;
	struct worker_command command;
	struct conn_view view;
	uint64_t number; /* of the address, or of the last one */
	uint16_t worker;
	bool sent; /* a worker has the command */
};

/* 0 or -ENOMEM. */
int vip_look_start(struct control *c);
void vip_look_stop(struct control *c);

#endif
