/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command line as a command. The first option names the command. The other words are read from
 * left to right, and the first fault ends the reading. Faults of popt come before words that
 * are no options, and those before what adm_check.c looks at.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

#define PERSIST_DEFAULT_S 360
#define TIMEOUT_MAX_S	  (31 * 86400)

/* Ids of words: a verb, an option, or one of these. */
enum {
	ID_VERB = 1,
	ID_OPTION = ID_VERB + ADM_VERBS,
	ID_TCP = ID_OPTION + ADM_N_OPTIONS,
	ID_UDP,
	ID_SCTP,
	ID_MARK,
	ID_DR,
	ID_TUNNEL,
	ID_NAT,
	ID_SORT,
	ID_IPV6,
};
#define VERB(name)   (ID_VERB + ADM_##name)
#define OPTION(name) (ID_OPTION + ADM_OPT_##name)

static const struct adm_word words[] = {
	{"add-service", 'A', ADM_NONE, VERB(ADD_SERVICE)},
	{"edit-service", 'E', ADM_NONE, VERB(EDIT_SERVICE)},
	{"delete-service", 'D', ADM_NONE, VERB(DELETE_SERVICE)},
	{"clear", 'C', ADM_NONE, VERB(CLEAR)},
	{"list", 'L', ADM_NONE, VERB(LIST)},
	{"list", 'l', ADM_NONE, VERB(LIST)},
	{"zero", 'Z', ADM_NONE, VERB(ZERO)},
	{"add-server", 'a', ADM_NONE, VERB(ADD_SERVER)},
	{"edit-server", 'e', ADM_NONE, VERB(EDIT_SERVER)},
	{"delete-server", 'd', ADM_NONE, VERB(DELETE_SERVER)},
	{"set", 0, ADM_NONE, VERB(SET)},
	{"help", 'h', ADM_NONE, VERB(HELP)},
	{"version", 'v', ADM_NONE, VERB(VERSION)},
	{"restore", 'R', ADM_NONE, VERB(RESTORE)},
	{"save", 'S', ADM_NONE, VERB(SAVE)},
	{"start-daemon", 0, ADM_REQUIRED, VERB(START_DAEMON)},
	{"stop-daemon", 0, ADM_REQUIRED, VERB(STOP_DAEMON)},
	{"tcp-service", 't', ADM_REQUIRED, ID_TCP},
	{"udp-service", 'u', ADM_REQUIRED, ID_UDP},
	{"sctp-service", 0, ADM_REQUIRED, ID_SCTP},
	{"fwmark-service", 'f', ADM_REQUIRED, ID_MARK},
	{"scheduler", 's', ADM_REQUIRED, OPTION(SCHEDULER)},
	{"persistent", 'p', ADM_OPTIONAL, OPTION(PERSISTENT)},
	{"netmask", 'M', ADM_REQUIRED, OPTION(NETMASK)},
	{"real-server", 'r', ADM_REQUIRED, OPTION(SERVER)},
	{"masquerading", 'm', ADM_NONE, ID_NAT},
	{"ipip", 'i', ADM_NONE, ID_TUNNEL},
	{"gatewaying", 'g', ADM_NONE, ID_DR},
	{"weight", 'w', ADM_REQUIRED, OPTION(WEIGHT)},
	{"u-threshold", 'x', ADM_REQUIRED, OPTION(UPPER)},
	{"l-threshold", 'y', ADM_REQUIRED, OPTION(LOWER)},
	{"numeric", 'n', ADM_NONE, OPTION(NUMERIC)},
	{"connection", 'c', ADM_NONE, OPTION(CONNECTION)},
	{"mcast-interface", 0, ADM_REQUIRED, OPTION(INTERFACE)},
	{"syncid", 0, ADM_REQUIRED, OPTION(SYNCID)},
	{"sync-maxlen", 0, ADM_REQUIRED, OPTION(MAXLEN)},
	{"mcast-group", 0, ADM_REQUIRED, OPTION(GROUP)},
	{"mcast-port", 0, ADM_REQUIRED, OPTION(PORT)},
	{"mcast-ttl", 0, ADM_REQUIRED, OPTION(TTL)},
	{"timeout", 0, ADM_NONE, OPTION(TIMEOUT)},
	{"daemon", 0, ADM_NONE, OPTION(DAEMON)},
	{"stats", 0, ADM_NONE, OPTION(STATS)},
	{"rate", 0, ADM_NONE, OPTION(RATE)},
	{"thresholds", 0, ADM_NONE, OPTION(THRESHOLDS)},
	{"persistent-conn", 0, ADM_NONE, OPTION(PERSISTENT_CONN)},
	{"nosort", 0, ADM_NONE, OPTION(NOSORT)},
	{"sort", 0, ADM_NONE, ID_SORT},
	{"exact", 0, ADM_NONE, OPTION(EXACT)},
	{"ipv6", '6', ADM_NONE, ID_IPV6},
	{"ops", 'o', ADM_NONE, OPTION(OPS)},
	{"pe", 0, ADM_REQUIRED, OPTION(PE)},
	{"sched-flags", 'b', ADM_REQUIRED, OPTION(SCHED_FLAGS)},
	{"tun-info", 0, ADM_NONE, OPTION(TUN_INFO)},
	{"tun-type", 0, ADM_REQUIRED, OPTION(TUN_TYPE)},
	{"tun-port", 0, ADM_REQUIRED, OPTION(TUN_PORT)},
	{"tun-nocsum", 0, ADM_NONE, OPTION(TUN_NOCSUM)},
	{"tun-csum", 0, ADM_NONE, OPTION(TUN_CSUM)},
	{"tun-remcsum", 0, ADM_NONE, OPTION(TUN_REMCSUM)},
	{NULL, 0, ADM_NONE, 0},
};

