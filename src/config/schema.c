/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <netinet/in.h>

/* ---- names ---- */

static const char *const protocol_names[] = {"tcp", "udp", NULL};
static const uint8_t protocol_values[] = {IPPROTO_TCP, IPPROTO_UDP};

static const char *const family_names[] = {"ipv4", "ipv6", NULL};
static const uint8_t family_values[] = {ADDR_V4, ADDR_V6};

static const char *const forward_words[] = {
#define X(NAME, name, ipvs) #name,
	FORWARD_METHODS(X)
#undef X
		NULL};

/* In the order of enum config_address_kind. */
static const char *const kind_names[] = {"vip", "gateway", "prefix", NULL};

/* Bit k is SCHED_SH_* and SCHED_MH_* alike. */
static const char *const scheduler_flag_names[] = {"fallback", "port", NULL};
_Static_assert(SCHED_SH_FALLBACK == 1 && SCHED_MH_FALLBACK == 1 && SCHED_SH_PORT == 2 &&
		       SCHED_MH_PORT == 2,
	       "names stand at their bits");

/* In the order of enum server_gone, unknown_policy, reply_policy, config_compat. */
static const char *const gone_names[] = {"reset", "keep", "drain", NULL};
_Static_assert(ARRAY_LEN(gone_names) == GONE_MAX + 1, "a word for each");
static const char *const unknown_names[] = {"linux", "rst", "drop", NULL};
_Static_assert(ARRAY_LEN(unknown_names) == UNKNOWN_MAX + 1, "a word for each");
static const char *const reply_names[] = {"route", "reset", "vip", NULL};
_Static_assert(ARRAY_LEN(reply_names) == REPLY_MAX + 1, "a word for each");
static const char *const compat_names[] = {"none", "ipvs", NULL};

