/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_TRANSLATED_ERROR_H
#define PLVS_DATAPLANE_TRANSLATE_TRANSLATED_ERROR_H

/* ICMP errors of one family as errors of the other one, with the packet that they quote:
 * translate.h. Worker context. */

#include "dataplane/fullnat/halves.h"

#define FAM_TEMPLATE "dataplane/translate/translated_error.fam.h"
#include "base/both_families.h"

#endif
