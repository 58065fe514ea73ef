/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions of schedulers that keep data with a service's node. */
#include <stdlib.h>

#include "sched/ops.h"

void sched_data_free(struct service *svc)
{
	free(svc->sched_data);
}
