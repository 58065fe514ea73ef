/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_REMOVED_SERVER_H
#define PLVS_DATAPLANE_STAGES_REMOVED_SERVER_H

/*
 * Ends connections whose real server was removed, as its service's `on_removed` demands: enum
 * on_removed. Worker context.
 */

#include "dataplane/stages/pipeline.h"

#define FAM_TEMPLATE "dataplane/stages/removed_server.fam.h"
#include "base/both_families.h"

#endif
