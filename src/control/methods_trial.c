/* SPDX-License-Identifier: BSD-3-Clause */
/* How a trial (trial.h) ends: its deadline, config.confirm, config.rollback without a version, the
 * word of the peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/text.h"
#include "control/apply.h"
#include "control/audit.h"
#include "control/control_internal.h"
#include "control/undo_record.h"

#define WAIT_MS 200 /* between two looks whether the peer has rolled back */

static void confirmed_by_peer(struct control *c, const struct version_id *child)
{
	if (!c->trial.on || c->trial.busy)
		return;
	log_notice(CONTROL_AREA, "the configuration is confirmed at the peer");
	trial_end(c);
	(void)versions_child_of_peer(c, child);
}

/* --- the rollback --- */

/* Whether this router is the one that rolls back. */
static bool is_ours(const struct control *c)
{
	const struct trial *t = &c->trial;
	const char *state = ha_state_word(c);

	return t->alone || !c->versions.has_peer || !c->versions.peer_alive ||
	       (state && strcmp(state, "active") == 0) ||
	       clock_us() > t->deadline_us + TRIAL_GRACE_MS * 1000;
}

static void rollback_start(struct control *c, struct rpc_request *req, const char *comment)
{
	c->trial.busy = true;
	apply_start(c, req,
		    &(struct apply_order){.kind = APPLY_SWAP,
					  .text = c->trial.before,
					  .author = req ? NULL : "plvs",
					  .comment = comment,
					  .undo = true});
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	char comment[VERSION_COMMENT_LEN], within[32];
	struct control *c = arg;
	struct trial *t = &c->trial;

	(void)fd;
	(void)what;
	if (!t->on || t->busy)
		return;
	if (trial_left_ms(t) > 0) {
		trial_look_in(c, trial_left_ms(t) + 1);
		return;
	}
	if (!is_ours(c)) {
		trial_look_in(c, WAIT_MS);
		return;
	}
	snprintf(comment, sizeof(comment), "config rollback: not confirmed within %s",
		 duration_format(t->within_ms, within, sizeof(within)));
	rollback_start(c, NULL, comment);
}

/* --- config.confirm --- */

struct confirmation {
	struct pending pending;
	struct turn turn;
	struct job job;
	uint64_t start_us;
	char dir[256], error[ERROR_TEXT];
	int ret;
};

static void confirmation_work(void *arg)
{
	struct confirmation *k = arg;

	k->ret = undo_record_remove(k->dir, k->error);
}

static void confirmation_done(void *arg)
{
	struct confirmation *k = arg;
	struct control *c = k->pending.control;
	struct rpc_request *req = k->pending.req;
	char id[VERSION_ID_STRLEN], author[VERSION_AUTHOR_LEN];
	uint64_t change = c->versions.changes;

	c->trial.busy = false;
	k->pending.req = NULL;
	if (k->ret < 0) {
		rpc_fail(req, RPC_INVALID, NULL,
			 "the undo record cannot be removed (%s): the configuration is not "
			 "confirmed",
			 k->error);
		trial_look_in(c, trial_left_ms(&c->trial) + 1);
	} else {
		audit_author(req, author, sizeof(author));
		if (!c->trial.alone)
			change = versions_confirmed(c, author, "config confirm");
		trial_off(&c->trial);
		answer_change_when_live(c, req, k->start_us, change,
					json_pack("{s:s}", "version",
						  version_id_format(&c->versions.version.id, id)));
	}
	pending_end(&k->pending);
	turn_end(c);
}

static void confirmation_begin(struct control *c, struct turn *turn)
{
	struct confirmation *k = turn_owner(turn, struct confirmation);

	if (!c->trial.on) {
		pending_fail(&k->pending, RPC_INVALID, NULL,
			     "nothing is to be confirmed: the configuration was taken back");
		pending_end(&k->pending);
		turn_end(c);
		return;
	}
	c->trial.busy = true;
	snprintf(k->dir, sizeof(k->dir), "%s", c->versions.dir);
	k->job = (struct job){.work = confirmation_work, .done = confirmation_done, .arg = k};
	jobs_run(c->jobs, &k->job);
}

static void confirmation_free(struct pending *l)
{
	free(l);
}

static void config_confirm(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct pending_kind kind = {.free = confirmation_free};
	struct confirmation *k;

	(void)params;
	if (!c->trial.on || c->trial.busy) {
		rpc_fail(req, RPC_INVALID, NULL,
			 c->trial.on ? "the configuration is being taken back, or confirmed"
				     : "nothing is to be confirmed");
		return;
	}
	k = pending_create(c, req, sizeof(*k), &kind);
	if (!k)
		return;
	k->start_us = clock_us();
	k->turn.begin = confirmation_begin;
	turn_take(c, &k->turn);
}

void trial_rollback(struct control *c, struct rpc_request *req)
{
	if (c->trial.on && !c->trial.busy)
		rollback_start(c, req, "config rollback: taken back before its deadline");
	else
		rpc_fail(req, RPC_INVALID, NULL,
			 c->trial.on ? "the configuration is being taken back, or confirmed"
				     : "no configuration waits for `plvsctl config confirm`: name "
				       "a version of `plvsctl config history`");
}

/* --- life --- */

int trial_start(struct control *c)
{
	c->versions.confirmed = confirmed_by_peer;
	c->trial.ev = evtimer_new(c->base, on_look, c);
	return c->trial.ev ? 0 : -ENOMEM;
}

void trial_stop(struct control *c)
{
	/* The undo record stays: a router that ends within a trial comes up without it. */
	trial_off(&c->trial);
	if (c->trial.ev)
		event_free(c->trial.ev);
	c->trial.ev = NULL;
}

const struct method trial_methods[] = {
	{.name = "config.confirm",
	 .level = METHOD_CHANGE,
	 .run = config_confirm,
	 .help = "keeps a configuration that was applied with `confirm_within`",
	 .result = "`version`; " METHOD_LIVE},
	{.name = NULL},
};
