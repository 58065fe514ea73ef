/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/*
 * From JSON to objects and back, by the rows of the schema. object_value.c has what needs no
 * JSON.
 */

#define MAX_KEYS 64 /* of one object, inlined ones included */

static void *at(void *base, uint16_t offset)
{
	return (char *)base + offset;
}

static const void *at_const(const void *base, uint16_t offset)
{
	return (const char *)base + offset;
}

/* ---- parsing ---- */

static uint16_t keys_list(const struct config_object *o, const char **names, uint16_t n)
{
	for (uint16_t i = 0; i < o->n && n < MAX_KEYS; i++) {
		if (o->fields[i].type == TYPE_INLINE)
			n = keys_list(o->fields[i].object, names, n);
		else
			names[n++] = o->fields[i].name;
	}
	return n;
}

static void unknown_key(struct config_context *ctx, const struct config_object *o, const char *key)
{
	const char *names[MAX_KEYS + 1];
	char quoted[CONFIG_QUOTE_LEN];
	struct config_hint hint = {.at_key = true};
	uint16_t n = keys_list(o, names, 0);

	names[n] = NULL;
	hint.suggestion = text_near_miss(key, names);
	context_push_key(ctx, key);
	config_quote(key, quoted);
	if (hint.suggestion)
		config_report(ctx, -EINVAL, &hint, "%s is not a key of %s (did you mean \"%s\"?)",
			      quoted, o->noun, hint.suggestion);
	else
		config_report(ctx, -EINVAL, &hint, "%s is not a key of %s", quoted, o->noun);
	context_pop(ctx);
}

/* The field of a key and the struct that it lives in. */
static const struct config_field *field_find(const struct config_object *o, const char *key,
					     void **base, const struct config_object **owner)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->type == TYPE_INLINE) {
			void *inner = at(*base, f->offset);
			const struct config_field *found =
				field_find(f->object, key, &inner, owner);

			if (!found)
				continue;
			*base = inner;
			return found;
		}
		if (strcmp(f->name, key) == 0) {
			*owner = o;
			return f;
		}
	}
	return NULL;
}

int config_nulls_check(struct config_context *ctx, const struct config_object *o, const json_t *set)
{
	const char *key;
	json_t *value;
	int ret = 0;

	json_object_foreach ((json_t *)(uintptr_t)set, key, value) {
		const struct config_object *owner;
		const struct config_field *f;
		char nowhere;
		void *base = &nowhere;

		if (!json_is_null(value) && !json_is_object(value))
			continue;
		f = field_find(o, key, &base, &owner);
		if (!f && json_is_null(value)) {
			unknown_key(ctx, o, key);
			ret = -EINVAL;
		} else if (f && f->type == TYPE_OBJECT && json_is_object(value)) {
			context_push_key(ctx, key);
			if (config_nulls_check(ctx, f->object, value) < 0)
				ret = -EINVAL;
			context_pop(ctx);
		}
	}
	return ret;
}

static int item_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		      void *item)
{
	if (f->type == TYPE_OBJECT)
		return config_object_parse(ctx, f->object, json, item);
	if (config_scalar_parse(ctx, f, json, item) < 0)
		return -EINVAL;
	return f->check ? f->check(ctx, item) : 0;
}

static int list_size_check(struct config_context *ctx, const struct config_field *f, size_t n)
{
	if (n < f->least) {
		config_report(ctx, -EINVAL, NULL, "missing: expected at least one");
		return -EINVAL;
	}
	if (n <= config_field_most(f))
		return 0;
	config_report(ctx, -ENOSPC, NULL, "%zu entries are more than the limit of %u%s%s%s", n,
		      (unsigned int)config_field_most(f), f->max_name ? " (" : "",
		      f->max_name ? f->max_name : "", f->max_name ? ")" : "");
	return -EINVAL;
}

/* An element that is wrong is left empty (NULL, or all zero), so that checks which need
 * more than one key go on with the others. */
static void item_forget(const struct config_field *f, char *items, size_t i)
{
	if (f->shape == SHAPE_POINTERS) {
		void **item = (void **)items + i;

		config_item_fini(f, *item);
		free(*item);
		*item = NULL;
	} else {
		size_t size = config_scalar_size(f);

		config_item_fini(f, items + i * size);
		memset(items + i * size, 0, size);
	}
}

