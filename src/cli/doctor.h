/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_DOCTOR_H
#define PLVS_CLI_DOCTOR_H

/*
 * What is wrong with a running router: rules over the results of methods. Each rule gives
 * findings with an identity that stays, a severity, what is wrong, why it matters and what to type.
 */

#include <jansson.h>

enum doctor_severity {
	DOCTOR_WELL,
	DOCTOR_WARNING,
	DOCTOR_CRITICAL,
};

/* Results of the methods in the names; NULL: the router did not answer that one. */
struct doctor_facts {
	const json_t *status, *port_list, *worker_list, *nexthop_list, *health_list, *ha_status;
};

/* A new list of {id, severity, what, why, type}; NULL: no memory. */
json_t *doctor_look(const struct doctor_facts *facts);
/* The worst of them. */
enum doctor_severity doctor_worst(const json_t *findings);

#endif
