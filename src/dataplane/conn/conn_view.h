/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_CONN_VIEW_H
#define PLVS_DATAPLANE_CONN_CONN_VIEW_H

/* Reads the table of each family for CMD_LIST and CMD_FIND, and filters connections. Worker
 * context.
 */

#include "dataplane/dataplane.h"

bool conn_filter_matches(const struct conn_filter *f, const struct conn_view *v);
void conn4_view(const struct worker *w, const struct conn4 *c, struct conn_view *v);
void conn6_view(const struct worker *w, const struct conn6 *c, struct conn_view *v);
#define LIST_LOOK 128 /* entries looked at in one loop: a few microseconds */

bool conn_list4(struct worker *w, struct worker_command *cmd);
bool conn_list6(struct worker *w, struct worker_command *cmd);
void conn_find4(struct worker *w, struct worker_command *cmd);
void conn_find6(struct worker *w, struct worker_command *cmd);

#endif
