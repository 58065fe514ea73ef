/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_TRACK_H
#define PLVS_DATAPLANE_STAGES_TRACK_H

/* Stage track for single packets. Worker context. */

#include "dataplane/conn/evidence.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/track.fam.h"
#include "base/both_families.h"

#endif
