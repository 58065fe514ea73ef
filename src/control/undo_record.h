/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_UNDO_RECORD_H
#define PLVS_CONTROL_UNDO_RECORD_H

/*
 * The undo record: the whole configuration from before a trial (trial.h), in node.state_dir as
 * unconfirmed.json. A router that starts and finds a record uses the configuration in the record,
 * since the trial was not confirmed. But a start file that was written after the begin of the trial
 * is newer, and the record is ignored.
 *
 * Context: functions do file work, and may be called on any thread.
 */

#include <jansson.h>

#include "base/error_text.h"

/* file: of the start, or NULL. config: of config_to_json(). 0 once the record is durable, or -errno
 * with a sentence. */
int undo_record_save(const char *dir, const char *file, json_t *config, char error[ERROR_TEXT]);
/* *text: the configuration, to be freed. 0; -ENOENT: there is no record; -ESTALE: the file is newer
 * than the record; or -errno: the record is unreadable or damaged. */
int undo_record_load(const char *dir, const char *file, char **text);
/* 0 once the record is durably removed, or was not there; or -errno with a sentence. */
int undo_record_remove(const char *dir, char error[ERROR_TEXT]);

#endif
