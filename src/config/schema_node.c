/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of `node`: ports, control socket, workers, log, metrics. */
#include "config/config_internal.h"

/* In the order of enum config_source_check. */
static const char *const source_names[] = {"strict", "loose", NULL};
static const char *const idle_names[] = {"sleep", "poll", NULL};
/* In the order of enum config_cpus_awake. */
static const char *const awake_names[] = {"auto", "always", "never", NULL};
static const char *const level_names[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const format_names[] = {"text", "json", NULL};

static const struct config_field vlan_fields[] = {
	{.name = "id",
	 .type = TYPE_UINT,
	 AT(struct config_vlan, id),
	 .flags = FIELD_REQUIRED,
	 .min = 1,
	 .max = MAX_VLAN,
	 .max_name = "MAX_VLAN",
	 .help = "the interface is named after the TAP: `public.10`"},
	{.name = "source_check",
	 .type = TYPE_ENUM,
	 AT(struct config_vlan, source_check),
	 .names = source_names,
	 .def = CONFIG_SOURCE_STRICT,
	 .noun = "a way to check sources",
	 .help = "as of the port, for this VLAN alone; on a `loose` port VLANs are `loose`, too"},
	{.name = "addresses",
	 .type = TYPE_ADDRESS,
	 LIST_AT(struct config_vlan, addresses, n_addresses),
	 .check = config_check_interface_addr,
	 .max = 256,
	 .noun = "an address",
	 .help = "as of the port"},
	{.name = "routes",
	 .type = TYPE_ROUTE,
	 LIST_AT(struct config_vlan, routes, n_routes),
	 .max = 1024,
	 .noun = "a route",
	 .help = "as of the port"},
};
static const struct config_object vlan_object = {.check = config_check_vlan,
						 .noun = "a VLAN",
						 FIELDS(vlan_fields),
						 .size = sizeof(struct config_vlan)};

static const struct config_field port_linux_fields[] = {
	{.name = "addresses",
	 .type = TYPE_ADDRESS,
	 LIST_AT(struct config_port, addresses, n_addresses),
	 .check = config_check_interface_addr,
	 .max = 256,
	 .noun = "an address",
	 .help = "the router's own, with prefix length"},
	{.name = "routes",
	 .type = TYPE_ROUTE,
	 LIST_AT(struct config_port, routes, n_routes),
	 .max = 1024,
	 .noun = "a route",
	 .help = "`default via 192.0.2.1`, `10.0.0.0/8 via 10.10.0.1 src 10.10.0.2 metric 10`"},
	{.name = "vlans",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_port, vlans, n_vlans),
	 .object = &vlan_object,
	 .max = MAX_VLAN,
	 .max_name = "MAX_VLAN",
	 .help = "VLAN interfaces to make on the TAP"},
};
static const struct config_object port_linux_object = {.check = config_check_port_linux,
						       .noun = "the Linux side",
						       FIELDS(port_linux_fields),
						       .size = sizeof(struct config_port)};

static const struct config_field port_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct config_port, name),
	 .flags = FIELD_REQUIRED,
	 .rule = RULE_PORT,
	 .max = 15,
	 .noun = "a port's name",
	 .help = "role that the shared part refers to: `public`, `private`"},
	{.name = "device",
	 .type = TYPE_STRING,
	 AT(struct config_port, device),
	 .flags = FIELD_REQUIRED,
	 .rule = RULE_DEVICE,
	 .max = 127,
	 .noun = "a device",
	 .help = "a PCI address given with -a, or the name of a --vdev"},
	{.name = "tap",
	 .type = TYPE_STRING,
	 AT(struct config_port, tap),
	 .rule = RULE_IFNAME,
	 .max = 15,
	 .noun = "an interface's name",
	 .def_text = NULL,
	 .help = "the port's Linux interface, a TAP; the port's name if left out. Of an AF_XDP "
		 "port whose interface Linux keeps: that interface"},
	{.name = "queues",
	 .type = TYPE_UINT,
	 AT(struct config_port, queues),
	 .max = MAX_WORKERS,
	 .max_name = "MAX_WORKERS",
	 .help = "0 = as many as workers and driver allow"},
	{.name = "mtu",
	 .type = TYPE_UINT,
	 AT(struct config_port, mtu),
	 .min = 576,
	 .max = 9600,
	 .def = 1500,
	 .unit = "bytes",
	 .help = "without the Ethernet header"},
	{.name = "source_check",
	 .type = TYPE_ENUM,
	 AT(struct config_port, source_check),
	 .names = source_names,
	 .def = CONFIG_SOURCE_STRICT,
	 .noun = "a way to check sources",
	 .help = "`strict`: packets of a NAT server are accepted only on links that Linux's routes "
		 "to that server use, and dropped on others (`wrong_link`); `loose`: this port, "
		 "with its VLANs, accepts packets of every NAT server, for servers that are "
		 "reached by one link and answer by another"},
	{.name = "linux",
	 .type = TYPE_OBJECT,
	 .object = &port_linux_object,
	 .help = "addresses and routes of a TAP that plvs makes; an existing TAP keeps its own"},
};
static const struct config_object port_object = {
	.noun = "a port", FIELDS(port_fields), .size = sizeof(struct config_port)};

