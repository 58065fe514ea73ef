/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that wait until a change is stored, here and at the peer. */
#include <errno.h>
#include <stdlib.h>

#include "control/control_internal.h"
#include "control/versions_internal.h"

#define PEER_WAIT_US 3000000 /* an answer waits no longer for the peer */

struct versions_wait {
	TAILQ_ENTRY(versions_wait) entry;
	uint64_t change, until_us;
	bool alone;
	versions_done *done;
	void *arg;
};

/* True: the outcome is final. */
static bool outcome_of(const struct versions *v, const struct versions_wait *w,
		       struct versions_outcome *out)
{
	*out = (struct versions_outcome){.here = v->fault[0] ? v->fault : NULL,
					 .has_peer = v->has_peer && !w->alone};
	if (v->durable < w->change)
		return false;
	if (!out->has_peer || v->at_peer >= w->change)
		return true;
	if (!v->peer_alive)
		out->peer = "the peer is not heard";
	else if (v->relation == VERSION_NONE)
		out->peer = "the peer's plvs knows no versions: `plvsctl config push` sends them";
	else if (v->relation == VERSION_DIVERGED)
		out->peer = "the configurations of the two routers have diverged";
	else if (v->peer_fault[0] && v->failed_changes >= w->change)
		out->peer = v->peer_fault;
	else if (clock_us() >= w->until_us)
		out->peer = "it has not answered yet";
	return out->peer != NULL;
}

void versions_waits_look(struct control *c)
{
	struct versions *v = &c->versions;
	struct versions_outcome outcome;
	struct versions_wait *w, *next;

	for (w = TAILQ_FIRST(&v->waits); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (!outcome_of(v, w, &outcome))
			continue;
		TAILQ_REMOVE(&v->waits, w, entry);
		w->done(w->arg, &outcome);
		free(w);
	}
}

void versions_wait(struct control *c, uint64_t change, bool alone, versions_done *done, void *arg)
{
	struct versions_wait *w = calloc(1, sizeof(*w)), now = {.change = change, .alone = true};
	struct versions_outcome outcome;

	if (!w) {
		(void)outcome_of(&c->versions, &now, &outcome);
		done(arg, &outcome);
		return;
	}
	*w = (struct versions_wait){.change = change,
				    .until_us = clock_us() + PEER_WAIT_US,
				    .alone = alone,
				    .done = done,
				    .arg = arg};
	TAILQ_INSERT_TAIL(&c->versions.waits, w, entry);
	versions_waits_look(c);
}

void versions_waits_end(struct control *c, const struct versions_outcome *outcome)
{
	struct versions *v = &c->versions;
	struct versions_wait *w;

	while ((w = TAILQ_FIRST(&v->waits))) {
		TAILQ_REMOVE(&v->waits, w, entry);
		w->done(w->arg, outcome);
		free(w);
	}
}
