/* SPDX-License-Identifier: BSD-3-Clause */
/* Services and their real servers, as ipvsadm users expect them: a service, and its
 * servers indented below it, in the scheduler's order. */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

static double effective_weight(const json_t *server)
{
	return view_number(server, json_is_number(view_at(server, "effective_weight"))
					   ? "effective_weight"
					   : "weight");
}

static const char *server_state(const json_t *server, char buf[64])
{
	const char *state = json_is_true(view_at(server, "overloaded")) ? "overloaded" : "up";
	const char *health = view_text(server, "health");

	if (json_is_integer(view_at(server, "weight")) && effective_weight(server) < 1)
		state = "quiesced";
	if (*health && strcmp(health, "up") != 0)
		return view_health_state(server, buf);
	/* Up, and passed over all the same. */
	if (json_is_true(view_at(server, "down")))
		return json_is_true(view_at(server, "sorry")) ? "in reserve"
		       : *health			      ? "not chosen"
							      : "down";
	return strcmp(view_text(server, "admin"), "up") == 0 ? "forced up" : state;
}

static void weight_cell(struct table *t, const json_t *server)
{
	double effective = effective_weight(server), configured = view_number(server, "weight");

	if (!json_is_number(view_at(server, "weight")))
		table_cell(t, STYLE_NONE, NULL);
	else if (effective < configured || effective > configured)
		table_cellf(t, STYLE_NONE, "%.0f of %.0f", effective, configured);
	else
		table_cellf(t, STYLE_NONE, "%.0f", configured);
}

static void value_cell(struct table *t, const json_t *object, const char *path, enum format format)
{
	char *text = view_format(t->out, view_at(object, path), format);

	table_cell(t, STYLE_NONE, text);
	free(text);
}

/* What a narrow terminal leaves out, rather than break every line. */
static bool with_packets(const struct out *out)
{
	return out->width == 0 || out->width >= 125;
}

static bool with_bits(const struct out *out)
{
	return out->width == 0 || out->width >= 100;
}

static void rate_cells(struct table *t, const json_t *object)
{
	value_cell(t, object, "rates.conns", FORMAT_COUNT);
	if (with_packets(t->out)) {
		value_cell(t, object, "rates.in_pkts", FORMAT_COUNT);
		value_cell(t, object, "rates.out_pkts", FORMAT_COUNT);
	}
	if (with_bits(t->out)) {
		value_cell(t, object, "rates.in_bytes", FORMAT_BITS);
		value_cell(t, object, "rates.out_bytes", FORMAT_BITS);
	}
}

static void columns_add(struct table *t)
{
	bool exact = t->out->numeric;

	table_column(t, "SERVICE / SERVER", false);
	/* A service has a scheduler, a server a forwarding method: one column, as in ipvsadm. */
	table_column(t, "METHOD", false);
	table_column(t, "WEIGHT", true);
	table_column(t, "ACTIVE", true);
	table_column(t, "INACTIVE", true);
	table_column(t, "CONN/S", true);
	if (with_packets(t->out)) {
		table_column(t, "IN PKT/S", true);
		table_column(t, "OUT PKT/S", true);
	}
	if (with_bits(t->out)) {
		table_column(t, exact ? "IN BYTE/S" : "IN BIT/S", true);
		table_column(t, exact ? "OUT BYTE/S" : "OUT BIT/S", true);
	}
	table_column(t, "STATE", false);
}

static double servers_sum(const json_t *service, const char *key)
{
	const json_t *servers = json_object_get(service, "servers"), *server;
	double sum = 0;
	size_t i;

	json_array_foreach (servers, i, server)
		sum += view_number(server, key);
	return sum;
}

static void service_row(struct table *t, const json_t *service)
{
	const char *name = view_text(service, "name"), *key = view_text(service, "key");
	char active[UNIT_STRLEN], inactive[UNIT_STRLEN];
	bool any = json_array_size(json_object_get(service, "servers"));

	if (*name)
		table_cellf(t, STYLE_BOLD, "%s (%s)", key, name);
	else
		table_cell(t, STYLE_BOLD, *key ? key : "?");
	value_cell(t, service, "scheduler", FORMAT_TEXT);
	table_cell(t, STYLE_NONE, "");
	table_cell(t, STYLE_NONE,
		   count_format(servers_sum(service, "active"), t->out->numeric, active));
	table_cell(t, STYLE_NONE,
		   count_format(servers_sum(service, "inactive"), t->out->numeric, inactive));
	rate_cells(t, service);
	if (json_is_true(view_at(service, "quorum_lost")))
		table_cell(t, STYLE_BAD, "quorum lost");
	else
		table_cell(t, any ? STYLE_NONE : STYLE_WARN, any ? "" : "no servers");
	table_row(t);
}

static void server_row(struct table *t, const json_t *service, const json_t *server,
		       const char *indent)
{
	const char *forward = view_text(server, "forward");
	char buf[64];
	const char *state = server_state(server, buf);

	table_cellf(t, STYLE_NONE, "%s%s", indent, view_text(server, "address"));
	table_cell(t, STYLE_NONE, *forward ? forward : view_text(service, "forward"));
	weight_cell(t, server);
	value_cell(t, server, "active", FORMAT_COUNT);
	value_cell(t, server, "inactive", FORMAT_COUNT);
	rate_cells(t, server);
	table_cell(t, view_state_style(state), state);
	table_row(t);
}

void view_services(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *services = json_object_get(result, "services"), *service, *server;
	bool brief = inv && json_object_get(inv->local, "brief");
	struct table t;
	size_t i, k;

	if (!json_array_size(services)) {
		fprintf(out->file, "no services\n");
		return;
	}
	table_init(&t, out);
	columns_add(&t);
	json_array_foreach (services, i, service) {
		const json_t *servers = json_object_get(service, "servers");

		service_row(&t, service);
		if (brief)
			continue;
		json_array_foreach (servers, k, server)
			server_row(&t, service, server, "  ");
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
			fprintf(out->file, "; weight %.0f by ", effective_weight(server));
			text_put(out->file, source);
			fprintf(out->file, ", configured %.0f, bounds %.0f to %.0f",
				view_number(server, "weight"), low, high);
		}
		fputc('\n', out->file);
	}
}

/* What became of clients' SYNs, of servers that have been sent any. */
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
}
