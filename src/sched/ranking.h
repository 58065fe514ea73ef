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
 * The counts of a server are shared by all workers, so a leaf may be old:
 *   - its load has grown: the choice reads the counts of the server at the root again, and plays
 *     that leaf again if they differ. Nobody has to be told of a connection that begins.
 *   - its load fell: the worker whose connection ended says so (sched_update()).
 *   - its load fell by the doings of another worker: each choice also looks at the next
 *     RANKING_LOOK servers of the list.
 *   - the list, weights, health or thresholds changed: a new node has new tournaments, which the
 *     worker fills at its first choice after that.
 * So one worker chooses what a look at all servers would have it choose.
 */

#include "sched/ops.h"

/* With several workers: servers that each choice looks at in passing. */
#define RANKING_LOOK 8

/* build() and destroy() of struct sched_ops. */
int ranking_build(struct service *svc, const struct service *old);
/* choose() of struct sched_ops, by the measure of svc->sched. Without a worker in the request: a
 * look at all servers. */
int ranking_choose(const struct service *svc, const struct sched_request *req);

/* Worker: the server of a place was chosen, and a connection bound to it. */
void ranking_bound(const struct service *svc, const struct sched_worker *w, uint32_t place);

/* The eligible server of the least measure, first in list order of equal ones, by a look at all
 * servers. *seen, if not NULL: its counts as they were. */
int ranking_scan(const struct service *svc, const struct sched_measure *measure, uint64_t *seen);

#endif
