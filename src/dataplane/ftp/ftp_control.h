/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_CONTROL_H
#define PLVS_DATAPLANE_FTP_FTP_CONTROL_H

/* The state of control connections; for the files of this folder. Worker context. */

#include "dataplane/ftp/ftp.h"

#define FAM_TEMPLATE "dataplane/ftp/ftp_control.fam.h"
#include "base/both_families.h"

#endif
