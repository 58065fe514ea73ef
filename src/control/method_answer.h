/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_METHOD_ANSWER_H
#define PLVS_CONTROL_METHOD_ANSWER_H

/* Common answers of methods. Context: the control thread. */

#include <jansson.h>

#include "config/config.h"
#include "rpc/rpc_server.h"

struct control;
struct evbuffer;

/* Ends req: no such service, with the near miss among names and keys. */
void fail_no_service(const struct control *c, struct rpc_request *req, const char *name);
/* Ends req with the text of errors. */
void fail_config(struct rpc_request *req, const struct config_errors *errors);
/* Ends req with -errno of the builder and its sentence. */
void fail_build(struct rpc_request *req, int ret, const char *error);
json_t *config_error_list_json(const struct config_error_list *list);

/* Ends req when all changes up to now are live, and their version is stored: result (taken over,
 * may be NULL) with generation, duration_us since start_us, and the places where the version is
 * stored. */
void answer_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
		      json_t *result);
/* The same for a change that versions_changed() or the like has counted. */
void answer_change_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
			     uint64_t change, json_t *result);
/* The same for a change outside of the configuration, which is not sent to the peer. */
void answer_when_swapped(struct control *c, struct rpc_request *req, uint64_t start_us,
			 json_t *result);
/* As answer_when_live() with the result as the text of an object that is not empty, without its
 * closing bracket; takes the text over. change: of versions_changed(). pushed: the peer waits for
 * the answer, so the answer does not wait for the peer. */
void answer_text_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
			   uint64_t change, bool pushed, struct evbuffer *result);

#endif
