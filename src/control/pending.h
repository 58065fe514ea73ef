/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PENDING_H
#define PLVS_CONTROL_PENDING_H

/*
 * A pending request: one that is not ended within the call of its method, since a worker, the ha
 * thread, the job thread, the publisher or the change queue has to do something first. struct
 * pending is the first member of the object that holds the work. Control has all of them in one
 * list, and ends their requests when it stops.
 *
 * Context: the control thread, or main after it ended.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rpc/rpc_server.h"

struct control;
struct pending;

struct pending_kind {
	/* Control stops, and the request has been ended. True: no thread uses the object any more.
	 * False: another thread still uses it at deadline_us; pending_free() frees the object.
	 * NULL: as a function that returns true. */
	bool (*stop)(struct pending *l, uint64_t deadline_us);
	/* Frees the object. */
	void (*free)(struct pending *l);
};

struct pending {
	TAILQ_ENTRY(pending) entry;
	struct control *control;
	struct rpc_request *req; /* NULL: it has been ended, or there was none */
	bool unasked;		 /* made without a request */
	const struct pending_kind *kind;
};

TAILQ_HEAD(pending_list, pending);

/* An object of `size` bytes, zeroed but for its first member. NULL: no memory, and req has been
 * ended. */
void *pending_create(struct control *c, struct rpc_request *req, size_t size,
		     const struct pending_kind *kind);
/* End the request, if it has not been ended; the object stays. Both take the JSON over. */
void pending_answer(struct pending *l, json_t *result);
void pending_fail(struct pending *l, enum rpc_code code, json_t *data, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Takes the object from the list and frees it. Its request has been ended. */
void pending_end(struct pending *l);
/* Counts the reload that began last as ended, unless objects without a request still pend. */
void pending_reload_end(struct control *c);

void pending_stop(struct control *c);
/* Frees the objects that pending_stop() left. The other threads have ended. */
void pending_free(struct control *c);

#endif