static int try_help(struct adm *a)
{
	return adm_fail(a, ADM_REFUSED,
			"Try `ipvsadm -h' or 'ipvsadm --help' for more information.");
}

/* Marks an option as given; a second time is a fault. */
static int option_once(struct adm *a, struct adm_command *cmd, enum adm_option o)
{
	if (cmd->given >> o & 1)
		return adm_fail(a, ADM_USAGE, "multiple '%s' options specified",
				adm_option_names[o]);
	cmd->given |= 1ULL << o;
	return 0;
}

/* --- values --- */

static int seconds_take(struct adm *a, const char *text, int64_t min, uint32_t *out)
{
	int64_t n = adm_number(text, min, TIMEOUT_MAX_S);

	if (n < 0)
		return adm_fail(a, ADM_USAGE, "invalid timeout value `%s' specified", text);
	*out = (uint32_t)n;
	return 0;
}

static int number_take(struct adm *a, const char *text, int64_t min, int64_t max, const char *what,
		       uint32_t *out)
{
	int64_t n = adm_number(text, min, max);

	if (n < 0)
		return adm_fail(a, ADM_USAGE, "illegal %s specified", what);
	*out = (uint32_t)n;
	return 0;
}

static int service_take(struct adm *a, struct adm_command *cmd, int id, const char *text)
{
	int ret = option_once(a, cmd, ADM_OPT_SERVICE);
	bool with_port;
	int64_t mark;

	if (ret)
		return ret;
	cmd->service.proto = id == ID_UDP    ? IPPROTO_UDP
			     : id == ID_SCTP ? IPPROTO_SCTP
					     : IPPROTO_TCP;
	if (id == ID_MARK) {
		mark = adm_number(text, 1, UINT32_MAX);
		if (mark < 0)
			return adm_fail(a, ADM_USAGE, "invalid fwmark value `%s' specified", text);
		cmd->service.mark = (uint32_t)mark;
	} else if (adm_endpoint_parse(text, cmd->service.proto, &cmd->service.ep, &with_port) < 0) {
		return adm_fail(a, ADM_USAGE, "illegal virtual server address[:port] specified");
	}
	return 0;
}

static int server_take(struct adm *a, struct adm_command *cmd, const char *text)
{
	bool with_port;

	if (adm_endpoint_parse(text, cmd->service.proto, &cmd->server, &with_port) < 0)
		return adm_fail(a, ADM_USAGE, "illegal real server address[:port] specified");
	/* The service's as it is known so far: -r before -t has none to take. */
	if (!with_port)
		cmd->server.port = cmd->service.ep.port;
	return 0;
}

