/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <string.h>

/* A configuration without secrets, for those who may only read. */

#define HIDDEN "(hidden)"
#define OTHER  "(hidden, changed)"

/* "Authorization: (hidden)": the name of a header is no secret. */
static json_t *hidden(const json_t *value, const char *word)
{
	const char *text = json_string_value(value), *colon = text ? strchr(text, ':') : NULL;

	if (!colon)
		return json_string(word);
	return json_sprintf("%.*s: %s", (int)(colon - text), text, word);
}

static void value_hide(json_t *at, const char *key, const json_t *was)
{
	json_t *value = json_object_get(at, key);
	const char *word = was && !json_equal(value, was) ? OTHER : HIDDEN;
	size_t i, n = json_array_size(value);

	for (i = 0; i < n; i++)
		json_array_set_new(value, i, hidden(json_array_get(value, i), word));
	if (value && !json_is_array(value))
		json_object_set_new(at, key, hidden(value, word));
}

/* was: an earlier value to be compared with, or NULL. */
static void object_hide(const struct config_object *o, json_t *at, const json_t *was)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];
		const char *name = f->name ? f->name : "";
		json_t *value = json_object_get(at, name), *item;
		const json_t *old = json_object_get(was, name);
		size_t k;

		if (f->type == TYPE_INLINE) {
			object_hide(f->object, at, was);
		} else if (f->object && json_is_array(value)) {
			json_array_foreach (value, k, item)
				object_hide(f->object, item, json_array_get(old, k));
		} else if (f->object && value) {
			object_hide(f->object, value, old);
		} else if (value && f->flags & FIELD_SECRET) {
			value_hide(at, f->name, old);
		}
	}
}

void config_hide_secrets(json_t *json)
{
	object_hide(&config_object_root, json, NULL);
}

void config_hide_change(const struct config_object *o, json_t *before, json_t *after)
{
	object_hide(o, after, before);
	object_hide(o, before, NULL);
}
