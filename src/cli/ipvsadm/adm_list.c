/* SPDX-License-Identifier: BSD-3-Clause */
/* -L: services and servers, with connections, counters, rates, thresholds or templates. */
#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

enum columns {
	COLUMNS_PLAIN,
	COLUMNS_TUNNEL,
	COLUMNS_STATS,
	COLUMNS_RATE,
	COLUMNS_THRESHOLDS,
	COLUMNS_TEMPLATES,
};

static const char *const titles[] = {
	[COLUMNS_PLAIN] = "Prot LocalAddress:Port Scheduler Flags\n"
			  "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n",
	[COLUMNS_TUNNEL] =
		"Prot LocalAddress:Port Scheduler Flags\n"
		"  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn "
		"InActConn\n",
	[COLUMNS_STATS] = "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes "
			  "OutBytes\n  -> RemoteAddress:Port\n",
	[COLUMNS_RATE] = "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   "
			 "OutBPS\n  -> RemoteAddress:Port\n",
	[COLUMNS_THRESHOLDS] = "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn "
			       "InActConn \n  -> RemoteAddress:Port\n",
	[COLUMNS_TEMPLATES] = "Prot LocalAddress:Port            Weight    PersistConn ActiveConn "
			      "InActConn \n  -> RemoteAddress:Port\n",
};

struct listing {
	struct adm *a;
	enum columns columns;
	bool numeric, exact, sort;
};

static const char *const count_names[] = {"conns", "in_pkts", "out_pkts", "in_bytes", "out_bytes"};

/* At most eight digits and a letter: what is longer is cut to thousands and so on. */
static void print_count(const struct listing *l, uint64_t n)
{
	static const struct {
		uint64_t below, unit;
		const char *letter;
	} steps[] = {
		{100000000ULL, 1, ""},
		{1000000000ULL, 1000, "K"},
		{100000000000ULL, 1000000, "M"},
		{100000000000000ULL, 1000000000ULL, "G"},
		{UINT64_MAX, 1000000000000ULL, "T"},
	};
	size_t i = 0;

	if (l->exact) {
		fprintf(l->a->out, " %8llu", (unsigned long long)n);
		return;
	}
	while (n >= steps[i].below && steps[i].below != UINT64_MAX)
		i++;
	fprintf(l->a->out, " %*llu%s", i ? 7 : 8, (unsigned long long)(n / steps[i].unit),
		steps[i].letter);
}

/* object: of service.list; NULL: nothing was counted. */
static void print_counts(const struct listing *l, const json_t *object)
{
	const json_t *counts =
		json_object_get(object, l->columns == COLUMNS_RATE ? "rates" : "counters");

	for (size_t i = 0; i < sizeof(count_names) / sizeof(count_names[0]); i++) {
		double n = json_number_value(json_object_get(counts, count_names[i]));

		print_count(l, n > 0 ? (uint64_t)llround(n) : 0);
	}
	fputc('\n', l->a->out);
}

/* --- what the router counted --- */

static const json_t *live_service(const struct adm *a, const struct adm_entry *e)
{
	char key[ENDPOINT_STRLEN + 16];
	struct adm_service first;

	/* A service's key is that of its first listener. */
	if (!adm_service_read(e->service, 0, &first))
		return NULL;
	return json_object_get(a->live, adm_service_key(&first, key));
}

const json_t *adm_live_server(const struct adm *a, const struct adm_entry *e)
{
	const json_t *service = live_service(a, e);

	return service ? adm_server_find(service, &e->ep, NULL) : NULL;
}

int adm_live_ask(struct adm *a)
{
	json_t *result, *service;
	size_t i;
	int ret;

	json_decref(a->live);
	a->live = NULL;
	ret = adm_ask(a, "service.list", NULL, NULL, NULL, &result);
	if (ret)
		return ret;
	a->live = json_object();
	json_array_foreach (json_object_get(result, "services"), i, service) {
		const char *key = json_string_value(json_object_get(service, "key"));

		if (key)
			json_object_set(a->live, key, service);
	}
	json_decref(result);
	return 0;
}

/* Counts templates under "virtual server". */
static int template_rows(void *arg, json_t *rows)
{
	json_t *templates = arg, *row;
	char key[2 * ENDPOINT_STRLEN + 32];
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *to = json_string_value(json_object_get(row, "virtual"));
		const char *server = json_string_value(json_object_get(row, "server"));

		if (!json_is_true(json_object_get(row, "template")) || !to || !server)
			continue;
		snprintf(key, sizeof(key), "%s %s", to, server);
		json_object_set_new(templates, key,
				    json_integer(adm_member(templates, key, 0) + 1));
	}
	return 0;
}

