/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"
#include "spawn/spawn.h"

/* The rows of high availability and of notify programs. */

/* In the order of enum config_ha_role, enum config_failback. */
static const char *const role_names[] = {"unset", "primary", "backup", NULL};
static const char *const failback_names[] = {"auto", "manual", NULL};
/* In the order of enum config_ha_mode, enum config_withdraw. */
static const char *const mode_names[] = {"pair", "fleet", NULL};
static const char *const withdraw_names[] = {"any", "all", "never", NULL};

static const struct config_field path_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct config_ha_path, name),
	 .flags = FIELD_REQUIRED,
	 .rule = RULE_LABEL,
	 .max = 31,
	 .noun = "a name",
	 .help = "for people: `public`, `private`"},
	{.name = "local",
	 .type = TYPE_SERVER,
	 AT(struct config_ha_path, local),
	 .check = config_check_station_port,
	 .flags = FIELD_REQUIRED,
	 .min = 1,
	 .noun = "an address",
	 .help = "this router's own, on one of its ports; port 7694 if left out"},
	{.name = "peer",
	 .type = TYPE_SERVER,
	 AT(struct config_ha_path, peer),
	 .check = config_check_station_port,
	 .flags = FIELD_REQUIRED,
	 .min = 1,
	 .noun = "an address",
	 .help = "the other router's own on the same network"},
};
static const struct config_object path_object = {.check = config_check_path,
						 .noun = "a path",
						 FIELDS(path_fields),
						 .size = sizeof(struct config_ha_path)};

static const struct config_field node_fields[] = {
	{.name = "role",
	 .type = TYPE_ENUM,
	 AT(struct config_ha_node, role),
	 .names = role_names,
	 .def = CONFIG_HA_UNSET,
	 .noun = "a role",
	 .help = "of this router: the primary is active when both are healthy"},
	{.name = "priority",
	 .type = TYPE_UINT,
	 AT(struct config_ha_node, priority),
	 .min = 1,
	 .max = UINT16_MAX,
	 .def = 100,
	 .help = "the router with the higher priority is active when both are healthy; of equal "
		 "ones the primary"},
	{.name = "key_file",
	 .type = TYPE_STRING,
	 AT(struct config_ha_node, key_file),
	 .rule = RULE_PATH,
	 .max = 255,
	 .noun = "a path",
	 .help = "keys that both routers have: a line each, number and secret; the first one "
		 "signs"},
	{.name = "paths",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_ha_node, paths, n_paths),
	 .object = &path_object,
	 .max = CONFIG_HA_MAX_PATHS,
	 .max_name = "CONFIG_HA_MAX_PATHS",
	 .help = "ways to the peer: one on each network, so that no single failure interrupts all"},
};
const struct config_object config_object_ha_node = {
	.noun = "node.ha", FIELDS(node_fields), .size = sizeof(struct config_ha_node)};

static const struct config_field witness_fields[] = {
	{.name = "link",
	 .type = TYPE_STRING,
	 AT(struct config_witness, link),
	 .flags = FIELD_REQUIRED,
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .noun = "a link",
	 .help = "port, or port.VLAN, that clients or servers use"},
	{.name = "addresses",
	 .type = TYPE_ADDRESS,
	 LIST_AT(struct config_witness, addresses, n_addresses),
	 .check = config_check_station,
	 .flags = FIELD_REQUIRED,
	 .least = 1,
	 .max = CONFIG_HA_MAX_WITNESSES,
	 .max_name = "CONFIG_HA_MAX_WITNESSES",
	 .noun = "an address",
	 .help = "stations that answer ARP or ND there: gateways, switches, servers"},
};
static const struct config_object witness_object = {
	.noun = "a witness", FIELDS(witness_fields), .size = sizeof(struct config_witness)};

static const struct config_field member_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct config_member, name),
	 .flags = FIELD_REQUIRED,
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .max_name = "MAX_NAME",
	 .noun = "a name",
	 .help = "its `node.name`"},
	{.name = "address",
	 .type = TYPE_ENDPOINT,
	 AT(struct config_member, address),
	 .flags = FIELD_REQUIRED,
	 .min = 1,
	 .noun = "an address and port",
	 .help = "its `node.control.fleet`"},
};
static const struct config_object member_object = {
	.noun = "a member", FIELDS(member_fields), .size = sizeof(struct config_member)};

