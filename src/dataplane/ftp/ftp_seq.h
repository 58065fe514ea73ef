/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_SEQ_H
#define PLVS_DATAPLANE_FTP_FTP_SEQ_H

/* Segments of FTP control connections: payload that changes its length, and sequence numbers
 * that follow. Worker context. */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ftp/ftp.h"

#define FAM_TEMPLATE "dataplane/ftp/ftp_seq.fam.h"
#include "base/both_families.h"

#endif
