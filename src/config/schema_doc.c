/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The schema for programs (JSON) and for people (tables of docs/configuration.md). */

static const char *const type_names[] = {
	[TYPE_BOOL] = "boolean",
	[TYPE_UINT] = "number",
	[TYPE_PORT] = "number",
	[TYPE_SECONDS] = "time",
	[TYPE_MS] = "time",
	[TYPE_MODE] = "mode",
	[TYPE_ENUM] = "word",
	[TYPE_SCHEDULER] = "word",
	[TYPE_FLAGS] = "words",
	[TYPE_STRING] = "string",
	[TYPE_BYTES] = "string",
	[TYPE_ADDRESS] = "address",
	[TYPE_HOST] = "address",
	[TYPE_ROUTE] = "route",
	[TYPE_ENDPOINT] = "address:port",
	[TYPE_SERVER] = "address:port",
	[TYPE_NETMASK] = "netmask",
	[TYPE_MATCH] = "prefix",
	[TYPE_PORTS] = "ports",
	[TYPE_CHECKS] = "checks",
	[TYPE_STATUS] = "status",
	[TYPE_OBJECT] = "object",
	[TYPE_INLINE] = "object",
};

/* The default as JSON, or NULL: there is none, or only words for it. */
static json_t *default_json(const struct config_field *f, const char *const *schedulers)
{
	uint64_t value[4] = {0};

	if (f->flags & FIELD_REQUIRED || f->shape != SHAPE_ONE || f->object)
		return NULL;
	if (f->type == TYPE_BYTES || f->type == TYPE_HOST)
		return NULL;
	if (f->type == TYPE_STRING)
		return f->def_text ? json_string(f->def_text) : NULL;
	if (f->type != TYPE_SCHEDULER && f->def_text)
		return NULL;
	if (f->type == TYPE_UINT && f->def < f->min)
		return NULL; /* left out is not the same as zero */
	if (f->type == TYPE_ENUM && f->values)
		return NULL;
	config_scalar_default(f, schedulers, value);
	return config_scalar_to_json(f, value);
}

/* ---- JSON ---- */

static json_t *object_schema(const struct config_object *o, const char *const *schedulers);

static json_t *names_schema(const char *const *names)
{
	json_t *list = json_array();

	for (size_t i = 0; names[i]; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static void set_text(json_t *out, const char *key, const char *text)
{
	if (text)
		json_object_set_new(out, key, json_string(text));
}

static json_t *field_schema(const struct config_field *f, const char *const *schedulers)
{
	json_t *out = json_object();
	json_t *def = default_json(f, schedulers);
	char expect[CONFIG_EXPECT_LEN];

	set_text(out, "type", type_names[f->type]);
	if (f->shape != SHAPE_ONE)
		json_object_set_new(out, "list", json_true());
	if (f->flags & FIELD_REQUIRED)
		json_object_set_new(out, "required", json_true());
	set_text(out, "unit",
		 f->type == TYPE_SECONDS ? "seconds"
		 : f->type == TYPE_MS	 ? "milliseconds"
					 : f->unit);
	if (def)
		json_object_set_new(out, "default", def);
	if (f->type == TYPE_UINT || f->type == TYPE_PORT || f->type == TYPE_SECONDS ||
	    f->type == TYPE_MS || f->type == TYPE_NETMASK) {
		json_object_set_new(out, "minimum", json_integer((json_int_t)f->min));
		json_object_set_new(out, "maximum", json_integer((json_int_t)f->max));
	} else if (f->shape != SHAPE_ONE) {
		json_object_set_new(out, "maximum_entries",
				    json_integer((json_int_t)config_field_most(f)));
	}
	if (f->names)
		json_object_set_new(out, "values", names_schema(f->names));
	if (f->type == TYPE_SCHEDULER)
		json_object_set_new(out, "values", names_schema(schedulers));
	if (f->object)
		json_object_set_new(out, "keys", object_schema(f->object, schedulers));
	else
		set_text(out, "expected", config_scalar_expect(f, schedulers, expect));
	set_text(out, "help", f->help);
	return out;
}

static void fields_schema(json_t *keys, const struct config_object *o,
			  const char *const *schedulers)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->type == TYPE_INLINE)
			fields_schema(keys, f->object, schedulers);
		else
			json_object_set_new(keys, f->name, field_schema(f, schedulers));
	}
}

