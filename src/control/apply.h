/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_APPLY_H
#define PLVS_CONTROL_APPLY_H

/* The application of a whole configuration: checks it, compares it with the running one, and
 * replaces that one. Context: the control thread. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/rpc_server.h"

struct control;
struct version_id;
struct version_store;

enum apply_kind {
	APPLY_CHECK,
	APPLY_PLAN,
	APPLY_SWAP,
};

/* The configuration to apply: exactly one of text, path and back is set. */
struct apply_order {
	enum apply_kind kind;
	json_t *text;	  /* a JSON string */
	const char *path; /* of a file */
	/* The id of an earlier version: the shared part of that version is applied. */
	const struct version_id *back;
	/* The versions that the configuration has already: the peer's, or those from before a
	 * restart. The order fails if they do not follow the versions here. Owned; NULL: a new
	 * version. */
	struct version_store *versions;
	/* The length of a trial (trial.h), and the time that is left; 0: no trial. */
	uint32_t confirm_ms, left_ms;
	/* The shared part to which a trial of the peer goes back; NULL: the one that runs here. */
	json_t *before;
	const char *author;  /* of the new version; NULL: the sender of the request */
	const char *comment; /* for people; NULL: none */
	bool from_peer;	     /* the peer sent the text: programs are what this router allows */
	bool undo;	     /* the text ends a trial: fails if no trial is on any more */
};

/* Applies in a turn of its own. Ends req (NULL: the outcome is logged). */
void apply_start(struct control *c, struct rpc_request *req, const struct apply_order *order);

#endif
