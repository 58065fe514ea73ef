/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_RESOLVE_H
#define PLVS_DATAPLANE_STAGES_RESOLVE_H

/* Next hops of connections. Worker context. */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/resolve.fam.h"
#include "base/both_families.h"

#endif
