/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"
#include "health/health.h"

/* The rows of health: checks, and what of it stands in `defaults` and on services. */

/* In the order of enum check_type, health_consequence, health_all_down. */
static const char *const type_words[] = {
#define X(NAME, name) #name,
	CHECK_TYPES(X)
#undef X
		"passive",
	NULL};
const char *const config_consequence_words[] = {"remove", "quiesce", NULL};
_Static_assert(ARRAY_LEN(config_consequence_words) == HEALTH_CONSEQUENCE_MAX + 1,
	       "a word for each");
static const char *const all_down_words[] = {"refuse", "keep_last", NULL};
_Static_assert(ARRAY_LEN(all_down_words) == HEALTH_ALL_DOWN_MAX + 1, "a word for each");

#define DAY_MS	 86400000
#define TEXT_MAX 4096

/* ---- a service's part ---- */

/* Bits of config_policy.set. */
enum {
	SET_CHECK = CONFIG_SET_HEALTH,
	SET_ON_DOWN,
	SET_ALL_DOWN,
	SET_QUORUM,
	SET_HYSTERESIS,
	SET_QUORUM_WEIGHT,
	SET_SLOW_START,
	SET_WEIGHT_MIN,
	SET_WEIGHT_MAX,
	SET_END,
};
_Static_assert((int)SET_END <= 64, "one bit each");
_Static_assert((int)SET_CHECK == (int)CONFIG_SET_CHECK, "others ask for it");

static const struct config_field health_fields[] = {
	{.name = "check",
	 .type = TYPE_CHECKS,
	 AT(struct config_policy, check),
	 .set_bit = SET_CHECK,
	 .def_text = "none",
	 .noun = "the name of a check",
	 .help = "of `checks`: a server is up when all of them succeed; without checks it is "
		 "always up"},
	{.name = "on_server_down",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, health.consequence),
	 .set_bit = SET_ON_DOWN,
	 .names = config_consequence_words,
	 .def = HEALTH_REMOVE,
	 .noun = "a consequence",
	 .help = "of a server that is down: `remove` treats its connections by `on_server_gone`, "
		 "`quiesce` lets them continue; the server gets no new ones"},
	{.name = "all_down",
	 .type = TYPE_ENUM,
	 AT(struct config_policy, health.all_down),
	 .set_bit = SET_ALL_DOWN,
	 .names = all_down_words,
	 .def = HEALTH_REFUSE,
	 .noun = "a way when all servers are down",
	 .help = "`refuse`: no server is chosen; `keep_last`: the servers that were up last stay"},
	{.name = "quorum",
	 .type = TYPE_UINT,
	 AT(struct config_policy, health.quorum),
	 .set_bit = SET_QUORUM,
	 .min = 1,
	 .max = UINT32_MAX,
	 .def = 1,
	 .help = "servers that must be up; with fewer, sorry servers take over"},
	{.name = "quorum_hysteresis",
	 .type = TYPE_UINT,
	 AT(struct config_policy, health.quorum_hysteresis),
	 .set_bit = SET_HYSTERESIS,
	 .max = UINT32_MAX,
	 .help = "a lost quorum is gained again with so many more"},
	{.name = "quorum_weight",
	 .type = TYPE_BOOL,
	 AT(struct config_policy, health.quorum_weight),
	 .set_bit = SET_QUORUM_WEIGHT,
	 .help = "the quorum counts configured weights, not servers"},
	{.name = "slow_start",
	 .type = TYPE_SECONDS,
	 AT(struct config_policy, health.slow_start_s),
	 .set_bit = SET_SLOW_START,
	 .max = 86400,
	 .noun = "a time",
	 .help = "a server that comes back grows from weight 1 to its own in this time; 0 = at "
		 "once"},
	{.name = "weight_min",
	 .type = TYPE_UINT,
	 AT(struct config_policy, health.weight_min_percent),
	 .set_bit = SET_WEIGHT_MIN,
	 .max = 10000,
	 .unit = "percent",
	 .help = "of the configured weight: the least effective weight by agents and loads"},
	{.name = "weight_max",
	 .type = TYPE_UINT,
	 AT(struct config_policy, health.weight_max_percent),
	 .set_bit = SET_WEIGHT_MAX,
	 .max = 10000,
	 .unit = "percent",
	 .help = "the greatest; both keys 0: 0 to 100 for agents, 100 to 1000 for loads"},
};
const struct config_object config_object_health = {
	.noun = "the defaults",
	FIELDS(health_fields),
	.size = sizeof(struct config_policy),
	.set_offset = offsetof(struct config_policy, set),
};

