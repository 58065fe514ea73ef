/* SPDX-License-Identifier: BSD-3-Clause */
/* The listings out of plvs's answers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "golden/live.h"

static const char *upper(const char *protocol)
{
	return strcmp(protocol, "tcp") == 0 ? "TCP" : strcmp(protocol, "udp") == 0 ? "UDP" : "IP";
}

static bool has(const json_t *list, const char *word)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (strcmp(json_string_value(v), word) == 0)
			return true;
	return false;
}

/* A number of seconds, or a text such as "300s" or "5m". */
static unsigned int seconds_of(const json_t *v)
{
	char unit = 's';
	unsigned int n = 0;

	if (json_is_integer(v))
		return (unsigned int)json_integer_value(v);
	if (json_is_string(v) && sscanf(json_string_value(v), "%u%c", &n, &unit) >= 1)
		return n * (unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 1);
	return 0;
}

/* A length, or a mask in dots. */
static unsigned int netmask_of(const json_t *v)
{
	const char *text = json_string_value(v);

	if (json_is_integer(v))
		return (unsigned int)json_integer_value(v);
	return text ? (unsigned int)__builtin_popcount(ipv4(text)) : 0;
}

static void words_of(const json_t *svc, struct service_words *w)
{
	const json_t *p = json_object_get(svc, "persistence"), *listen;

	*w = (struct service_words){
		.scheduler = text_of(svc, "scheduler"),
		.fallback = has(json_object_get(svc, "scheduler_flags"), "fallback"),
		.port = has(json_object_get(svc, "scheduler_flags"), "port"),
		.one_packet = json_is_true(json_object_get(svc, "one_packet")),
		.persist_s = seconds_of(json_object_get(p, "timeout")),
		.netmask_len = netmask_of(json_object_get(p, "netmask")),
	};
	const char *family = text_of(svc, "family");
	listen = json_object_get(svc, "listen");
	if (json_is_array(listen))
		listen = json_array_get(listen, 0);
	w->v6 = family ? strcmp(family, "ipv6") == 0
		       : listen && strchr(json_string_value(listen), '[');
	if (w->netmask_len == 0)
		w->netmask_len = w->v6 ? 128 : 32;
	if (number_of(svc, "mark", 0))
		snprintf(w->name, sizeof(w->name), "FWM  %d%s", number_of(svc, "mark", 0),
			 w->v6 ? " IPv6" : "");
	else
		snprintf(w->name, sizeof(w->name), "%s  %s", upper(text_of(svc, "protocol")),
			 json_string_value(listen));
}

static const char *method_of(const json_t *srv, const json_t *svc)
{
	static const char *const names[][2] = {
		{"dr", "Route"}, {"tunnel", "Tunnel"}, {"local", "Local"}};
	const char *forward = text_of(srv, "forward");

	if (!forward)
		forward = text_of(svc, "forward");
	for (size_t i = 0; forward && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(forward, names[i][0]) == 0)
			return names[i][1];
	return "Masq";
}

/* As ipvsadm names a server: under a mark its port is 0. */
static const char *name_of(const json_t *srv, char buf[ENDPOINT_STRLEN])
{
	const char *text = text_of(srv, "address");

	if (text[0] != '[' && strchr(text, ':') != strrchr(text, ':'))
		snprintf(buf, ENDPOINT_STRLEN, "[%s]:0", text);
	else
		snprintf(buf, ENDPOINT_STRLEN, "%s%s", text,
			 text[0] == '[' || strchr(text, ':') ? "" : ":0");
	return buf;
}

json_t *live_list(struct scenario *s)
{
	json_t *answer = live_ask(s, "service.list", NULL, NULL), *list = json_array();
	const json_t *svc, *srv;
	size_t i, k;

	json_array_foreach (json_object_get(answer, "services"), i, svc) {
		struct service_words w;
		char ep[ENDPOINT_STRLEN];

		words_of(svc, &w);
		line_service(list, &w);
		json_array_foreach (json_object_get(svc, "servers"), k, srv)
			line_server(list, name_of(srv, ep), method_of(srv, svc),
				    (unsigned int)number_of(srv, "weight", 1),
				    (unsigned int)number_of(srv, "active", 0),
				    (unsigned int)number_of(srv, "inactive", 0));
	}
	json_decref(answer);
	return list;
}

static void stats_line(json_t *list, const char *name, const json_t *of)
{
	const json_t *c = json_object_get(of, "counters");
	const struct traffic_words w = {
		.conns = (uint64_t)json_integer_value(json_object_get(c, "conns")),
		.in_pkts = (uint64_t)json_integer_value(json_object_get(c, "in_pkts")),
		.out_pkts = (uint64_t)json_integer_value(json_object_get(c, "out_pkts")),
		.in_bytes = (uint64_t)json_integer_value(json_object_get(c, "in_bytes")),
		.out_bytes = (uint64_t)json_integer_value(json_object_get(c, "out_bytes")),
	};

	line_stats(list, name, &w);
}

json_t *live_stats(struct scenario *s)
{
	json_t *answer = live_ask(s, "service.list", NULL, NULL), *list = json_array();
	const json_t *svc, *srv;
	size_t i, k;

	json_array_foreach (json_object_get(answer, "services"), i, svc) {
		struct service_words w;

		words_of(svc, &w);
		stats_line(list, w.name, svc);
		json_array_foreach (json_object_get(svc, "servers"), k, srv) {
			char name[96], ep[ENDPOINT_STRLEN];

			snprintf(name, sizeof(name), "  -> %s", name_of(srv, ep));
			stats_line(list, name, srv);
		}
	}
	json_decref(answer);
	return list;
}

json_t *live_conns(struct scenario *s)
{
	json_t *rows = json_array(), *list = json_array(), *c;
	json_t *answer = live_ask(s, "connection.list", json_object(), rows);
	size_t i;

	json_array_foreach (rows, i, c) {
		const char *const ends[3] = {text_of(c, "client"), text_of(c, "virtual"),
					     text_of(c, "server")};

		line_conn(list, upper(text_of(c, "protocol")), ends, text_of(c, "state"));
	}
	lines_sort(list);
	json_decref(answer);
	json_decref(rows);
	return list;
}
