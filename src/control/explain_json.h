/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_EXPLAIN_JSON_H
#define PLVS_CONTROL_EXPLAIN_JSON_H

/* The answer of explain as JSON: docs/seeing-packets.md. Context: the control thread. */

#include "control/control_internal.h"
#include "dataplane/explain/explain.h"

/* New reference. */
json_t *explain_json(const struct control *c, const struct explain *x);
/* The name ("public") of a port number of the data plane. */
const char *control_port_name(const struct control *c, uint16_t port);

#endif