/* Element `number` of the list, into the place of entry i. Entries start as copies of model, the
 * defaults of their object (NULL: no object); what they inherit from around them is filled in by
 * who knows it (config_service_inherit()). */
static int entry_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		       char *items, size_t i, uint32_t number, const void *model)
{
	const size_t size = config_scalar_size(f);
	const bool pointers = f->shape == SHAPE_POINTERS;
	void *item = items + i * (pointers ? sizeof(void *) : size);
	int ret;

	if (pointers) {
		item = *(void **)item = calloc(1, size);
		if (!item) {
			config_report_memory(ctx);
			return -ENOMEM;
		}
	}
	if (model)
		memcpy(item, model, size);
	context_push_index(ctx, number);
	ret = item_parse(ctx, f, json, item);
	if (ret < 0)
		item_forget(f, items, i);
	if (f->object == &config_object_server)
		((struct config_server *)item)->written = number;
	context_pop(ctx);
	return ret;
}

/* The entries that an element stands for: more than one in a list of servers. */
static uint32_t entries_of(const struct config_field *f, const json_t *json, uint32_t *first)
{
	return f->object == &config_object_server ? config_server_range(json, first) : 1;
}

/* Returns -ENOMEM at once; other errors are reported, and the last of them is returned. */
static int entries_parse(struct config_context *ctx, const struct config_field *f,
			 const json_t *list, char *items, const void *model)
{
	const json_t *json;
	size_t i = 0, at_entry = 0;
	int ret = 0;

	json_array_foreach (list, i, json) {
		uint32_t first = 0, n = entries_of(f, json, &first);

		for (uint32_t k = 0; k < n; k++, at_entry++) {
			json_t *one = n > 1 ? config_server_of_range(json, first + k) : NULL;
			int rc;

			if (n > 1 && !one) {
				config_report_memory(ctx);
				return -ENOMEM;
			}
			rc = entry_parse(ctx, f, one ? one : json, items, at_entry, (uint32_t)i,
					 model);
			json_decref(one);
			if (rc == -ENOMEM)
				return rc;
			ret = rc < 0 ? rc : ret;
		}
	}
	return ret;
}

static int elements_parse(struct config_context *ctx, const struct config_field *f,
			  const json_t *list, char *items)
{
	void *model = NULL;
	int ret;

	if (config_field_is_object(f)) {
		model = calloc(1, f->object->size);
		if (!model) {
			config_report_memory(ctx);
			return -ENOMEM;
		}
		config_object_init(f->object, ctx->schedulers, model);
	}
	ret = entries_parse(ctx, f, list, items, model);
	free(model); /* owns nothing */
	return ret;
}

static int list_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		      void *base)
{
	const size_t size = config_scalar_size(f);
	const json_t *element;
	uint32_t first;
	size_t n = 0, i;
	char *items;

	json_array_foreach (json, i, element)
		n += entries_of(f, element, &first);
	if (list_size_check(ctx, f, n) < 0)
		return -EINVAL;
	items = calloc(n ? n : 1, f->shape == SHAPE_POINTERS ? sizeof(void *) : size);
	if (!items) {
		config_report_memory(ctx);
		return -ENOMEM;
	}
	*(char **)at(base, f->offset) = items;
	*(uint32_t *)at(base, f->count_offset) = (uint32_t)n;
	return elements_parse(ctx, f, json, items);
}

/* Parses a value in place of a list, as a list of one entry. */
static int single_parse(struct config_context *ctx, const struct config_field *f,
			const json_t *json, void *base)
{
	void *item = calloc(1, config_scalar_size(f));
	int ret;

	if (!item) {
		config_report_memory(ctx);
		return -ENOMEM;
	}
	ret = item_parse(ctx, f, json, item);
	*(void **)at(base, f->offset) = item;
	*(uint32_t *)at(base, f->count_offset) = 1;
	return ret;
}

static int field_parse(struct config_context *ctx, const struct config_object *o,
		       const struct config_field *f, const json_t *json, void *base)
{
	int ret;

	if (f->shape == SHAPE_ONE)
		ret = item_parse(ctx, f, json, at(base, f->offset));
	else if (json_is_array(json))
		ret = list_parse(ctx, f, json, base);
	else if (f->shape == SHAPE_ONE_OR_LIST)
		ret = single_parse(ctx, f, json, base);
	else {
		struct config_hint hint = {.expected = "a list"};

		config_report(ctx, -EINVAL, &hint, "expected a list");
		ret = -EINVAL;
	}
	if (ret == 0 && f->set_bit)
		*(uint64_t *)at(base, o->set_offset) |= 1ULL << f->set_bit;
	return ret;
}