/* ---- checks ---- */

#define STRING(key, member, rule_, max_, noun_, help_)                                             \
	{                                                                                          \
		.name = key, .type = TYPE_STRING, AT(struct check_spec, member), .rule = rule_,    \
		.max = max_, .noun = noun_, .help = help_                                          \
	}
#define FILE_NAME(key, member, help_)                                                              \
	{                                                                                          \
		.name = key, .type = TYPE_STRING, AT(struct check_spec, member),                   \
		.rule = RULE_PATH, .max = 255, .check = config_check_readable, .noun = "a path",   \
		.help = help_                                                                      \
	}
/* A key for a text of the use kind_. keys: all keys of that text, each for another use. */
#define BYTES(key, member, keys, kind_, max_, help_)                                               \
	{                                                                                          \
		.name = key, .type = TYPE_BYTES, AT(struct check_spec, member), .kind = kind_,     \
		.one_of = keys, .rule = RULE_TEXT, .max = max_,                                    \
		.noun = kind_ == MATCH_PATTERN ? "a pattern" : "a text", .help = help_             \
	}
#define FLAG(key, member, help_)                                                                   \
	{                                                                                          \
		.name = key, .type = TYPE_BOOL, AT(struct check_spec, member), .help = help_       \
	}
#define FLAG_OF(types_, key, member, help_)                                                        \
	{                                                                                          \
		.name = key, .type = TYPE_BOOL, AT(struct check_spec, member), .types = types_,    \
		.help = help_                                                                      \
	}
#define OBJECT(key, array)                                                                         \
	static const struct config_object array##_object = {                                       \
		.noun = "`" key "` of a check", FIELDS(array), .size = sizeof(struct check_spec)}

static const struct config_field tls_fields[] = {
	FLAG("on", tls.on, "use TLS"),
	FLAG("verify", tls.verify,
	     "the server's certificate must be valid for `sni`, or its address"),
	FILE_NAME("ca_file", tls.ca_file, "trusted certificates; the system's if left out"),
	STRING("sni", tls.sni, RULE_LABEL, 253, "a host name",
	       "the server name in the TLS handshake"),
	FILE_NAME("cert_file", tls.cert_file, "the router's own certificate"),
	FILE_NAME("key_file", tls.key_file, "the key of `cert_file`"),
};
OBJECT("tls", tls_fields);

static const char *const step_keys[] = {"send", "expect", "expect_prefix", "expect_pattern", NULL};

#define STEP(key, kind_, help_)                                                                    \
	{                                                                                          \
		.name = key, .type = TYPE_BYTES, .kind = kind_, .one_of = step_keys,               \
		.rule = RULE_TEXT, .max = TEXT_MAX, .noun = "a text", .help = help_                \
	}
/* A step is a struct match. */
static const struct config_field step_fields[] = {
	{.name = "send",
	 .type = TYPE_BYTES,
	 .kind = MATCH_SEND,
	 .one_of = step_keys,
	 .flags = FIELD_SECRET,
	 .rule = RULE_TEXT,
	 .max = TEXT_MAX,
	 .noun = "a text",
	 .help = "is sent; escapes as \\\\r \\\\n \\\\t \\\\0 \\\\xHH"},
	STEP("expect", MATCH_LITERAL, "the answer must contain this text"),
	STEP("expect_prefix", MATCH_PREFIX, "the answer must begin with this text"),
	STEP("expect_pattern", MATCH_PATTERN, "a regular expression that the answer must match"),
	{.name = "timeout",
	 .type = TYPE_MS,
	 AT(struct match, timeout_ms),
	 .min = 10,
	 .max = DAY_MS,
	 .def_text = "the check's alone",
	 .noun = "a time",
	 .help = "of an expecting step of `script`, from the step's beginning"},
};
static const struct config_object step_object = {
	.noun = "a step", FIELDS(step_fields), .size = sizeof(struct match)};

static const char *const body_keys[] = {"body", "body_prefix", "body_pattern", "body_md5", NULL};

