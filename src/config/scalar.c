/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

union value {
	bool flag;
	uint8_t u8;
	be16 port;
	uint32_t u32;
	uint64_t u64;
	const char *name;
	char *string;
	struct net_addr addr;
	struct net_route route;
	struct endpoint ep;
	struct mark_prefix match;
	struct mark_ports ports;
	struct config_checks checks;
	struct check_status_range status;
	struct addr host;
};

size_t config_scalar_size(const struct config_field *f)
{
	switch ((enum config_type)f->type) {
	case TYPE_BOOL:
		return sizeof(bool);
	case TYPE_UINT:
	case TYPE_SECONDS:
	case TYPE_MS:
	case TYPE_MODE:
	case TYPE_FLAGS:
		return sizeof(uint32_t);
	case TYPE_PORT:
		return sizeof(be16);
	case TYPE_ENUM:
		return sizeof(uint8_t);
	case TYPE_NETMASK:
		return sizeof(uint64_t);
	case TYPE_SCHEDULER:
	case TYPE_STRING:
		return sizeof(char *);
	case TYPE_BYTES:
		return sizeof(struct match);
	case TYPE_HOST:
		return sizeof(struct addr);
	case TYPE_MATCH:
		return sizeof(struct mark_prefix);
	case TYPE_PORTS:
		return sizeof(struct mark_ports);
	case TYPE_CHECKS:
		return sizeof(struct config_checks);
	case TYPE_STATUS:
		return sizeof(struct check_status_range);
	case TYPE_ADDRESS:
		return sizeof(struct net_addr);
	case TYPE_ROUTE:
		return sizeof(struct net_route);
	case TYPE_ENDPOINT:
	case TYPE_SERVER:
		return sizeof(struct endpoint);
	case TYPE_OBJECT:
	case TYPE_INLINE:
		break;
	}
	return f->object->size;
}

/* ---- what is expected ---- */

