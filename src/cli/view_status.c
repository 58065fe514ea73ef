/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

#define LABEL_WIDTH 15

static void label_put(const struct out *out, const char *label)
{
	fprintf(out->file, "%s%s%s%*s", style_on(out, STYLE_BOLD), label,
		style_off(out, STYLE_BOLD), (int)(LABEL_WIDTH - strlen(label)), "");
}

static void value_put(const struct out *out, const json_t *json, const char *path,
		      enum format format, const char *unit)
{
	char *text = view_format(out, view_at(json, path), format);

	text_put(out->file, text ? text : "-");
	fputs(unit, out->file);
	free(text);
}

static void line_put(const struct out *out, const char *label, const json_t *json, const char *path,
		     enum format format)
{
	if (!view_at(json, path))
		return;
	label_put(out, label);
	value_put(out, json, path, format, "\n");
}

void view_version(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	line_put(out, "plvs", r, "version", FORMAT_TEXT);
	label_put(out, "plvsctl");
	fprintf(out->file, "%s\n", PLVS_VERSION);
	line_put(out, "on", r, "dpdk", FORMAT_TEXT);
	line_put(out, "process", r, "pid", FORMAT_ID);
	line_put(out, "up for", r, "uptime_s", FORMAT_SECONDS);
}

static void connections_put(const struct out *out, const json_t *r)
{
	double capacity = view_number(r, "connections.capacity");

	label_put(out, "connections");
	value_put(out, r, "connections.live", FORMAT_COUNT, ", room for ");
	value_put(out, r, "connections.capacity", FORMAT_COUNT, " of each family");
	if (capacity > 0)
		fprintf(out->file, " (IPv4 %.1f%%, IPv6 %.1f%% in use)",
			view_number(r, "connections.entries.ipv4") * 100 / capacity,
			view_number(r, "connections.entries.ipv6") * 100 / capacity);
	fputs(", ", out->file);
	value_put(out, r, "connections.embryonic", FORMAT_COUNT, " embryonic, ");
	value_put(out, r, "connections.not_assured", FORMAT_COUNT, " not assured, ");
	value_put(out, r, "connections.ending", FORMAT_COUNT, " ending, ");
	value_put(out, r, "connections.bytes", FORMAT_MEMORY, out->numeric ? " bytes\n" : "\n");
}

/* Only where the process before left something. */
static void kept_put(const struct out *out, const json_t *r)
{
	const char *from = json_string_value(view_at(r, "kept.from"));
	const char *fault = json_string_value(view_at(r, "kept.fault"));

	if (!from && !fault)
		return;
	label_put(out, "taken up");
	if (!from) {
		fputs("nothing: ", out->file);
		text_put(out->file, fault);
		fputc('\n', out->file);
		return;
	}
	value_put(out, r, "kept.connections", FORMAT_COUNT,
		  strcmp(from, "ledger") == 0 ? " connections of the killed process"
					      : " connections of the process before");
	fputs(", dropped: ", out->file);
	value_put(out, r, "kept.dropped.unknown_server", FORMAT_COUNT, " of unknown servers, ");
	value_put(out, r, "kept.dropped.half_written", FORMAT_COUNT, " half written, ");
	value_put(out, r, "kept.dropped.damaged", FORMAT_COUNT, " damaged, ");
	value_put(out, r, "kept.dropped.no_room", FORMAT_COUNT, " without room\n");
}

static void rates_put(const struct out *out, const json_t *r)
{
	const char *unit = out->numeric ? " byte/s" : "bit/s";

	label_put(out, "rates");
	value_put(out, r, "rates.conns", FORMAT_COUNT, " conn/s, in ");
	value_put(out, r, "rates.in_pkts", FORMAT_COUNT, " pkt/s ");
	value_put(out, r, "rates.in_bytes", FORMAT_BITS, unit);
	fputs(", out ", out->file);
	value_put(out, r, "rates.out_pkts", FORMAT_COUNT, " pkt/s ");
	value_put(out, r, "rates.out_bytes", FORMAT_BITS, unit);
	fputc('\n', out->file);
}

