/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_STALE_H
#define PLVS_DATAPLANE_STAGES_STALE_H

/*
 * Connections that packets of a burst found, and that an earlier or later packet of the burst
 * ended, evicted from a full table, or replaced. Worker context.
 */

#include "dataplane/conn/table.h"
#include "dataplane/stages/pipeline.h"

#define FAM_TEMPLATE "dataplane/stages/stale.fam.h"
#include "base/both_families.h"

#endif
