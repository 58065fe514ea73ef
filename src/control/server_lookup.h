/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_SERVER_LOOKUP_H
#define PLVS_CONTROL_SERVER_LOOKUP_H

/* Context: the control thread. */

#include <jansson.h>

struct control;
struct rpc_request;
struct config_server;
struct config_service;

/* The service and the server that the parameters `service` and `server` name. NULL: there is none,
 * and req has ended. */
const struct config_service *server_lookup(struct control *c, struct rpc_request *req,
					   const json_t *params,
					   const struct config_server **found);

#endif
