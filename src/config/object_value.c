/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Values of objects by their schema: default, equality, copy and release. The functions walk
 * the rows, so a new row takes part in all four without code of its own. An object of the
 * schema without an offset of its own (`timeouts` of a policy) lives in the struct of the
 * object around it.
 *
 * Members of a struct that no row describes are derived (link ids, positions, digests): they
 * take no part in equality, and a copy has them bit by bit.
 */

static void *at(void *base, uint16_t offset)
{
	return (char *)base + offset;
}

static const void *at_const(const void *base, uint16_t offset)
{
	return (const char *)base + offset;
}

bool config_field_is_object(const struct config_field *f)
{
	return f->type == TYPE_OBJECT || f->type == TYPE_INLINE;
}

/* ---- default ---- */

void config_object_init(const struct config_object *o, const char *const *schedulers, void *base)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->shape != SHAPE_ONE)
			continue;
		if (config_field_is_object(f))
			config_object_init(f->object, schedulers, at(base, f->offset));
		else
			config_scalar_default(f, schedulers, at(base, f->offset));
	}
}

/* ---- release ---- */

/* Frees what an item owns, not the item. */
void config_item_fini(const struct config_field *f, void *item)
{
	if (config_field_is_object(f))
		config_object_fini(f->object, item);
	else if (f->type == TYPE_STRING)
		free(*(char **)item);
	else if (f->type == TYPE_BYTES && ((struct match *)item)->kind == f->kind)
		config_bytes_fini(item);
}

void config_object_fini(const struct config_object *o, void *base)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];
		size_t size = config_scalar_size(f);
		uint32_t n;
		char *items;

		if (f->shape == SHAPE_ONE) {
			config_item_fini(f, at(base, f->offset));
			continue;
		}
		n = *(uint32_t *)at(base, f->count_offset);
		items = *(char **)at(base, f->offset);
		for (uint32_t k = 0; k < n; k++) {
			void *item =
				f->shape == SHAPE_POINTERS ? ((void **)items)[k] : items + k * size;

			if (item)
				config_item_fini(f, item);
			if (f->shape == SHAPE_POINTERS)
				free(item);
		}
		free(items);
	}
}

/* ---- equality ---- */

static bool item_equal(const struct config_field *f, const void *a, const void *b, unsigned int but)
{
	return config_field_is_object(f) ? config_object_alike(f->object, a, b, but)
					 : config_scalar_equal(f, a, b);
}

static bool list_equal(const struct config_field *f, const void *a, const void *b, unsigned int but)
{
	uint32_t n = *(const uint32_t *)at_const(a, f->count_offset);
	const char *x = *(char *const *)at_const(a, f->offset);
	const char *y = *(char *const *)at_const(b, f->offset);
	size_t size = config_scalar_size(f);

	if (n != *(const uint32_t *)at_const(b, f->count_offset))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bool same =
			f->shape == SHAPE_POINTERS
				? item_equal(f, ((void *const *)x)[i], ((void *const *)y)[i], but)
				: item_equal(f, x + i * size, y + i * size, but);

		if (!same)
			return false;
	}
	return true;
}

static bool field_alike(const struct config_field *f, const void *a, const void *b,
			unsigned int but)
{
	if (!config_row_takes_part(f, WALK_COMPARE, but))
		return true;
	if (f->shape != SHAPE_ONE)
		return list_equal(f, a, b, but);
	return item_equal(f, at_const(a, f->offset), at_const(b, f->offset), but);
}

bool config_field_equal(const struct config_field *f, const void *a, const void *b)
{
	return field_alike(f, a, b, 0);
}

bool config_object_alike(const struct config_object *o, const void *a, const void *b,
			 unsigned int but)
{
	for (uint16_t i = 0; i < o->n; i++)
		if (!field_alike(&o->fields[i], a, b, but))
			return false;
	return true;
}

bool config_object_equal(const struct config_object *o, const void *a, const void *b)
{
	return config_object_alike(o, a, b, 0);
}

uint8_t config_object_changes(const struct config_object *o, const void *a, const void *b)
{
	uint8_t how = 0;

	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->type == TYPE_INLINE)
			how |= config_object_changes(f->object, at_const(a, f->offset),
						     at_const(b, f->offset));
		else if (!config_field_equal(f, a, b))
			how |= CHANGE_VALUE | f->changes;
	}
	return how;
}

/* ---- copy ---- */

/* Bytes of the original become bytes of its own. false: out of memory, and nothing is owned. */
static bool item_own(const struct config_field *f, void *item)
{
	char **text = item;

	if (config_field_is_object(f))
		return config_object_own(f->object, item);
	if (f->type == TYPE_BYTES)
		return ((struct match *)item)->kind != f->kind || config_bytes_own(item);
	if (f->type != TYPE_STRING || !*text)
		return true;
	*text = strdup(*text);
	return *text != NULL;
}

static bool list_own(const struct config_field *f, void *base)
{
	uint32_t *n = at(base, f->count_offset), all = *n;
	size_t size = f->shape == SHAPE_POINTERS ? sizeof(void *) : config_scalar_size(f);
	char **items = at(base, f->offset), *from = *items;
	bool ok = true;

	*n = 0;
	*items = malloc(all ? all * size : 1);
	if (!*items)
		return false;
	if (all)
		memcpy(*items, from, all * size);
	*n = all;
	for (uint32_t i = 0; i < all; i++) {
		void **pointer = (void **)*items + i, *item;

		if (f->shape != SHAPE_POINTERS) {
			ok = item_own(f, *items + i * size) && ok;
			continue;
		}
		item = malloc(config_scalar_size(f));
		if (item) {
			memcpy(item, *pointer, config_scalar_size(f));
			ok = item_own(f, item) && ok;
		}
		*pointer = item;
		ok = item && ok;
	}
	return ok;
}

bool config_object_own(const struct config_object *o, void *base)
{
	bool ok = true;

	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];

		if (f->shape == SHAPE_ONE)
			ok = item_own(f, at(base, f->offset)) && ok;
		else
			ok = list_own(f, base) && ok;
	}
	return ok;
}

int config_object_copy(const struct config_object *o, const void *from, void *to)
{
	memcpy(to, from, o->size);
	if (config_object_own(o, to))
		return 0;
	config_object_fini(o, to);
	memset(to, 0, o->size);
	return -ENOMEM;
}
