/* SPDX-License-Identifier: BSD-3-Clause */
/* Listings out of the snapshot, the counters and the table. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "golden/inside.h"
#include "sched/sched.h"

static void words_of(const struct service *svc, struct service_words *w)
{
	char ep[ENDPOINT_STRLEN];

	*w = (struct service_words){
		.scheduler = svc->sched->name,
		.fallback = svc->policy.scheduler_flags & 1U,
		.port = svc->policy.scheduler_flags & 2U,
		.one_packet = svc->policy.one_packet,
		.persist_s = svc->policy.persist_s,
		.netmask_len = (unsigned int)svc->policy.netmask,
		.v6 = svc->family == ADDR_V6,
	};
	if (svc->fwmark)
		snprintf(w->name, sizeof(w->name), "FWM  %u%s", svc->fwmark,
			 svc->family == ADDR_V6 ? " IPv6" : "");
	else
		snprintf(w->name, sizeof(w->name), "%s  %s",
			 svc->proto == IPPROTO_TCP ? "TCP" : "UDP",
			 endpoint_format(&svc->listen[0], ep, sizeof(ep)));
}

static const char *server_ep(const struct server *srv, char buf[ENDPOINT_STRLEN])
{
	const struct endpoint ep = {.addr = srv->addr, .port = srv->port};

	return endpoint_format(&ep, buf, ENDPOINT_STRLEN);
}

#define SERVICES(in, svc)                                                                          \
	for (uint32_t id_ = 1; id_ <= (in)->harness.dp->pub.snapshot->max_service_id; id_++)       \
		if (((svc) = (in)->harness.dp->pub.snapshot->services[id_]) != NULL)

json_t *inside_list(struct scenario *s)
{
	const struct inside *in = s->at;
	json_t *list = json_array();
	const struct service *svc;

	SERVICES(in, svc)
	{
		struct service_words w;

		words_of(svc, &w);
		line_service(list, &w);
		for (uint32_t i = 0; i < svc->n_servers; i++) {
			const struct server *srv = &svc->servers[i];
			uint64_t counts = server_rt_counts(srv->rt);
			char ep[ENDPOINT_STRLEN];

			line_server(list, server_ep(srv, ep), forward_ipvs_names[srv->method],
				    srv->weight, counts_active(counts), counts_inactive(counts));
		}
	}
	return list;
}

static void stats_line(json_t *list, const char *name, const struct server_counters *c)
{
	const struct traffic_words w = {.conns = c->conns,
					.in_pkts = c->in_pkts,
					.out_pkts = c->out_pkts,
					.in_bytes = c->in_bytes,
					.out_bytes = c->out_bytes};

	line_stats(list, name, &w);
}

/* A service's sums hold those of its removed servers, whether still waiting or gone. */
static void service_sum(const struct inside *in, const struct service *svc,
			struct server_counters *sum)
{
	const struct dataplane *dp = in->harness.dp;

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

json_t *inside_stats(struct scenario *s)
{
	const struct inside *in = s->at;
	json_t *list = json_array();
	const struct service *svc;
	char name[128], ep[ENDPOINT_STRLEN];
	struct server_counters c;

	SERVICES(in, svc)
	{
		struct service_words w;

		words_of(svc, &w);
		service_sum(in, svc, &c);
		stats_line(list, w.name, &c);
		for (uint32_t i = 0; i < svc->n_servers; i++) {
			dataplane_server_counters(in->harness.dp, svc->servers[i].rt->id, &c);
			snprintf(name, sizeof(name), "  -> %s", server_ep(&svc->servers[i], ep));
			stats_line(list, name, &c);
		}
	}
	return list;
}

static int conns_take(void *arg, const struct conn_view *v)
{
	const struct endpoint *const ep[3] = {&v->client, &v->virtual, &v->server};
	char text[3][ENDPOINT_STRLEN];
	const char *const names[3] = {text[0], text[1], text[2]};

	for (unsigned int k = 0; k < 3; k++)
		endpoint_format(ep[k], text[k], sizeof(text[k]));
	line_conn(arg,
		  v->proto == IPPROTO_TCP   ? "TCP"
		  : v->proto == IPPROTO_UDP ? "UDP"
					    : "IP",
		  names, conn_view_state(v));
	return 0;
}

/* By the command that control lists connections with. */
json_t *inside_conns(struct scenario *s)
{
	const struct inside *in = s->at;
	struct worker *w = in->harness.dp->workers[0];
	struct conn_view views[64];
	struct worker_command cmd = {.kind = CMD_LIST, .filter.state = -1, .eventfd = -1};
	json_t *list = json_array();

	do {
		cmd.views = views;
		cmd.n_max = 64;
		cmd.done = 0;
		if (rte_ring_enqueue(w->commands, &cmd) != 0)
			break;
		while (!cmd.done)
			command_run(w, false);
		for (uint32_t i = 0; i < cmd.n; i++)
			conns_take(list, &views[i]);
	} while (cmd.cursor != 0);
	lines_sort(list);
	return list;
}