static const struct config_field announce_fields[] = {
	{.name = "count",
	 .type = TYPE_UINT,
	 AT(struct config_ha_shared, announce.count),
	 .min = 1,
	 .max = 100,
	 .def = 5,
	 .help = "gratuitous ARPs or unsolicited neighbour advertisements for each address after a "
		 "takeover"},
	{.name = "spacing",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, announce.spacing_ms),
	 .min = 1,
	 .max = 60000,
	 .def = 100,
	 .noun = "a time",
	 .help = "between them"},
	{.name = "refresh",
	 .type = TYPE_SECONDS,
	 AT(struct config_ha_shared, announce.refresh_s),
	 .max = 86400,
	 .def = 60,
	 .noun = "a time",
	 .help = "between two repetitions while active; 0 = none"},
};
static const struct config_object announce_object = {
	.noun = "announcements", FIELDS(announce_fields), .size = sizeof(struct config_ha_shared)};

static const struct config_field shared_fields[] = {
	{.name = "mode",
	 .type = TYPE_ENUM,
	 AT(struct config_ha_shared, mode),
	 .names = mode_names,
	 .def = CONFIG_HA_PAIR,
	 .noun = "a mode",
	 .help = "`pair`: one of two routers is active; `fleet`: VIPs are active on every router, "
		 "reached by routes, and no router answers ARP or ND for them; see fleet.md"},
	{.name = "withdraw",
	 .type = TYPE_ENUM,
	 AT(struct config_ha_shared, withdraw),
	 .names = withdraw_names,
	 .def = CONFIG_WITHDRAW_ANY,
	 .noun = "a rule",
	 .help = "a VIP is withdrawn (`node.announce`) while services on it lack their quorum: "
		 "`any` or `all` of them; `never`: whatever the quorums"},
	{.name = "cluster",
	 .type = TYPE_UINT,
	 AT(struct config_ha_shared, cluster),
	 .min = 1,
	 .max = UINT32_MAX,
	 .def = 1,
	 .help = "number of this pair: messages with other numbers are ignored"},
	{.name = "keepalive",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, keepalive_ms),
	 .min = 5,
	 .max = 60000,
	 .zero = "auto",
	 .noun = "a time",
	 .help = "between two heartbeats; `auto`: a quarter of `deadtime`, from 20 to 50 ms. Where "
		 "`deadtime` is three keepalives, heartbeats come each quarter of `deadtime`"},
	{.name = "deadtime",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, deadtime_ms),
	 .min = 20,
	 .max = 60000,
	 .zero = "auto",
	 .noun = "a time",
	 .help = "without a heartbeat on any path, until the peer takes over; at least three "
		 "keepalives. `auto`: from 80 ms to 1 s, by the lateness that both routers "
		 "measure"},
	{.name = "start_delay",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, start_delay_ms),
	 .max = 3600000,
	 .def = 5000,
	 .noun = "a time",
	 .help = "from links up and witnesses answering until a router that starts may be active"},
	{.name = "failback",
	 .type = TYPE_ENUM,
	 AT(struct config_ha_shared, failback),
	 .names = failback_names,
	 .def = HA_FAILBACK_AUTO,
	 .noun = "a way to fail back",
	 .help = "`auto`: the primary becomes active again when it has been ready for "
		 "`failback_delay`; `manual`: on command"},
	{.name = "failback_delay",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, failback_delay_ms),
	 .max = 86400000,
	 .def = 60000,
	 .noun = "a time",
	 .help = "without interruption: synchronised, ports up, a verdict of every check"},
	{.name = "grace",
	 .type = TYPE_MS,
	 AT(struct config_ha_shared, grace_ms),
	 .max = 600000,
	 .def = 10000,
	 .noun = "a time",
	 .help = "after a takeover or start: packets without a connection are dropped, not reset"},
	{.name = "witnesses",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_ha_shared, witnesses, n_witnesses),
	 .object = &witness_object,
	 .max = 8,
	 .help = "third stations, by whose answers a router without heartbeats knows that its own "
		 "links work; by default the next hops and real servers of each link"},
	{.name = "members",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_ha_shared, members, n_members),
	 .object = &member_object,
	 .max = CONFIG_HA_MAX_MEMBERS,
	 .max_name = "CONFIG_HA_MAX_MEMBERS",
	 .help = "of a fleet: the routers that `plvsctl fleet` asks; see fleet.md"},
	{.name = "announce",
	 .type = TYPE_OBJECT,
	 .object = &announce_object,
	 .help = "gratuitous ARP and unsolicited neighbour advertisements"},
	{.name = "sync_rate",
	 .type = TYPE_UINT,
	 AT(struct config_ha_shared, sync_rate),
	 .min = 64,
	 .max = 4000000,
	 .def = 20000,
	 .unit = "kilobytes per second",
	 .help = "at most, for connections that are sent to the peer"},
};
const struct config_object config_object_ha_shared = {.check = config_check_timing,
						      .noun = "shared.ha",
						      FIELDS(shared_fields),
						      .size = sizeof(struct config_ha_shared)};

