/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_REMOVED_SERVER_H
#define PLVS_DATAPLANE_STAGES_REMOVED_SERVER_H

/*
 * Connections whose real server was removed, and that are not to wait for it: see enum
 * server_gone. Worker context.
 */

#include "dataplane/stages/pipeline.h"

#define FAM_TEMPLATE "dataplane/stages/removed_server.fam.h"
#include "base/both_families.h"

#endif
