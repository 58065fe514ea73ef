/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define KEY_SHOWN 64 /* characters of a key in a path */

void config_errors_init(struct config_errors *errors)
{
	memset(errors, 0, sizeof(*errors));
}

static void list_fini(struct config_error_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		free(list->v[i].path);
		free(list->v[i].message);
		free(list->v[i].expected);
		free(list->v[i].suggestion);
	}
	free(list->v);
}

void config_errors_fini(struct config_errors *errors)
{
	list_fini(&errors->errors);
	list_fini(&errors->warnings);
	free(errors->file);
	config_errors_init(errors);
}

/* Appends text at *at as far as it fits; cuts rather than fails. */
static void text_append(char *buf, size_t size, size_t *at, const char *text, size_t n)
{
	for (size_t i = 0; i < n && *at + 1 < size; i++)
		buf[(*at)++] = text[i];
	buf[*at] = '\0';
}

static size_t printable_copy(char *buf, size_t size, const char *text, size_t max)
{
	size_t at = 0, i;

	buf[0] = '\0';
	for (i = 0; text[i] && i < max; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c >= ' ' && c != 0x7f && c != '"' && c != '\\';

		text_append(buf, size, &at, plain ? text + i : "?", 1);
	}
	if (text[i]) {
		/* Not in the middle of a character. */
		while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
			at--;
		text_append(buf, size, &at, "...", 3);
	}
	return at;
}

const char *config_quote(const char *text, char buf[CONFIG_QUOTE_LEN])
{
	size_t at;

	buf[0] = '"';
	at = 1 + printable_copy(buf + 1, CONFIG_QUOTE_LEN - 2, text, CONFIG_QUOTE_LEN - 8);
	text_append(buf, CONFIG_QUOTE_LEN, &at, "\"", 1);
	return buf;
}

static bool key_is_plain(const char *key)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n <= KEY_SHOWN && key[n] == '\0';
}

static char *path_format(const struct config_context *ctx)
{
	char buf[4096], part[KEY_SHOWN * 2];
	uint32_t n = ctx->depth < CONFIG_PATH_MAX ? ctx->depth : CONFIG_PATH_MAX;
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < n; i++) {
		const char *key = ctx->path[i].key;

		if (key && ctx->hide_servers && strcmp(key, "servers") == 0) {
			i++;
			continue;
		}
		if (!key) {
			snprintf(part, sizeof(part), "[%u]", ctx->path[i].index);
		} else if (key_is_plain(key)) {
			snprintf(part, sizeof(part), "%s%s", at ? "." : "", key);
		} else {
			char quoted[CONFIG_QUOTE_LEN];

			snprintf(part, sizeof(part), "[%s]", config_quote(key, quoted));
		}
		text_append(buf, sizeof(buf), &at, part, strlen(part));
	}
	return strdup(buf);
}

static struct config_error *list_add(struct config_error_list *list)
{
	struct config_error *v;

	if (list->n == CONFIG_MAX_ERRORS) {
		list->n_more++;
		return NULL;
	}
	if (array_room(&list->v, list->n, &list->max, sizeof(*list->v)) < 0) {
		list->n_more++;
		return NULL;
	}
	v = &list->v[list->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

static struct config_error *error_add(struct config_context *ctx, int reason)
{
	if (reason != 0 && ctx->errors->reason == 0)
		ctx->errors->reason = reason;
	return list_add(reason ? &ctx->errors->errors : &ctx->errors->warnings);
}

void config_report(struct config_context *ctx, int reason, const struct config_hint *hint,
		   const char *fmt, ...)
{
	struct config_error *e = error_add(ctx, reason);
	va_list args;

	if (!e)
		return;
	e->path = path_format(ctx);
	va_start(args, fmt);
	if (vasprintf(&e->message, fmt, args) < 0)
		e->message = NULL;
	va_end(args);
	if (hint && hint->expected)
		e->expected = strdup(hint->expected);
	if (hint && hint->suggestion)
		e->suggestion = strdup(hint->suggestion);
	if (ctx->text) {
		uint32_t n = ctx->depth < CONFIG_PATH_MAX ? ctx->depth : CONFIG_PATH_MAX;
		size_t offset = json_text_locate(ctx->text, ctx->path, n, hint && hint->at_key);

		json_text_position(ctx->text, offset, &e->line, &e->column);
	}
}

void config_report_text(struct config_context *ctx, int reason, size_t offset, const char *message)
{
	struct config_error *e = error_add(ctx, reason);

	if (!e)
		return;
	e->path = strdup("");
	e->message = strdup(message);
	if (ctx->text && offset != SIZE_MAX)
		json_text_position(ctx->text, offset, &e->line, &e->column);
}

void config_report_memory(struct config_context *ctx)
{
	ctx->errors->reason = 0; /* decides over what came before */
	config_report_text(ctx, -ENOMEM, SIZE_MAX, "out of memory");
}

void config_errors_add(struct config_errors *errors, int reason, const char *path, const char *fmt,
		       ...)
{
	struct config_context ctx = {.errors = errors};
	struct config_error *e = error_add(&ctx, reason);
	va_list args;

	if (!e)
		return;
	e->path = strdup(path);
	va_start(args, fmt);
	if (vasprintf(&e->message, fmt, args) < 0)
		e->message = NULL;
	va_end(args);
}

const char *config_error_format(const struct config_errors *errors, const struct config_error *e,
				char *buf, size_t len)
{
	char position[32] = "";
	bool path = e->path && e->path[0];

	if (e->line && errors->file)
		snprintf(position, sizeof(position), ":%u:%u", e->line, e->column);
	else if (e->line)
		snprintf(position, sizeof(position), "line %u:%u", e->line, e->column);
	snprintf(buf, len, "%s%s%s%s%s%s", errors->file ? errors->file : "", position,
		 errors->file || position[0] ? ": " : "", path ? e->path : "", path ? ": " : "",
		 e->message ? e->message : "out of memory");
	return buf;
}

json_t *config_error_json(const struct config_error *e)
{
	json_t *o = json_pack("{s:s, s:s}", "path", e->path ? e->path : "", "message",
			      e->message ? e->message : "out of memory");
	int bad = 0;

	if (!o)
		return NULL;
	if (e->line) {
		bad |= json_object_set_new(o, "line", json_integer(e->line));
		bad |= json_object_set_new(o, "column", json_integer(e->column));
	}
	if (e->expected)
		bad |= json_object_set_new(o, "expected", json_string(e->expected));
	if (e->suggestion)
		bad |= json_object_set_new(o, "suggestion", json_string(e->suggestion));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

void config_context_init(struct config_context *ctx, const struct config *config,
			 struct config_errors *errors, const char *param)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->errors = errors;
	ctx->schedulers = config->schedulers;
	if (param)
		context_push_key(ctx, param);
}
