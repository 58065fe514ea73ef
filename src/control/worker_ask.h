/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_WORKER_ASK_H
#define PLVS_CONTROL_WORKER_ASK_H

/*
 * A request that asks workers, one after the other, by commands. struct worker_ask is the first
 * member of the object that holds the work; `done` is called when a worker has answered, and asks
 * the next one or ends the request. Context: the control thread.
 */

#include "control/control_internal.h"

struct worker_ask {
	struct pending pending;
	struct event *poll_ev;
	struct worker_command command;
	uint16_t worker;
	bool sent; /* a worker has the command */
	void (*done)(struct worker_ask *a);
};

/* An object of `size` bytes, zeroed apart from this member. NULL: req has been ended. */
void *worker_ask_create(struct control *c, struct rpc_request *req, size_t size,
			const struct pending_kind *kind, void (*done)(struct worker_ask *a));
/* Sends a->command to the worker. If that is not possible, the request fails and the object
 * ends. */
void worker_ask_send(struct worker_ask *a, uint16_t worker);
/* For pending_kind.stop: waits for the worker. */
bool worker_ask_stop(struct pending *l, uint64_t deadline_us);
/* For pending_kind.free: releases this member. */
void worker_ask_fini(struct worker_ask *a);

#endif
