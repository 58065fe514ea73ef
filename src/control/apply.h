/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_APPLY_H
#define PLVS_CONTROL_APPLY_H

/* A configuration as a whole: checked, compared with the running one, put in its place.
 * Context: the control thread. */

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
	/* The configuration has these versions already: the peer's, or those of before a restart.
	 * Fails if they do not follow those here. Owned; NULL: a new version. */
	struct version_store *versions;
	/* A trial (trial.h) of so long, and how much of it is left; 0: none. */
	uint32_t confirm_ms, left_ms;
	/* The shared part that ends a trial of the peer; NULL: the one that runs here. */
	json_t *before;
	const char *author;  /* of the new version; NULL: whoever sent the request */
	const char *comment; /* for people; NULL: none */
	bool from_peer;	     /* the peer sent the text: programs are what this router allows */
	bool undo;	     /* the text ends a trial: fails if there is none any more */
};

/* In a turn of its own. Ends req (NULL: the outcome is logged). */
void apply_start(struct control *c, struct rpc_request *req, const struct apply_order *order);

#endif
