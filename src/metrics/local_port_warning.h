/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_LOCAL_PORT_WARNING_H
#define PLVS_METRICS_LOCAL_PORT_WARNING_H

/*
 * Warns before a pool of full NAT has no port left for a real server. Workers count now and then
 * the ports towards a server that are in use or in quarantine (fullnat/local_port.h). From 85 % on
 * there is a warning, in the log once, in the status and as a metric until ten seconds after the
 * last look that found 75 % or more.
 *
 * Context: the control thread.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct traffic;

#define LOCAL_PORTS_WARN_PERCENT 85
#define LOCAL_PORTS_CALM_PERCENT 75

struct local_port_warning {
	const struct traffic *traffic;
	struct event *ev;
	bool warns;
	char text[320];
};

/* Looks every second from now on. 0 or -ENOMEM. */
int local_port_warning_start(struct local_port_warning *l, const struct traffic *traffic,
			     struct event_base *base);
void local_port_warning_stop(struct local_port_warning *l);
/* The warning, or NULL. */
const char *local_port_warning_text(const struct local_port_warning *l);
/* Looks once. */
void local_port_warning_look(struct local_port_warning *l);

#endif
