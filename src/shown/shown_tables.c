/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "shown/shown.h"

const struct shown_table *const shown_tables[] = {
	&shown_process, &shown_service, &shown_server, &shown_connection, &shown_worker,
	&shown_port,	&shown_health,	&shown_check,  &shown_pair,	  &shown_path,
	&shown_witness, &shown_fleet,	NULL,
};
