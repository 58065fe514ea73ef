/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that go with a command, and values that go with each other. */
#include <netinet/in.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

#define BIT(name) (1ULL << ADM_OPT_##name)

/* Of the options in `one` at most one may be given. */
struct rule {
	const char *name;
	uint64_t required, allowed, one;
};

#define OF_SERVICE                                                                                 \
	(BIT(SCHEDULER) | BIT(PERSISTENT) | BIT(NETMASK) | BIT(OPS) | BIT(PE) | BIT(SCHED_FLAGS))
#define OF_TUNNEL                                                                                  \
	(BIT(TUN_TYPE) | BIT(TUN_PORT) | BIT(TUN_NOCSUM) | BIT(TUN_CSUM) | BIT(TUN_REMCSUM))
#define OF_SERVER (BIT(FORWARD) | BIT(WEIGHT) | BIT(UPPER) | BIT(LOWER) | OF_TUNNEL)
#define OF_LIST                                                                                    \
	(BIT(NUMERIC) | BIT(STATS) | BIT(RATE) | BIT(THRESHOLDS) | BIT(PERSISTENT_CONN) |          \
	 BIT(NOSORT) | BIT(SYNCID) | BIT(EXACT) | BIT(TUN_INFO))
#define ONE_OF_LIST (BIT(CONNECTION) | BIT(SERVICE) | BIT(TIMEOUT) | BIT(DAEMON))
#define OF_DAEMON   (BIT(INTERFACE) | BIT(SYNCID) | BIT(MAXLEN) | BIT(GROUP) | BIT(PORT) | BIT(TTL))

static const struct rule rules[ADM_VERBS] = {
	[ADM_ADD_SERVICE] = {"add-service", BIT(SERVICE), OF_SERVICE, 0},
	[ADM_EDIT_SERVICE] = {"edit-service", BIT(SERVICE), OF_SERVICE, 0},
	[ADM_DELETE_SERVICE] = {"delete-service", BIT(SERVICE), 0, 0},
	[ADM_CLEAR] = {"flush", 0, 0, 0},
	[ADM_LIST] = {"list", 0, OF_LIST, ONE_OF_LIST},
	[ADM_ADD_SERVER] = {"add-server", BIT(SERVICE) | BIT(SERVER), OF_SERVER, 0},
	[ADM_DELETE_SERVER] = {"delete-server", BIT(SERVICE) | BIT(SERVER), 0, 0},
	[ADM_EDIT_SERVER] = {"edit-server", BIT(SERVICE) | BIT(SERVER), OF_SERVER, 0},
	[ADM_SET] = {"set", 0, 0, 0},
	[ADM_START_DAEMON] = {"start-daemon", 0, OF_DAEMON, 0},
	[ADM_STOP_DAEMON] = {"stop-daemon", 0, BIT(SYNCID), 0},
	[ADM_RESTORE] = {"restore", 0, 0, 0},
	[ADM_SAVE] = {"save", 0, BIT(NUMERIC), 0},
	[ADM_ZERO] = {"zero", 0, BIT(SERVICE), 0},
	[ADM_HELP] = {"help", 0, 0, 0},
	[ADM_VERSION] = {"version", 0, 0, 0},
};

static const struct rule tunnel_rules[] = {
	[ADM_IPIP] = {"ipip", 0, 0, 0},
	[ADM_GUE] = {"gue", BIT(TUN_PORT), 0, BIT(TUN_NOCSUM) | BIT(TUN_CSUM) | BIT(TUN_REMCSUM)},
	[ADM_GRE] = {"gre", 0, 0, BIT(TUN_NOCSUM) | BIT(TUN_CSUM)},
};

/* what: "command" or "tunnel type". Looks at the options of `of` in their order. */
static int rule_check(struct adm *a, const struct rule *r, uint64_t given, uint64_t of,
		      const char *what)
{
	const char *one = NULL;

	for (int o = 0; o < ADM_N_OPTIONS; o++) {
		uint64_t bit = 1ULL << o;
		const char *name = adm_option_names[o];

		if (!(of & bit))
			continue;
		if (!(given & bit)) {
			if (r->required & bit)
				return adm_fail(a, ADM_USAGE,
						"You need to supply the '%s' option for the '%s' "
						"%s",
						name, r->name, what);
			continue;
		}
		if (!((r->required | r->allowed | r->one) & bit))
			return adm_fail(a, ADM_USAGE, "Illegal '%s' option with the '%s' %s", name,
					r->name, what);
		if (!(r->one & bit))
			continue;
		if (one)
			return adm_fail(a, ADM_USAGE,
					"The option '%s' conflicts with the '%s' option in the "
					"'%s' %s",
					name, one, r->name, what);
		one = name;
	}
	return 0;
}

