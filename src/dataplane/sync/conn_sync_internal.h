/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_CONN_SYNC_INTERNAL_H
#define PLVS_DATAPLANE_SYNC_CONN_SYNC_INTERNAL_H

/* Declarations that conn_sync.c, conn_sync_event.c and conn_sync_op.c share. Worker context. */

#include "dataplane/sync/conn_sync.h"

#define MARK_TOLD     0x01U /* reported to the peer */
#define MARK_SYNCED   0x02U /* reported by the peer */
#define MARK_GEN_BIT  4	    /* of the transfer that brought it */
#define MARK_GEN_MASK 0xf0U

#define FAM_TEMPLATE "dataplane/sync/conn_sync_internal.fam.h"
#include "base/both_families.h"

/* Sends an answer to SYNC_WALK or SYNC_FLUSH, behind all earlier events. */
void sync_note(struct worker *w, const struct sync_event *op);

#endif
