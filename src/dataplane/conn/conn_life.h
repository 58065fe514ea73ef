/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_CONN_LIFE_H
#define PLVS_DATAPLANE_CONN_CONN_LIFE_H

/*
 * The life of a connection: birth, states and end. The functions keep the counts of its server, its
 * keys in the table, its place in the wheel and its list of give_way.h in step. Worker context, one
 * owner.
 */

#include "dataplane/worker.h"

#define FAM_TEMPLATE "dataplane/conn/conn_life.fam.h"
#include "base/both_families.h"

#endif