static const struct {
	const char *name, *scheduler;
	uint32_t bit;
} flags[] = {
	{"flag-1", NULL, 1},	  {"flag-2", NULL, 2},	{"flag-3", NULL, 4},
	{"sh-fallback", "sh", 1}, {"sh-port", "sh", 2}, {"mh-fallback", "mh", 1},
	{"mh-port", "mh", 2},
};
#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

static int flags_take(struct adm *a, struct adm_command *cmd)
{
	const char *p = cmd->flags_text;

	while (*p) {
		size_t len = strcspn(p, ","), i;

		for (i = 0; len && i < N_FLAGS; i++)
			if (strncmp(flags[i].name, p, len) == 0 && !flags[i].name[len])
				break;
		if (len && i == N_FLAGS)
			return adm_fail(a, ADM_USAGE, "invalid scheduler flag `%.*s'", (int)len, p);
		if (len && flags[i].scheduler && strcmp(flags[i].scheduler, cmd->scheduler) != 0)
			return adm_fail(a, ADM_USAGE, "incompatible scheduler flag `%.*s'",
					(int)len, p);
		if (len)
			cmd->flags |= flags[i].bit;
		p += len + (p[len] == ',');
	}
	return 0;
}

static int service_check(struct adm *a, struct adm_command *cmd)
{
	const struct adm_service *s = &cmd->service;

	if (!s->mark && s->ep.port == 0 && !cmd->persist_s)
		return adm_fail(a, ADM_USAGE, "Zero port specified for non-persistent service");
	if (ADM_HAS(cmd, OPS) && !s->mark && s->proto != IPPROTO_UDP)
		return adm_fail(a, ADM_USAGE,
				"One-Packet Scheduling is only for UDP virtual services");
	return 0;
}

static int server_check(struct adm *a, struct adm_command *cmd)
{
	bool tunnel = strcmp(cmd->forward, "tunnel") == 0;

	if (!tunnel && (cmd->server.addr.family == ADDR_V6) != adm_is_ipv6(&cmd->service))
		return adm_fail(a, ADM_USAGE,
				"Different address family is allowed only for tunneling servers");
	/* Only NAT rewrites ports. */
	if (!cmd->service.mark && strcmp(cmd->forward, "nat") != 0)
		cmd->server.port = cmd->service.ep.port;
	if (!tunnel && cmd->given & OF_TUNNEL)
		return adm_fail(a, ADM_USAGE, "Tunnel options conflict with forward method");
	return tunnel ? rule_check(a, &tunnel_rules[cmd->tunnel], cmd->given,
				   OF_TUNNEL & ~BIT(TUN_TYPE), "tunnel type")
		      : 0;
}

/* Options that choose the columns of the table, with what is no table of services. */
static int list_check(struct adm *a, const struct adm_command *cmd)
{
	const uint64_t counts = BIT(STATS) | BIT(RATE) | BIT(THRESHOLDS);

	if ((ADM_HAS(cmd, CONNECTION) && cmd->given & counts) ||
	    (cmd->given & (BIT(TIMEOUT) | BIT(DAEMON)) &&
	     cmd->given & (counts | BIT(PERSISTENT_CONN))))
		return adm_fail(a, ADM_USAGE, "options conflicts in the list command");
	return 0;
}

int adm_check(struct adm *a, struct adm_command *cmd)
{
	int ret = 0;

	/* Before the question whether the command has flags. */
	if (!cmd->scheduler || !*cmd->scheduler)
		cmd->scheduler = "wlc";
	if (cmd->flags_text)
		ret = flags_take(a, cmd);
	if (ret == 0)
		ret = rule_check(a, &rules[cmd->verb], cmd->given, ~0ULL, "command");
	if (ret == 0 && (cmd->verb == ADM_ADD_SERVICE || cmd->verb == ADM_EDIT_SERVICE))
		ret = service_check(a, cmd);
	if (ret == 0 && (cmd->verb == ADM_ADD_SERVER || cmd->verb == ADM_EDIT_SERVER))
		ret = server_check(a, cmd);
	if (ret == 0 && cmd->verb == ADM_LIST)
		ret = list_check(a, cmd);
	return ret;
}
