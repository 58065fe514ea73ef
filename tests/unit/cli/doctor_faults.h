/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_CLI_DOCTOR_FAULTS_H
#define PLVS_TESTS_UNIT_CLI_DOCTOR_FAULTS_H

/* Routers that are broken in one way, and near ones that are well: rows of test_doctor.c. */

#include "cli/doctor.h"

/* The facts of a router: results of methods. */
enum {
	STATUS,
	PORTS,
	WORKERS,
	NEXTHOPS,
	HEALTH,
	HA,
	SERVICES,
	CONFIG,
	COUNTERS,
	CLOCK,
	FLEET,
	SHOWS,
	N_FACTS
};

/* A router in which %s of a fact is what breaks it, or a value that is near and well. */
static const struct {
	enum doctor_finding finding;
	enum doctor_severity severity;
	int fact;
	const char *text, *broken, *well;
} faults[] = {
	{FINDING_SERVICE_WITHOUT_SERVERS, DOCTOR_CRITICAL, HEALTH,
	 "{\"servers\": [{\"service\": \"web\", \"server\": \"s1\", \"chosen\": %s, \"standing\": "
	 "\"unknown\", \"admin\": \"none\"}]}",
	 "false", "true"},
	{FINDING_SERVER_DOWN, DOCTOR_WARNING, HEALTH,
	 "{\"servers\": [{\"service\": \"web\", \"server\": \"s1\", \"chosen\": false, "
	 "\"standing\": "
	 "\"%s\", \"admin\": \"none\"}, {\"service\": \"web\", \"server\": \"s2\", \"chosen\": "
	 "true, "
	 "\"standing\": \"up\", \"admin\": \"none\"}]}",
	 "down", "unknown"},
	{FINDING_SERVER_FORCED, DOCTOR_WARNING, HEALTH,
	 "{\"servers\": [{\"service\": \"web\", \"server\": \"s1\", \"chosen\": true, "
	 "\"standing\": "
	 "\"up\", \"admin\": \"%s\"}]}",
	 "up", "none"},
	{FINDING_PORT_DOWN, DOCTOR_CRITICAL, PORTS,
	 "{\"ports\": [{\"name\": \"public\", \"link_up\": %s, \"rx_queues\": 2, \"tap\": "
	 "\"public\"}]}",
	 "false", "true"},
	{FINDING_QUEUES_BELOW_WORKERS, DOCTOR_WARNING, PORTS,
	 "{\"ports\": [{\"name\": \"public\", \"link_up\": true, \"rx_queues\": %s, \"tap\": "
	 "\"public\"}]}",
	 "1", "2"},
	{FINDING_TAP_MISSING, DOCTOR_CRITICAL, PORTS,
	 "{\"ports\": [{\"name\": \"public\", \"link_up\": true, \"rx_queues\": 2, \"tap\": %s}]}",
	 "null", "\"public\""},
	{FINDING_WORKER_BUSY, DOCTOR_WARNING, WORKERS,
	 "{\"workers\": [{\"worker\": 0, \"load\": %s, \"counters\": {}}]}", "0.96", "0.94"},
	{FINDING_HANDOFF_SHARE, DOCTOR_WARNING, WORKERS,
	 "{\"workers\": [{\"worker\": 0, \"load\": 0.1, \"counters\": {\"received\": 9000, "
	 "\"handed_off\": %s}}, {\"worker\": 1, \"load\": 0.1, \"counters\": {}}]}",
	 "4501", "4500"},
	{FINDING_NEXTHOP_UNRESOLVED, DOCTOR_CRITICAL, NEXTHOPS,
	 "{\"nexthops\": [{\"address\": \"10.0.0.1\", \"link\": \"private\", \"state\": \"%s\", "
	 "\"wanted\": true}]}",
	 "failed", "incomplete"},
	{FINDING_PAIR_ALARM, DOCTOR_CRITICAL, HA, "{\"pair\": false, \"alarm\": %s}",
	 "\"one role\"", "null"},
	{FINDING_PEER_SILENT, DOCTOR_CRITICAL, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": %s}}", "false", "true"},
	{FINDING_PAIR_DIFFERS, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true, "
	 "\"configuration_differs\": %s}}",
	 "true", "false"},
	{FINDING_PAIR_NOT_SYNCHRONISED, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true}, \"sync\": "
	 "{\"peer_synchronised\": %s}}",
	 "false", "true"},
	{FINDING_DEADTIME_SHORT, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true}, \"deadtime_ms\": "
	 "200, "
	 "\"deadtime_supported_ms\": %s}",
	 "201", "200"},
	{FINDING_PAIR_NOT_REALTIME, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true}, \"realtime\": %s}",
	 "false", "true"},
	{FINDING_VIP_CLAIMED, DOCTOR_CRITICAL, HA,
	 "{\"pair\": false, \"claims\": [{\"address\": \"192.0.2.80\", \"link\": \"public\", "
	 "\"mac\": "
	 "\"02:00:00:00:00:11\", \"peer\": %s, \"count\": 1}, {\"address\": \"192.0.2.81\", "
	 "\"link\": "
	 "\"public\", \"mac\": \"02:00:00:00:00:12\", \"peer\": true, \"count\": 1}]}",
	 "false", "true"},
	{FINDING_NAT_REPLIES_MISSING, DOCTOR_CRITICAL, SERVICES,
	 "{\"services\": [{\"key\": \"web\", \"servers\": [{\"address\": \"s1\", \"health\": "
	 "\"up\", "
	 "\"handshakes\": {\"syns\": 20, \"answers\": %s, \"refused\": 0}}]}]}",
	 "0", "1"},
	{FINDING_SERVER_WITHOUT_VIP, DOCTOR_CRITICAL, SHOWS,
	 "[{\"service\": \"web\", \"server\": \"s2\", \"checks\": [{\"name\": \"direct\", "
	 "\"state\": "
	 "\"%s\"}, {\"name\": \"vip\", \"state\": \"down\"}]}]",
	 "up", "down"},
	{FINDING_NUMA_REMOTE, DOCTOR_WARNING, WORKERS,
	 "{\"workers\": [{\"worker\": 0, \"load\": 0.1, \"socket\": %s, \"queues\": [{\"port\": "
	 "\"public\", "
	 "\"queue\": 0}], \"counters\": {}}]}",
	 "1", "0"},
	{FINDING_MTU_TOO_SMALL, DOCTOR_WARNING, COUNTERS,
	 "{\"drops\": [{\"name\": \"too_big\", \"rate\": %s}]}", "3", "0"},
	{FINDING_PATH_SILENT, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true}, \"paths\": "
	 "[{\"name\": "
	 "\"p\", \"heard_ms\": 20}, {\"name\": \"q\", \"heard_ms\": %s}]}",
	 "3000", "2999"},
	{FINDING_PATH_SILENT, DOCTOR_WARNING, HA,
	 "{\"pair\": true, \"state\": \"active\", \"peer\": {\"alive\": true}, \"paths\": "
	 "[{\"name\": "
	 "\"p\", \"heard_ms\": %s}]}",
	 "-1", "0"},
	{FINDING_PAIR_CLOCKS_DIFFER, DOCTOR_WARNING, CLOCK,
	 "{\"ahead_us\": %s, \"error_us\": 4000}", "1004001", "1004000"},
	{FINDING_PAIR_CLOCKS_DIFFER, DOCTOR_WARNING, CLOCK,
	 "{\"ahead_us\": %s, \"error_us\": 4000}", "-3600000000", "-900000"},
	{FINDING_ROUTING_DAEMON_MISSING, DOCTOR_CRITICAL, FLEET,
	 "{\"state\": \"announcing\", \"daemon\": \"%s\"}", "missing", "unknown"},
	{FINDING_BGP_SESSION_MISSING, DOCTOR_WARNING, FLEET,
	 "{\"state\": \"announcing\", \"daemon\": \"%s\", \"sessions\": 0}", "idle", "connected"},
	{FINDING_CLOCK_JUMPED, DOCTOR_WARNING, STATUS,
	 "{\"workers\": 2, \"clock\": {\"jumps\": 3, \"last_ms\": -7200000, \"ago_s\": %s}}",
	 "3599", "3600"},
	{FINDING_WORKER_STALLED, DOCTOR_WARNING, WORKERS,
	 "{\"workers\": [{\"worker\": 0, \"load\": 0.1, \"counters\": {\"stalls\": %s}}]}", "3",
	 "2"},
	{FINDING_CONFIGURATION_UNSAVED, DOCTOR_WARNING, STATUS,
	 "{\"workers\": 2, \"configuration\": {\"file\": \"f\", \"unsaved\": %s}}", "true",
	 "false"},
	{FINDING_CONFIGURATION_UNCONFIRMED, DOCTOR_WARNING, STATUS,
	 "{\"workers\": 2, \"trial\": %s}", "{\"author\": \"adam\", \"left_s\": 30.5}", "null"},
	{FINDING_ROUTER_WARNING, DOCTOR_WARNING, STATUS, "{\"workers\": 2, \"warnings\": [%s]}",
	 "\"something\"", ""},
};

#endif
