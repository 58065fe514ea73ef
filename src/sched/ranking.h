/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_RANKING_H
#define PLVS_SCHED_RANKING_H

/*
 * The choice of schedulers that go by the least load per weight (lc, wlc, sed, nq), without a look
 * at every server.
 *
 * Each worker keeps a tournament of its own for each service: a binary tree whose leaves are the
 * servers in list order, with the load that the worker saw last and the weight, and whose inner
 * nodes are the better of their two children, the left one of equal ones. The root is the choice.
 * A leaf that changes is compared with its neighbours up to the root, or up to the first node that
 * stays as it was.
 *
 * Each worker counts in a row of its own (struct count_row). A leaf has the present counts of the
 * worker and the counts of other workers as they were read last. So a leaf may be old:
 *   - another worker's connections began there: the choice reads the rows of others for the server
 *     at the root again, and plays that leaf again if they differ.
 *   - another worker's connections ended or became inactive there: the choice also looks at the
 *     next RANKING_LOOK servers of the list.
 *   - the list, weights, health or thresholds changed: a new node has new tournaments, which the
 *     worker fills at its first choice after that.
 * A read of another worker's row costs more than the rest of the choice. So only the first choice
 * of a burst does all of the above. Later choices of the burst look every RANKING_LOOK_EVERY times,
 * and read the rows of others for a server only if another worker has bound a connection to the
 * server since the last look. So each worker gives a server at most one connection by old counts,
 * and the server is within W of the choices of one worker. A single worker chooses as by a look at
 * all servers.
 */

#include "sched/ops.h"

/* With several workers: servers that a choice looks at in passing, and how often in a burst. */
#define RANKING_LOOK	   16
#define RANKING_LOOK_EVERY 16

/* build() and destroy() of struct sched_ops. */
int ranking_build(struct service *svc, const struct service *old);
void ranking_destroy(struct service *svc);
/* choose() of struct sched_ops, by the measure of svc->sched. Without a worker in the request: a
 * look at all servers. */
int ranking_choose(const struct service *svc, const struct sched_request *req);

/* Worker: the server of a place was chosen, and a connection bound to it. */
void ranking_bound(const struct service *svc, const struct sched_worker *w, uint32_t place);

/* The eligible server of the least measure, first in list order of equal ones, by a look at all
 * servers. */
int ranking_scan(const struct service *svc, const struct sched_measure *measure);

#endif
