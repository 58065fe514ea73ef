/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_PUBLISH_BUILDER_H
#define PLVS_PUBLISH_BUILDER_H

/*
 * From configuration to nodes and tables of a snapshot, through a publisher.
 * Context: as publish.h.
 */

#include "config/config.h"
#include "publish/publisher.h"
#include "health/health.h"

/* One service: its node is built anew. before: what the configuration had, or NULL;
 * after: what it is to be, or NULL. Nothing is changed on error: 0, -ENOMEM, -ENOSPC
 * (services or servers, removed ones that still have connections included), -E2BIG (the
 * scheduler's tables); error says so for a person. */
int builder_service(struct publisher *p, const struct config_service *before,
		    const struct config_service *after, char error[256]);
/* What health makes of a server of the node of a service id. */
typedef struct health_effect builder_effect(void *arg, const struct endpoint *server,
					    uint32_t configured);
/* Puts effects into the node that the draft has, or without one the live snapshot. 1: it was
 * made anew; 0: they are there; -ENOMEM. */
int builder_effects(struct publisher *p, uint32_t id, builder_effect *effect, void *arg);
/* Everything that differs. before may be NULL. On error the draft is discarded. */
int builder_config(struct publisher *p, const struct config *before, const struct config *after,
		   char error[256]);
/*
 * The same in steps, by a held publisher: run_marks(), where compiled rules are wanted that
 * took long; start(); step() until it gives 0; fini() in any case. A step that fails has
 * discarded the draft.
 */
struct builder_run {
	struct publisher *publisher;
	const struct config *before, *after;
	uint32_t n_dropped, n_built; /* services that were looked at */
	struct mark_table *marks;    /* a reference, or NULL */
	bool marks_made;
};

/* Any thread. were: the rules that are live, kept by a reference; may be NULL.
 * 0 or -ENOMEM. */
int builder_run_marks(struct builder_run *run, const struct mark_table *were,
		      const struct config *after, char error[256]);
/* Any thread: n rules compiled; NULL with n = 0. were as above. */
int builder_marks_compile(const struct mark_rule4 *rules, uint32_t n, const struct mark_table *were,
			  struct mark_table **out, char error[256]);
/* Puts compiled rules (taken over, also on error; NULL: none) into the draft. */
int builder_marks_put(struct publisher *p, struct mark_table *marks, char error[256]);
void builder_run_start(struct builder_run *run, struct publisher *p, const struct config *before,
		       const struct config *after);
/* Until about end_us of clock_us(). 1: there is more; 0: the draft is complete; -errno as
 * builder_config(). */
int builder_run_step(struct builder_run *run, uint64_t end_us, char error[256]);
void builder_run_fini(struct builder_run *run);

/* Tables of a draft with the configuration's addresses. NULL: no memory. */
struct addr_table4 *builder_addrs4(const struct config *config, const struct publisher *p,
				   const struct snapshot *draft);
/* Compiles the mark rules if they changed, and what they and the draft's services cover.
 * After the draft's listeners. 0 or -ENOMEM. */
int builder_marks4(const struct config *config, struct snapshot *draft);
struct listener_table4 *builder_listeners4(const struct snapshot *draft);

#endif
