/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_DOCTOR_H
#define PLVS_CLI_DOCTOR_H

/*
 * Rules that find faults of a running router in the results of methods. Each rule gives findings.
 * A finding has an identity that stays, a severity, the fault, the reason why the fault matters,
 * and the command to type.
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
	const json_t *service_list, *config_get, *counter_list, *peer_clock;
	const json_t *health_shows; /* an array: health.show of servers that are down */
};

/* Adds a finding to a list. fmt: of the text that says what is wrong. */
void doctor_find(json_t *findings, enum doctor_severity severity, const char *id, const char *why,
		 const char *type, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Rules about what is around the router: servers, links, the host. */
void doctor_look_around(const struct doctor_facts *facts, json_t *findings);

/* Rules about this machine, where the router runs: what plvs-host prepares. ports: of port.list.
 * root stands in front of each path. */
void doctor_look_host(const json_t *ports, const char *root, json_t *findings);

/* The rule about packet filters. config: of config.get; ruleset: of `nft -j list ruleset`, or NULL.
 */
void doctor_look_firewall(const json_t *config, const json_t *ruleset, json_t *findings);

/* A new list of {id, severity, what, why, type}; NULL: no memory. */
json_t *doctor_look(const struct doctor_facts *facts);
/* The worst of them. */
enum doctor_severity doctor_worst(const json_t *findings);

#endif
