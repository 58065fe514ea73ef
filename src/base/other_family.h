/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_OTHER_FAMILY_H
#define PLVS_BASE_OTHER_FAMILY_H

/*
 * Names of the other family, for a source or template of family.h that crosses from one to the
 * other: OTHER_FAM(conn) is conn6 where FAM(conn) is conn4, OTHER_FN(table, find) is table6_find.
 */

#include "base/family.h"

#define FAM_OTHER_4 6
#define FAM_OTHER_6 4
#define FAM_OTHER   FAM(FAM_OTHER_)

#define OTHER_FAM(name)	     FAM_PASTE(name, FAM_OTHER)
#define OTHER_FN(noun, verb) FAM_PASTE3(noun, FAM_OTHER, verb)
#define OTHER_ADDR	     OTHER_FAM(FAM_ADDR_)
#define OTHER_FAMILY	     OTHER_FAM(ADDR_V)

#endif