static const struct config_field http_fields[] = {
	STRING("method", http.method, RULE_LABEL, 15, "a method", "`GET` if left out"),
	{.name = "path",
	 .type = TYPE_STRING,
	 AT(struct check_spec, http.path),
	 .check = config_check_http_path,
	 .rule = RULE_COMMENT,
	 .max = 1024,
	 .noun = "a path",
	 .help = "`/` if left out"},
	{.name = "host",
	 .type = TYPE_STRING,
	 AT(struct check_spec, http.host),
	 .check = config_check_http_host,
	 .rule = RULE_COMMENT,
	 .max = 253,
	 .noun = "a host name",
	 .help = "the Host header; the server's address if left out"},
	{.name = "headers",
	 .type = TYPE_STRING,
	 LIST_AT(struct check_spec, http.headers, http.n_headers),
	 .check = config_check_http_header,
	 .flags = FIELD_SECRET,
	 .rule = RULE_COMMENT,
	 .max = 1024,
	 .most = CHECK_MAX_HEADERS,
	 .noun = "a header",
	 .help = "more headers, as `Accept: text/html`"},
	{.name = "status",
	 .type = TYPE_STATUS,
	 .shape = SHAPE_ONE_OR_LIST,
	 .offset = offsetof(struct check_spec, http.statuses),
	 .count_offset = offsetof(struct check_spec, http.n_statuses),
	 .min = 100,
	 .max = 599,
	 .def_text = "200-399",
	 .noun = "an HTTP status",
	 .help = "good answers: `301`, `200-299`"},
	BYTES("body", http.body, body_keys, MATCH_LITERAL, TEXT_MAX, "must appear in the body"),
	BYTES("body_prefix", http.body, body_keys, MATCH_PREFIX, TEXT_MAX,
	      "the body must begin with it"),
	BYTES("body_pattern", http.body, body_keys, MATCH_PATTERN, CHECK_MAX_PATTERN,
	      "a regular expression that the body must match"),
	{.name = "body_md5",
	 .type = TYPE_BYTES,
	 AT(struct check_spec, http.body),
	 .kind = MATCH_MD5,
	 .one_of = body_keys,
	 .check = config_check_md5,
	 .rule = RULE_TEXT,
	 .max = 32,
	 .noun = "a digest",
	 .help = "the MD5 digest of the whole body (16 MiB at most), as 32 hexadecimal digits"},
	FLAG("body_not", http.body_not,
	     "the body must not match the key above, within its first 64 KiB, or as a whole with "
	     "`body_md5`"),
};
OBJECT("http", http_fields);

static const char *const dns_types[] = {"a",  "ns",  "cname", "soa", "ptr",
					"mx", "txt", "aaaa",  "srv", NULL};
static const uint8_t dns_values[] = {1, 2, 5, 6, 12, 15, 16, 28, 33};

static const struct config_field dns_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct check_spec, dns.name),
	 .check = config_check_dns_name,
	 .rule = RULE_COMMENT,
	 .max = 253,
	 .noun = "a domain name",
	 .help = "`.` if left out"},
	{.name = "qtype",
	 .type = TYPE_ENUM,
	 AT(struct check_spec, dns.qtype),
	 .names = dns_types,
	 .values = dns_values,
	 .def = 1,
	 .noun = "a type of record",
	 .help = "the type of record in the question"},
	FLAG("any_rcode", dns.any_rcode, "any answer is good; else only NOERROR"),
	{.name = "expect",
	 .type = TYPE_HOST,
	 AT(struct check_spec, dns.expect),
	 .noun = "an address",
	 .help = "must be among the answers"},
};
OBJECT("dns", dns_fields);

static const char *const output_keys[] = {"output", "output_prefix", "output_pattern", NULL};

/* Two checks with the same values run the same. */
static const struct config_field program_fields[] = {
	{.name = "argv",
	 .type = TYPE_STRING,
	 LIST_AT(struct check_spec, exec.argv, exec.n_argv),
	 .rule = RULE_COMMENT,
	 .max = 255, /* characters */
	 .most = CHECK_MAX_ARGV,
	 .noun = "an argument",
	 .help = "program by its absolute path, and arguments; %h %p %v become the server's "
		 "address, its port, the VIP. No shell"},
	STRING("user", exec.user, RULE_LABEL, 31, "a user",
	       "the user of the program; `nobody` if left out"),
};
const struct config_object config_object_program = {
	.noun = "`exec` of a check", FIELDS(program_fields), .size = sizeof(struct check_spec)};

