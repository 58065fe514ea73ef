/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_AUDIT_H
#define PLVS_CONTROL_AUDIT_H

/*
 * The audit of changes: one line of the log and one event for each change, from any side.
 * The audit follows a request of level "change" from the dispatcher to its end. Changes without a
 * request (SIGHUP) call the audit themselves. Context: the control thread.
 */

#include <jansson.h>
#include <stdint.h>

struct control;
struct rpc_request;

/* Follows a request to its end. source: the sender, if no client sent the request; else NULL. */
void audit_begin(struct control *c, struct rpc_request *req, const char *method,
		 const json_t *params, const char *source);
/* Adds words on the change. Ignored if the request is not followed. */
void audit_detail(struct rpc_request *req, const char *text);
/* The author of a request, for the history: a person's name, or the source. Returns buf. */
const char *audit_author(const struct rpc_request *req, char *buf, size_t len);
/* The request in words; NULL: the request is not followed. */
const char *audit_what(const struct rpc_request *req);
/* The change is live on every worker. */
void audit_live(struct rpc_request *req, uint64_t generation, uint64_t us);

/* The change is made, also where the request ends with an error. */
void audit_made(struct rpc_request *req);

/* A change without a request, reported when it is live. */
void audit_without_request(struct control *c, const char *source, const char *what,
			   uint64_t start_us);
/* A request that was refused because of its socket's level. */
void audit_denied(struct control *c, struct rpc_request *req, const char *method);

#endif
