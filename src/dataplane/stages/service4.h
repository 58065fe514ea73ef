/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_SERVICE4_H
#define PLVS_DATAPLANE_STAGES_SERVICE4_H

/*
 * From a packet without a connection to its virtual service. Worker context.
 */

#include "dataplane/worker.h"
#include "sched/sched.h"

struct service_match {
	const struct service *svc; /* NULL = none */
	bool exact;		   /* by this very address:port, not by a mark or port 0 */
};

/* In the order of IPVS: the mark that a rule gives the packet, address:port, FTP data of a
 * persistent FTP service, port 0. */
struct service_match service4_find(const struct worker *w, const struct pkt4 *p);

/* What a scheduler is told. */
struct sched_request service4_request(struct worker *w, const struct key4 *key);

#endif
