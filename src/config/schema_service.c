/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of services and real servers. */
#include "config/config_internal.h"

#include <netinet/in.h>

static const char *const protocol_names[] = {"tcp", "udp", NULL};
static const uint8_t protocol_values[] = {IPPROTO_TCP, IPPROTO_UDP};

static const char *const family_names[] = {"ipv4", "ipv6", NULL};
static const uint8_t family_values[] = {ADDR_V4, ADDR_V6};

static const char *const encap_names[] = {
#define X(NAME, name) #name,
	ENCAP_TYPES(X)
#undef X
		NULL,
};
static const char *const encap_checksum_names[] = {"none", "full", "remote", NULL};

static const struct config_field server_fields[] = {
	{.name = "address",
	 .type = TYPE_SERVER,
	 AT(struct config_server, ep),
	 .flags = FIELD_REQUIRED,
	 .noun = "address:port",
	 .help = "the real server; the port may be left out under a mark, for a listener of any "
		 "port, and with `nat`: then packets keep the client's destination port. In a list "
		 "`10.0.0.11-20:80`, or `10.0.0.11-10.0.1.20:80`, is a server for each address, "
		 "all with the same keys; the stored configuration has each server of its own"},
	{.name = "weight",
	 .type = TYPE_UINT,
	 AT(struct config_server, weight),
	 .flags = FIELD_LISTED,
	 .def = 1,
	 .max = MAX_WEIGHT,
	 .max_name = "MAX_WEIGHT",
	 .help = "share of new connections; 0 = none, existing ones continue"},
	{.name = "forward",
	 .type = TYPE_ENUM,
	 AT(struct config_server, forward),
	 .flags = FIELD_LISTED,
	 .set_bit = CONFIG_SERVER_FORWARD,
	 .names = forward_names,
	 .def = FORWARD_DEFAULT,
	 .def_text = "the service's",
	 .noun = "a forwarding method",
	 .help = "how packets reach this server"},
	{.name = "tunnel_type",
	 .type = TYPE_ENUM,
	 AT(struct config_server, encap.type),
	 .names = encap_names,
	 .def = ENCAP_IPIP,
	 .noun = "an encapsulation",
	 .help = "of `tunnel`, behind the outer IP header: `ipip` no header, `gue` headers of UDP "
		 "and GUE, `gre` a header of GRE"},
	{.name = "tunnel_port",
	 .type = TYPE_PORT,
	 AT(struct config_server, encap.port),
	 .max = UINT16_MAX,
	 .help = "`tunnel_type` `gue`: the UDP port at the server"},
	{.name = "tunnel_checksum",
	 .type = TYPE_ENUM,
	 AT(struct config_server, encap.checksum),
	 .names = encap_checksum_names,
	 .def = ENCAP_NO_CHECKSUM,
	 .noun = "a kind of checksum",
	 .help = "`tunnel_type` `gue` and `gre`: whether their headers have a checksum over the "
		 "whole "
		 "packet; `remote`, of `gue`, is the same as `full` (as with IPVS for packets that "
		 "come from a wire)"},
	{.name = "upper",
	 .type = TYPE_UINT,
	 AT(struct config_server, upper),
	 .max = UINT32_MAX,
	 .unit = "connections",
	 .help = "no new connections at this number; 0 = no threshold"},
	{.name = "lower",
	 .type = TYPE_UINT,
	 AT(struct config_server, lower),
	 .max = UINT32_MAX,
	 .unit = "connections",
	 .help = "new connections again below this number; 0 = three quarters of `upper`"},
	{.name = "check",
	 .type = TYPE_CHECKS,
	 AT(struct config_server, check),
	 .set_bit = CONFIG_SERVER_CHECK,
	 .def_text = "the service's",
	 .noun = "the name of a check",
	 .help = "checks of this server; with an empty list the server is always up"},
	{.name = "on_server_down",
	 .type = TYPE_ENUM,
	 AT(struct config_server, consequence),
	 .set_bit = CONFIG_SERVER_ON_DOWN,
	 .names = config_consequence_words,
	 .def = HEALTH_REMOVE,
	 .def_text = "the service's",
	 .noun = "a consequence",
	 .help = "`remove` or `quiesce`, of this server"},
	{.name = "sorry",
	 .type = TYPE_BOOL,
	 AT(struct config_server, sorry),
	 .help = "gets new connections only while the service has lost its quorum"},
};
_Static_assert(sizeof(server_fields) / sizeof(server_fields[0]) <= 64,
	       "plan_words.c has a bit for each");
const struct config_object config_object_server = {
	.noun = "a real server",
	.check = config_check_thresholds,
	FIELDS(server_fields),
	.size = sizeof(struct config_server),
	.set_offset = offsetof(struct config_server, set),
};

static const struct config_field service_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct config_service, name),
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .max_name = "MAX_NAME",
	 .noun = "a name",
	 .help = "a label; can change without loss of connections"},
	{.name = "protocol",
	 .type = TYPE_ENUM,
	 AT(struct config_service, proto),
	 .names = protocol_names,
	 .values = protocol_values,
	 .noun = "a protocol",
	 .help = "of the listeners"},
	{.name = "listen",
	 .type = TYPE_ENDPOINT,
	 .shape = SHAPE_ONE_OR_LIST,
	 .offset = offsetof(struct config_service, listen),
	 .count_offset = offsetof(struct config_service, n_listen),
	 .max = MAX_LISTEN,
	 .max_name = "MAX_LISTEN",
	 .changes = CHANGE_LISTENERS,
	 .noun = "address:port",
	 .help = "the VIPs and ports; the first one is the service's identity"},
	{.name = "claim",
	 .type = TYPE_BOOL,
	 AT(struct config_service, claim),
	 .changes = CHANGE_LISTENERS,
	 .def = 1,
	 .help = "`true`: the router answers ARP and ND for the addresses of `listen` and "
		 "announces them; "
		 "`false`: only for those in `shared.addresses`; Linux answers for addresses that "
		 "an administrator gives to the TAP (IPVS)"},
	{.name = "mark",
	 .type = TYPE_UINT,
	 AT(struct config_service, mark),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "a firewall mark, in place of `protocol` and `listen`"},
	{.name = "family",
	 .type = TYPE_ENUM,
	 AT(struct config_service, family),
	 .names = family_names,
	 .values = family_values,
	 .def = ADDR_V4,
	 .noun = "an address family",
	 .help = "of a `mark`: IPv4 and IPv6 packets of one mark belong to different services; "
		 "listeners have the family of their addresses"},
	{.type = TYPE_INLINE, AT(struct config_service, policy), .object = &config_object_policy},
	{.name = "servers",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_service, servers, n_servers),
	 .object = &config_object_server,
	 .max = MAX_SERVERS_PER_SERVICE,
	 .max_name = "MAX_SERVERS_PER_SERVICE",
	 .help = "the real servers in the order of adding: the scheduler sees the last one "
		 "first"},
};
const struct config_object config_object_service = {
	.noun = "a virtual service",
	FIELDS(service_fields),
	.size = sizeof(struct config_service),
};
