/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CHECKING_H
#define PLVS_CONTROL_CHECKING_H

/*
 * Health as a part of control. The configuration says which servers are checked; the effects of
 * verdicts go into the nodes of services. Effects are not configuration: they need no turn of the
 * change queue. While a draft is held, effects are published with the draft.
 *
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <jansson.h>

#include "config/config.h"
#include "health/health.h"
#include "shown/verdict_counters.h"

struct control;
struct spawner;

struct checking;

/* Starts the checks of the whole configuration. 0 or -ENOMEM. */
int checking_start(struct control *c, struct spawner *spawner);
void checking_stop(struct control *c);

/* Takes up a change of a plan: from here on the service is checked as it is in `after`. To be
 * called while both configurations exist. */
void checking_change(struct control *c, const struct config_change *ch, const struct config *after);

/* A whole plan, in steps. */
struct checking_run {
	const struct config_plan *plan;
	uint32_t n_done; /* changes that were looked at */
};
/* True: there is more. */
bool checking_step(struct control *c, struct checking_run *run, uint64_t end_us);
/* After a draft was discarded together with effects: puts the effects in again, in steps. The run
 * is zeroed before the first step, and the configuration does not change between steps. True: there
 * is more. */
bool checking_restore(struct control *c, struct checking_run *run, uint64_t end_us);
/* A snapshot was published. */
void checking_published(struct control *c);

/* NULL before checking_start(). */
struct health *checking_health(const struct control *c);

struct spawner_status;
/* The status of the process that runs programs; zeros without one. */
void programs_status(const struct control *c, struct spawner_status *out);
/* Appends warnings about programs and about checks that cannot be made. */
void programs_warn(const struct control *c, json_t *list);

void checking_counters(const struct control *c, struct verdict_counters *out);

#endif
