/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SERVICE_MATCH_H
#define PLVS_DATAPLANE_STAGES_SERVICE_MATCH_H

/*
 * From a packet without a connection to its virtual service. Worker context.
 */

#include "dataplane/worker.h"
#include "sched/sched.h"

struct service_match {
	const struct service *svc; /* NULL = none */
	bool exact;		   /* by exactly this address:port, not by a mark or port 0 */
};

#define FAM_TEMPLATE "dataplane/stages/service_match.fam.h"
#include "base/both_families.h"

#endif
