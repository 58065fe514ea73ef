/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_KEPT_VIEW_H
#define PLVS_CONTROL_KEPT_VIEW_H

/* Connections of the process before, and the ledger, for status. Control context. */

#include <jansson.h>

#include "dataplane/dataplane.h"

json_t *kept_json(struct dataplane *dp);
/* Adds to the warnings of status. */
void kept_warn(struct dataplane *dp, json_t *list);

#endif
