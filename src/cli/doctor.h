/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_DOCTOR_H
#define PLVS_CLI_DOCTOR_H

/*
 * Rules that find faults of a running router in the results of methods. Each rule gives findings.
 * A finding has a fixed identity, a severity, the fault, the reason why the fault matters, and the
 * command to type.
 */

#include <jansson.h>

enum doctor_severity {
	DOCTOR_WELL,
	DOCTOR_WARNING,
	DOCTOR_CRITICAL,
};

/* X(NAME, id, severity). docs/doctor.md has the same list with explanations. */
#define DOCTOR_FINDINGS(X)                                                                         \
	X(SERVICE_WITHOUT_SERVERS, "service-without-servers", CRITICAL)                            \
	X(SERVER_DOWN, "server-down", WARNING)                                                     \
	X(SERVER_FORCED, "server-forced", WARNING)                                                 \
	X(PORT_DOWN, "port-down", CRITICAL)                                                        \
	X(TAP_MISSING, "tap-missing", CRITICAL)                                                    \
	X(QUEUES_BELOW_WORKERS, "queues-below-workers", WARNING)                                   \
	X(WORKER_BUSY, "worker-busy", WARNING)                                                     \
	X(WORKER_STALLED, "worker-stalled", WARNING)                                               \
	X(CLOCK_JUMPED, "clock-jumped", WARNING)                                                   \
	X(HANDOFF_SHARE, "handoff-share", WARNING)                                                 \
	X(NEXTHOP_UNRESOLVED, "nexthop-unresolved", CRITICAL)                                      \
	X(VIP_CLAIMED, "vip-claimed", CRITICAL)                                                    \
	X(SERVER_WITHOUT_VIP, "server-without-vip", CRITICAL)                                      \
	X(NAT_REPLIES_MISSING, "nat-replies-missing", CRITICAL)                                    \
	X(NUMA_REMOTE, "numa-remote", WARNING)                                                     \
	X(MTU_TOO_SMALL, "mtu-too-small", WARNING)                                                 \
	X(PATH_SILENT, "path-silent", WARNING)                                                     \
	X(HEARTBEATS_FILTERED, "heartbeats-filtered", WARNING)                                     \
	X(CONFIGURATION_UNSAVED, "configuration-unsaved", WARNING)                                 \
	X(CONFIGURATION_UNCONFIRMED, "configuration-unconfirmed", WARNING)                         \
	X(PAIR_ALARM, "pair-alarm", CRITICAL)                                                      \
	X(DEADTIME_SHORT, "deadtime-short", WARNING)                                               \
	X(PAIR_NOT_REALTIME, "pair-not-realtime", WARNING)                                         \
	X(PEER_SILENT, "peer-silent", CRITICAL)                                                    \
	X(PAIR_DIFFERS, "pair-differs", WARNING)                                                   \
	X(PAIR_CLOCKS_DIFFER, "pair-clocks-differ", WARNING)                                       \
	X(PAIR_NOT_SYNCHRONISED, "pair-not-synchronised", WARNING)                                 \
	X(ROUTING_DAEMON_MISSING, "routing-daemon-missing", CRITICAL)                              \
	X(BGP_SESSION_MISSING, "bgp-session-missing", WARNING)                                     \
	X(HUGEPAGES_MISSING, "hugepages-missing", WARNING)                                         \
	X(IOMMU_OFF, "iommu-off", WARNING)                                                         \
	X(DEVICE_UNBOUND, "device-unbound", CRITICAL)                                              \
	X(ROUTER_WARNING, "router-warning", WARNING)

enum doctor_finding {
#define X(NAME, id, severity) FINDING_##NAME,
	DOCTOR_FINDINGS(X)
#undef X
		FINDING_MAX
};

extern const char *const doctor_ids[FINDING_MAX];

/* Results of the methods in the names; NULL: no answer. */
struct doctor_facts {
	const json_t *status, *port_list, *worker_list, *nexthop_list, *health_list, *ha_status;
	const json_t *service_list, *config_get, *counter_list, *peer_clock;
	const json_t *fleet_status;
	const json_t *health_shows; /* an array: health.show of servers that are down */
};

/* Adds a finding to a list. fmt: the fault. */
void doctor_find(json_t *findings, enum doctor_finding finding, const char *why, const char *type,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Rules about servers, links and the host. */
void doctor_look_around(const struct doctor_facts *facts, json_t *findings);

/* Rules about the router's machine, which plvs-host prepares. ports: of port.list. root stands in
 * front of each path. */
void doctor_look_host(const json_t *ports, const char *root, json_t *findings);

/* The rule about packet filters. config: of config.get; ruleset: of `nft -j list ruleset`, or NULL.
 */
void doctor_look_firewall(const json_t *config, const json_t *ruleset, json_t *findings);

/* A new list of {id, severity, what, why, type}; NULL: no memory. */
json_t *doctor_look(const struct doctor_facts *facts);
/* The worst severity of the findings. */
enum doctor_severity doctor_worst(const json_t *findings);

#endif
