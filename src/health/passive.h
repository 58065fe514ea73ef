/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_PASSIVE_H
#define PLVS_HEALTH_PASSIVE_H

/*
 * The evidence of traffic on a server: SYNs that got no answer, SYNs that were refused, and the
 * time from SYN to SYN-ACK, counted by workers in the NAT path. Context: control.
 */

#include "health/check.h"
#include "model/counters.h"

/*
 * Judges the SYNs between two readings. Fewer than min_syns SYNs, or none, give PROBE_OK, so that a
 * server which was taken down, and so gets no SYNs, comes back.
 */
void passive_judge(const struct check_spec *spec, const struct passive_counters *before,
		   const struct passive_counters *now, struct probe_result *out);

#endif
