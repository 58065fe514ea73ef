/* SPDX-License-Identifier: BSD-3-Clause */
/* The listings of ipvsadm and of the kernel's connection table, line by line. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/scenario.h"

#define LINE 256

static void append_trimmed(json_t *list, char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == ' ')
		line[--n] = '\0';
	json_array_append_new(list, json_string(line));
}

void line_service(json_t *list, const struct service_words *w)
{
	const char *kind = w->scheduler[0] == 's' ? "sh" : "mh";
	char line[LINE];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s %s", w->name, w->scheduler);

	if (w->fallback || w->port) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, " (");
		if (w->fallback)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s-fallback%s", kind,
					      w->port ? "," : ")");
		if (w->port)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s-port)", kind);
	}
	if (w->persist_s)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " persistent %u", w->persist_s);
	if (w->persist_s && w->v6 && w->netmask_len < 128) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, " mask %u", w->netmask_len);
	} else if (w->persist_s && !w->v6 && w->netmask_len && w->netmask_len < 32) {
		struct in_addr mask = {htonl(~0U << (32 - w->netmask_len))};

		n += (size_t)snprintf(line + n, sizeof(line) - n, " mask %s", inet_ntoa(mask));
	}
	if (w->one_packet)
		snprintf(line + n, sizeof(line) - n, " ops");
	append_trimmed(list, line);
}

void line_server(json_t *list, const char *name, const char *method, unsigned int weight,
		 unsigned int active, unsigned int inactive)
{
	char line[LINE];

	snprintf(line, sizeof(line), "  -> %-28s %-7s %-6u %-10u %-10u", name, method, weight,
		 active, inactive);
	append_trimmed(list, line);
}

void line_stats(json_t *list, const char *name, const struct traffic_words *w)
{
	char line[LINE];

	snprintf(line, sizeof(line),
		 "%-33s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64, name,
		 w->conns, w->in_pkts, w->out_pkts, w->in_bytes, w->out_bytes);
	append_trimmed(list, line);
}

void line_conn(json_t *list, const char *proto, const char *const endpoints[3], const char *state)
{
	char line[LINE];

	snprintf(line, sizeof(line), "%s %s %s %s %s", proto, endpoints[0], endpoints[1],
		 endpoints[2], state);
	append_trimmed(list, line);
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a),
		      json_string_value(*(json_t *const *)b));
}

void lines_sort(json_t *list)
{
	size_t n = json_array_size(list);
	json_t **lines = calloc(n + 1, sizeof(*lines));

	for (size_t i = 0; lines && i < n; i++)
		lines[i] = json_incref(json_array_get(list, i));
	if (lines)
		qsort(lines, n, sizeof(*lines), line_cmp);
	for (size_t i = 0; lines && i < n; i++)
		json_array_set_new(list, i, lines[i]);
	free(lines);
}