static const struct config_field programs_fields[] = {
	{.name = "directories",
	 .type = TYPE_STRING,
	 LIST_AT(struct config_programs, directories, n_directories),
	 .flags = FIELD_LIVE,
	 .rule = RULE_PATH,
	 .max = 255,
	 .most = 16,
	 .noun = "a path",
	 .def_text = "/usr/lib/plvs/checks, /etc/plvs/programs",
	 .help = "folders of programs that a check from the peer may run here"},
	{.name = "user",
	 .type = TYPE_STRING,
	 AT(struct config_programs, user),
	 .rule = RULE_LABEL,
	 .max = 31,
	 .noun = "a user",
	 .help = "of programs whose check names no user; `nobody` if left out. A check from the "
		 "peer may name no other user"},
};
const struct config_object config_object_programs = {
	.noun = "programs", FIELDS(programs_fields), .size = sizeof(struct config_programs)};

static const struct config_field notify_fields[] = {
	{.name = "ha",
	 .type = TYPE_STRING,
	 LIST_AT(struct config_notify, ha, n_ha),
	 .rule = RULE_COMMENT,
	 .max = 255, /* characters: paths are long */
	 .most = SPAWN_MAX_ARGV,
	 .noun = "an argument",
	 .help = "program and arguments, run at each change of role; JSON on standard input. "
		 "`%{KEY}` in an argument becomes the document's value of this key, as `%{state}`"},
	{.name = "health",
	 .type = TYPE_STRING,
	 LIST_AT(struct config_notify, health, n_health),
	 .rule = RULE_COMMENT,
	 .max = 255, /* characters: paths are long */
	 .most = SPAWN_MAX_ARGV,
	 .noun = "an argument",
	 .help = "the same for real servers that go up or down, and quorums: `%{server}`, "
		 "`%{state}`"},
	{.name = "announce",
	 .type = TYPE_STRING,
	 LIST_AT(struct config_notify, announce, n_announce),
	 .rule = RULE_COMMENT,
	 .max = 255, /* characters: paths are long */
	 .most = SPAWN_MAX_ARGV,
	 .noun = "an argument",
	 .help = "the same for VIPs that are announced or withdrawn"},
	{.name = "user",
	 .type = TYPE_STRING,
	 AT(struct config_notify, user),
	 .rule = RULE_LABEL,
	 .max = 31,
	 .noun = "a user",
	 .help = "of the programs; the router's own user if left out"},
	{.name = "timeout",
	 .type = TYPE_MS,
	 AT(struct config_notify, timeout_ms),
	 .min = 100,
	 .max = 600000,
	 .def = 10000,
	 .noun = "a time",
	 .help = "then the program and its children are killed"},
};
const struct config_object config_object_notify = {
	.noun = "notify programs", FIELDS(notify_fields), .size = sizeof(struct config_notify)};
