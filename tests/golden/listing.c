/* SPDX-License-Identifier: BSD-3-Clause */
/* The listings of ipvsadm and of the kernel's connection table, as the recordings have them. */
#include "golden/scenario.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/sched.h"

#define LINE 256

static void append_trimmed(json_t *list, char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == ' ')
		line[--n] = '\0';
	json_array_append_new(list, json_string(line));
}

static const char *service_name(const struct service *svc, char *buf, size_t len)
{
	char ep[ENDPOINT_STRLEN];

	if (svc->fwmark)
		snprintf(buf, len, "FWM  %u", svc->fwmark);
	else
		snprintf(buf, len, "%s  %s", svc->proto == IPPROTO_TCP ? "TCP" : "UDP",
			 endpoint_format(&svc->listen[0], ep, sizeof(ep)));
	return buf;
}

static void flags_append(const struct service *svc, char *line, size_t len)
{
	static const char *const sh[] = {"sh-fallback", "sh-port"};
	static const char *const mh[] = {"mh-fallback", "mh-port"};
	const char *const *names = svc->sched->name[0] == 's' ? sh : mh;
	char text[64] = "";

	for (unsigned int i = 0; i < 2; i++)
		if (svc->sched_flags & 1U << i)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? "," : "", names[i]);
	if (text[0])
		snprintf(line + strlen(line), len - strlen(line), " (%s)", text);
}

static void service_line(const struct service *svc, json_t *list)
{
	char line[LINE], name[128];

	snprintf(line, sizeof(line), "%s %s", service_name(svc, name, sizeof(name)),
		 svc->sched->name);
	flags_append(svc, line, sizeof(line));
	if (svc->persist_s) {
		size_t n = strlen(line);

		n += (size_t)snprintf(line + n, sizeof(line) - n, " persistent %u", svc->persist_s);
		if (svc->netmask_len && svc->netmask_len < 32) {
			struct in_addr mask = {htonl(~0U << (32 - svc->netmask_len))};

			snprintf(line + n, sizeof(line) - n, " mask %s", inet_ntoa(mask));
		}
	}
	if (svc->flags & SERVICE_ONE_PACKET)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " ops");
	append_trimmed(list, line);
}

static const char *server_ep(const struct server *srv, char buf[ENDPOINT_STRLEN])
{
	const struct endpoint ep = {.addr = srv->addr, .port = srv->port};

	return endpoint_format(&ep, buf, ENDPOINT_STRLEN);
}

#define SERVICES(s, svc)                                                                           \
	for (uint32_t id_ = 1; id_ <= (s)->harness.dp->pub.snapshot->max_service_id; id_++)        \
		if (((svc) = (s)->harness.dp->pub.snapshot->services[id_]) != NULL)

json_t *scenario_list(struct scenario *s)
{
	json_t *list = json_array();
	const struct service *svc;

	SERVICES(s, svc)
	{
		service_line(svc, list);
		for (uint32_t i = 0; i < svc->n_servers; i++) {
			const struct server *srv = &svc->servers[i];
			uint64_t counts = server_rt_counts(srv->rt);
			char line[LINE], ep[ENDPOINT_STRLEN];

			snprintf(line, sizeof(line), "  -> %-28s %-7s %-6u %-10u %-10u",
				 server_ep(srv, ep), forward_ipvs_names[srv->method], srv->weight,
				 counts_active(counts), counts_inactive(counts));
			append_trimmed(list, line);
		}
	}
	return list;
}

static void stats_line(json_t *list, const char *name, const struct server_counters *c)
{
	char line[LINE];

	snprintf(line, sizeof(line),
		 "%-33s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64, name,
		 c->conns, c->in_pkts, c->out_pkts, c->in_bytes, c->out_bytes);
	append_trimmed(list, line);
}

/* A service's sums hold those of its removed servers, whether still waiting or gone. */
static void service_sum(struct scenario *s, const struct service *svc, struct server_counters *sum)
{
	const struct dataplane *dp = s->harness.dp;

	*sum = svc->rt->retired;
	for (uint32_t id = 1; id <= MAX_SERVERS; id++) {
		const struct server_rt *rt = runtime_server(&dp->pub.runtime, id);
		struct server_counters c;

		if (!rt || rt->service_id != svc->rt->id)
			continue;
		dataplane_server_counters(dp, id, &c);
		sum->conns += c.conns;
		sum->in_pkts += c.in_pkts;
		sum->out_pkts += c.out_pkts;
		sum->in_bytes += c.in_bytes;
		sum->out_bytes += c.out_bytes;
	}
}

static json_t *stats(struct scenario *s)
{
	json_t *list = json_array();
	const struct service *svc;
	char name[128], ep[ENDPOINT_STRLEN];
	struct server_counters c;

	SERVICES(s, svc)
	{
		service_sum(s, svc, &c);
		stats_line(list, service_name(svc, name, sizeof(name)), &c);
		for (uint32_t i = 0; i < svc->n_servers; i++) {
			dataplane_server_counters(s->harness.dp, svc->servers[i].rt->id, &c);
			snprintf(name, sizeof(name), "  -> %s", server_ep(&svc->servers[i], ep));
			stats_line(list, name, &c);
		}
	}
	return list;
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *state_of(const struct conn4 *c)
{
	if ((c->c.flags & CONN_F_TEMPLATE) && c->c.assured)
		return "ASSURED";
	return conn_state_names[c->c.state];
}

static json_t *conns(struct scenario *s)
{
	json_t *list = json_array();
	const struct table4 *t = &s->harness.dp->workers[0]->table4;
	char **lines = calloc(t->n + 1, sizeof(*lines));
	uint32_t n = 0;

	for (uint32_t i = 1; lines && i < t->unused; i++) {
		const struct conn4 *c = &t->conns[i];
		const struct endpoint ep[3] = {
			{.addr = addr_from_v4(c->caddr), .port = c->cport},
			{.addr = addr_from_v4(c->vaddr), .port = c->vport},
			{.addr = addr_from_v4(c->daddr), .port = c->dport},
		};
		const uint8_t proto = c->c.proto & (uint8_t)~PROTO_TEMPLATE;
		char text[3][ENDPOINT_STRLEN], line[LINE];

		if (!(c->c.flags & CONN_F_LIVE))
			continue;
		for (unsigned int k = 0; k < 3; k++)
			endpoint_format(&ep[k], text[k], sizeof(text[k]));
		snprintf(line, sizeof(line), "%s %s %s %s %s",
			 proto == IPPROTO_TCP	? "TCP"
			 : proto == IPPROTO_UDP ? "UDP"
						: "IP",
			 text[0], text[1], text[2], state_of(c));
		lines[n++] = strdup(line);
	}
	qsort(lines, n, sizeof(*lines), line_cmp);
	for (uint32_t i = 0; i < n; i++) {
		json_array_append_new(list, json_string(lines[i]));
		free(lines[i]);
	}
	free(lines);
	return list;
}

json_t *scenario_final(struct scenario *s)
{
	return json_pack("{s:o, s:o, s:o}", "list", scenario_list(s), "stats", stats(s), "conns",
			 conns(s));
}
