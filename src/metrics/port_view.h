/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_PORT_VIEW_H
#define PLVS_METRICS_PORT_VIEW_H

/* Warnings and losses of ports; port_view() is in object_view.h. All return new references.
 * Context: the control thread. */

#include "metrics/object_view.h"

/* Rows of frames that devices lost: port, name, help, count, rate. */
json_t *port_view_losses(const struct router_parts *p);
/* Adds the present warnings about ports. */
void port_view_warnings(const struct router_parts *p, json_t *list);
/* The warnings about one port. */
json_t *port_warnings_json(const struct router_parts *p, uint16_t port);

#endif