static int templates_ask(struct adm *a)
{
	json_t *result;
	int ret;

	json_decref(a->templates);
	a->templates = json_object();
	ret = adm_ask(a, "connection.list", NULL, template_rows, a->templates, &result);
	if (ret == 0)
		json_decref(result);
	return ret;
}

static unsigned int templates_of(const struct adm *a, const struct adm_entry *e)
{
	char key[2 * ENDPOINT_STRLEN + 32], to[ENDPOINT_STRLEN], server[ENDPOINT_STRLEN];

	if (e->s.mark)
		snprintf(to, sizeof(to), "%u", e->s.mark);
	else
		endpoint_format(&e->s.ep, to, sizeof(to));
	snprintf(key, sizeof(key), "%s %s", to, endpoint_format(&e->ep, server, sizeof(server)));
	return (unsigned int)adm_member(a->templates, key, 0);
}

/* --- lines --- */

/* A name of IPv4 is cut at its column; one of IPv6 is not. */
static void name_cut(char *name, bool v6)
{
	if (!v6 && strlen(name) > 28)
		name[28] = '\0';
}

static void print_service(const struct listing *l, const struct adm_entry *e)
{
	const char *scheduler = adm_scheduler(l->a, e->service),
		   *engine = adm_engine(l->a, e->service);
	uint32_t flags = adm_flags(l->a, e->service), persist;
	char name[ADM_NAME_LEN], text[64], mask[ADM_MASK_LEN];

	if (e->s.mark)
		snprintf(name, sizeof(name), "%d%s", (int32_t)e->s.mark,
			 adm_is_ipv6(&e->s) ? " IPv6" : "");
	else
		adm_endpoint_text(&e->s.ep, e->s.proto, l->numeric, name, sizeof(name));
	name_cut(name, adm_is_ipv6(&e->s));
	fprintf(l->a->out, "%s  ", e->s.mark ? "FWM" : e->s.proto == IPPROTO_UDP ? "UDP" : "TCP");
	if (l->columns == COLUMNS_STATS || l->columns == COLUMNS_RATE) {
		fprintf(l->a->out, "%-28s", name);
		print_counts(l, live_service(l->a, e));
		return;
	}
	fprintf(l->a->out, "%s %s", name, scheduler);
	if (flags)
		fprintf(l->a->out, " (%s)", adm_flags_text(scheduler, flags, text));
	persist = adm_persist(l->a, &e->s, e->service, mask);
	if (persist)
		fprintf(l->a->out, " persistent %u", persist);
	if (persist && mask[0])
		fprintf(l->a->out, " mask %s", mask);
	if (persist && engine)
		fprintf(l->a->out, " pe %s", engine);
	if (adm_ops(l->a, e->service))
		fprintf(l->a->out, " ops");
	fputc('\n', l->a->out);
}

const char *adm_forward_text(const char *word)
{
	/* ipvsadm has no word for full NAT. The servers' replies pass the router as by NAT. */
	return strcmp(word, "nat") == 0 || strcmp(word, "fullnat") == 0 ? "Masq"
	       : strcmp(word, "dr") == 0				? "Route"
	       : strcmp(word, "tunnel") == 0				? "Tunnel"
									: "Local";
}

/* A loopback address by -g is listed as it was given, like the kernel does. */
static const char *listed_forward(const struct adm *a, const struct adm_entry *e)
{
	const char *word = adm_forward(a, e->service, e->server);

	return adm_forward_text(addr_is_loopback(&e->ep.addr) ? "dr" : word);
}

/* "gue:6080:+c": the type, the port, and whether there are checksums; "r+c" are remote ones. */
static const char *tunnel_text(const struct adm *a, const struct adm_entry *e, char buf[32])
{
	const char *type = json_string_value(json_object_get(e->server, "tunnel_type"));
	const char *sum = json_string_value(json_object_get(e->server, "tunnel_checksum"));
	const int port = (int)adm_member(e->server, "tunnel_port", 0);
	const char *mark = !sum || strcmp(sum, "none") == 0 ? "-c"
			   : strcmp(sum, "full") == 0	    ? "+c"
							    : "r+c";

	if (strcmp(adm_forward(a, e->service, e->server), "tunnel") != 0)
		return "n/a";
	if (!type || strcmp(type, adm_tunnel_names[ADM_IPIP]) == 0)
		return adm_tunnel_names[ADM_IPIP];
	if (port)
		snprintf(buf, 32, "%s:%d:%s", type, port, mark);
	else
		snprintf(buf, 32, "%s:%s", type, mark);
	return buf;
}

