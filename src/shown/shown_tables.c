/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "shown/shown.h"

const struct shown_table *const shown_tables[] = {
	&shown_process, &shown_service,	   &shown_server,    &shown_connection,
	&shown_worker,	&shown_port,	   &shown_health,    &shown_check,
	&shown_pair,	&shown_path,	   &shown_witness,   &shown_fleet,
	&shown_ledger,	&shown_nexthop,	   &shown_route,     &shown_vip_route,
	&shown_claim,	&shown_transition, &shown_quorum,    &shown_queue,
	&shown_reason,	&shown_figure,	   &shown_address,   &shown_mark,
	&shown_version, &shown_trial,	   &shown_agreement, &shown_removed_server,
	NULL,
};
