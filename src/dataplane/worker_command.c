/* SPDX-License-Identifier: BSD-3-Clause */
/* Other threads ask workers: commands, and the end of a sleep. */
#include "dataplane/dataplane.h"

#include <errno.h>

#include <rte_ring.h>

#include "dataplane/worker.h"

void dataplane_wake(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++)
		wake_up(&dp->exchange.worker[i].wake);
}

int dataplane_command(struct dataplane *dp, uint16_t worker, struct worker_command *cmd)
{
	if (!dp->running)
		return -ESHUTDOWN;
	if (rte_ring_enqueue(dp->workers[worker]->commands, cmd) != 0)
		return -EAGAIN;
	wake_up(&dp->exchange.worker[worker].wake);
	return 0;
}