static void print_server(const struct listing *l, const struct adm_entry *e)
{
	const json_t *live = adm_live_server(l->a, e);
	unsigned int active = (unsigned int)adm_member(live, "active", 0),
		     inactive = (unsigned int)adm_member(live, "inactive", 0);
	int weight = (int)adm_member(e->server, "weight", 1);
	FILE *out = l->a->out;
	char name[ADM_NAME_LEN], tunnel[32];

	adm_endpoint_text(&e->ep, e->s.proto, l->numeric, name, sizeof(name));
	name_cut(name, e->ep.addr.family == ADDR_V6);
	fprintf(out, "  -> %-28s", name);
	switch (l->columns) {
	case COLUMNS_STATS:
	case COLUMNS_RATE:
		print_counts(l, live);
		break;
	case COLUMNS_PLAIN:
		fprintf(out, " %-7s %-6d %-10u %-10u\n", listed_forward(l->a, e), weight, active,
			inactive);
		break;
	case COLUMNS_TUNNEL:
		fprintf(out, " %-7s %-13s %-6d %-10u %-10u\n", listed_forward(l->a, e),
			tunnel_text(l->a, e, tunnel), weight, active, inactive);
		break;
	case COLUMNS_THRESHOLDS:
		fprintf(out, " %-10u %-10u %-10u %-10u\n",
			(unsigned int)adm_member(e->server, "upper", 0),
			(unsigned int)adm_member(e->server, "lower", 0), active, inactive);
		break;
	case COLUMNS_TEMPLATES:
		fprintf(out, " %-9d %-11u %-10u %-10u\n", weight, templates_of(l->a, e), active,
			inactive);
		break;
	}
}

static void print_one(const struct listing *l, const struct adm_entry *e)
{
	size_t n;
	struct adm_entry *servers = adm_sorted_servers(e, l->sort, &n);

	print_service(l, e);
	for (size_t i = 0; servers && i < n; i++)
		print_server(l, &servers[i]);
	free(servers);
}

static int list_tables(struct adm *a, const struct adm_command *cmd)
{
	struct listing l = {.a = a,
			    .numeric = ADM_HAS(cmd, NUMERIC),
			    .exact = ADM_HAS(cmd, EXACT),
			    .sort = !ADM_HAS(cmd, NOSORT)};
	struct adm_entry *services, one = {.s = cmd->service};
	size_t n;
	int ret;

	l.columns = ADM_HAS(cmd, STATS)		    ? COLUMNS_STATS
		    : ADM_HAS(cmd, RATE)	    ? COLUMNS_RATE
		    : ADM_HAS(cmd, THRESHOLDS)	    ? COLUMNS_THRESHOLDS
		    : ADM_HAS(cmd, PERSISTENT_CONN) ? COLUMNS_TEMPLATES
		    : ADM_HAS(cmd, TUN_INFO)	    ? COLUMNS_TUNNEL
						    : COLUMNS_PLAIN;
	one.service = ADM_HAS(cmd, SERVICE) ? adm_service_find(a, &cmd->service, NULL) : NULL;
	if (ADM_HAS(cmd, SERVICE) && !one.service)
		return adm_fail(a, ADM_MISSING, "No such service");
	ret = adm_live_ask(a);
	if (ret == 0 && l.columns == COLUMNS_TEMPLATES)
		ret = templates_ask(a);
	if (ret)
		return ret;
	if (!one.service)
		fprintf(a->out, "IP Virtual Server version 1.2.1 (size=4096)\n");
	fputs(titles[l.columns], a->out);
	if (one.service) {
		print_one(&l, &one);
		return ADM_OK;
	}
	services = adm_sorted_services(a, l.sort, &n);
	for (size_t i = 0; services && i < n; i++)
		print_one(&l, &services[i]);
	free(services);
	return ADM_OK;
}

int adm_list(struct adm *a, const struct adm_command *cmd)
{
	if (ADM_HAS(cmd, CONNECTION))
		return adm_list_connections(a, cmd);
	if (ADM_HAS(cmd, TIMEOUT))
		return adm_list_timeouts(a);
	if (ADM_HAS(cmd, DAEMON))
		return adm_list_daemons(a);
	return list_tables(a, cmd);
}