static const struct config_field node_linux_fields[] = {
	{.name = "netns",
	 .type = TYPE_STRING,
	 AT(struct config_node, netns),
	 .rule = RULE_NETNS,
	 .max = 255,
	 .noun = "a network namespace",
	 .help = "of the TAPs; the process's own if left out"},
};
static const struct config_object node_linux_object = {
	.noun = "the Linux side", FIELDS(node_linux_fields), .size = sizeof(struct config_node)};

static const struct config_field control_fields[] = {
	{.name = "socket",
	 .type = TYPE_STRING,
	 AT(struct config_node, socket),
	 .rule = RULE_PATH,
	 .max = 107,
	 .def_text = CONFIG_SOCKET_DEFAULT,
	 .noun = "a path",
	 .help = "the control socket"},
	{.name = "mode",
	 .type = TYPE_MODE,
	 AT(struct config_node, mode),
	 .check = config_check_mode,
	 .def = 0600,
	 .noun = "a mode",
	 .help = "permissions of the socket"},
	{.name = "read",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, read),
	 .object = &config_object_level_socket,
	 .help = "a second socket, for requests that only read, without secrets"},
	{.name = "change",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, change),
	 .object = &config_object_level_socket,
	 .help = "a third socket, for requests that also change the router, but contain no file "
		 "and no whole configuration, and so change no program"},
	{.name = "fleet",
	 .type = TYPE_ENDPOINT,
	 AT(struct config_node, fleet),
	 .min = 1,
	 .def_text = "none",
	 .noun = "an address and port",
	 .help = "listens for control connections of other members of a fleet, encrypted by the "
		 "keys of `node.ha.key_file`: `192.0.2.11:7696`; see fleet.md"},
};
static const struct config_object control_object = {
	.noun = "the control socket", FIELDS(control_fields), .size = sizeof(struct config_node)};

static const struct config_field worker_fields[] = {
	{.name = "connections",
	 .type = TYPE_UINT,
	 AT(struct config_node, connections),
	 .max = 134217728,
	 .check = config_check_connections,
	 .help = "room for connections of each family, over all workers; 0 = one for each 8 KiB of "
		 "the machine's memory, between 1000000 and 16000000"},
	{.name = "embryonic",
	 .type = TYPE_UINT,
	 AT(struct config_node, embryonic),
	 .max = 134217728,
	 .help = "of these: room for half-open ones; 0 = half"},
	{.name = "idle_gives_way",
	 .type = TYPE_SECONDS,
	 AT(struct config_node, idle_gives_way_s),
	 .max = 604800,
	 .noun = "a time",
	 .help = "in a table full of assured connections, a connection that is idle for longer "
		 "gives way to a new one; 0 = never"},
	{.name = "idle",
	 .type = TYPE_ENUM,
	 AT(struct config_node, idle),
	 .names = idle_names,
	 .def = CONFIG_IDLE_SLEEP,
	 .noun = "a way to idle",
	 .help = "`sleep`: a worker without work sleeps until a frame or other work wakes it, or "
		 "for up to 1 ms where a port cannot wake workers (`rx_wake` of `port list` is "
		 "`clock`); `poll`: workers never sleep"},
	{.name = "cpus_awake",
	 .type = TYPE_ENUM,
	 AT(struct config_node, cpus_awake),
	 .names = awake_names,
	 .def = CONFIG_CPUS_AWAKE_AUTO,
	 .noun = "a choice",
	 .help = "when no CPU of the host sleeps (`/dev/cpu_dma_latency`), so that Linux's part of "
		 "af_packet and AF_XDP waits for no CPU to wake: `always` and `never` while plvs "
		 "runs; `auto`: while plvs runs with `idle` `poll` and a port by af_packet or "
		 "AF_XDP. Idle CPUs then take the power of busy ones, and a virtual machine the "
		 "time of its host"},
};
static const struct config_object workers_object = {.check = config_check_workers,
						    .noun = "the workers",
						    FIELDS(worker_fields),
						    .size = sizeof(struct config_node)};

static const struct config_field log_fields[] = {
	{.name = "level",
	 .type = TYPE_ENUM,
	 AT(struct config_node, log_level),
	 .flags = FIELD_LIVE,
	 .names = level_names,
	 .def = LOG_LEVEL_INFO,
	 .noun = "a log level",
	 .help = "the least important kind of line that is written"},
	{.name = "format",
	 .type = TYPE_ENUM,
	 AT(struct config_node, log_format),
	 .flags = FIELD_LIVE,
	 .names = format_names,
	 .def = LOG_FORMAT_TEXT,
	 .noun = "a log format",
	 .help = "`text`: a line with time, level and folder, or with a priority where standard "
		 "error is systemd's journal; `json`: one object a line"},
};
static const struct config_object log_object = {
	.noun = "the log", FIELDS(log_fields), .size = sizeof(struct config_node)};

