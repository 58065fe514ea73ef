/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plvsctl proc FILE: the text of /proc/net/ip_vs, ip_vs_conn and ip_vs_stats, for scripts that
 * read these files. Numbers are hexadecimal where the kernel's are; times of persistence are in
 * ticks of 10 ms.
 */
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/ipvsadm/adm_internal.h"

#define TICKS	      100 /* a second */
#define ADDRESS_LEN   48
#define FORWARD_WIDTH 7

/* "C0000201", or with all its digits "2001:0db8:0000:...:0001". */
static const char *address_text(const struct addr *a, char buf[ADDRESS_LEN])
{
	size_t at = 0;

	if (a->family != ADDR_V6) {
		snprintf(buf, ADDRESS_LEN, "%08X", be32_to(a->v4));
		return buf;
	}
	for (int i = 0; i < 16; i += 2)
		at += (size_t)snprintf(buf + at, ADDRESS_LEN - at, "%s%02x%02x", i ? ":" : "",
				       a->v6[i], a->v6[i + 1]);
	return buf;
}

/* The same with its port; IPv6 in brackets. */
static const char *endpoint_text(const struct endpoint *ep, char buf[ADDRESS_LEN + 16])
{
	char addr[ADDRESS_LEN];

	snprintf(buf, ADDRESS_LEN + 16, ep->addr.family == ADDR_V6 ? "[%s]:%04X" : "%s:%04X",
		 address_text(&ep->addr, addr), be16_to(ep->port));
	return buf;
}

/* --- ip_vs --- */

/* "FFFFFF00"; of IPv6 the prefix length, with its bytes the other way round. */
static uint32_t mask_word(const struct adm_service *s, const char *mask)
{
	struct addr a;

	if (adm_is_ipv6(s))
		return __builtin_bswap32(*mask ? (uint32_t)atoi(mask) : 128);
	return *mask && addr_parse(mask, &a) == 0 ? be32_to(a.v4) : UINT32_MAX;
}

static void put_service(const struct adm *a, const struct adm_entry *e)
{
	const char *scheduler = adm_scheduler(a, e->service);
	const bool ops = adm_ops(a, e->service);
	char text[ADDRESS_LEN + 16], mask[ADM_MASK_LEN];
	uint32_t persist = adm_persist(a, &e->s, e->service, mask);

	if (e->s.mark)
		fprintf(a->out, "FWM  %08X %s %s", e->s.mark, scheduler, ops ? "ops " : "");
	else if (adm_is_ipv6(&e->s))
		fprintf(a->out, "%s  %s %s ", e->s.proto == IPPROTO_UDP ? "UDP" : "TCP",
			endpoint_text(&e->s.ep, text), scheduler);
	else
		fprintf(a->out, "%s  %s %s %s ", e->s.proto == IPPROTO_UDP ? "UDP" : "TCP",
			endpoint_text(&e->s.ep, text), scheduler, ops ? "ops " : "");
	if (persist)
		fprintf(a->out, "persistent %u %08X", persist * TICKS, mask_word(&e->s, mask));
	fputc('\n', a->out);
}

static void put_server(const struct adm *a, const struct adm_entry *e)
{
	const json_t *live = adm_live_server(a, e);
	char text[ADDRESS_LEN + 16];

	fprintf(a->out, "  -> %s      %-*s %-6d %-10d %-10d\n", endpoint_text(&e->ep, text),
		FORWARD_WIDTH, adm_forward_text(adm_forward(a, e->service, e->server)),
		(int)adm_member(e->server, "weight", 1), (int)adm_member(live, "active", 0),
		(int)adm_member(live, "inactive", 0));
}

static int services_put(struct adm *a)
{
	struct adm_entry *services, *servers;
	size_t n, n_servers;
	int ret = adm_live_ask(a);

	if (ret)
		return ret;
	fprintf(a->out, "IP Virtual Server version 1.2.1 (size=4096)\n"
			"Prot LocalAddress:Port Scheduler Flags\n"
			"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n");
	services = adm_sorted_services(a, false, &n);
	for (size_t i = 0; services && i < n; i++) {
		put_service(a, &services[i]);
		servers = adm_sorted_servers(&services[i], false, &n_servers);
		for (size_t k = 0; servers && k < n_servers; k++)
			put_server(a, &servers[k]);
		free(servers);
	}
	free(services);
	return ADM_OK;
}