int config_object_parse(struct config_context *ctx, const struct config_object *o,
			const json_t *json, void *base)
{
	const char *key;
	json_t *value;
	int ret = 0;

	if (!json_is_object(json)) {
		struct config_hint hint = {.expected = "an object"};

		config_report(ctx, -EINVAL, &hint, "expected an object: %s in { }", o->noun);
		return -EINVAL;
	}
	json_object_foreach ((json_t *)(uintptr_t)json, key, value) {
		const struct config_object *owner = o;
		void *in = base;
		const struct config_field *f = field_find(o, key, &in, &owner);

		if (!f) {
			unknown_key(ctx, o, key);
			ret = -EINVAL;
			continue;
		}
		if (!config_row_takes_part(f, WALK_PARSE, 0))
			continue;
		context_push_key(ctx, key);
		if (field_parse(ctx, owner, f, value, in) < 0)
			ret = -EINVAL;
		context_pop(ctx);
	}
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];
		char expect[CONFIG_EXPECT_LEN];
		struct config_hint hint = {.expected = expect};

		if (!(f->flags & FIELD_REQUIRED) || json_object_get(json, f->name))
			continue;
		context_push_key(ctx, f->name);
		config_report(ctx, -EINVAL, &hint, "missing: expected %s",
			      config_scalar_expect(f, ctx->schedulers, expect));
		context_pop(ctx);
		ret = -EINVAL;
	}
	if (ret == 0 && o->check)
		o->check(ctx, base);
	return ret;
}

/* ---- inheritance ---- */

static void fields_inherit(const struct config_object *o, struct config_policy *policy,
			   const struct config_policy *from)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (!config_row_takes_part(f, WALK_INHERIT, 0))
			continue;
		if (config_field_is_object(f))
			fields_inherit(f->object, policy, from);
		else if (!(policy->set & 1ULL << f->set_bit))
			memcpy(at(policy, f->offset), at_const(from, f->offset),
			       config_scalar_size(f));
	}
}

void config_policy_inherit(struct config_policy *policy, const struct config_policy *from)
{
	fields_inherit(&config_object_policy, policy, from);
}

/* IPVS's sysctls as the kernel ships them; docs/compatibility.md. */
static const struct config_policy ipvs_policy = {
	.service = {
		.on_removed = ON_REMOVED_KEEP, /* expire_nodest_conn = 0 */
		.reuse = REUSE_CLOSED,	       /* conn_reuse_mode = 1 */
		.unknown = UNKNOWN_LINUX,
		.unknown_reply = REPLY_ROUTE,
		.any_flags = true,
		.sloppy_tcp = false,	   /* sloppy_tcp = 0 */
		.nat_icmp_send = false,	   /* nat_icmp_send = 0 */
		.expire_quiescent = false, /* expire_quiescent_template = 0 */
		.sequence_check = false,   /* IPVS looks at no sequence number */
		.extension_s = 60,	   /* no sysctl: recorded */
	}};

static const char *const ipvs_keys[] = {
	"on_server_gone", "conn_reuse",	   "unknown",	       "unknown_reply", "any_flags",
	"sloppy_tcp",	  "nat_icmp_send", "expire_quiescent", "extension",	"sequence_check"};

static void compat_fill(const struct config_object *o, struct config_policy *defaults)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (config_field_is_object(f))
			compat_fill(f->object, defaults);
		for (size_t k = 0; !config_field_is_object(f) && k < ARRAY_LEN(ipvs_keys); k++)
			if (strcmp(f->name, ipvs_keys[k]) == 0 &&
			    !(defaults->set & 1ULL << f->set_bit))
				memcpy(at(defaults, f->offset), at_const(&ipvs_policy, f->offset),
				       config_scalar_size(f));
	}
}

void config_policy_compat(struct config_policy *defaults, enum config_compat compat)
{
	if (compat == CONFIG_COMPAT_IPVS)
		compat_fill(&config_object_policy, defaults);
}