static int netmask_take(struct adm *a, struct adm_command *cmd, const char *text)
{
	struct in_addr in;

	if (cmd->service.ep.addr.family == ADDR_V6) {
		int64_t bits = adm_number(text, 1, 128);

		if (bits < 0)
			return adm_fail(a, ADM_USAGE, "illegal ipv6 netmask specified");
		cmd->prefix = (uint32_t)bits;
		return 0;
	}
	if (inet_aton(text, &in) == 0)
		return adm_fail(a, ADM_USAGE, "illegal virtual server persistent mask specified");
	memcpy(&cmd->netmask, &in, sizeof(cmd->netmask));
	return 0;
}

static int tunnel_take(struct adm *a, struct adm_command *cmd, const char *text)
{
	for (int i = 0; i < ADM_TUNNELS; i++) {
		if (strcmp(text, adm_tunnel_names[i]) != 0)
			continue;
		cmd->tunnel = (enum adm_tunnel)i;
		return 0;
	}
	return adm_fail(a, ADM_USAGE, "illegal tunnel type specified");
}

static int group_take(struct adm *a, struct adm_command *cmd, const char *text)
{
	struct addr addr;
	bool good = addr_parse(text, &addr) == 0;

	if (good)
		good = addr.family == ADDR_V4 ? be32_to(addr.v4) >> 28 == 0xe : addr.v6[0] == 0xff;
	if (!good)
		return adm_fail(a, ADM_USAGE, "invalid IPv%d mcast-group `%s'",
				strchr(text, ':') ? 6 : 4, text);
	addr_format(&addr, cmd->daemon.group, sizeof(cmd->daemon.group));
	return 0;
}

static int option_value(struct adm *a, struct adm_command *cmd, enum adm_option o, const char *text)
{
	switch (o) {
	case ADM_OPT_SCHEDULER:
		cmd->scheduler = text;
		return 0;
	case ADM_OPT_PERSISTENT:
		cmd->persist_s = PERSIST_DEFAULT_S;
		return text ? seconds_take(a, text, 1, &cmd->persist_s) : 0;
	case ADM_OPT_NETMASK:
		return netmask_take(a, cmd, text);
	case ADM_OPT_SERVER:
		return server_take(a, cmd, text);
	case ADM_OPT_WEIGHT:
		return number_take(a, text, 0, INT32_MAX, "weight", &cmd->weight);
	case ADM_OPT_UPPER:
		return number_take(a, text, 0, INT32_MAX, "u_threshold", &cmd->upper);
	case ADM_OPT_LOWER:
		return number_take(a, text, 0, INT32_MAX, "l_threshold", &cmd->lower);
	case ADM_OPT_INTERFACE:
		snprintf(cmd->daemon.interface, sizeof(cmd->daemon.interface), "%s", text);
		return 0;
	case ADM_OPT_SYNCID:
		return number_take(a, text, 0, 255, "syncid", &cmd->daemon.syncid);
	case ADM_OPT_MAXLEN:
		return number_take(a, text, 1, 65535 - 20 - 8, "sync-maxlen", &cmd->daemon.maxlen);
	case ADM_OPT_GROUP:
		return group_take(a, cmd, text);
	case ADM_OPT_PORT:
		return number_take(a, text, 1, 65535, "mcast-port", &cmd->daemon.port);
	case ADM_OPT_TTL:
		return number_take(a, text, 1, 255, "mcast-ttl", &cmd->daemon.ttl);
	case ADM_OPT_PE:
		cmd->pe = text;
		return 0;
	case ADM_OPT_SCHED_FLAGS:
		cmd->flags_text = text;
		return 0;
	case ADM_OPT_TUN_TYPE:
		return tunnel_take(a, cmd, text);
	case ADM_OPT_TUN_PORT:
		return number_take(a, text, 1, 65535, "tunnel port", &cmd->tunnel_port);
	default:
		return 0;
	}
}

