/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_LOG_RECORD_H
#define PLVS_BASE_LOG_RECORD_H

/* Lines of the log that are a record (the audit): no level and no limit leaves one out. */

#include "base/log.h"

void log_record(enum log_level level, const char *area, const char *line);

#endif
