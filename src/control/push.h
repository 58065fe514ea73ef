/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PUSH_H
#define PLVS_CONTROL_PUSH_H

/*
 * The shared configuration on its way to the peer, with its versions. Pushes happen one after the
 * other.
 *
 * Context: the control thread.
 */

#include <jansson.h>
#include <stdbool.h>

struct control;
struct rpc_request;

/* Sends versions to the peer from now on. If the start file of a router in a pair has an older
 * version than the one that ran last, the router applies the one that ran last. */
void pushes_start(struct control *c);
/*
 * True: the active router has to carry out a change: this router stands by and hears the active
 * one, whose configuration is the same. So the two routers never change the same object at the same
 * time.
 */
bool push_asks_active(const struct control *c);
/* True: the request was sent to the active router, and req ends with its answer. */
bool push_request(struct control *c, struct rpc_request *req, const char *method, json_t *params);

#endif
