/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of what stands in `defaults` and on a service alike, but for health. */
#include "config/config_internal.h"

/* ---- names ---- */

/* Bit k is SCHED_SH_* and SCHED_MH_* alike. No scheduler reads the third (as with IPVS). */
static const char *const scheduler_flag_names[] = {"fallback", "port", "flag-3", NULL};
_Static_assert(SCHED_SH_FALLBACK == 1 && SCHED_MH_FALLBACK == 1 && SCHED_SH_PORT == 2 &&
		       SCHED_MH_PORT == 2,
	       "names stand at their bits");

/* In the order of enum on_removed, unknown_policy, reply_policy. */
static const char *const on_removed_names[] = {"reset", "keep", "drain", NULL};
_Static_assert(ARRAY_LEN(on_removed_names) == ON_REMOVED_MAX + 1, "a word for each");
static const char *const unknown_names[] = {"linux", "rst", "drop", NULL};
_Static_assert(ARRAY_LEN(unknown_names) == UNKNOWN_MAX + 1, "a word for each");
static const char *const engine_names[] = {"address", "sip", NULL};
_Static_assert(ARRAY_LEN(engine_names) == PERSIST_ENGINE_MAX + 1, "a word for each");
static const char *const reply_names[] = {"route", "reset", "vip", NULL};
_Static_assert(ARRAY_LEN(reply_names) == REPLY_MAX + 1, "a word for each");

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
	SET_ENGINE,
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
	SET_CLIENT_ADDRESS,
	SET_ADOPT,
	SET_MH_SLOTS,
	SET_TIMEOUT, /* + enum conn_state */
};
_Static_assert(SET_TIMEOUT + CONN_STATE_MAX <= CONFIG_SET_HEALTH, "one bit each");

bool config_policy_states_netmask(const struct config_policy *policy)
{
	return policy->set >> SET_NETMASK & 1;
}

bool config_policy_states_engine(const struct config_policy *policy)
{
	return policy->set >> SET_ENGINE & 1;
}

bool config_policy_states_ftp(const struct config_policy *policy)
{
	return policy->set >> SET_FTP & 1;
}

