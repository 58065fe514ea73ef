/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_RPC_CALL_H
#define PLVS_CLI_RPC_CALL_H

/*
 * The client's end of a connection to the router: JSON-RPC 2.0, a document a line, over the
 * router's UNIX socket (docs/control-protocol.md). Blocking, one call at a time. The router's
 * answers are not trusted: sizes and times are bounded, shapes are checked.
 */

#include <jansson.h>
#include <signal.h>
#include <stdint.h>

#include "base/text_buffer.h"

/* The most bytes of a document of an answer; the router's own limit for a client. */
#define RPC_LINE_MAX (256U << 20)

enum rpc_outcome {
	RPC_OK,
	RPC_REFUSED,	 /* the router answered with an error object */
	RPC_UNREACHABLE, /* no connection, a connection that ended, or no answer in time */
	RPC_GARBLED,	 /* the received text is no answer */
	RPC_STOPPED,	 /* by the row function or by *interrupt */
};

struct rpc_failure {
	enum rpc_outcome outcome;
	char text[512]; /* a sentence; the router's message for RPC_REFUSED, not escaped */
	json_t *error;	/* the error object of RPC_REFUSED, owned; else NULL */
};

struct rpc {
	char *path;
	uint32_t timeout_ms;			/* for one document of the answer */
	const char *session;			/* name of the session, sent at connect; or NULL */
	const volatile sig_atomic_t *interrupt; /* non-zero ends a call; may be NULL */
	/* internal */
	int fd;
	uint32_t next_id;
	struct text_buffer in; /* received, not used yet */
	size_t scanned;	       /* of in: holds no end of a line */
};

/* Opens nothing yet. 0 or -ENOMEM. */
int rpc_init(struct rpc *rpc, const char *path, uint32_t timeout_ms);
void rpc_fini(struct rpc *rpc);

/* Takes the rows of one notification (borrowed array); non-zero stops the call. */
typedef int rpc_rows(void *arg, json_t *rows);

/*
 * params is borrowed and may be NULL. rows may be NULL: rows are then dropped.
 * RPC_OK: *result is the caller's. Else *result is untouched and failure is filled; the
 * caller ends with rpc_failure_clear(). After other outcomes than RPC_OK and RPC_REFUSED the
 * connection is closed; the next call opens it again.
 */
enum rpc_outcome rpc_call(struct rpc *rpc, const char *method, json_t *params, rpc_rows *rows,
			  void *arg, json_t **result, struct rpc_failure *failure);
void rpc_failure_clear(struct rpc_failure *failure);

#endif
