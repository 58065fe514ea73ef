/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_DROP_LOG_H
#define PLVS_DATAPLANE_EXITS_DROP_LOG_H

/*
 * The heads of the packets that a worker dropped last, for each reason. At most DROP_LOG_RECORDS
 * packets of a reason are noted in a tick of the worker's clock, so that a flood costs two
 * comparisons for each packet.
 *
 * Written by the worker. Control gets a copy by a command (CMD_DROPS).
 */

#include <string.h>

#include "dataplane/worker.h"

#define DROP_LOG_RECORDS 8
#define DROP_LOG_HEAD	 128 /* bytes */

struct drop_record {
	uint64_t seq;  /* number among the worker's records, from 1; 0: none */
	uint32_t at_s; /* of the burst's clock */
	uint16_t port; /* by which the packet came; for Linux's own packets: would have left */
	uint16_t vlan; /* tag that the port stripped; or 0 */
	uint16_t len, caplen;
	uint8_t head[DROP_LOG_HEAD];
};

struct drop_ring {
	uint32_t tick; /* + 1: of the last record */
	uint32_t left; /* records that may be made in that tick */
	uint32_t next;
	struct drop_record record[DROP_LOG_RECORDS];
};

struct drop_log {
	uint64_t seq;
	struct drop_ring reason[DROP_MAX];
};

/* Worker. The slow half of drop_log_note(). */
void drop_log_take(struct worker *w, const struct rte_mbuf *m, struct drop_ring *r);

/* Worker. m is about to be dropped. */
static inline void drop_log_note(struct worker *w, const struct rte_mbuf *m,
				 enum drop_reason reason)
{
	struct drop_ring *r = &w->drop_log->reason[reason];

	if (r->tick != w->env.now_tick + 1) {
		r->tick = w->env.now_tick + 1;
		r->left = DROP_LOG_RECORDS;
	}
	if (r->left)
		drop_log_take(w, m, r);
}

#endif
