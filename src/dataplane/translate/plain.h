/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_PLAIN_H
#define PLVS_DATAPLANE_TRANSLATE_PLAIN_H

/*
 * The translation (translate.h) of nearly all packets: TCP segments and datagrams with a checksum,
 * without options, that are no fragments and leave whole. The header of the new family is written
 * from words in registers, and the Ethernet header with it. Worker context.
 */

#include "base/csum.h"
#include "dataplane/big/big_frame.h"
#include "dataplane/stages/rewrite.h"
#include "dataplane/translate/header_len.h"

#define FAM_TEMPLATE "dataplane/translate/plain.fam.h"
#include "base/both_families.h"

#endif
