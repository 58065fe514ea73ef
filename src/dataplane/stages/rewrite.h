/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_REWRITE_H
#define PLVS_DATAPLANE_STAGES_REWRITE_H

/* Functions that stage rewrite shares with the tunnel. Worker context. */

#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/fullnat/local_end.h"
#include "dataplane/stages/ip.h"
#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/stages/rewrite.fam.h"
#include "base/both_families.h"

#endif
