/* SPDX-License-Identifier: BSD-3-Clause */
/* The answer of explain in lines, in the order of the packet's way. */
#include <stdio.h>
#include <string.h>

#include "cli/view.h"

#define SERVERS_SHOWN 64

static void key_put(const struct out *out, const char *key)
{
	fprintf(out->file, "%s%-12s%s", style_on(out, STYLE_DIM), key, style_off(out, STYLE_DIM));
}

static void line_put(const struct out *out, const char *key, const char *text)
{
	key_put(out, key);
	text_put(out->file, text);
	fputc('\n', out->file);
}

static void packet_put(const struct out *out, const json_t *p)
{
	key_put(out, "packet");
	text_put(out->file, view_text(p, "text"));
	fprintf(out->file, ", %s", *view_text(p, "link") ? "on link " : "on port ");
	text_put(out->file, *view_text(p, "link") ? view_text(p, "link") : view_text(p, "port"));
	if (*view_text(p, "direction"))
		fprintf(out->file, ", direction %s",
			strcmp(view_text(p, "direction"), "in") == 0
				? "in (client to VIP)"
				: "out (real server to client)");
	fputc('\n', out->file);
}

static void match_put(const struct out *out, const json_t *result)
{
	const json_t *mark = json_object_get(result, "mark");
	const json_t *service = json_object_get(result, "service");

	if (mark) {
		key_put(out, "mark rule");
		fprintf(out->file, "rule %.0f sets mark %.0f\n", view_number(mark, "rule"),
			view_number(mark, "mark"));
	}
	if (!service)
		return;
	key_put(out, "service");
	text_put(out->file, view_text(service, "service"));
	fputs(", by ", out->file);
	text_put(out->file, view_text(service, "by"));
	fputc('\n', out->file);
}

static void template_put(const struct out *out, const json_t *t)
{
	if (!t)
		return;
	key_put(out, "template");
	if (json_is_true(json_object_get(t, "found"))) {
		fputs("of the client's network, to ", out->file);
		text_put(out->file, view_text(t, "server"));
	} else {
		fputs("none yet: one is made", out->file);
	}
	fprintf(out->file, "; worker %.0f keeps it for %.0f s\n", view_number(t, "home"),
		view_number(t, "timeout_s"));
}

static void scheduler_put(const struct out *out, const json_t *sched)
{
	const json_t *s;
	struct table t;
	size_t i;

	if (!sched)
		return;
	key_put(out, "scheduler");
	text_put(out->file, view_text(sched, "name"));
	fputs(*view_text(sched, "choice") ? " chooses " : " finds no server", out->file);
	text_put(out->file, view_text(sched, "choice"));
	fprintf(out->file, "; cursor %.0f, then %.0f\n", view_number(sched, "cursor"),
		view_number(sched, "cursor_after"));
	table_init(&t, out);
	table_column(&t, "            SERVER", false);
	table_column(&t, "WEIGHT", true);
	table_column(&t, "ACTIVE", true);
	table_column(&t, "INACTIVE", true);
	table_column(&t, "LOAD", true);
	table_column(&t, "NOT CHOSEN", false);
	json_array_foreach (json_object_get(sched, "servers"), i, s) {
		if (i == SERVERS_SHOWN)
			break;
		table_cellf(&t, STYLE_NONE, "            %s", view_text(s, "server"));
		table_cellf(&t, STYLE_NONE, "%.0f", view_number(s, "weight"));
		table_cellf(&t, STYLE_NONE, "%.0f", view_number(s, "active"));
		table_cellf(&t, STYLE_NONE, "%.0f", view_number(s, "inactive"));
		table_cellf(&t, STYLE_NONE, "%.0f", view_number(s, "load"));
		table_cell(&t, STYLE_WARN, view_text(s, "not_chosen"));
		table_row(&t);
	}
	table_end(&t);
	if (json_array_size(json_object_get(sched, "servers")) > SERVERS_SHOWN)
		fprintf(out->file, "            %zu more\n",
			json_array_size(json_object_get(sched, "servers")) - SERVERS_SHOWN);
}

/* How the server is told the client's address. */
static void header_put(const struct out *out, const json_t *a)
{
	if (!a)
		return;
	key_put(out, "header");
	text_put(out->file, view_text(a, "by"));
	fprintf(out->file, ", %.0f bytes, ", view_number(a, "bytes"));
	text_put(out->file, view_text(a, "header"));
	fputc('\n', out->file);
}