/* In the order of enum config_source_check. */
static const char *const source_names[] = {"strict", "loose", NULL};
static const char *const idle_names[] = {"sleep", "poll", NULL};
static const char *const level_names[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const format_names[] = {"text", "json", NULL};

/* ---- rows ---- */

/* Longer than a month is a mistake; it also keeps milliseconds within 32 bits. */
#define SECONDS_MAX (31 * 86400)

enum {
#define X(NAME, timeout, active) TIMEOUT_##NAME = timeout,
	CONN_STATES(X)
#undef X
};

/* Bits of config_policy.set. */
enum {
	SET_SCHEDULER = 1,
	SET_SCHEDULER_FLAGS,
	SET_FORWARD,
	SET_ONE_PACKET,
	SET_PERSIST,
	SET_NETMASK,
	SET_EXPIRE_QUIESCENT,
	SET_EXTENSION,
	SET_GONE,
	SET_DRAIN,
	SET_REUSE,
	SET_UNKNOWN,
	SET_UNKNOWN_REPLY,
	SET_ANY_FLAGS,
	SET_LOCALITY,
	SET_SLOPPY,
	SET_NAT_ICMP,
	SET_FTP,
	SET_TUNNEL_SOURCE,
	SET_SEQUENCE_CHECK,
	SET_TIMEOUT, /* + enum conn_state */
};
_Static_assert(SET_TIMEOUT + CONN_STATE_MAX <= CONFIG_SET_HEALTH, "one bit each");

bool config_policy_states_netmask(const struct config_policy *policy)
{
	return policy->set >> SET_NETMASK & 1;
}

bool config_policy_states_ftp(const struct config_policy *policy)
{
	return policy->set >> SET_FTP & 1;
}

bool config_policy_states_one_packet(const struct config_policy *policy)
{
	return policy->set >> SET_ONE_PACKET & 1;
}

#define TIMEOUT(key, STATE, text)                                                                  \
	{                                                                                          \
		.name = key, .type = TYPE_SECONDS,                                                 \
		AT(struct config_policy, service.timeout_s[CONN_##STATE]),                         \
		.set_bit = SET_TIMEOUT + CONN_##STATE, .min = 1, .max = SECONDS_MAX,               \
		.def = TIMEOUT_##STATE, .noun = "a time", .help = text                             \
	}

static const struct config_field timeout_fields[] = {
	TIMEOUT("established", ESTABLISHED, "TCP, both sides have agreed"),
	TIMEOUT("syn_sent", SYN_SENT, "TCP, the real server has opened"),
	TIMEOUT("syn_recv", SYN_RECV, "TCP, the client has opened (half-open)"),
	TIMEOUT("fin_wait", FIN_WAIT, "TCP, one side has closed"),
	TIMEOUT("time_wait", TIME_WAIT, "TCP, both sides have closed"),
	TIMEOUT("close", CLOSE, "TCP, reset"),
	TIMEOUT("close_wait", CLOSE_WAIT, "TCP, the client has closed first"),
	TIMEOUT("last_ack", LAST_ACK, "TCP, waiting for the last acknowledgement"),
	TIMEOUT("synack", SYNACK, "TCP, as IPVS knows it; not entered without secure_tcp"),
	TIMEOUT("listen", LISTEN, "TCP, as IPVS knows it; not entered"),
	TIMEOUT("none", NONE, "TCP, no state yet"),
	TIMEOUT("udp", UDP, "UDP, since the last packet"),
};
static const struct config_object timeouts_object = {
	.noun = "time-outs",
	FIELDS(timeout_fields),
	.size = sizeof(struct config_policy),
	.set_offset = offsetof(struct config_policy, set),
};

static const struct config_field persistence_fields[] = {
	{.name = "timeout",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, service.persist_s),
	 .set_bit = SET_PERSIST,
	 .max = SECONDS_MAX,
	 .noun = "a time",
	 .help = "a client keeps its real server for so long after its last connection; 0 = off"},
	{.name = "netmask",
	 .type = TYPE_NETMASK,
	 AT(struct config_policy, service.netmask_len),
	 .set_bit = SET_NETMASK,
	 .min = 1,
	 .max = 128,
	 .def = 32,
	 .def_text = "one address",
	 .noun = "a netmask",
	 .help = "clients that are equal under it count as one; of an IPv6 service a prefix "
		 "length; "
		 "in `defaults` 1 to 32 holds for IPv4 services, 33 to 128 for IPv6 services"},
	{.name = "expire_quiescent",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.expire_quiescent),
	 .set_bit = SET_EXPIRE_QUIESCENT,
	 .help = "a real server of weight 0 loses its persistent clients at their next "
		 "connection; IPVS's expire_quiescent_template"},
	{.name = "extension",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, service.extension_s),
	 .set_bit = SET_EXTENSION,
	 .max = SECONDS_MAX,
	 .noun = "a time",
	 .help = "when `timeout` ends while connections of the client exist, the client keeps its "
		 "real server for so long more, and again until none exists; 0 = `timeout` again"},
};
static const struct config_object persistence_object = {
	.noun = "persistence",
	FIELDS(persistence_fields),
	.size = sizeof(struct config_policy),
	.set_offset = offsetof(struct config_policy, set),
};