/* Prints a line as "12 sent, 3 dropped"; doors with a count of 0 are left out. */
static void doors_put(const struct out *out, const json_t *doors)
{
	struct json_t *object = (struct json_t *)(uintptr_t)doors;
	const json_t *value;
	const char *key, *sep = "";

	if (!json_is_object(doors))
		return;
	label_put(out, "packets");
	json_object_foreach (object, key, value) {
		if (!json_is_number(value) || json_number_value(value) == 0)
			continue;
		fputs(sep, out->file);
		value_put(out, object, key, FORMAT_COUNT, " ");
		text_put(out->file, key);
		sep = ", ";
	}
	fputs(*sep ? "\n" : "none yet\n", out->file);
}

void view_status(const struct out *out, const json_t *r, const struct invocation *inv)
{
	const json_t *warnings = json_object_get(r, "warnings"), *w;
	size_t i;

	(void)inv;
	label_put(out, "router");
	value_put(out, r, "name", FORMAT_TEXT, ", plvs ");
	value_put(out, r, "version", FORMAT_TEXT, ", process ");
	value_put(out, r, "pid", FORMAT_ID, ", up for ");
	value_put(out, r, "uptime_s", FORMAT_SECONDS, "\n");
	label_put(out, "configuration");
	value_put(out, r, "configuration.file", FORMAT_TEXT, ", generation ");
	value_put(out, r, "generation", FORMAT_ID, ", applied ");
	value_put(out, r, "configuration.applied_s", FORMAT_SECONDS, " ago\n");
	if (json_is_true(view_at(r, "configuration.unsaved"))) {
		label_put(out, "not saved");
		fputs("changes by command: `plvsctl config diff file` shows them, `plvsctl config "
		      "save` saves them\n",
		      out->file);
	}
	if (json_is_object(view_at(r, "trial"))) {
		label_put(out, "not confirmed");
		value_put(out, r, "trial.author", FORMAT_TEXT,
			  "'s configuration is taken back in ");
		value_put(out, r, "trial.left_s", FORMAT_SECONDS, ": plvsctl config confirm\n");
	}
	line_put(out, "digest", r, "configuration.digest", FORMAT_TEXT);
	label_put(out, "objects");
	value_put(out, r, "services", FORMAT_COUNT, " services, ");
	value_put(out, r, "servers", FORMAT_COUNT, " servers, ");
	value_put(out, r, "ports", FORMAT_COUNT, " ports, ");
	value_put(out, r, "workers", FORMAT_COUNT, " workers\n");
	connections_put(out, r);
	kept_put(out, r);
	rates_put(out, r);
	doors_put(out, json_object_get(r, "doors"));
	json_array_foreach (warnings, i, w) {
		const char *text = json_string_value(w);

		fprintf(out->file, "%swarning%s        ", style_on(out, STYLE_WARN),
			style_off(out, STYLE_WARN));
		text_put(out->file, text ? text : "?");
		fputc('\n', out->file);
	}
}

void view_count(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	value_put(out, r, "count", FORMAT_ID, "\n");
}

void view_level(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	value_put(out, r, "level", FORMAT_TEXT, "\n");
}

/* An object key by key; nested objects one level deep, as "nexthop.in". */
static void object_put(const struct out *out, const json_t *json, const char *prefix)
{
	struct json_t *object = (struct json_t *)(uintptr_t)json;
	const json_t *value;
	const char *key;
	char label[96];

	json_object_foreach (object, key, value) {
		char *text;
		size_t width;

		snprintf(label, sizeof(label), "%s%.60s", prefix, key);
		if (json_is_object(value) && !*prefix) {
			strncat(label, ".", sizeof(label) - strlen(label) - 1);
			object_put(out, value, label);
			continue;
		}
		text = view_format(out, value,
				   strstr(key, "_s") && !strstr(key, "_s")[2] ? FORMAT_SECONDS
									      : FORMAT_TEXT);
		width = text_width(label);
		text_put(out->file, label);
		fprintf(out->file, "%*s", width < 20 ? (int)(20 - width) : 1, "");
		text_put(out->file, text ? text : "-");
		fputc('\n', out->file);
		free(text);
	}
}

void view_connection(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	object_put(out, json_object_get(r, "connection"), "");
}