static void connection_put(const struct out *out, const json_t *c)
{
	if (!c)
		return;
	key_put(out, "connection");
	fputs(json_is_true(json_object_get(c, "made"))	  ? "new: "
	      : json_is_true(json_object_get(c, "found")) ? "found: "
							  : "",
	      out->file);
	text_put(out->file, view_text(c, "client"));
	fputs(" > ", out->file);
	text_put(out->file, view_text(c, "virtual"));
	fputs(", state ", out->file);
	if (*view_text(c, "state_before") &&
	    strcmp(view_text(c, "state_before"), view_text(c, "state")) != 0) {
		text_put(out->file, view_text(c, "state_before"));
		fputs(", then ", out->file);
	}
	text_put(out->file, view_text(c, "state"));
	fprintf(out->file, ", for %.0f s\n", view_number(c, "expires_s"));
	key_put(out, "server");
	text_put(out->file, view_text(c, "server"));
	fputs(" by ", out->file);
	text_put(out->file, view_text(c, "method"));
	fputc('\n', out->file);
	header_put(out, json_object_get(c, "client_address"));
}

static void nexthop_put(const struct out *out, const json_t *result)
{
	const json_t *nh = json_object_get(result, "nexthop");
	const json_t *size = json_object_get(result, "size");

	if (nh) {
		key_put(out, "next hop");
		text_put(out->file, view_text(nh, "address"));
		fputs(" on ", out->file);
		text_put(out->file, view_text(nh, "link"));
		if (*view_text(nh, "mac")) {
			fputs(", MAC ", out->file);
			text_put(out->file, view_text(nh, "mac"));
		}
		fputs(", ", out->file);
		text_put(out->file, view_text(nh, "state"));
		fputc('\n', out->file);
	}
	if (size) {
		key_put(out, "size");
		fprintf(out->file, "%.0f bytes of at most %.0f\n", view_number(size, "length"),
			view_number(size, "mtu"));
	}
}

static void frames_put(const struct out *out, const char *key, const json_t *frames)
{
	const json_t *f;
	size_t i;

	json_array_foreach (frames, i, f) {
		key_put(out, key);
		text_put(out->file, view_text(f, "text"));
		fputs(", from ", out->file);
		text_put(out->file, view_text(f, "mac_source"));
		fputs(" to ", out->file);
		text_put(out->file, view_text(f, "mac_destination"));
		fputs(" on port ", out->file);
		text_put(out->file, view_text(f, "port"));
		fputc('\n', out->file);
	}
}

static void owner_put(const struct out *out, const json_t *result)
{
	const json_t *legs = json_object_get(result, "workers"), *l;
	size_t i;

	if (!json_is_integer(json_object_get(result, "owner")))
		return;
	key_put(out, "owner");
	fprintf(out->file, "worker %.0f", view_number(result, "owner"));
	json_array_foreach (legs, i, l)
		if (json_is_integer(json_object_get(l, "to")))
			fprintf(out->file, "; worker %.0f hands it to worker %.0f",
				view_number(l, "worker"), view_number(l, "to"));
	fputc('\n', out->file);
}

static const char *verdict_words(const char *door)
{
	static const struct {
		const char *door, *words;
	} words[] = {
		{"sent", "sent"},
		{"handed_off", "handed to another worker"},
		{"punted", "given to Linux"},
		{"answered", "answered by the router"},
		{"dropped", "dropped"},
		{"parked", "waits: its next hop is being asked for, or its first fragment"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].door, door) == 0)
			return words[i].words;
	return door;
}

static void verdict_put(const struct out *out, const json_t *v)
{
	const char *door = view_text(v, "door");
	const enum style style = strcmp(door, "dropped") == 0 ? STYLE_BAD : STYLE_GOOD;

	if (!v)
		return;
	key_put(out, "verdict");
	fputs(style_on(out, style), out->file);
	text_put(out->file, verdict_words(door));
	fputs(style_off(out, style), out->file);
	if (*view_text(v, "reason")) {
		fputs(" (", out->file);
		text_put(out->file, view_text(v, "reason"));
		fputs(": ", out->file);
		text_put(out->file, view_text(v, "help"));
		fputc(')', out->file);
	}
	fputs(", in stage ", out->file);
	text_put(out->file, view_text(v, "stage"));
	fputc('\n', out->file);
}

void view_explain(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	packet_put(out, json_object_get(result, "packet"));
	match_put(out, result);
	template_put(out, json_object_get(result, "template"));
	scheduler_put(out, json_object_get(result, "scheduler"));
	connection_put(out, json_object_get(result, "connection"));
	owner_put(out, result);
	nexthop_put(out, result);
	frames_put(out, "leaves", json_object_get(result, "sent"));
	frames_put(out, "told", json_object_get(result, "told"));
	if (!json_object_get(result, "verdict"))
		line_put(out, "verdict", "none");
	verdict_put(out, json_object_get(result, "verdict"));
}
