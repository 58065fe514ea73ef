/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_UNASKED_H
#define PLVS_DATAPLANE_STAGES_UNASKED_H

/* Packets without a connection and without a service. Worker context. */

#include "dataplane/worker.h"

/* Ports from here on belong to clients; ports below belong to servers. */
#define UNASKED_PORT_CLIENTS 1024

#define FAM_TEMPLATE "dataplane/stages/unasked.fam.h"
#include "base/both_families.h"

#endif
