/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ADMIT_H
#define PLVS_DATAPLANE_STAGES_ADMIT_H

/*
 * Admission: the decision whether a packet without a connection may make one. Stage schedule calls
 * it before a scheduler. Worker context.
 */

#include "dataplane/stages/service_match.h"

enum admission {
	ADMIT_LEFT,    /* the packet has left by a door */
	ADMIT_FOUND,   /* the packet's conn is set */
	ADMIT_FOLLOWS, /* a fragment behind its first one, of a service */
	ADMIT_NEW,     /* the packet may make a connection of a service */
};

#define FAM_TEMPLATE "dataplane/stages/admit.fam.h"
#include "base/both_families.h"

#endif
