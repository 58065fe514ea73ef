/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PORT_VIEW_H
#define PLVS_CONTROL_PORT_VIEW_H

/*
 * Ports and their devices as requests show them. All return new references. Context: the
 * control thread.
 */

#include "control/control_internal.h"

/* A row of port.list. */
json_t *port_view_json(const struct control *c, uint16_t port);
/* Adds device_counters and device_rates to a row. */
void port_view_device(const struct control *c, uint16_t port, json_t *row);
/* Rows of what devices lost: port, name, help, count, rate. */
json_t *port_view_losses(struct control *c);
/* Adds what an operator should know of ports now. */
void port_view_warnings(const struct control *c, json_t *list);

#endif
