/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ANSWER_H
#define PLVS_DATAPLANE_STAGES_ANSWER_H

/*
 * Answers that a worker makes itself: to echo requests for active VIPs, ICMP errors, RSTs. Answers
 * count as generated. Each goes back to the station that sent the frame, on the same link, so that
 * no next hop has to be resolved and a flood of requests sends no requests to Linux. Worker
 * context.
 */

#include "dataplane/stages/ip.h"
#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/answer.fam.h"
#include "base/both_families.h"

#endif