/* --- ip_vs_conn --- */

static void row_endpoint(const json_t *row, const char *key, struct endpoint *ep)
{
	const char *text = json_string_value(json_object_get(row, key));

	memset(ep, 0, sizeof(*ep));
	if (text && endpoint_parse(text, ep) < 0)
		(void)addr_parse(text, &ep->addr);
}

static int rows_put(void *arg, json_t *rows)
{
	const struct adm *a = arg;
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *name = json_string_value(json_object_get(row, "protocol"));
		const char *state = json_string_value(json_object_get(row, "state"));
		const char *to = json_string_value(json_object_get(row, "virtual"));
		const double left = json_number_value(json_object_get(row, "expires_s"));
		struct endpoint client, virtual, server;
		char text[3][ADDRESS_LEN];

		row_endpoint(row, "client", &client);
		row_endpoint(row, "virtual", &virtual);
		row_endpoint(row, "server", &server);
		/* A mark stands where the first word of the address does. */
		if (virtual.addr.family == ADDR_NONE && to)
			virtual.addr = (struct addr){
				.family = client.addr.family,
				.v4 = be32_from((uint32_t)strtoul(to, NULL, 10))};
		fprintf(a->out, "%-3s %s %04X %s %04X %s %04X %-11s %7u\n",
			name && strcasecmp(name, "tcp") == 0   ? "TCP"
			: name && strcasecmp(name, "udp") == 0 ? "UDP"
							       : "IP",
			address_text(&client.addr, text[0]), be16_to(client.port),
			address_text(&virtual.addr, text[1]), be16_to(virtual.port),
			address_text(&server.addr, text[2]), be16_to(server.port),
			state ? state : "NONE", left > 0 ? (unsigned int)left : 0);
	}
	return ferror(a->out);
}

static int connections_put(struct adm *a)
{
	json_t *result;
	int ret;

	fprintf(a->out, "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName "
			"PEData\n");
	ret = adm_ask(a, "connection.list", NULL, rows_put, a, &result);
	if (ret == 0)
		json_decref(result);
	return ret;
}

/* --- ip_vs_stats --- */

static void sums_put(const struct adm *a, const char *member)
{
	static const char *const names[] = {"conns", "in_pkts", "out_pkts", "in_bytes",
					    "out_bytes"};
	unsigned long long sum[5] = {0};
	const char *key;
	json_t *service;

	json_object_foreach (a->live, key, service) {
		const json_t *counts = json_object_get(service, member);

		for (int i = 0; i < 5; i++)
			sum[i] += (unsigned long long)llround(
				json_number_value(json_object_get(counts, names[i])));
	}
	fprintf(a->out, "%8llX %8llX %8llX %16llX %16llX\n", sum[0], sum[1], sum[2], sum[3],
		sum[4]);
}

static int stats_put(struct adm *a)
{
	int ret = adm_live_ask(a);

	if (ret)
		return ret;
	fprintf(a->out, "   Total Incoming Outgoing         Incoming         Outgoing\n"
			"   Conns  Packets  Packets            Bytes            Bytes\n");
	sums_put(a, "counters");
	fprintf(a->out, "\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n");
	sums_put(a, "rates");
	return ADM_OK;
}

int adm_proc(struct adm *a, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	const char *name = slash ? slash + 1 : file;

	if (name && strcmp(name, "ip_vs") == 0)
		return services_put(a);
	if (name && strcmp(name, "ip_vs_conn") == 0)
		return connections_put(a);
	if (name && strcmp(name, "ip_vs_stats") == 0)
		return stats_put(a);
	return adm_fail(a, ADM_USAGE, "plvsctl proc: expected ip_vs, ip_vs_conn or ip_vs_stats");
}
