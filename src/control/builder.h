/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_BUILDER_H
#define PLVS_CONTROL_BUILDER_H

/*
 * From configuration to nodes and tables of a snapshot, through a publisher.
 * Context: as publish.h.
 */

#include "control/config.h"
#include "control/publish.h"

/* One service: its node is built anew. before: what the configuration had, or NULL;
 * after: what it is to be, or NULL. Nothing is changed on error: 0, -ENOMEM, -ENOSPC
 * (services or servers, removed ones that still have connections included), -E2BIG (the
 * scheduler's tables); error says so for a person. */
int builder_service(struct publisher *p, const struct config_service *before,
		    const struct config_service *after, char error[256]);
/* Everything that differs. before may be NULL. On error the draft is discarded. */
int builder_config(struct publisher *p, const struct config *before, const struct config *after,
		   char error[256]);
/* What workers and Linux would see of both is the same. */
bool builder_service_same(const struct config_service *a, const struct config_service *b);

/* Tables of a draft with the configuration's addresses. NULL: no memory. */
struct addr_table4 *builder_addrs4(const struct config *config, const struct publisher *p,
				   const struct snapshot *draft);
/* Compiles the mark rules if they changed, and what they and the draft's services cover.
 * After the draft's listeners. 0 or -ENOMEM. */
int builder_marks4(const struct config *config, struct snapshot *draft);
struct listener_table4 *builder_listeners4(const struct snapshot *draft);

#endif
