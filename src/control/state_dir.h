/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_STATE_DIR_H
#define PLVS_CONTROL_STATE_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error_text.h"

/*
 * node.state_dir: the directory of data that outlives the process. The data names clients and
 * servers, and is loaded into the router, so only the router's user may read or write there.
 *
 * Context: any.
 */

/* Makes the directory, mode 0700, if only its last part is missing. 0 or -errno. */
int state_dir_make(const char *path);
/* True: the directory has a fault, which error names in a sentence. */
bool state_dir_fault(const char *path, char error[ERROR_TEXT]);

#endif