bool config_policy_states_client_address(const struct config_policy *policy)
{
	return policy->set >> SET_CLIENT_ADDRESS & 1;
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
	 AT(struct config_policy, service.netmask),
	 .set_bit = SET_NETMASK,
	 .max = 128,
	 .def = 32,
	 .def_text = "one address",
	 .noun = "a netmask",
	 .help = "clients whose addresses are equal under the netmask count as one, with 0 all "
		 "clients; of an IPv6 service a prefix length; in `defaults` 0 to 32 and netmasks "
		 "with holes hold for "
		 "IPv4 services, 33 to 128 for IPv6 services"},
	{.name = "engine",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.persist_engine),
	 .set_bit = SET_ENGINE,
	 .names = engine_names,
	 .def = PERSIST_BY_ADDRESS,
	 .noun = "a persistence engine",
	 .help = "the key of persistence: the client's `address`, or `sip`, for UDP: address and "
		 "Call-ID (IPVS's `--pe sip`), which spreads the calls of one client, and sends "
		 "all messages of a call to one real server. A message without a Call-ID makes no "
		 "connection (`no_call_id`). TCP uses the address alone"},
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
		 "real server for so much longer, repeatedly until none exists; 0 = `timeout` "
		 "again"},
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
	 .flags = FIELD_LISTED,
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
	 .help = "of sh and mh: `port` hashes the client's port, too; `fallback` takes another "
		 "server when the chosen one is not available; `flag-3` has no effect, and is "
		 "stored for scripts of ipvsadm"},
	{.name = "forward",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.forward),
	 .flags = FIELD_LISTED,
	 .set_bit = SET_FORWARD,
	 .names = forward_names,
	 .def = FORWARD_DEFAULT,
	 .noun = "a forwarding method",
	 .help = "how packets reach the real server: `nat` rewrites addresses both ways, `dr` "
		 "sends the packet unchanged to the server's MAC, `tunnel` wraps it in a "
		 "packet to the server (`tunnel_type`), `local` gives it to a program of this "
		 "router, `fullnat` rewrites both addresses, so that the reply comes to an address "
		 "of a pool"},
	{.name = "locality_timeout",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, service.locality_s),
	 .set_bit = SET_LOCALITY,
	 .min = 1,
	 .max = SECONDS_MAX,
	 .def = 86400,
	 .noun = "a time",
	 .help = "of lblc and lblcr: a destination without connections for so long loses its "
		 "server; lblcr takes the most loaded server out of a set that did not change for "
		 "so long; "
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
	 AT(struct config_policy, service.on_removed),
	 .set_bit = SET_GONE,
	 .names = on_removed_names,
	 .def = ON_REMOVED_RESET,
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
	 .changes = CHANGE_REPLIES,
	 .set_bit = SET_UNKNOWN_REPLY,
	 .names = reply_names,
	 .def = REPLY_RESET,
	 .noun = "a way to treat replies without a connection",
	 .help = "NAT: packets of a real server from its port without a connection, except a TCP "
		 "SYN and UDP to a port below 1024. `reset` answers TCP with a RST and drops UDP "
		 "(`no_reply`). `vip` is the same, but UDP leaves with the VIP as its source if "
		 "the server's port belongs to one listener only; `one_packet` by NAT needs this "
		 "value. `route` lets Linux route both with the server's own address (IPVS). No "
		 "effect with a listener at port 0, or under a mark"},
	{.name = "sloppy_tcp",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.sloppy_tcp),
	 .set_bit = SET_SLOPPY,
	 .help = "any TCP packet but a RST makes a connection, not only a SYN; IPVS's sloppy_tcp"},
	{.name = "adopt",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.adopt),
	 .set_bit = SET_ADOPT,
	 .help = "of mh, with `dr` or `tunnel`: a TCP segment without a connection, and an ICMP "
		 "error about one, goes to the server that mh chooses, since another router of a "
		 "fleet may have begun the connection. The table of mh then follows from the "
		 "configuration alone: a server that is down moves only its own clients; see "
		 "fleet.md"},
	{.name = "mh_slots",
	 .type = TYPE_UINT,
	 AT(struct config_policy, service.mh_slots),
	 .set_bit = SET_MH_SLOTS,
	 .min = 3,
	 .max = 2097143,
	 .check = config_check_prime,
	 .def = MH_SLOTS_DEFAULT,
	 .help = "of mh: slots of its table, a prime; with a hundred for each server shares of "
		 "clients are right to about a per cent (IPVS: 4093, or 251 to 131071 when built "
		 "so)"},
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
	 .help = "a RST or FIN ends a connection only with a plausible sequence number, and only a "
		 "handshake whose numbers fit assures a connection; IPVS reads no sequence "
		 "numbers"},
	{.name = "nat_icmp_send",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.nat_icmp_send),
	 .changes = CHANGE_REPLIES,
	 .set_bit = SET_NAT_ICMP,
	 .help = "NAT: a packet from a real server's port without a connection is answered with "
		 "ICMP port unreachable, not routed; with `unknown_reply` `reset` or `vip` only "
		 "UDP, since TCP gets a RST; IPVS's nat_icmp_send"},
	{.name = "ftp",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, service.ftp),
	 .set_bit = SET_FTP,
	 .help = "TCP, NAT, full NAT: FTP control connections; data connections, active and "
		 "passive, go to the same server"},
	{.name = "client_address",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, service.client_address),
	 .set_bit = SET_CLIENT_ADDRESS,
	 .names = client_address_names,
	 .def = CLIENT_ADDRESS_OFF,
	 .noun = "a way to tell servers the client's address",
	 .help = "NAT, full NAT: `proxy-v1` and `proxy-v2` put a header of the PROXY protocol with "
		 "the client's and the virtual address and port before the data of a TCP client, "
		 "`proxy-v2` also before each UDP datagram. The servers have to expect the header. "
		 "`toa`, TCP: an option of the last segments of the handshake has the client's "
		 "address and port, for servers with a TOA module"},
	{.name = "tunnel_source",
	 .type = TYPE_MATCH,
	 AT(struct config_policy, service.tunnel_source),
	 .check = config_check_no_negation,
	 .set_bit = SET_TUNNEL_SOURCE,
	 .def_text = "the router's own address",
	 .noun = "a prefix",
	 .help = "tunnel: outer packets come from an address of this prefix, one for each client's "
		 "endpoint, so that links and receive queues of the servers spread them; for path "
		 "MTU discovery the prefix must be routed to this router"},
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
