/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

/*
 * Configurations on trial (`config apply --confirm-within`). A trial is one edit that is taken back
 * at a deadline unless a person confirms it. The undo record outlives the process.
 *
 * Must hold: what is taken back was on trial; a confirmed edit is lost only if a person says so; no
 * trial outlives its deadline and the time that a backup waits for the active router.
 */

#define GRACE_MS 5000 /* TRIAL_GRACE_MS of control */
#define LATE_MS	 1500 /* a hand-over in which nothing is changed, and a probe */

static void trial_off(struct node *n)
{
	n->trial.on = n->undo = false;
}

static bool may_change(const struct node *n)
{
	return n->running && !n->paused && !n->quit && !config_moves(n);
}

void trial_begin(struct sim *s, struct node *n)
{
	struct sim_trial *t = &n->trial;

	if (t->on)
		return;
	t->before = n->config;
	config_edit_here(s, n);
	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++)
		s->tried.word[i] |= n->config.edits.word[i] & ~t->before.edits.word[i];
	t->on = n->undo = true;
	t->deadline = s->now + 300 + draw(s, 4000);
	sim_trace(s, "router %u: that is on trial for %llu ms", n->id,
		  (unsigned long long)(t->deadline - s->now));
}

/* A child of the version on trial, which says what was before. */
static void take_back(struct sim *s, struct node *n)
{
	const struct sim_trial *t = &n->trial;

	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++) {
		const uint64_t gone = n->config.edits.word[i] & ~t->before.edits.word[i];

		if (gone & ~s->tried.word[i])
			sim_violate(s, "router %u takes an edit back that was not on trial", n->id);
		n->config.withdrawn.word[i] |= gone;
	}
	n->config.edits = t->before.edits;
	config_child(s, &n->config);
	trial_off(n);
	s->forced_ms = s->now;
	sim_trace(s, "router %u: its trial is taken back, version %02x%02x", n->id,
		  n->config.version.id.byte[0], n->config.version.id.byte[1]);
	node_sync_tell(s, n);
}

/* A child that says the same: the peer hears of it. */
static void confirm(struct sim *s, struct node *n)
{
	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++)
		s->confirmed.word[i] |= n->config.edits.word[i] & s->tried.word[i];
	config_child(s, &n->config);
	trial_off(n);
	s->forced_ms = s->now;
	sim_trace(s, "router %u: its trial is confirmed, version %02x%02x", n->id,
		  n->config.version.id.byte[0], n->config.version.id.byte[1]);
	node_sync_tell(s, n);
}

/* A person confirms, or takes it back early at the router that serves. */
void trial_command(struct sim *s, struct node *n)
{
	if (!n->trial.on || !may_change(n))
		return;
	if (chance(s, 600))
		confirm(s, n);
	else if (ha_state_serves(n->role.state))
		take_back(s, n);
}

/* The peer made a child that says the same. */
bool trial_hears(struct sim *s, struct node *n)
{
	const struct version_word *word = &n->role.peer.version;
	struct version *mine = &n->config.version;
	uint8_t digest[VERSION_DIGEST_BYTES];

	if (!n->trial.on)
		return false;
	if (!version_id_equal(&word->id, &mine->id) && version_id_equal(&word->judged, &mine->id) &&
	    word->judgement == VERSION_IS_ANCESTOR) {
		memcpy(digest, mine->digest, sizeof(digest));
		version_child(mine, &word->id, digest, NULL, mine);
		trial_off(n);
		sim_trace(s, "router %u: its trial was confirmed at the peer", n->id);
		node_sync_tell(s, n);
	}
	return true;
}

void trial_look(struct sim *s, struct node *n)
{
	const struct sim_trial *t = &n->trial;
	const bool alone = !n->role.peer.known || !role_peer_alive(&n->role, node_now(s, n));

	if (!t->on || s->now < t->deadline || !may_change(n))
		return;
	if (alone || n->role.state == HA_ACTIVE || s->now > t->deadline + GRACE_MS)
		take_back(s, n);
}

/* n takes a version of the peer, after `mine`: its trial, or none. */
void trial_taken(struct sim *s, struct node *n, const struct sim_trial *peers)
{
	if (!peers->on) {
		trial_off(n);
		return;
	}
	if (!n->trial.on)
		n->trial.before = peers->before;
	n->trial.on = n->undo = true;
	n->trial.deadline = peers->deadline > s->now ? peers->deadline : s->now;
}

/* True: the process begins with what was before its trial. */
bool trial_start(struct sim *s, struct node *n)
{
	if (!n->undo)
		return false;
	sim_trace(s, "router %u: its undo record counts", n->id);
	n->config = n->trial.before;
	trial_off(n);
	return true;
}

void check_trials(struct sim *s)
{
	for (uint32_t i = 0; i < 2; i++) {
		const struct node *n = &s->node[i];

		if (n->running && n->trial.on && s->now > n->trial.deadline + GRACE_MS + LATE_MS)
			sim_violate(s, "router %u has a trial that does not end", i);
	}
}
