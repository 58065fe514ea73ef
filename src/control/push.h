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

/* Versions go to the peer from now on. A router of a pair whose file has an older version than
 * the one that ran last puts that one in place. */
void pushes_start(struct control *c);
/*
 * While this router stands by and hears the active one, whose configuration is the same, a change
 * is the active router's to carry out: that router knows first whether the change can be, and two
 * routers do not change the same thing apart from each other.
 */
bool push_asks_active(const struct control *c);
/* True: the active router is asked, and req ends with its answer. */
bool push_request(struct control *c, struct rpc_request *req, const char *method, json_t *params);

#endif
