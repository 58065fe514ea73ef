/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_TRANSLATED_ERROR_H
#define PLVS_DATAPLANE_TRANSLATE_TRANSLATED_ERROR_H

/* Translation of ICMP errors with the quoted packet: translate.h. Worker context. */

#include "dataplane/fullnat/local_end.h"

#define FAM_TEMPLATE "dataplane/translate/translated_error.fam.h"
#include "base/both_families.h"

#endif
