/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl top: the router, then services and their servers, sorted, filtered, scrolled. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/live.h"
#include "cli/session.h"
#include "cli/view.h"

#define FILTER_MAX 40

struct top {
	int sort;    /* the key that chose it */
	size_t skip; /* lines of the table that are scrolled away */
	size_t page; /* lines of the table that fit */
	bool typing; /* the filter */
	char filter[FILTER_MAX + 1];
};

static int top_sort;

static double sort_value(const json_t *o)
{
	const json_t *servers = json_object_get(o, "servers"), *server;
	double sum = view_number(o, "active");
	size_t i;

	switch (top_sort) {
	case 'p':
		return view_number(o, "rates.in_pkts") + view_number(o, "rates.out_pkts");
	case 'b':
		return view_number(o, "rates.in_bytes") + view_number(o, "rates.out_bytes");
	case 'a':
		json_array_foreach (servers, i, server)
			sum += view_number(server, "active");
		return sum;
	default:
		return view_number(o, "rates.conns");
	}
}

static int services_cmp(const void *a, const void *b)
{
	double x = sort_value(*(json_t *const *)a), y = sort_value(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* A copy of the array, sorted; the router's order is kept for 'n'. */
static json_t *services_sort(const json_t *services, int sort)
{
	size_t n = json_array_size(services);
	json_t *sorted = json_array(), **list = calloc(n + 1, sizeof(*list));

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_array_get(services, i);
	top_sort = sort;
	if (list && sort != 'n')
		qsort(list, n, sizeof(*list), services_cmp);
	for (size_t i = 0; list && i < n; i++)
		json_array_append(sorted, list[i]);
	free(list);
	return sorted;
}

static void top_drops(struct session *s, const json_t *drops)
{
	const json_t *row;
	bool any = false;
	size_t i;

	json_array_foreach (drops, i, row) {
		char buf[UNIT_STRLEN];

		if (view_number(row, "rate") == 0)
			continue;
		fputs(any ? ", " : "drops/s        ", s->out.file);
		text_put(s->out.file, view_text(row, "name"));
		fprintf(s->out.file, " %s",
			count_format(view_number(row, "rate"), s->out.numeric, buf));
		any = true;
	}
	if (any)
		fputc('\n', s->out.file);
}

/* The columns that the order is of. */
static const char *sort_columns(int sort)
{
	return sort == 'p' ? "_pkts" : sort == 'b' ? "_bytes" : NULL;
}

/* Whether a service, or one of its servers, has the text in its name. */
static bool service_matches(const json_t *service, const char *filter)
{
	const json_t *servers = json_object_get(service, "servers"), *server;
	size_t i;

	if (strcasestr(view_text(service, "key"), filter) ||
	    strcasestr(view_text(service, "name"), filter))
		return true;
	json_array_foreach (servers, i, server)
		if (strcasestr(view_text(server, "address"), filter))
			return true;
	return false;
}

/* New reference. */
static json_t *services_filter(const json_t *services, const char *filter)
{
	json_t *out = json_array(), *service;
	size_t i;

	json_array_foreach (services, i, service)
		if (service_matches(service, filter))
			json_array_append(out, service);
	return out;
}

/* The head of the table, and of its other lines those that are not scrolled away. */
static void lines_put(FILE *f, struct top *top, const char *text, size_t used, int height)
{
	const char *p = strchr(text, '\n');
	size_t lines = 0;

	for (const char *q = text; (q = strchr(q, '\n')); q++)
		lines++;
	lines -= lines > 0;
	top->page = height > 0 && (size_t)height > used + 1 ? (size_t)height - used - 1 : 1;
	if (top->skip + top->page > lines)
		top->skip = lines > top->page ? lines - top->page : 0;
	if (!p) {
		fputs(text, f);
		return;
	}
	fprintf(f, "%.*s", (int)(p + 1 - text), text);
	for (size_t i = 0; i < top->skip && p; i++)
		p = strchr(p + 1, '\n');
	if (p)
		fputs(p + 1, f);
}

/* On the alternate screen. used: lines above the table. */
static void table_scrolled(struct session *s, struct top *top, const json_t *services, size_t used)
{
	struct out out = s->out;
	char *text = NULL;
	size_t len;

	out.file = open_memstream(&text, &len);
	if (!out.file)
		return;
	out.errors = out.file;
	out.named = sort_columns(top->sort);
	view_services(&out, services, NULL);
	fclose(out.file);
	lines_put(s->out.file, top, text, used, s->out.height);
	free(text);
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

static void top_help(const struct session *s, const struct top *top)
{
	static const struct {
		int key;
		const char *text;
	} keys[] = {{'c', "c conn/s"},
		    {'p', "p pkt/s"},
		    {'b', "b bit/s"},
		    {'a', "a active"},
		    {'n', "n none"}};

	fputs("q quit, / filter, sort by: ", s->out.file);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		enum style style = keys[i].key == top->sort ? STYLE_BOLD : STYLE_NONE;

		fprintf(s->out.file, "%s%s%s%s", i ? "  " : "", style_on(&s->out, style),
			keys[i].text, style_off(&s->out, style));
	}
	fputc('\n', s->out.file);
	if (top->typing || top->filter[0]) {
		fputs("filter: ", s->out.file);
		text_put(s->out.file, top->filter);
		fputs(top->typing ? "_" : "", s->out.file);
	}
	fputc('\n', s->out.file);
}

/* Prints the head above the table. */
static void top_head(struct session *s, const struct top *top, const json_t *status,
		     const json_t *counters)
{
	view_status(&s->out, status, NULL);
	top_drops(s, json_object_get(counters, "drops"));
	if (s->out.tty)
		top_help(s, top);
	else
		fputc('\n', s->out.file);
}

static void top_services(struct session *s, struct top *top, const json_t *services, size_t used)
{
	json_t *wanted = services_filter(services, top->filter);
	json_t *sorted = json_pack("{s:o}", "services", services_sort(wanted, top->sort));

	if (s->out.tty)
		table_scrolled(s, top, sorted, used);
	else
		view_services(&s->out, sorted, NULL);
	json_decref(sorted);
	json_decref(wanted);
}

static void top_draw(struct session *s, struct top *top, const json_t *status,
		     const json_t *services, const json_t *counters)
{
	FILE *file = s->out.file;
	char *head = NULL;
	size_t len;

	s->out.file = open_memstream(&head, &len);
	if (!s->out.file) {
		s->out.file = file;
		return;
	}
	top_head(s, top, status, counters);
	fclose(s->out.file);
	s->out.file = file;
	fputs(head, file);
	top_services(s, top, json_object_get(services, "services"), lines_of(head));
	free(head);
}

static int top_picture(struct session *s, void *arg)
{
	struct top *top = arg;
	json_t *status = NULL, *services = NULL, *counters = NULL, *params;
	int code;

	params = json_pack("{s:s}", "object", "drops");
	code = session_call(s, "status", NULL, &status);
	if (!code)
		code = session_call(s, "service.list", NULL, &services);
	if (!code)
		code = session_call(s, "counter.list", params, &counters);
	json_decref(params);
	if (!code && s->out.json) {
		struct out out = s->out;
		json_t *doc = json_pack("{s:O, s:O*, s:O*}", "status", status, "services",
					json_object_get(services, "services"), "drops",
					json_object_get(counters, "drops"));

		out.tty = false;
		view_json(&out, doc);
		json_decref(doc);
	} else if (!code) {
		top_draw(s, top, status, services, counters);
	}
	json_decref(status);
	json_decref(services);
	json_decref(counters);
	return code;
}

static void filter_key(struct top *top, int key)
{
	size_t n = strlen(top->filter);

	if (key == '\r' || key == '\n') {
		top->typing = false;
	} else if (key == LIVE_ESCAPE) {
		top->typing = false;
		top->filter[0] = '\0';
	} else if (key == 8 || key == 127) {
		top->filter[n ? n - 1 : 0] = '\0';
	} else if (key > ' ' && key < 127 && n < FILTER_MAX) {
		top->filter[n] = (char)key;
		top->filter[n + 1] = '\0';
	}
}

static void scroll_key(struct top *top, int key)
{
	const size_t page = top->page > 1 ? top->page - 1 : 1;

	if (key == LIVE_UP || key == 'k')
		top->skip -= top->skip > 0;
	else if (key == LIVE_DOWN || key == 'j')
		top->skip++;
	else if (key == LIVE_PAGE_UP)
		top->skip -= top->skip < page ? top->skip : page;
	else if (key == LIVE_PAGE_DOWN || key == ' ')
		top->skip += page;
	else if (key == LIVE_HOME)
		top->skip = 0;
	else if (key == LIVE_END)
		top->skip = SIZE_MAX / 2;
}

static void top_key(void *arg, int key)
{
	struct top *top = arg;

	if (top->typing)
		filter_key(top, key);
	else if (key == '/')
		top->typing = true;
	else if (key == LIVE_ESCAPE)
		top->filter[0] = '\0';
	else if (key < 128 && strchr("cpban", key))
		top->sort = key;
	else
		scroll_key(top, key);
}

int run_top(struct session *s, const struct invocation *inv)
{
	struct top top = {.sort = 'c'};

	return live_run(s, inv, top_picture, top_key, &top.typing, &top);
}
