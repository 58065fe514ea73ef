/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/method.h"

#include <stddef.h>

const struct method *const method_tables[] = {
	system_methods,
	config_methods,
	history_methods,
	trial_methods,
	service_methods,
	health_methods,
	attempt_methods,
	mark_methods,
	counter_methods,
	connection_methods,
	ha_methods,
	ipvsadm_methods,
	event_methods,
	session_methods,
	explain_methods,
	drop_methods,
	observer_methods,
	fleet_methods,
	NULL,
};
