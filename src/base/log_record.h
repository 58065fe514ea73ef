/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_LOG_RECORD_H
#define PLVS_BASE_LOG_RECORD_H

/* Writes a line that is a record (the audit). Levels and limits do not apply. */

#include "base/log.h"

void log_record(enum log_level level, const char *area, const char *line);

#endif
