/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_KEPT_VIEW_H
#define PLVS_CONTROL_KEPT_VIEW_H

/* The ledger, for the warnings of status. Control context. */

#include <jansson.h>

#include "dataplane/dataplane.h"

/* Adds to the warnings of status. */
void kept_warn(struct dataplane *dp, json_t *list);

#endif
