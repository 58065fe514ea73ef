/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VERSION_CONFIG_H
#define PLVS_CONTROL_VERSION_CONFIG_H

/* Makes whole configurations from shared parts. Context: any thread, while `running` does not
 * change. */

#include <jansson.h>

#include "config/config.h"
#include "model/version.h"

/* The text of a shared part with the node part of `running`, to be freed. NULL: no shared part, or
 * no memory.
 */
char *version_document(const struct config *running, json_t *shared);
/* The configuration of a version: its shared part from node.state_dir (dir; "": there is none),
 * with the node part of `running`. 0 with *out, or errors->reason. */
int version_config(const char *dir, const struct version_id *id, const struct config *running,
		   struct config **out, struct config_errors *errors);

#endif