static const struct config_field policy_fields[] = {
	{.name = "scheduler",
	 .type = TYPE_SCHEDULER,
	 AT(struct config_policy, scheduler),
	 .set_bit = SET_SCHEDULER,
	 .def_text = "wlc",
	 .noun = "a scheduler",
	 .help = "how a real server is chosen for a new connection"},
	{.name = "scheduler_flags",
	 .type = TYPE_FLAGS,
	 AT(struct config_policy, service.scheduler_flags),
	 .set_bit = SET_SCHEDULER_FLAGS,
	 .names = scheduler_flag_names,
	 .noun = "a flag of schedulers",
	 .help = "of sh and mh: `port` hashes the client's port too, `fallback` goes on to "
		 "another server when the chosen one is not available"},
	{.name = "forward",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.forward),
	 .set_bit = SET_FORWARD,
	 .names = forward_words,
	 .def = FWD_NAT,
	 .noun = "a forwarding method",
	 .help = "how packets reach the real server: `nat` rewrites addresses both ways, `dr` "
		 "sends the packet unchanged to the server's MAC, `tunnel` wraps it in an IPIP "
		 "packet to the server, `local` gives it to a program of this router"},
	{.name = "locality_timeout",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, service.locality_s),
	 .set_bit = SET_LOCALITY,
	 .min = 1,
	 .max = SECONDS_MAX,
	 .def = 86400,
	 .noun = "a time",
	 .help = "of lblc and lblcr: a destination that nobody asked for so long loses its server; "
		 "lblcr takes the most loaded server out of a set that was the same for so long; "
		 "IPVS's lblc_expiration and lblcr_expiration"},
	{.name = "one_packet",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.one_packet),
	 .set_bit = SET_ONE_PACKET,
	 .help = "UDP: every packet is scheduled on its own"},
	{.name = "persistence",
	 .type = TYPE_OBJECT,
	 .object = &persistence_object,
	 .help = "a client stays with its real server"},
	{.name = "on_server_gone",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.gone),
	 .set_bit = SET_GONE,
	 .names = gone_names,
	 .def = GONE_RESET,
	 .noun = "a way to treat connections of a removed server",
	 .help = "connections whose real server was removed: `reset` answers their next packet "
		 "with a RST and gives datagrams to another server; `keep` drops clients' packets "
		 "until it is added again (IPVS); `drain` goes on for `drain_timeout`, then "
		 "resets"},
	{.name = "drain_timeout",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, service.drain_s),
	 .set_bit = SET_DRAIN,
	 .min = 1,
	 .max = SECONDS_MAX,
	 .def = 60,
	 .noun = "a time",
	 .help = "with `on_server_gone` `drain`: how long connections of a removed server go on"},
	{.name = "conn_reuse",
	 .type = TYPE_UINT,
	 AT(struct config_policy, service.reuse),
	 .set_bit = SET_REUSE,
	 .max = REUSE_CLOSED | REUSE_FIN_WAIT,
	 .def = REUSE_CLOSED,
	 .help = "a SYN on a connection in TIME_WAIT or CLOSE is a new connection unless 0; bit 2: "
		 "in FIN_WAIT, too, where replies do not pass here; IPVS's conn_reuse_mode"},
	{.name = "unknown",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.unknown),
	 .set_bit = SET_UNKNOWN,
	 .names = unknown_names,
	 .def = UNKNOWN_LINUX,
	 .noun = "a way to treat unknown TCP",
	 .help = "TCP without a connection that opens none: `linux` lets Linux answer (a RST), "
		 "`rst` answers with a RST here, `drop` drops"},
	{.name = "unknown_reply",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.unknown_reply),
	 .set_bit = SET_UNKNOWN_REPLY,
	 .names = reply_names,
	 .def = REPLY_RESET,
	 .noun = "a way to treat replies without a connection",
	 .help = "NAT: what a real server sends from its port without a connection, a TCP SYN and "
		 "UDP to a port below 1024 aside, which are its own: `reset` answers TCP with a "
		 "RST and drops UDP (`no_reply`); `vip` is the same, but UDP leaves with the VIP "
		 "as its source if the server's port belongs to one listener only, which "
		 "`one_packet` needs by NAT; `route` lets Linux route both with the server's own "
		 "address (IPVS). Not where a listener is port 0, and not under a mark"},
	{.name = "sloppy_tcp",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.sloppy_tcp),
	 .set_bit = SET_SLOPPY,
	 .help = "any TCP packet but a RST makes a connection, not only a SYN; IPVS's sloppy_tcp"},
	{.name = "any_flags",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.any_flags),
	 .set_bit = SET_ANY_FLAGS,
	 .help = "TCP without a connection: any SYN without RST makes a connection, also SYN+ACK "
		 "and SYN+FIN, and all other flags are `unknown` (IPVS); `false`: SYN alone makes "
		 "one, SYN+ACK is `unknown`, flags that no stack sends (none, FIN alone, SYN+FIN, "
		 "SYN+RST, FIN+RST) are dropped (`bad_tcp`)"},
	{.name = "sequence_check",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.sequence_check),
	 .set_bit = SET_SEQUENCE_CHECK,
	 .def = 1,
	 .help = "a RST or FIN whose sequence number proves nothing ends no connection, and a "
		 "handshake whose numbers fit is what assures one; IPVS judges none"},
	{.name = "nat_icmp_send",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.nat_icmp_send),
	 .set_bit = SET_NAT_ICMP,
	 .help = "NAT: a packet from a real server's port without a connection is answered with "
		 "ICMP port unreachable, not routed; with `unknown_reply` `reset` or `vip` UDP "
		 "that would be dropped, since TCP gets a RST; IPVS's nat_icmp_send"},
	{.name = "ftp",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.ftp),
	 .set_bit = SET_FTP,
	 .help = "TCP, NAT: FTP control connections; data connections, active and passive, go to "
		 "the same server"},
	{.name = "tunnel_source",
	 .type = TYPE_MATCH,
	 AT(struct config_policy, service.tunnel_source),
	 .check = config_check_no_negation,
	 .set_bit = SET_TUNNEL_SOURCE,
	 .def_text = "the router's own address",
	 .noun = "a prefix",
	 .help = "tunnel: outer packets come from an address of this prefix, one for each client's "
		 "endpoint, so that links and receive queues of the servers spread them; to learn "
		 "of "
		 "path MTU it must be routed to this router"},
	{.name = "timeouts",
	 .type = TYPE_OBJECT,
	 .object = &timeouts_object,
	 .help = "how long a connection is kept after its last packet, by state"},
	{.type = TYPE_INLINE, .object = &config_object_health},
};
const struct config_object config_object_policy = {
	.noun = "the defaults",
	FIELDS(policy_fields),
	.size = sizeof(struct config_policy),
	.set_offset = offsetof(struct config_policy, set),
};

