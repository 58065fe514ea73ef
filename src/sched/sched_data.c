/* SPDX-License-Identifier: BSD-3-Clause */
/* What schedulers share to keep data with a service's node. */
#include <stdlib.h>

#include "sched/ops.h"

void sched_data_free(struct service *svc)
{
	free(svc->sched_data);
}
