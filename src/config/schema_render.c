/* SPDX-License-Identifier: BSD-3-Clause */
/* From objects to a sink, by the rows of the schema. */
#include "config/render.h"

#include <errno.h>
#include <stdlib.h>

static const void *at_const(const void *base, uint16_t offset)
{
	return (const char *)base + offset;
}

static int list_render(struct config_sink *s, const struct config_field *f, const void *base,
		       enum config_style style)
{
	static const char *const none[] = {NULL};
	const uint32_t n = *(const uint32_t *)at_const(base, f->count_offset);
	const char *items = *(char *const *)at_const(base, f->offset);
	const size_t size = config_scalar_size(f);
	void *model = NULL;
	int ret = s->open(s, f->name, true);

	if (config_field_is_object(f)) {
		model = calloc(1, size);
		if (!model)
			return -ENOMEM;
		config_object_init(f->object, none, model);
	}
	for (uint32_t i = 0; ret == 0 && i < n; i++) {
		const void *item = items + i * size;

		if (!model) {
			ret = s->scalar(s, NULL, f, item);
			continue;
		}
		ret = s->open(s, NULL, false);
		if (ret == 0)
			ret = config_members_render(s, f->object, item, NULL, model, style);
		if (ret == 0)
			ret = s->close(s, true);
	}
	free(model);
	return ret == 0 ? s->close(s, true) : ret;
}

static bool scalar_is_said(const struct config_object *o, const struct config_field *f,
			   const void *base, const void *model, enum config_style style)
{
	const void *value = at_const(base, f->offset);

	if (f->type == TYPE_BYTES)
		return ((const struct match *)value)->kind == f->kind;
	if (style == STYLE_FULL || f->flags & FIELD_REQUIRED)
		return f->type != TYPE_STRING || *(char *const *)value;
	if (f->flags & FIELD_LISTED && style == STYLE_LISTED)
		return true;
	if (f->set_bit && style != STYLE_DIGEST &&
	    *(const uint64_t *)at_const(base, o->set_offset) & 1ULL << f->set_bit)
		return true;
	return !config_scalar_equal(f, value, at_const(model, f->offset));
}

int config_members_render(struct config_sink *s, const struct config_object *o, const void *base,
			  const void *other, const void *model, enum config_style style)
{
	int ret = 0;

	for (uint16_t i = 0; ret == 0 && i < o->n; i++) {
		const struct config_field *f = &o->fields[i];
		const void *value = at_const(base, f->offset);
		const void *with = other ? at_const(other, f->offset) : NULL;

		if (!config_row_takes_part(f, WALK_RENDER, 0))
			continue;
		if (f->shape == SHAPE_POINTERS)
			continue; /* services: their model is not a constant */
		if (other && config_field_equal(f, base, other))
			continue;
		if (f->shape != SHAPE_ONE) {
			if (*(const uint32_t *)at_const(base, f->count_offset))
				ret = list_render(s, f, base, style);
		} else if (f->type == TYPE_INLINE) {
			ret = config_members_render(s, f->object, value, with,
						    at_const(model, f->offset), style);
		} else if (f->type == TYPE_OBJECT) {
			ret = s->open(s, f->name, false);
			if (ret == 0)
				ret = config_members_render(s, f->object, value, with,
							    at_const(model, f->offset), style);
			if (ret == 0)
				ret = s->close(s, false);
		} else if (scalar_is_said(o, f, base, model, style)) {
			ret = s->scalar(s, f->name, f, value);
		}
	}
	return ret;
}

static json_t *object_json(const struct config_object *o, const void *base, const void *other,
			   const void *model, enum config_style style)
{
	struct config_json_sink s;
	int ret;

	config_json_sink_init(&s);
	ret = s.sink.open(&s.sink, NULL, false);
	if (ret == 0)
		ret = config_members_render(&s.sink, o, base, other, model, style);
	if (ret == 0)
		ret = s.sink.close(&s.sink, true);
	return config_json_sink_end(&s, ret);
}

json_t *config_object_to_json(const struct config_object *o, const void *base, const void *model,
			      enum config_style style)
{
	return object_json(o, base, NULL, model, style);
}

json_t *config_object_differing(const struct config_object *o, const void *base, const void *other)
{
	return object_json(o, base, other, base, STYLE_FULL);
}