static const struct config_field server_fields[] = {
	{.name = "address",
	 .type = TYPE_SERVER,
	 AT(struct config_server, ep),
	 .flags = FIELD_REQUIRED,
	 .noun = "address:port",
	 .help = "the real server; the port may be left out under a mark, then the packet's "
		 "is kept"},
	{.name = "weight",
	 .type = TYPE_UINT,
	 AT(struct config_server, weight),
	 .def = 1,
	 .max = MAX_WEIGHT,
	 .max_name = "MAX_WEIGHT",
	 .help = "share of new connections; 0 = none, those that exist go on"},
	{.name = "forward",
	 .type = TYPE_ENUM,
	 AT(struct config_server, forward),
	 .set_bit = CONFIG_SERVER_FORWARD,
	 .names = forward_words,
	 .def = FWD_NAT,
	 .def_text = "the service's",
	 .noun = "a forwarding method",
	 .help = "how packets reach this server"},
	{.name = "upper",
	 .type = TYPE_UINT,
	 AT(struct config_server, upper),
	 .max = UINT32_MAX,
	 .unit = "connections",
	 .help = "no new connections from so many on; 0 = no threshold"},
	{.name = "lower",
	 .type = TYPE_UINT,
	 AT(struct config_server, lower),
	 .max = UINT32_MAX,
	 .unit = "connections",
	 .help = "new connections again below so many; 0 = three quarters of `upper`"},
	{.name = "check",
	 .type = TYPE_CHECKS,
	 AT(struct config_server, check),
	 .set_bit = CONFIG_SERVER_CHECK,
	 .def_text = "the service's",
	 .noun = "the name of a check",
	 .help = "checks of this server; an empty list: none, it is always up"},
	{.name = "sorry",
	 .type = TYPE_BOOL,
	 AT(struct config_server, sorry),
	 .help = "gets new connections only while the service has lost its quorum"},
};
const struct config_object config_object_server = {
	.noun = "a real server",
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
	 .noun = "address:port",
	 .help = "the VIPs and ports; the first one is the service's identity"},
	{.name = "claim",
	 .type = TYPE_BOOL,
	 AT(struct config_service, claim),
	 .def = 1,
	 .help = "`true`: the router answers ARP and ND for the addresses of `listen` and "
		 "announces them; "
		 "`false`: it does so only for those in `shared.addresses`, and an address that an "
		 "administrator gives to the TAP is Linux's to answer for (IPVS)"},
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
		 "`prefix`: routed to this router by others, so that services listen inside it "
		 "and no ARP is answered; the rest of it is Linux's own"},
	{.name = "link",
	 .type = TYPE_STRING,
	 AT(struct config_address, link),
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .noun = "a link",
	 .help = "port, or port.VLAN, that the address is on; a VIP without one is answered on "
		 "all"},
};
const struct config_object config_object_address = {
	.noun = "an address",
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
	 .help = "a marked packet is balanced whatever its destination; ARP or ND for it is "
		 "not answered unless it is a VIP"},
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
	 .help = "that services of this `mark` are found by; 0 takes an earlier rule's away"},
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
	 .help = "`ipvs`: what `defaults` does not state is as IPVS's sysctls ship it; see "
		 "compatibility.md"},
	{.name = "defaults",
	 .type = TYPE_OBJECT,
	 AT(struct config_shared, defaults),
	 .object = &config_object_policy,
	 .help = "for every service that does not say otherwise"},
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
	 .help = "rules that give packets firewall marks, for connections that begin; as in a "
		 "netfilter chain of MARK targets, the last rule that matches decides"},
	{.name = "ha",
	 .type = TYPE_OBJECT,
	 AT(struct config_shared, ha),
	 .object = &config_object_ha_shared,
	 .help = "how the two routers of a pair watch each other"},
	{.name = "checks",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_shared, checks, n_checks),
	 .object = &config_object_check,
	 .max = CONFIG_MAX_CHECKS,
	 .max_name = "CONFIG_MAX_CHECKS",
	 .help = "how real servers are asked whether they are well; see health.md"},
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
	 .help = "as of the port, for this VLAN alone; a port that is `loose` makes its VLANs so"},
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
static const struct config_object vlan_object = {
	.noun = "a VLAN", FIELDS(vlan_fields), .size = sizeof(struct config_vlan)};

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
static const struct config_object port_linux_object = {
	.noun = "the Linux side", FIELDS(port_linux_fields), .size = sizeof(struct config_port)};

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
	 .help = "the port's Linux interface; the port's name if left out"},
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
	 .help = "`strict`: packets of a NAT server come in only by links that Linux's routes to "
		 "that server use, others are dropped (`wrong_link`); `loose`: this port, with its "
		 "VLANs, takes them from every NAT server, for servers that are reached by one "
		 "link and answer by another"},
	{.name = "linux",
	 .type = TYPE_OBJECT,
	 .object = &port_linux_object,
	 .help = "what a TAP that plvs makes is given; one that exists keeps its own"},
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
	 .help = "where the TAPs are; the process's own if left out"},
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
	 .help = "who may use it"},
	{.name = "read",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, read),
	 .object = &config_object_level_socket,
	 .help = "a second socket, by which requests can only show, without secrets"},
	{.name = "change",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, change),
	 .object = &config_object_level_socket,
	 .help = "a third socket, by which requests can also change the router, but give no file "
		 "and no configuration as a whole, so that no program is changed"},
};
static const struct config_object control_object = {
	.noun = "the control socket", FIELDS(control_fields), .size = sizeof(struct config_node)};

