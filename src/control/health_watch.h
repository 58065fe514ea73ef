/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_HEALTH_WATCH_H
#define PLVS_CONTROL_HEALTH_WATCH_H

/*
 * Health as control has it: what is to be watched follows from the configuration, and what
 * is found goes into the nodes of services. Effects are no configuration: they wait for no
 * turn, and while a draft is held they go out with it.
 *
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <jansson.h>

#include "config/config.h"
#include "health/health.h"
#include "shown/watching_counters.h"

struct control;
struct spawner;

struct watching;

/* After the base; everything of the configuration is watched from here on. 0 or -ENOMEM. */
int watching_start(struct control *c, struct spawner *spawner);
void watching_stop(struct control *c);

/* Takes up a change of a plan: the service is checked as it is from now on. after has the checks;
 * while both configurations are there. */
void watching_change(struct control *c, const struct config_change *ch, const struct config *after);

/* A whole plan, in steps. */
struct watching_run {
	const struct config_plan *plan;
	uint32_t n_done; /* changes that were looked at */
};
/* True: there is more. */
bool watching_step(struct control *c, struct watching_run *run, uint64_t end_us);
/* A draft was discarded, and effects with it: they are put in again, in steps. The run is zeroed
 * at first; the configuration is not changed meanwhile. True: there is more. */
bool watching_restore(struct control *c, struct watching_run *run, uint64_t end_us);
/* A snapshot was published. */
void watching_published(struct control *c);

/* NULL before watching_start(). */
struct health *watching_health(const struct control *c);

struct spawner_status;
/* Of the process that runs programs; zeros without one. */
void programs_status(const struct control *c, struct spawner_status *out);
/* Appends what an operator has to know of programs and of checks that cannot be made. */
void programs_warn(const struct control *c, json_t *list);

void watching_counters(const struct control *c, struct watching_counters *out);

#endif