static json_t *object_schema(const struct config_object *o, const char *const *schedulers)
{
	json_t *keys = json_object();

	fields_schema(keys, o, schedulers);
	return keys;
}

json_t *config_schema_json(const char *const *schedulers)
{
	json_t *out = json_object();

	json_object_set_new(out, "type", json_string("object"));
	json_object_set_new(out, "keys", object_schema(&config_object_root, schedulers));
	return out;
}

/* ---- tables ---- */

struct table {
	FILE *out;
	const char *const *schedulers;
};

static void names_print(FILE *out, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		fprintf(out, "%s`%s`", i ? ", " : "", names[i]);
}

static void type_print(const struct table *t, const struct config_field *f)
{
	char a[CONFIG_EXPECT_LEN];

	if (f->shape == SHAPE_LIST || f->shape == SHAPE_POINTERS)
		fprintf(t->out, "list of ");
	if (f->object)
		fprintf(t->out, "%s", f->shape == SHAPE_ONE ? "object" : "objects");
	else if (f->type == TYPE_SCHEDULER)
		names_print(t->out, t->schedulers);
	else if (f->names)
		names_print(t->out, f->names);
	else if (f->type == TYPE_UINT || f->type == TYPE_PORT)
		fprintf(t->out, "number, %" PRIu64 " to %" PRIu64 "%s%s", f->min, f->max,
			f->unit ? " " : "", f->unit ? f->unit : "");
	else if (f->type == TYPE_STRING || f->type == TYPE_BYTES)
		fprintf(t->out, "string: %s", config_scalar_expect(f, t->schedulers, a));
	else
		fprintf(t->out, "%s", type_names[f->type]);
	if (f->shape == SHAPE_ONE_OR_LIST)
		fprintf(t->out, ", or a list of them");
	if (f->shape != SHAPE_ONE)
		fprintf(t->out, ", at most %" PRIu64, config_field_most(f));
}

static void default_print(const struct table *t, const struct config_field *f)
{
	json_t *def = default_json(f, t->schedulers);
	char *text = def ? json_dumps(def, JSON_ENCODE_ANY) : NULL;

	if (f->flags & FIELD_REQUIRED)
		fprintf(t->out, "required");
	else if (text)
		fprintf(t->out, "`%s`", text);
	else if (f->def_text)
		fprintf(t->out, "%s", f->def_text);
	free(text);
	json_decref(def);
}

static void row_print(const struct table *t, const struct config_field *f)
{
	fprintf(t->out, "| `%s` | ", f->name);
	type_print(t, f);
	fprintf(t->out, " | ");
	default_print(t, f);
	fprintf(t->out, " | %s |\n", f->help ? f->help : "");
}

/* Inline keys stand among those of the object, but policies that stand in shared.defaults, too. */
static void rows_print(const struct table *t, const struct config_object *o)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->type != TYPE_INLINE)
			row_print(t, f);
		else if (f->object == &config_object_policy)
			fprintf(t->out, "| every key of `shared.defaults` | | as there | for this "
					"object alone |\n");
		else
			rows_print(t, f->object);
	}
}

static void objects_print(const struct table *t, const struct config_object *o, const char *path);

static void object_print(const struct table *t, const struct config_object *o, const char *path)
{
	fprintf(t->out, "\n### %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
		path[0] ? path : "The document");
	rows_print(t, o);
	objects_print(t, o, path);
}

/* Prints the objects below an object. */
static void objects_print(const struct table *t, const struct config_object *o, const char *path)
{
	char inner[256];

	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->type == TYPE_INLINE && f->object != &config_object_policy)
			objects_print(t, f->object, path);
		if (f->type != TYPE_OBJECT)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s%s", path, path[0] ? "." : "", f->name,
			 f->shape == SHAPE_ONE ? "" : "[]");
		object_print(t, f->object, inner);
	}
}

char *config_schema_markdown(const char *const *schedulers)
{
	char *text = NULL;
	size_t n = 0;
	struct table t = {.out = open_memstream(&text, &n), .schedulers = schedulers};

	if (!t.out)
		return NULL;
	object_print(&t, &config_object_root, "");
	if (fclose(t.out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
