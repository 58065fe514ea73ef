/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON objects, and compact text. */
#include "config/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

/* ---- JSON objects ---- */

/* Takes value over; NULL is out of memory. */
static int json_add(struct config_json_sink *s, const char *key, json_t *value)
{
	json_t *in = s->depth ? s->open[s->depth - 1] : NULL;
	int ret = value ? 0 : -1;

	if (!in)
		s->whole = value;
	else if (ret == 0)
		ret = key ? json_object_set_new(in, key, value) : json_array_append_new(in, value);
	return ret < 0 ? -ENOMEM : 0;
}

static int json_scalar(struct config_sink *sink, const char *key, const struct config_field *f,
		       const void *value)
{
	return json_add((struct config_json_sink *)sink, key, config_scalar_to_json(f, value));
}

static int json_open(struct config_sink *sink, const char *key, bool list)
{
	struct config_json_sink *s = (struct config_json_sink *)sink;
	json_t *json = list ? json_array() : json_object();

	if (!json || s->depth == CONFIG_SINK_DEPTH) {
		json_decref(json);
		return -ENOMEM;
	}
	s->keys[s->depth] = key;
	s->open[s->depth++] = json;
	return 0;
}

static int json_close(struct config_sink *sink, bool even_empty)
{
	struct config_json_sink *s = (struct config_json_sink *)sink;
	json_t *json = s->open[--s->depth];

	if (even_empty || json_object_size(json) + json_array_size(json) > 0)
		return json_add(s, s->keys[s->depth], json);
	json_decref(json);
	return 0;
}

void config_json_sink_init(struct config_json_sink *s)
{
	*s = (struct config_json_sink){.sink = {json_scalar, json_open, json_close}};
}

json_t *config_json_sink_end(struct config_json_sink *s, int ret)
{
	while (s->depth > 0)
		json_decref(s->open[--s->depth]);
	if (ret == 0)
		return s->whole;
	json_decref(s->whole);
	return NULL;
}

/* ---- text ---- */

static int text_put(const char *text, size_t n, void *arg)
{
	struct config_text_sink *s = arg;

	return text_buffer_put(text, n, &s->text);
}

/* The text has no character that JSON escapes. */
static int quoted_put(struct config_text_sink *s, const char *text, size_t n)
{
	int ret = text_put("\"", 1, s);

	if (ret == 0)
		ret = text_put(text, n, s);
	return ret == 0 ? text_put("\"", 1, s) : ret;
}

static int string_put(struct config_text_sink *s, const char *text)
{
	size_t n = 0;
	json_t *json;
	int ret;

	if (!text)
		return text_put("null", 4, s);
	while (text[n] && (unsigned char)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\')
		n++;
	if (!text[n])
		return quoted_put(s, text, n);
	json = json_string(text);
	ret = json_write(json, false, text_put, s);
	json_decref(json);
	return ret < 0 ? -ENOMEM : 0;
}

/* The comma and the key of what follows. */
static int member_begin(struct config_text_sink *s, const char *key)
{
	int ret = 0;

	if (s->depth > 0 && s->open[s->depth - 1].members++ > 0)
		ret = text_put(",", 1, s);
	if (ret == 0 && key && (ret = quoted_put(s, key, strlen(key))) == 0)
		ret = text_put(":", 1, s);
	return ret;
}

static int count_put(struct config_text_sink *s, uint32_t v)
{
	char text[10];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return text_put(text + at, sizeof(text) - at, s);
}

/* As config_scalar_to_json() says, which is for all other types. */
static int value_put(struct config_text_sink *s, const struct config_field *f, const void *value)
{
	const struct endpoint *ep = value;
	char text[ENDPOINT_STRLEN];
	json_t *json;
	int ret;

	switch ((enum config_type)f->type) {
	case TYPE_BOOL:
		return *(const bool *)value ? text_put("true", 4, s) : text_put("false", 5, s);
	case TYPE_UINT:
		return count_put(s, *(const uint32_t *)value);
	case TYPE_SCHEDULER:
	case TYPE_STRING:
		return string_put(s, *(const char *const *)value);
	case TYPE_SERVER:
	case TYPE_ENDPOINT:
		if (f->type == TYPE_SERVER && ep->port == 0)
			break;
		endpoint_format(ep, text, sizeof(text));
		return quoted_put(s, text, strlen(text));
	default:
		break;
	}
	json = config_scalar_to_json(f, value);
	ret = json_write(json, false, text_put, s);
	json_decref(json);
	return ret < 0 ? -ENOMEM : 0;
}

static int text_scalar(struct config_sink *sink, const char *key, const struct config_field *f,
		       const void *value)
{
	struct config_text_sink *s = (struct config_text_sink *)sink;
	int ret = member_begin(s, key);

	return ret == 0 ? value_put(s, f, value) : ret;
}

static int text_open(struct config_sink *sink, const char *key, bool list)
{
	struct config_text_sink *s = (struct config_text_sink *)sink;
	const size_t start = s->text.n;
	int ret = s->depth == CONFIG_SINK_DEPTH ? -ENOMEM : member_begin(s, key);

	if (ret < 0)
		return ret;
	s->open[s->depth].start = start;
	s->open[s->depth].members = 0;
	s->open[s->depth++].list = list;
	return text_put(list ? "[" : "{", 1, s);
}

static int text_close(struct config_sink *sink, bool even_empty)
{
	struct config_text_sink *s = (struct config_text_sink *)sink;

	s->depth--;
	if (even_empty || s->open[s->depth].members > 0)
		return text_put(s->open[s->depth].list ? "]" : "}", 1, s);
	s->text.n = s->open[s->depth].start;
	s->text.v[s->text.n] = '\0';
	if (s->depth > 0)
		s->open[s->depth - 1].members--;
	return 0;
}

void config_text_sink_init(struct config_text_sink *s)
{
	*s = (struct config_text_sink){.sink = {text_scalar, text_open, text_close}};
}
