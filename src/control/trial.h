/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_TRIAL_H
#define PLVS_CONTROL_TRIAL_H

/*
 * A trial: a configuration that was applied with `confirm_within`, and is taken back at its
 * deadline unless a person confirms it. The deadline is of the monotonic clock.
 *
 *	begin	the undo record (undo_record.h) is durable before the swap; without it there is
 *		no swap
 *	pair	the version goes to the peer with the time that is left: there the trial begins as
 *		well, with an undo record of its own
 *	confirm	the record is removed durably; then a child of the version, with the same digest,
 *		takes its place. A peer that hears of a child with its own digest confirms as well.
 *	undo	at the deadline by the active router, as a child that says what was before; the
 *		peer takes it. A router that is not active waits TRIAL_GRACE_MS for that.
 *
 * Other changes are refused while a trial lasts. Another version of the peer ends a trial.
 *
 * Context: the control thread.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/version_store.h"

struct control;
struct rpc_request;

#define TRIAL_MIN_MS   1000
#define TRIAL_MAX_MS   (24 * 3600 * 1000)
#define TRIAL_GRACE_MS 5000

struct trial {
	bool on;
	bool busy;		   /* a rollback or a confirmation is under way */
	bool alone;		   /* only the node part differs: the peer has no trial */
	struct version_id version; /* on trial */
	uint64_t deadline_us;
	uint32_t within_ms;
	char author[VERSION_AUTHOR_LEN];
	json_t *before; /* a string: the whole configuration from before */
	struct event *ev;
	char why[256]; /* of the last refusal */
};

/* NULL, or the reason why changes are refused now: a trial, or a hand-over. */
const char *changes_refused(struct control *c);
/* Puts the running version on trial. Takes *before over; NULL: a trial is on already, and its
 * `before` stays. */
void trial_begin(struct control *c, json_t *before, uint32_t within_ms, uint32_t left_ms,
		 const char *author, bool alone);
/* Another configuration took the place of the one on trial. Ignored without a trial. */
void trial_end(struct control *c);
/* A rollback failed: tries again later. */
void trial_again(struct control *c);
/* For the peer: the data of the trial, sent with the version; NULL: no trial. New reference. */
json_t *trial_for_peer(const struct control *c);
/* For `status` and `config.history`: {"version", "author", "within_s", "left_s"}, or null. */
json_t *trial_json(const struct control *c);

/* --- methods_trial.c --- */

/* 0 or -ENOMEM. */
int trial_start(struct control *c);
void trial_stop(struct control *c);
/* config.rollback without a version. */
void trial_rollback(struct control *c, struct rpc_request *req);

/* --- between the two files --- */

void trial_look_in(struct control *c, uint32_t ms);
uint32_t trial_left_ms(const struct trial *t);
/* Ends the trial without removing the undo record. */
void trial_off(struct trial *t);

#endif
