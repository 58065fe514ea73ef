/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CHANGE_QUEUE_H
#define PLVS_CONTROL_CHANGE_QUEUE_H

/*
 * Changes of the configuration happen one after the other: each has a turn. Applying a file takes
 * seconds, in pieces and on the job thread, and reads the running configuration until the turn
 * ends; requests that would change something wait for their turns, in order. Requests that only
 * read are answered at once. Verdicts of health are no configuration and need no turn. Context: the
 * control thread.
 */

#include <stddef.h>
#include <sys/queue.h>

#include "rpc/rpc_server.h"

struct control;
struct method;

/* Part of the object that waits for, or has, the turn. */
struct turn {
	TAILQ_ENTRY(turn) entry;
	/* Ends, now or later, in turn_end(). */
	void (*begin)(struct control *c, struct turn *t);
	/* Control stops, before or after begin(), and jobs have ended: ends the request and frees
	 * the object. NULL: the object is a pending request and ends as one. */
	void (*cancel)(struct control *c, struct turn *t);
};

/* The object of a type that has `turn` as a member. */
#define turn_owner(t, type) ((type *)(void *)((char *)(t)-offsetof(type, turn)))

TAILQ_HEAD(turn_list, turn);

/* The turn begins now, or when the turns before it have ended. */
void turn_take(struct control *c, struct turn *t);
/* Ends the turn under way; its object may be freed from here on. */
void turn_end(struct control *c);
/* Ends req. */
typedef void turn_run(struct control *c, struct rpc_request *req, const struct method *m,
		      json_t *params);
/* Calls run in a turn of its own: now if no other turn is under way. */
void turn_request(struct control *c, struct rpc_request *req, const struct method *m,
		  json_t *params, turn_run *run);
/* 0 or -ENOMEM. */
int turns_start(struct control *c);
void turns_stop(struct control *c);

#endif
