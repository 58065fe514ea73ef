/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_FLEET_WIRE_H
#define PLVS_CONTROL_FLEET_WIRE_H

/*
 * Encrypted control connections between the members of a fleet: JSON-RPC by TLS 1.3
 * (rpc/tls_psk.h), with secrets derived from the keys of node.ha.key_file. A member listens at
 * node.control.fleet; requests that come in have the level METHOD_MEMBER. A member sends methods to
 * another member of shared.ha.members (`fleet.ask`), as far as the client's own level allows.
 *
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <jansson.h>

struct control;
struct rpc_request;

/* Faults are logged, since a router forwards without control connections. 0 or -ENOMEM. */
int fleet_wire_start(struct control *c);
void fleet_wire_stop(struct control *c);

/* Sends a method to the member and ends req with its answer. */
void fleet_ask(struct control *c, struct rpc_request *req, json_t *params);

#endif