static const struct config_field worker_fields[] = {
	{.name = "connections",
	 .type = TYPE_UINT,
	 AT(struct config_node, connections),
	 .max = 134217728,
	 .check = config_check_connections,
	 .help = "connections of each family there is room for, over all workers; 0 = one for each "
		 "8 KiB of the "
		 "machine's memory, between 1000000 and 16000000"},
	{.name = "embryonic",
	 .type = TYPE_UINT,
	 AT(struct config_node, embryonic),
	 .max = 134217728,
	 .help = "half-open ones of each family among them; 0 = half of them"},
	{.name = "idle_gives_way",
	 .type = TYPE_SECONDS,
	 AT(struct config_node, idle_gives_way_s),
	 .max = 604800,
	 .noun = "a time",
	 .help = "when the table is full of assured connections, one that is idle for longer "
		 "gives way to a new one; 0 = none does"},
	{.name = "idle",
	 .type = TYPE_ENUM,
	 AT(struct config_node, idle),
	 .names = idle_names,
	 .def = CONFIG_IDLE_SLEEP,
	 .noun = "a way to idle",
	 .help = "`sleep`: up to 1 ms when there is nothing to do; `poll`: never"},
};
static const struct config_object workers_object = {
	.noun = "the workers", FIELDS(worker_fields), .size = sizeof(struct config_node)};

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

