/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_APPLY_H
#define PLVS_CONTROL_APPLY_H

/* A configuration as a whole: checked, compared with the running one, put in its place.
 * Context: the control thread. */

#include <jansson.h>

#include "rpc/rpc_server.h"

struct control;
struct version_id;
struct version_store;

enum apply_kind {
	APPLY_CHECK,
	APPLY_PLAN,
	APPLY_SWAP,
};

/* In a turn of its own. Ends req (NULL: the outcome is logged). Either text, a JSON string,
 * or path. */
void apply_start(struct control *c, struct rpc_request *req, enum apply_kind kind, json_t *text,
		 const char *path);
/* APPLY_SWAP of a configuration that has versions already: the peer's, or those of before a
 * restart. Fails if it does not follow the one here. Takes *versions over. */
void apply_start_version(struct control *c, struct rpc_request *req, json_t *text,
			 struct version_store *versions);

/* APPLY_SWAP of what an earlier version says, as a new version. */
void apply_start_rollback(struct control *c, struct rpc_request *req, const struct version_id *id);

#endif
