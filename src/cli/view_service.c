/* SPDX-License-Identifier: BSD-3-Clause */
/* Services and their real servers, as ipvsadm users expect them: a service, and its
 * servers indented below it, in the scheduler's order. */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

void view_services(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *services = json_object_get(result, "services"), *service, *server;
	const struct tree_view view = {&shown_service, &shown_server, shown_service.columns,
				       shown_server.columns, false};
	bool brief = inv && json_object_get(inv->local, "brief");
	struct table t;
	size_t i, k;

	if (!json_array_size(services)) {
		fprintf(out->file, "no services\n");
		return;
	}
	view_tree_init(&t, out, &view);
	json_array_foreach (services, i, service) {
		const json_t *servers = json_object_get(service, "servers");

		view_outer_row(&t, &view, service);
		if (brief)
			continue;
		json_array_foreach (servers, k, server)
			view_inner_row(&t, &view, server, service);
	}
	table_end(&t);
}

/* Keys that the table of the servers, or the table below it, shows. */
static bool key_is_plain(const char *key)
{
	return strcmp(key, "servers") != 0 && strcmp(key, "counters") != 0 &&
	       strcmp(key, "rates") != 0 && strcmp(key, "removed_servers") != 0;
}

/* Servers that are removed and still have connections. */
static void removed_print(const struct out *out, const json_t *service)
{
	const json_t *server;
	size_t i;

	json_array_foreach (json_object_get(service, "removed_servers"), i, server) {
		fprintf(out->file, "%sremoved           ", i ? "" : "\n");
		text_put(out->file, view_text(server, "address"));
		fprintf(out->file, "  %.0f connections left, ", view_number(server, "connections"));
		text_put(out->file, view_text(server, "on_server_gone"));
		if (json_object_get(server, "drain_left_s"))
			fprintf(out->file, ", %.0f s left", view_number(server, "drain_left_s"));
		fputc('\n', out->file);
	}
}

/* Weights that are not as configured, and who made them so; why servers are not up. */
static void weights_print(const struct out *out, const json_t *service)
{
	const json_t *server;
	bool first = true;
	size_t i;

	json_array_foreach (json_object_get(service, "servers"), i, server) {
		const char *health = view_text(server, "health");
		const char *source = view_text(server, "weight_source");
		bool advised = *source && strcmp(source, "configuration") != 0;
		double low = view_number(server, "weight_low");
		double high = view_number(server, "weight_high");

		if (!advised && (!*health || strcmp(health, "up") == 0))
			continue;
		fprintf(out->file, "%shealth            ", first ? "\n" : "");
		first = false;
		text_put(out->file, view_text(server, "address"));
		fputs("  ", out->file);
		text_put(out->file, health);
		fputs(": ", out->file);
		text_put(out->file, view_text(server, "reason"));
		if (advised) {
			fprintf(out->file, "; weight %.0f by ", view_weight(server));
			text_put(out->file, source);
			fprintf(out->file, ", configured %.0f, bounds %.0f to %.0f",
				view_number(server, "weight"), low, high);
		}
		fputc('\n', out->file);
	}
}

/* The fate of clients' SYNs, of servers that have been sent any. */
static void handshakes_print(const struct out *out, const json_t *service)
{
	const json_t *server, *h;
	bool first = true;
	size_t i;

	json_array_foreach (json_object_get(service, "servers"), i, server) {
		h = json_object_get(server, "handshakes");
		if (!h)
			continue;
		fprintf(out->file, "%shandshakes        ", first ? "\n" : "");
		first = false;
		text_put(out->file, view_text(server, "address"));
		fprintf(out->file,
			"  %.0f SYNs: %.0f answered after %.3f ms, %.0f refused, %.0f silent\n",
			view_number(h, "syns"), view_number(h, "answers"),
			view_number(h, "answer_mean_us") / 1000, view_number(h, "refused"),
			view_number(h, "no_answer"));
	}
}

static void timeouts_print(const struct out *out, const json_t *timeouts)
{
	json_t *object = (json_t *)(uintptr_t)timeouts, *value;
	const char *state, *sep = "\ntime-outs         ";

	json_object_foreach (object, state, value) {
		char text[UNIT_STRLEN];

		fputs(sep, out->file);
		text_put(out->file, state);
		fprintf(out->file, " %s", age_format(json_number_value(value), out->numeric, text));
		sep = ", ";
	}
	if (json_object_size(timeouts))
		fputc('\n', out->file);
}

void view_service(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *service = json_object_get(result, "service"), *value;
	struct json_t *object = (struct json_t *)(uintptr_t)service, *wrapped;
	const char *key;

	(void)inv;
	if (!json_is_object(service)) {
		view_json(out, result);
		return;
	}
	json_object_foreach (object, key, value) {
		char *text;

		if (!key_is_plain(key))
			continue;
		text = view_format(out, value, FORMAT_TEXT);
		text_put(out->file, key);
		fprintf(out->file, "%*s", text_width(key) < 18 ? (int)(18 - text_width(key)) : 1,
			"");
		text_put(out->file, text ? text : "-");
		fputc('\n', out->file);
		free(text);
	}
	fputc('\n', out->file);
	wrapped = json_pack("{s:[O]}", "services", object);
	view_services(out, wrapped, NULL);
	json_decref(wrapped);
	weights_print(out, service);
	handshakes_print(out, service);
	removed_print(out, service);
	timeouts_print(out, json_object_get(result, "timeouts"));
}
