/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CONNECTION_FILTER_H
#define PLVS_CONTROL_CONNECTION_FILTER_H

/* The parameters by which requests name connections. Context: the control thread. */

#include <jansson.h>

#include "dataplane/dataplane.h"

struct control;
struct rpc_request;

/* The connections that pass the filters; *worker is set where a worker is named. False: req has
 * ended. */
bool connection_filter_parse(struct control *c, struct rpc_request *req, const json_t *params,
			     struct conn_filter *f, uint16_t *worker);
/* Parses a connection into the family and the key of the command. False: req has ended. */
bool connection_key_parse(struct rpc_request *req, const json_t *params,
			  struct worker_command *command);

#endif