static const struct config_field exec_fields[] = {
	{.type = TYPE_INLINE, .object = &config_object_program},
	BYTES("output", exec.output, output_keys, MATCH_LITERAL, TEXT_MAX,
	      "must appear in the output"),
	BYTES("output_prefix", exec.output, output_keys, MATCH_PREFIX, TEXT_MAX,
	      "the output must begin with this text"),
	BYTES("output_pattern", exec.output, output_keys, MATCH_PATTERN, CHECK_MAX_PATTERN,
	      "a regular expression that the output must match"),
	FLAG("any_code", exec.any_code, "only the output matters, not the exit code"),
	FLAG("load", exec.load,
	     "the program prints a load number: the weight follows by Piranha's rule"),
	FLAG("code_weight", exec.code_weight,
	     "exit code 1 is bad, 0 good; any other code is good, and the weight is the code less "
	     "2 (keepalived's `misc_dynamic`), within `weight_min` and `weight_max` where "
	     "these "
	     "are set"),
};
OBJECT("exec", exec_fields);

#define PERCENT(key, member, def_, help_)                                                          \
	{                                                                                          \
		.name = key, .type = TYPE_UINT, AT(struct check_spec, member), .min = 1,           \
		.max = 100, .def = def_, .unit = "percent", .help = help_                          \
	}
static const struct config_field passive_fields[] = {
	{.name = "window",
	 .type = TYPE_MS,
	 AT(struct check_spec, passive.window_ms),
	 .min = 1000,
	 .max = 3600000,
	 .def = 10000,
	 .noun = "a time",
	 .help = "the observed time"},
	{.name = "min_connections",
	 .type = TYPE_UINT,
	 AT(struct check_spec, passive.min_syns),
	 .min = 1,
	 .max = UINT32_MAX,
	 .def = 20,
	 .help = "with fewer new connections in a window the check has no result"},
	PERCENT("no_answer", passive.no_answer_percent, 50,
		"of new connections that get no answer: fails"),
	PERCENT("refused", passive.refused_percent, 50,
		"of new connections that are refused: fails"),
	{.name = "max_answer",
	 .type = TYPE_MS,
	 AT(struct check_spec, passive.max_answer_ms),
	 .max = 600000,
	 .noun = "a time",
	 .help = "mean time from SYN to SYN-ACK: longer fails; 0 = not checked"},
};
OBJECT("passive", passive_fields);

#define TIME(key, member, flags_, min_, def_, text_, help_)                                        \
	{                                                                                          \
		.name = key, .type = TYPE_MS, AT(struct check_spec, member), .min = min_,          \
		.max = DAY_MS, .def = def_, .def_text = text_, .noun = "a time", .help = help_,    \
		.flags = flags_                                                                    \
	}
#define COUNT(key, member, def_, help_)                                                            \
	{                                                                                          \
		.name = key, .type = TYPE_UINT, AT(struct check_spec, member), .min = 1,           \
		.max = 1000, .def = def_, .help = help_, .flags = FIELD_PACE                       \
	}

/* The types that take a key. */
#define OF(type) (1U << CHECK_##type)