static const struct config_field metrics_fields[] = {
	{.name = "listen",
	 .type = TYPE_ENDPOINT,
	 AT(struct config_node, metrics_listen),
	 .min = 1,
	 .def_text = "none",
	 .noun = "an address and port",
	 .help = "where OpenMetrics are served over HTTP, at /metrics: `127.0.0.1:9469`; whoever "
		 "reaches it may read them"},
	{.name = "socket",
	 .type = TYPE_STRING,
	 AT(struct config_node, metrics_socket),
	 .rule = RULE_PATH,
	 .max = 107,
	 .noun = "a path",
	 .help = "a UNIX socket instead, mode 0600"},
};
static const struct config_object metrics_object = {
	.noun = "the metrics", FIELDS(metrics_fields), .size = sizeof(struct config_node)};

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
	 .help = "the workers; how many there are is EAL's --lcores"},
	{.name = "log", .type = TYPE_OBJECT, .object = &log_object, .help = "standard error"},
	{.name = "state_dir",
	 .type = TYPE_STRING,
	 AT(struct config_node, state_dir),
	 .rule = RULE_PATH,
	 .max = 255,
	 .def_text = CONFIG_STATE_DEFAULT,
	 .noun = "a path",
	 .help = "what outlives the process: versions of the shared configuration, and the "
		 "connections of a router that is restarted and has no peer to hold them"},
	{.name = "metrics",
	 .type = TYPE_OBJECT,
	 .object = &metrics_object,
	 .help = "for monitoring; see metrics.md"},
	{.name = "ha",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, ha),
	 .object = &config_object_ha_node,
	 .help = "the peer; without `paths` there is none"},
	{.name = "notify",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, notify),
	 .object = &config_object_notify,
	 .help = "programs that are told of changes of state"},
	{.name = "telnet",
	 .type = TYPE_OBJECT,
	 AT(struct config_node, telnet),
	 .object = &config_object_telnet,
	 .help = "the shell of plvsctl for telnet clients; see telnet.md"},
};
const struct config_object config_object_node = {
	.noun = "the node part", FIELDS(node_fields), .size = sizeof(struct config_node)};

static const struct config_field root_fields[] = {
	{.name = "node",
	 .type = TYPE_OBJECT,
	 AT(struct config, node),
	 .object = &config_object_node,
	 .help = "this machine; never compared with the peer's"},
	{.name = "shared",
	 .type = TYPE_OBJECT,
	 AT(struct config, shared),
	 .object = &config_object_shared,
	 .help = "what a pair of routers has in common"},
};
const struct config_object config_object_root = {
	.noun = "a configuration", FIELDS(root_fields), .size = sizeof(struct config)};
