/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_CONN_LIFE_H
#define PLVS_DATAPLANE_CONN_CONN_LIFE_H

/*
 * The life of a connection: made, in a state, gone; with the counts of its server, its
 * keys in the table, its place in the wheel and among those that give way kept in step.
 * Worker context, one owner.
 */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/conn/conn_life.fam.h"
#include "base/both_families.h"

#endif
