/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_UNASKED_H
#define PLVS_DATAPLANE_STAGES_UNASKED_H

/* Packets without a connection that no service is found for. Worker context. */

#include "dataplane/worker.h"

/* A port from here on is a client's; a port below is a server's. */
#define UNASKED_PORT_CLIENTS 1024

#define FAM_TEMPLATE "dataplane/stages/unasked.fam.h"
#include "base/both_families.h"

#endif
