/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PUSHED_H
#define PLVS_CONTROL_PUSHED_H

/* Context: the control thread. */

#include <jansson.h>

struct control;

/* A shared part under this router's own node part, as the text of a whole configuration. New
 * reference; NULL: no shared part, or no memory. */
json_t *pushed_document(const struct control *c, json_t *shared);

#endif
