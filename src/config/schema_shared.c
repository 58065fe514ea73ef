/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of `shared`: addresses, mark rules, and the lists of all objects. */
#include "config/config_internal.h"

#include <netinet/in.h>

/* In the order of enum config_address_kind. */
static const char *const kind_names[] = {"vip", "gateway", "prefix", "pool", NULL};
/* In the order of enum config_compat. */
static const char *const compat_names[] = {"none", "ipvs", NULL};

static const struct config_field address_fields[] = {
	{.name = "address",
	 .type = TYPE_ADDRESS,
	 AT(struct config_address, address),
	 .flags = FIELD_REQUIRED,
	 .noun = "an address",
	 .help = "a gateway's with its prefix length"},
	{.name = "kind",
	 .type = TYPE_ENUM,
	 AT(struct config_address, kind),
	 .names = kind_names,
	 .def = CONFIG_ADDRESS_VIP,
	 .noun = "a kind of address",
	 .help = "`vip`: of virtual services; `gateway`: the real servers' default route; "
		 "`prefix`: other routers route the prefix here, services may listen at its "
		 "addresses, ARP for it is not answered, and Linux gets packets to its other "
		 "addresses; `pool`: with `forward` `fullnat`, servers on the address's link see "
		 "clients from this address, "
		 "[forwarding-methods.md](forwarding-methods.md)"},
	{.name = "link",
	 .type = TYPE_STRING,
	 AT(struct config_address, link),
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .noun = "a link",
	 .help = "port, or port.VLAN, that the address is on; ARP and ND for a VIP without a link "
		 "are answered on all"},
};
const struct config_object config_object_address = {
	.noun = "an address",
	.check = config_check_address_entry,
	FIELDS(address_fields),
	.size = sizeof(struct config_address),
};

/* Only TCP and UDP are balanced: not the one is the other. */
static const char *const mark_protocol_names[] = {"tcp", "udp", "!tcp", "!udp", NULL};
static const uint8_t mark_protocol_values[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP};

static const char *const mark_family_names[] = {"any", "ipv4", "ipv6", NULL};
static const uint8_t mark_family_values[] = {ADDR_NONE, ADDR_V4, ADDR_V6};

static const struct config_field mark_fields[] = {
	{.name = "source",
	 .type = TYPE_MATCH,
	 AT(struct config_mark, rule.source),
	 .def_text = "any",
	 .noun = "a prefix",
	 .help = "of the client; `!` before it negates, here and below"},
	{.name = "destination",
	 .type = TYPE_MATCH,
	 AT(struct config_mark, rule.dest),
	 .def_text = "any",
	 .noun = "a prefix",
	 .help = "a marked packet is balanced whatever its destination; ARP and ND for a "
		 "destination that is no VIP are not answered"},
	{.name = "family",
	 .type = TYPE_ENUM,
	 AT(struct config_mark, rule.family),
	 .names = mark_family_names,
	 .values = mark_family_values,
	 .def_text = "any",
	 .noun = "an address family",
	 .help = "of the packet; a rule with an address matches the family of that address alone"},
	{.name = "protocol",
	 .type = TYPE_ENUM,
	 AT(struct config_mark, rule.proto),
	 .names = mark_protocol_names,
	 .values = mark_protocol_values,
	 .def_text = "any",
	 .noun = "a protocol",
	 .help = "of the packet"},
	{.name = "source_port",
	 .type = TYPE_PORTS,
	 AT(struct config_mark, rule.sport),
	 .min = 1,
	 .max = UINT16_MAX,
	 .def_text = "any",
	 .noun = "a port",
	 .help = "a port, or a range as `1000-1999`"},
	{.name = "destination_port",
	 .type = TYPE_PORTS,
	 AT(struct config_mark, rule.dport),
	 .min = 1,
	 .max = UINT16_MAX,
	 .def_text = "any",
	 .noun = "a port",
	 .help = "a port, or a range"},
	{.name = "link",
	 .type = TYPE_STRING,
	 AT(struct config_mark, link),
	 .rule = RULE_LINK,
	 .max = MAX_NAME,
	 .noun = "a link",
	 .help = "port, or port.VLAN, that the packet comes in by"},
	{.name = "mark",
	 .type = TYPE_UINT,
	 AT(struct config_mark, rule.mark),
	 .flags = FIELD_REQUIRED,
	 .max = UINT32_MAX,
	 .help = "of the services that get the packet; 0 cancels the mark of an earlier rule"},
	{.name = "comment",
	 .type = TYPE_STRING,
	 AT(struct config_mark, comment),
	 .flags = FIELD_REMARK,
	 .rule = RULE_COMMENT,
	 .max = 255,
	 .noun = "a comment",
	 .help = "for people"},
};
const struct config_object config_object_mark = {
	.noun = "a mark rule",
	.check = config_check_mark_families,
	FIELDS(mark_fields),
	.size = sizeof(struct config_mark),
};

static const struct config_field shared_fields[] = {
	{.name = "compat",
	 .type = TYPE_ENUM,
	 AT(struct config_shared, compat),
	 .names = compat_names,
	 .def = CONFIG_COMPAT_NONE,
	 .noun = "a product",
	 .help = "`ipvs`: keys that `defaults` leaves out have the defaults of IPVS's sysctls; see "
		 "compatibility.md"},
	{.name = "defaults",
	 .type = TYPE_OBJECT,
	 AT(struct config_shared, defaults),
	 .object = &config_object_policy,
	 .help = "for every service without a value of its own"},
	{.name = "addresses",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_shared, addresses, n_addresses),
	 .object = &config_object_address,
	 .max = MAX_VIPS,
	 .max_name = "MAX_VIPS",
	 .help = "addresses that move between the two routers; the VIPs of services need no "
		 "entry"},
	{.name = "marks",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_shared, marks, n_marks),
	 .object = &config_object_mark,
	 .max = MAX_MARK_RULES,
	 .max_name = "MAX_MARK_RULES",
	 .help = "rules that give a connection's first packet a firewall mark; as in a netfilter "
		 "chain of MARK targets, the last rule that matches decides"},
	{.name = "ha",
	 .type = TYPE_OBJECT,
	 AT(struct config_shared, ha),
	 .object = &config_object_ha_shared,
	 .help = "heartbeats, timers and roles of the pair"},
	{.name = "checks",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_shared, checks, n_checks),
	 .object = &config_object_check,
	 .max = CONFIG_MAX_CHECKS,
	 .max_name = "CONFIG_MAX_CHECKS",
	 .help = "checks of real servers; see health.md"},
	{.name = "services",
	 .type = TYPE_OBJECT,
	 .shape = SHAPE_POINTERS,
	 .offset = offsetof(struct config_shared, services),
	 .count_offset = offsetof(struct config_shared, n_services),
	 .object = &config_object_service,
	 .max = MAX_SERVICES,
	 .max_name = "MAX_SERVICES",
	 .help = "the virtual services"},
};
const struct config_object config_object_shared = {
	.noun = "the shared part",
	FIELDS(shared_fields),
	.size = sizeof(struct config_shared),
};