static int word_take(struct adm *a, struct adm_command *cmd, const struct adm_words *w, int id,
		     const char *value)
{
	int ret;

	switch (id) {
	case ID_TCP:
	case ID_UDP:
	case ID_SCTP:
	case ID_MARK:
		return service_take(a, cmd, id, value);
	case ID_DR:
	case ID_TUNNEL:
	case ID_NAT:
		cmd->forward = id == ID_DR ? "dr" : id == ID_NAT ? "nat" : "tunnel";
		return option_once(a, cmd, ADM_OPT_FORWARD);
	case ID_SORT:
		return 0;
	case ID_IPV6:
		if (!cmd->service.mark)
			return adm_fail(a, ADM_USAGE, "-6 used before -f\n");
		cmd->service.ep.addr.family = ADDR_V6;
		return 0;
	}
	if (id < ID_OPTION)
		return adm_fail(a, ADM_USAGE, "invalid option `%s'", adm_words_last(w));
	ret = option_once(a, cmd, (enum adm_option)(id - ID_OPTION));
	return ret ? ret : option_value(a, cmd, (enum adm_option)(id - ID_OPTION), value);
}

/* --- the whole line --- */

static int verb_take(struct adm *a, struct adm_words *w, struct adm_command *cmd)
{
	const char *value;
	int id = adm_words_next(w, &value);

	if (id < ID_VERB || id >= ID_OPTION)
		return try_help(a);
	cmd->verb = (enum adm_verb)(id - ID_VERB);
	if (cmd->verb != ADM_START_DAEMON && cmd->verb != ADM_STOP_DAEMON)
		return 0;
	cmd->daemon.master = strcmp(value, "master") == 0;
	if (cmd->daemon.master || strcmp(value, "backup") == 0)
		return 0;
	/* Of a start the text names the start, of a stop too. */
	return adm_fail(a, ADM_USAGE,
			cmd->verb == ADM_START_DAEMON ? "illegal start-daemon parameter specified"
						      : "illegal start_daemon specified");
}

static int set_take(struct adm *a, struct adm_words *w, struct adm_command *cmd)
{
	const char *text[3];
	int ret = 0;

	for (int i = 0; i < 3; i++) {
		text[i] = adm_words_left(w);
		if (!text[i])
			return adm_fail(a, ADM_USAGE, "--set option requires 3 timeout values");
	}
	for (int i = 0; ret == 0 && i < 3; i++)
		ret = seconds_take(a, text[i], 0, &cmd->timeout_s[i]);
	return ret;
}

static int rest_take(struct adm *a, struct adm_words *w, struct adm_command *cmd, bool *fatal)
{
	const char *value;
	int id, ret = 0;

	while (ret == 0 && (id = adm_words_next(w, &value)) >= 0)
		ret = word_take(a, cmd, w, id, value);
	if (ret)
		return ret;
	if (id != ADM_END) {
		*fatal = false;
		return adm_fail(a, ADM_REFUSED, "%s: %s", adm_words_last(w), adm_words_fault(id));
	}
	if (cmd->verb == ADM_SET)
		ret = set_take(a, w, cmd);
	value = ret ? NULL : adm_words_left(w);
	return value ? adm_fail(a, ADM_USAGE, "unexpected argument %s", value) : ret;
}

int adm_parse(struct adm *a, int argc, char **argv, struct adm_command *cmd, bool *fatal)
{
	struct adm_words w = {.table = words, .argv = argv, .argc = argc, .next = 1};
	bool alone; /* a command that looks at no other word */
	int ret;

	memset(cmd, 0, sizeof(*cmd));
	cmd->netmask = be32_from(UINT32_MAX);
	cmd->prefix = 128;
	cmd->weight = 1;
	cmd->forward = "dr";
	cmd->daemon = (struct adm_daemon){.port = 8848, .ttl = 1};
	snprintf(cmd->daemon.group, sizeof(cmd->daemon.group), "224.0.0.81");
	*fatal = true;
	w.left = calloc((size_t)argc + 1, sizeof(*w.left));
	if (!w.left)
		return adm_fail(a, ADM_REFUSED, "no memory");
	ret = verb_take(a, &w, cmd);
	alone = cmd->verb == ADM_HELP || cmd->verb == ADM_VERSION;
	if (ret == 0 && !alone)
		ret = rest_take(a, &w, cmd, fatal);
	free(w.left);
	if (ret == 0 && !alone)
		ret = adm_check(a, cmd);
	*fatal = *fatal && ret;
	return ret;
}
