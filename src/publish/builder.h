/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_PUBLISH_BUILDER_H
#define PLVS_PUBLISH_BUILDER_H

/*
 * Makes nodes and tables of a snapshot from the configuration, through a publisher. Context: as
 * publisher.h.
 */

#include "base/error_text.h"
#include "config/config.h"
#include "publish/publisher.h"
#include "health/health.h"

/* Applies a change of a plan, mark rules aside: a service's node is built anew, and addresses are
 * built at the next publication. 0, or with nothing changed -ENOMEM, -ENOSPC (services or servers,
 * removed ones that still have connections included) or -E2BIG (the scheduler's tables), and a
 * sentence in error. */
int builder_change(struct publisher *p, const struct config_change *ch, char error[ERROR_TEXT]);
/* The effect of health on a server of the node of a service id. */
typedef struct health_effect builder_effect(void *arg, const struct endpoint *server,
					    uint32_t configured);
/* Puts effects into the node of the draft, or without a draft of the live snapshot. 1: the node was
 * made anew; 0: the effects are there already; -ENOMEM. */
int builder_effects(struct publisher *p, uint32_t id, builder_effect *effect, void *arg);
/* Builds a whole configuration into an empty publisher. On error the draft is discarded. */
int builder_config(struct publisher *p, const struct config *config, char error[ERROR_TEXT]);

/*
 * Mark rules, which take seconds to compile when there are thousands: start() on the control
 * thread, compile() on any, put() into the draft. fini() on the control thread in any case.
 */
struct builder_marks {
	struct mark_table *were, *made; /* references, or NULL */
	bool is_made;			/* made (or NULL) differs from were */
};

/* were: the rules that are live, or NULL. */
void builder_marks_start(struct builder_marks *m, struct mark_table *were);
/* The rules of config, with a change of one in them (or NULL). 0 or -ENOMEM. */
int builder_marks_compile(struct builder_marks *m, const struct config *config,
			  const struct config_change *ch, char error[ERROR_TEXT]);
int builder_marks_put(struct builder_marks *m, struct publisher *p, char error[ERROR_TEXT]);
void builder_marks_fini(struct builder_marks *m);

/*
 * A plan in steps, by a held publisher: marks compiled; start(); step() until it
 * gives 0; fini() in any case. A step that fails has discarded the draft.
 */
struct builder_run {
	struct publisher *publisher;
	const struct config_plan *plan;
	uint32_t n_done; /* changes that were looked at */
	struct builder_marks marks;
};

void builder_run_start(struct builder_run *run, struct publisher *p,
		       const struct config_plan *plan);
/* Works until about end_us of clock_us(). 1: there is more; 0: the draft is complete; -errno as
 * builder_change(). */
int builder_run_step(struct builder_run *run, uint64_t end_us, char error[ERROR_TEXT]);
void builder_run_fini(struct builder_run *run);

/* The tables of a draft, of both families: addresses, with those of the configuration; listeners;
 * the cover of the draft's mark rules and services, and the keys of `shared` itself, after the
 * draft's listeners. 0 or -ENOMEM. */
int builder_addrs(const struct config *config, const struct publisher *p, struct snapshot *draft);
int builder_listeners(struct snapshot *draft);
int builder_cover(const struct config *config, struct snapshot *draft);

#define FAM_TEMPLATE "publish/builder.fam.h"
#include "base/both_families.h"

#endif