static const struct config_field check_fields[] = {
	{.name = "name",
	 .type = TYPE_STRING,
	 AT(struct check_spec, name),
	 .flags = FIELD_REQUIRED | FIELD_NAME,
	 .rule = RULE_LABEL,
	 .max = CONFIG_CHECK_NAME_SIZE - 1,
	 .noun = "a name",
	 .help = "by which services and servers refer to it"},
	{.name = "type",
	 .type = TYPE_ENUM,
	 AT(struct check_spec, type),
	 .flags = FIELD_REQUIRED,
	 .names = type_words,
	 .noun = "a type of check",
	 .help = "`tcp` connects; `script` sends and expects; `http`; `udp` sends, perhaps "
		 "expects; "
		 "`dns` asks; `icmp` pings; `exec` runs a program; `agent` reads HAProxy's agent "
		 "protocol; `passive` observes traffic"},
	TIME("interval", interval_ms, FIELD_PACE, 50, 2000, NULL, "between two probes"),
	TIME("fast_interval", fast_ms, FIELD_PACE, 50, 0, "`interval`",
	     "while the state is changing or unknown"),
	TIME("down_interval", down_ms, FIELD_PACE, 50, 0, "`interval`", "while the server is down"),
	TIME("timeout", timeout_ms, 0, 10, 0, "`interval`", "of one probe, all in all"),
	COUNT("rise", rise, 2, "good answers in a row until a server that was down is up"),
	COUNT("fall", fall, 3, "bad ones in a row until it is down"),
	TIME("reentry_delay", reentry_ms, FIELD_PACE, 0, 0, NULL,
	     "a server that recovers stays down for so long, without one bad answer"),
	{.name = "address",
	 .type = TYPE_HOST,
	 AT(struct check_spec, address),
	 .check = config_check_no_link_local,
	 .types = CHECK_NETWORK | OF(ICMP) | OF(EXEC),
	 .def_text = "the server's",
	 .noun = "an address",
	 .help = "target instead of the server"},
	{.name = "port",
	 .type = TYPE_UINT,
	 AT(struct check_spec, port),
	 .types = CHECK_NETWORK | OF(EXEC),
	 .min = 1,
	 .max = UINT16_MAX,
	 .def_text = "the server's",
	 .help = "port instead of the server's"},
	FLAG_OF(CHECK_NETWORK | OF(ICMP), "via_vip", via_vip,
		"with `dr` and `tunnel`: the probe goes to the VIP, at the real server's MAC or "
		"through the tunnel, and so also tests the server's loopback, its ARP or ND "
		"settings and the path"),
	{.name = "source",
	 .type = TYPE_HOST,
	 AT(struct check_spec, source),
	 .check = config_check_no_link_local,
	 .types = CHECK_NETWORK,
	 .def_text = "as routes say",
	 .noun = "an address",
	 .help = "of the router, of the target's family: the source of probes"},
	{.name = "source_port",
	 .type = TYPE_UINT,
	 AT(struct check_spec, source_port),
	 .types = CHECK_NETWORK,
	 .min = 1,
	 .max = UINT16_MAX,
	 .def_text = "one of those of checks",
	 .help = "the source port of probes, for servers that require one; the next connection "
		 "reuses the port at once"},
	{.name = "proxy_header",
	 .type = TYPE_ENUM,
	 AT(struct check_spec, header),
	 .types = OF(SCRIPT) | OF(HTTP) | OF(AGENT),
	 .names = proxy_header_names,
	 .def = CLIENT_ADDRESS_OFF,
	 .noun = "a header",
	 .help = "of `script`, `http` and `agent`: the probe begins with a header of the PROXY "
		 "protocol that names no client (LOCAL, UNKNOWN), for servers of a service with "
		 "`client_address`"},
	{.name = "tls",
	 .type = TYPE_OBJECT,
	 .object = &tls_fields_object,
	 .types = OF(SCRIPT) | OF(HTTP),
	 .help = "of `script` and `http`"},
	{.name = "steps",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct check_spec, steps, n_steps),
	 .object = &step_object,
	 .types = OF(SCRIPT) | OF(UDP) | OF(AGENT),
	 .max = CHECK_MAX_STEPS,
	 .max_name = "CHECK_MAX_STEPS",
	 .help = "of `script`, in order; of `udp` one to send and perhaps one to expect; of "
		 "`agent` perhaps one to send"},
	{.name = "http",
	 .type = TYPE_OBJECT,
	 .object = &http_fields_object,
	 .types = OF(HTTP),
	 .help = "of `http`"},
	{.name = "dns",
	 .type = TYPE_OBJECT,
	 .object = &dns_fields_object,
	 .types = OF(DNS),
	 .help = "of `dns`"},
	{.name = "exec",
	 .type = TYPE_OBJECT,
	 .object = &exec_fields_object,
	 .types = OF(EXEC),
	 .help = "of `exec`"},
	{.name = "passive",
	 .type = TYPE_OBJECT,
	 .object = &passive_fields_object,
	 .types = OF(PASSIVE),
	 .help = "of `passive`"},
	FLAG_OF(OF(AGENT) | OF(EXEC), "weight", weight,
		"of `agent` and `exec`: the check sets the weight"),
};
const struct config_object config_object_check = {.check = config_check_by_type,
						  .noun = "a check",
						  FIELDS(check_fields),
						  .size = sizeof(struct check_spec)};