static const struct config_field ledger_fields[] = {
	{.name = "enabled",
	 .type = TYPE_BOOL,
	 AT(struct config_node, ledger),
	 .def = 1,
	 .help = "connections survive a kill of the process and a start within seconds; see "
		 "[high-availability.md](high-availability.md#a-router-that-is-killed)"},
	{.name = "path",
	 .type = TYPE_STRING,
	 AT(struct config_node, ledger_path),
	 .rule = RULE_PATH,
	 .max = 240,
	 .noun = "a path",
	 .help = "a file in a tmpfs such as /run, of this router alone; if left out, the path of "
		 "the control socket and `.ledger`"},
};
static const struct config_object ledger_object = {
	.noun = "the ledger", FIELDS(ledger_fields), .size = sizeof(struct config_node)};

static const struct config_field metrics_fields[] = {
	{.name = "listen",
	 .type = TYPE_ENDPOINT,
	 AT(struct config_node, metrics_listen),
	 .check = config_check_open_to_all,
	 .min = 1,
	 .def_text = "none",
	 .noun = "an address and port",
	 .help = "serves OpenMetrics over HTTP, at /metrics, to any client: `127.0.0.1:9469`"},
	{.name = "socket",
	 .type = TYPE_STRING,
	 AT(struct config_node, metrics_socket),
	 .rule = RULE_PATH,
	 .max = 107,
	 .noun = "a path",
	 .help = "a UNIX socket instead, mode 0600"},
};
static const struct config_object metrics_object = {.check = config_check_metrics,
						    .noun = "the metrics",
						    FIELDS(metrics_fields),
						    .size = sizeof(struct config_node)};

static const struct config_field node_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct config_node, name),
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .max_name = "MAX_NAME",
	 .def_text = CONFIG_NAME_DEFAULT,
	 .noun = "a name",
	 .help = "of this router"},
	{.name = "eal",
	 .type = TYPE_STRING,
	 LIST_AT(struct config_node, eal, n_eal),
	 .rule = RULE_COMMENT,
	 .max = 255,
	 .most = CONFIG_MAX_EAL,
	 .noun = "an argument",
	 .help = "arguments of DPDK's EAL, as `[\"-l\", \"0-2\", \"-a\", \"0000:01:00.0\"]`; not "
		 "used when the command line has some"},
	{.name = "ports",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_node, ports, n_ports),
	 .object = &port_object,
	 .max = MAX_PORTS,
	 .max_name = "MAX_PORTS",
	 .help = "DPDK ports and their Linux side"},
	{.name = "linux",
	 .type = TYPE_OBJECT,
	 .object = &node_linux_object,
	 .help = "of all ports"},
	{.name = "control",
	 .type = TYPE_OBJECT,
	 .object = &control_object,
	 .help = "the control socket"},
	{.name = "workers",
	 .type = TYPE_OBJECT,
	 .object = &workers_object,
	 .help = "the workers; EAL's --lcores sets their number"},
	{.name = "log", .type = TYPE_OBJECT, .object = &log_object, .help = "standard error"},
	{.name = "state_dir",
	 .type = TYPE_STRING,
	 AT(struct config_node, state_dir),
	 .rule = RULE_PATH,
	 .max = 255,
	 .def_text = CONFIG_STATE_DEFAULT,
	 .noun = "a path",
	 .help = "a folder for versions of the shared configuration, and for the connections of a "
		 "router that restarts without a peer"},
	{.name = "ledger",
	 .type = TYPE_OBJECT,
	 .object = &ledger_object,
	 .help = "the rows of connections that a killed process leaves"},
	{.name = "metrics",
	 .type = TYPE_OBJECT,
	 .object = &metrics_object,
	 .help = "for monitoring; see metrics.md"},
	{.name = "ha",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, ha),
	 .object = &config_object_ha_node,
	 .help = "the peer; without `paths` the router has none"},
	{.name = "announce",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, announce),
	 .object = &config_object_announce,
	 .help = "VIPs are announced to the network by routes; see fleet.md"},
	{.name = "pool",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_node, pool, n_pool),
	 .flags = FIELD_LIVE,
	 .object = &config_object_pool,
	 .max = MAX_VIPS,
	 .max_name = "MAX_VIPS",
	 .help = "of a member of a fleet: addresses of this router alone, from which servers by "
		 "`fullnat` see clients; see fleet.md"},
	{.name = "notify",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, notify),
	 .object = &config_object_notify,
	 .help = "programs that run at changes of state"},
	{.name = "programs",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, programs),
	 .object = &config_object_programs,
	 .help = "programs of checks; see security.md"},
	{.name = "telnet",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, telnet),
	 .object = &config_object_telnet,
	 .help = "the shell of plvsctl for telnet clients; see telnet.md"},
};
const struct config_object config_object_node = {
	.noun = "the node part", FIELDS(node_fields), .size = sizeof(struct config_node)};