static void names_join(const char *const *names, const char *before, char *buf, size_t len)
{
	size_t at = (size_t)snprintf(buf, len, "%s", before);

	for (size_t i = 0; names[i] && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", i ? ", " : "", names[i]);
}

const char *config_scalar_expect(const struct config_field *f, const char *const *schedulers,
				 char buf[CONFIG_EXPECT_LEN])
{
	char a[32], b[32];
	const char *text = NULL;

	switch ((enum config_type)f->type) {
	case TYPE_BOOL:
		text = "true or false";
		break;
	case TYPE_UINT:
	case TYPE_PORT:
		snprintf(buf, CONFIG_EXPECT_LEN, "a number from %" PRIu64 " to %" PRIu64, f->min,
			 f->max);
		return buf;
	case TYPE_SECONDS:
		snprintf(buf, CONFIG_EXPECT_LEN,
			 "a time in whole seconds, as \"15m\" or 900, from %s to %s",
			 duration_format((uint32_t)f->min * 1000, a, sizeof(a)),
			 duration_format((uint32_t)f->max * 1000, b, sizeof(b)));
		return buf;
	case TYPE_MS:
		snprintf(buf, CONFIG_EXPECT_LEN,
			 "%s%s%sa time, as \"200ms\" or \"5s\", from %s to %s", f->zero ? "\"" : "",
			 f->zero ? f->zero : "", f->zero ? "\", or " : "",
			 duration_format((uint32_t)f->min, a, sizeof(a)),
			 duration_format((uint32_t)f->max, b, sizeof(b)));
		return buf;
	case TYPE_ENUM:
		names_join(f->names, "one of ", buf, CONFIG_EXPECT_LEN);
		return buf;
	case TYPE_FLAGS:
		names_join(f->names, "a list of any of ", buf, CONFIG_EXPECT_LEN);
		return buf;
	case TYPE_SCHEDULER:
		names_join(schedulers, "one of ", buf, CONFIG_EXPECT_LEN);
		return buf;
	case TYPE_STRING:
	case TYPE_BYTES:
		snprintf(buf, CONFIG_EXPECT_LEN, "%s, at most %" PRIu64 " characters",
			 config_text_rule(f->rule), f->max);
		return buf;
	case TYPE_MODE:
		text = "permission bits as \"0600\"";
		break;
	case TYPE_ADDRESS:
		text = "an address, as \"10.10.0.2/16\" or \"2001:db8::2/64\"";
		break;
	case TYPE_HOST:
		text = "an address, as \"10.10.0.2\" or \"2001:db8::2\"";
		break;
	case TYPE_ROUTE:
		text = "a route, as \"default via 192.0.2.1\" or \"10.0.0.0/8\", with \"src "
		       "ADDRESS\" "
		       "and \"metric NUMBER\" where wanted";
		break;
	case TYPE_ENDPOINT:
	case TYPE_SERVER:
		text = "address:port, as \"10.1.0.100:80\" or \"[2001:db8::1]:80\"";
		break;
	case TYPE_MATCH:
		text = "a prefix, as \"10.0.0.0/8\", or all but one, as \"!10.0.0.0/8\"";
		break;
	case TYPE_PORTS:
		text = "a port or a range, as 80, \"1000-1999\" or \"!80\"";
		break;
	case TYPE_CHECKS:
		text = "the name of a check, or a list of up to 4";
		break;
	case TYPE_STATUS:
		text = "an HTTP status or a range, as 301 or \"200-299\"";
		break;
	case TYPE_NETMASK:
		text = "a netmask, as 24 or \"255.255.255.0\", or a prefix length";
		break;
	case TYPE_OBJECT:
	case TYPE_INLINE:
		text = "an object";
		break;
	}
	snprintf(buf, CONFIG_EXPECT_LEN, "%s", text);
	return buf;
}

/* ---- reports ---- */

static const char *type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static int wrong_type(struct config_context *ctx, const struct config_field *f, const json_t *json)
{
	char expect[CONFIG_EXPECT_LEN];
	struct config_hint hint = {.expected = config_scalar_expect(f, ctx->schedulers, expect)};

	config_report(ctx, -EINVAL, &hint, "expected %s, not %s", expect, type_name(json));
	return -EINVAL;
}

static bool is_address(const struct config_field *f)
{
	return f->type == TYPE_ADDRESS || f->type == TYPE_HOST || f->type == TYPE_ROUTE ||
	       f->type == TYPE_ENDPOINT || f->type == TYPE_SERVER || f->type == TYPE_MATCH;
}

static int wrong_text(struct config_context *ctx, const struct config_field *f, const char *text,
		      const char *suggestion)
{
	char expect[CONFIG_EXPECT_LEN], quoted[CONFIG_QUOTE_LEN];
	struct config_hint hint = {.expected = config_scalar_expect(f, ctx->schedulers, expect),
				   .suggestion = suggestion};

	config_quote(text, quoted);
	if (is_address(f) && strchr(text, '%'))
		config_report(
			ctx, -EINVAL, &hint,
			"%s has a scope identifier: expected the address alone, which no link "
			"belongs to here",
			quoted);
	else if (suggestion)
		config_report(ctx, -EINVAL, &hint, "%s is not %s (did you mean \"%s\"?)", quoted,
			      f->noun ? f->noun : "valid here", suggestion);
	else
		config_report(ctx, -EINVAL, &hint, "%s is not %s: expected %s", quoted,
			      f->noun ? f->noun : "valid here", expect);
	return -EINVAL;
}

static int wrong_range(struct config_context *ctx, const struct config_field *f,
		       const char *written)
{
	char expect[CONFIG_EXPECT_LEN];
	struct config_hint hint = {.expected = config_scalar_expect(f, ctx->schedulers, expect)};

	config_report(ctx, -EINVAL, &hint, "%s is out of range: expected %s%s%s%s", written, expect,
		      f->max_name ? " (" : "", f->max_name ? f->max_name : "",
		      f->max_name ? ")" : "");
	return -EINVAL;
}

/* ---- text to value ---- */

static int enum_parse(struct config_context *ctx, const struct config_field *f, const char *text,
		      uint8_t *out)
{
	for (uint8_t i = 0; f->names[i]; i++) {
		if (strcmp(f->names[i], text) != 0)
			continue;
		*out = f->values ? f->values[i] : i;
		return 0;
	}
	return wrong_text(ctx, f, text, text_near_miss(text, f->names));
}

static int scheduler_parse(struct config_context *ctx, const struct config_field *f,
			   const char *text, const char **out)
{
	for (size_t i = 0; ctx->schedulers[i]; i++) {
		if (strcmp(ctx->schedulers[i], text) == 0) {
			*out = ctx->schedulers[i];
			return 0;
		}
	}
	return wrong_text(ctx, f, text, text_near_miss(text, ctx->schedulers));
}

static int string_parse(struct config_context *ctx, const struct config_field *f, const char *text,
			char **out)
{
	const char *why;

	if (strlen(text) > f->max || config_text_check(f->rule, text, &why) < 0)
		return wrong_text(ctx, f, text, NULL);
	free(*out);
	*out = strdup(text);
	if (!*out) {
		config_report_memory(ctx);
		return -ENOMEM;
	}
	return 0;
}

static int bytes_parse(struct config_context *ctx, const struct config_field *f, const char *text,
		       struct match *out)
{
	const char *why;

	if (strlen(text) > f->max || config_text_check(f->rule, text, &why) < 0)
		return wrong_text(ctx, f, text, NULL);
	return config_bytes_parse(ctx, f, text, out);
}

/* 0, -EINVAL: no time; -ERANGE: one that does not fit or is not whole. */
static int seconds_parse(const char *text, const struct config_field *f, uint32_t *out)
{
	uint32_t ms;
	int ret = duration_parse(text, &ms);

	if (ret < 0)
		return ret;
	if (ms % 1000 || ms / 1000 < f->min || ms / 1000 > f->max)
		return -ERANGE;
	*out = ms / 1000;
	return 0;
}

static int string_value(struct config_context *ctx, const struct config_field *f, const char *text,
			union value *v, uint8_t *family)
{
	char quoted[CONFIG_QUOTE_LEN];
	int ret = -EINVAL;
	uint8_t len;

	switch ((enum config_type)f->type) {
	case TYPE_ENUM:
		return enum_parse(ctx, f, text, &v->u8);
	case TYPE_SCHEDULER:
		return scheduler_parse(ctx, f, text, &v->name);
	case TYPE_SECONDS:
		ret = seconds_parse(text, f, &v->u32);
		if (ret == -ERANGE)
			return wrong_range(ctx, f, config_quote(text, quoted));
		break;
	case TYPE_MS:
		if (f->zero && strcmp(text, f->zero) == 0)
			return 0;
		ret = duration_parse(text, &v->u32);
		if (ret == 0 && (v->u32 < f->min || v->u32 > f->max))
			return wrong_range(ctx, f, config_quote(text, quoted));
		break;
	case TYPE_MODE:
		ret = config_mode_parse(text, &v->u32);
		break;
	case TYPE_NETMASK:
		ret = config_netmask_parse(text, &v->u64);
		break;
	case TYPE_MATCH:
		ret = config_match_parse(text, &v->match, family);
		break;
	case TYPE_PORTS:
		ret = config_ports_parse(text, &v->ports);
		break;
	case TYPE_STATUS:
		ret = config_status_parse(text, &v->status);
		break;
	case TYPE_ADDRESS:
		ret = addr_with_len_parse(text, &v->addr.addr, &v->addr.len);
		*family = v->addr.addr.family;
		break;
	case TYPE_HOST: /* a length behind the address says nothing here */
		ret = addr_with_len_parse(text, &v->host, &len);
		*family = v->host.family;
		break;
	case TYPE_ROUTE:
		ret = config_route_parse(text, &v->route);
		*family = v->route.dest.addr.family;
		break;
	case TYPE_SERVER: /* with a port, or without */
	case TYPE_ENDPOINT:
		ret = endpoint_parse(text, &v->ep);
		if (ret == 0 && f->min > 0 && v->ep.port == 0)
			return wrong_range(ctx, f, config_quote(text, quoted));
		if (ret < 0 && f->type == TYPE_SERVER)
			ret = addr_parse(text, &v->ep.addr);
		*family = v->ep.addr.family;
		break;
	default:
		break;
	}
	return ret < 0 ? wrong_text(ctx, f, text, NULL) : 0;
}

static int number_value(struct config_context *ctx, const struct config_field *f,
			const json_t *json, union value *v)
{
	json_int_t n = json_integer_value(json);
	char written[32];

	snprintf(written, sizeof(written), "%" JSON_INTEGER_FORMAT, n);
	if (f->type == TYPE_MS && n >= 0 && n <= UINT32_MAX)
		n *= 1000;
	if (n < 0 || (uint64_t)n < f->min || (uint64_t)n > f->max)
		return wrong_range(ctx, f, written);
	if (f->type == TYPE_PORTS)
		v->ports.first = v->ports.last = (uint16_t)n;
	else if (f->type == TYPE_STATUS)
		v->status.first = v->status.last = (uint16_t)n;
	else if (f->type == TYPE_NETMASK)
		v->u64 = (uint64_t)n;
	else if (f->type == TYPE_PORT)
		v->port = be16_from((uint16_t)n);
	else
		v->u32 = (uint32_t)n;
	return 0;
}

static int flags_value(struct config_context *ctx, const struct config_field *f, const json_t *json,
		       uint32_t *out)
{
	uint32_t flags = 0, k;
	int ret = 0;

	for (uint32_t i = 0; i < json_array_size(json); i++) {
		const json_t *item = json_array_get(json, i);

		context_push_index(ctx, i);
		if (!json_is_string(item)) {
			ret = wrong_type(ctx, f, item);
		} else {
			const char *text = json_string_value(item);

			for (k = 0; f->names[k] && strcmp(f->names[k], text) != 0; k++)
				;
			if (!f->names[k])
				ret = wrong_text(ctx, f, text, text_near_miss(text, f->names));
			else if (flags & 1U << k) {
				config_report(ctx, -EINVAL, NULL, "\"%s\" stands here twice", text);
				ret = -EINVAL;
			} else
				flags |= 1U << k;
		}
		context_pop(ctx);
	}
	if (ret == 0)
		*out = flags;
	return ret;
}

int config_scalar_parse(struct config_context *ctx, const struct config_field *f,
			const json_t *json, void *out)
{
	union value v;
	uint8_t family = ADDR_NONE;
	int ret;

	memset(&v, 0, sizeof(v));
	if (f->type == TYPE_BOOL && json_is_boolean(json)) {
		v.flag = json_is_true(json);
		ret = 0;
	} else if (f->type == TYPE_FLAGS && json_is_array(json)) {
		ret = flags_value(ctx, f, json, &v.u32);
	} else if (f->type == TYPE_CHECKS && (json_is_array(json) || json_is_string(json))) {
		ret = config_names_parse(ctx, f, json, &v.checks);
	} else if (json_is_integer(json) &&
		   (f->type == TYPE_UINT || f->type == TYPE_PORT || f->type == TYPE_SECONDS ||
		    f->type == TYPE_MS || f->type == TYPE_NETMASK || f->type == TYPE_PORTS ||
		    f->type == TYPE_STATUS)) {
		ret = number_value(ctx, f, json, &v);
	} else if (json_is_string(json) && f->type == TYPE_STRING) {
		return string_parse(ctx, f, json_string_value(json), out);
	} else if (json_is_string(json) && f->type == TYPE_BYTES) {
		return bytes_parse(ctx, f, json_string_value(json), out);
	} else if (json_is_string(json) && f->type != TYPE_UINT && f->type != TYPE_PORT &&
		   f->type != TYPE_BOOL && f->type != TYPE_FLAGS) {
		ret = string_value(ctx, f, json_string_value(json), &v, &family);
	} else {
		return wrong_type(ctx, f, json);
	}
	if (ret == 0)
		memcpy(out, &v, config_scalar_size(f));
	return ret;
}
