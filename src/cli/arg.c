/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of arguments: what is refused here would only be refused by the router later,
 * with less to say about what was typed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/text_buffer.h"
#include "cli/grammar.h"

/* A whole configuration may be as large as the router accepts. */
#define TEXT_FILE_MAX (64U << 20)

const char *arg_expected(const struct arg *arg, char *buf, size_t len)
{
	size_t used = 0;

	switch (arg->kind) {
	case ARG_SERVICE:
		return "a service: its name, tcp:ADDRESS:PORT, udp:ADDRESS:PORT or fwmark:N[/ipv6]";
	case ARG_NEW_SERVICE:
		return "tcp:ADDRESS:PORT, udp:ADDRESS:PORT or fwmark:N[/ipv6]";
	case ARG_SERVER:
		return "a real server: ADDRESS:PORT, or ADDRESS where packets keep their port";
	case ARG_NEW_SERVER:
		return "ADDRESS:PORT, or ADDRESS under a mark, where packets keep their port";
	case ARG_ENDPOINT:
		return "ADDRESS:PORT";
	case ARG_ADDRESS:
		return "an address, or an address with a prefix length";
	case ARG_PREFIX:
		return "a prefix as 192.0.2.0/24, or an address";
	case ARG_LINK:
		return "a link: the name of a port, or NAME.VLAN";
	case ARG_UINT:
		snprintf(buf, len, "a number from %" PRIu64 " to %" PRIu64, arg->min, arg->max);
		return buf;
	case ARG_DURATION:
		return "a time as 500ms, 3s or 15m";
	case ARG_PATH:
	case ARG_TEXT_FILE:
		return "a file";
	case ARG_ASSIGN:
		return "KEY=VALUE";
	case ARG_REST:
		return "a command";
	case ARG_CHOICE:
		used = (size_t)snprintf(buf, len, "one of: ");
		for (const char *const *c = arg->choices; *c && used < len; c++)
			used += (size_t)snprintf(buf + used, len - used, "%s%s",
						 c == arg->choices ? "" : ", ", *c);
		return buf;
	default:
		return "a word";
	}
}

static int value_refuse(const struct arg *arg, const char *text, char *error, size_t len)
{
	const char *near = arg->kind == ARG_CHOICE ? text_near_miss(text, arg->choices) : NULL;
	char expected[256], hint[128] = "";
	struct endpoint e;

	if (near)
		snprintf(hint, sizeof(hint), " (did you mean \"%s\"?)", near);
	else if ((arg->kind == ARG_SERVICE || arg->kind == ARG_NEW_SERVICE) &&
		 endpoint_parse(text, &e) == 0)
		snprintf(hint, sizeof(hint), " (did you mean \"tcp:%.64s\"?)", text);
	snprintf(error, len, "\"%.80s\" is not valid%s; expected %s", text, hint,
		 arg_expected(arg, expected, sizeof(expected)));
	return -EINVAL;
}

static int uint_parse(const struct arg *arg, const char *text, json_t **value)
{
	unsigned long long v;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end || errno || v < arg->min || v > arg->max || v > INT64_MAX)
		return -EINVAL;
	*value = json_integer((json_int_t)v);
	return 0;
}

#define MARK_IPV6 "/ipv6"

/* "7" or "7/ipv6": {"mark", "family"}; NULL if it is none. */
static json_t *mark_object(const char *text)
{
	static const struct arg mark = {.min = 1, .max = UINT32_MAX};
	const char *slash = strchr(text, '/');
	json_t *v = NULL;
	char number[16];

	if (slash && strcmp(slash, MARK_IPV6) != 0)
		return NULL;
	snprintf(number, sizeof(number), "%.*s", slash ? (int)(slash - text) : 15, text);
	if (uint_parse(&mark, slash ? number : text, &v) < 0)
		return NULL;
	return slash ? json_pack("{s:o, s:s}", "mark", v, "family", "ipv6")
		     : json_pack("{s:o}", "mark", v);
}

/* The object of a new service: {"protocol", "listen"} or {"mark"}; NULL if it is none. */
static json_t *service_object(const char *text)
{
	struct endpoint e;

	if ((strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0) &&
	    endpoint_parse(text + 4, &e) == 0)
		return json_pack("{s:s%, s:[s]}", "protocol", text, (size_t)3, "listen", text + 4);
	return strncmp(text, "fwmark:", 7) == 0 ? mark_object(text + 7) : NULL;
}

/* A name, or a key in its exact form. What looks like half a key is refused here. */
static bool service_is_valid(const char *text)
{
	struct endpoint e;
	json_t *object;
	bool key;

	if (!*text || endpoint_parse(text, &e) == 0)
		return false;
	object = service_object(text);
	key = object;
	json_decref(object);
	return key || (strncmp(text, "tcp:", 4) != 0 && strncmp(text, "udp:", 4) != 0 &&
		       strncmp(text, "fwmark:", 7) != 0);
}

static int file_read(const char *path, json_t **value, char *error, size_t len)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct text_buffer text = {0};
	int ret = -EINVAL, rc;

	if (!f) {
		snprintf(error, len, "cannot read %.200s: %s", path, strerror(errno));
		return -EINVAL;
	}
	rc = text_buffer_read(&text, f, TEXT_FILE_MAX);
	if (rc == -EFBIG) {
		snprintf(error, len, "%.200s is larger than %u MiB", path, TEXT_FILE_MAX >> 20);
		goto out;
	}
	if (rc < 0) {
		snprintf(error, len, "cannot read %.200s: %s", path, strerror(-rc));
		goto out;
	}
	*value = json_stringn(text.v, text.n);
	if (*value)
		ret = 0;
	else
		snprintf(error, len, "%.200s is not UTF-8 text", path);
out:
	free(text.v);
	if (f != stdin)
		fclose(f);
	return ret;
}

/* KEY=VALUE -> {KEY: VALUE}. */
static int assign_parse(const char *text, json_t **value)
{
	const char *eq = strchr(text, '=');
	json_t *v;

	if (!eq || eq == text || eq - text > 120)
		return -EINVAL;
	v = json_loads(eq + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (!v)
		v = json_string(eq + 1);
	if (!v)
		return -EINVAL;
	*value = json_object();
	return json_object_setn_new(*value, text, (size_t)(eq - text), v);
}

int arg_parse(const struct arg *arg, const char *text, json_t **value, char *error, size_t len)
{
	struct endpoint e;
	struct addr a;
	struct prefix p;
	uint8_t bits;
	uint32_t ms;
	bool ok = true;

	switch (arg->kind) {
	case ARG_NEW_SERVICE:
		*value = service_object(text);
		return *value ? 0 : value_refuse(arg, text, error, len);
	case ARG_UINT:
		return uint_parse(arg, text, value) == 0 ? 0 : value_refuse(arg, text, error, len);
	case ARG_ASSIGN:
		return assign_parse(text, value) == 0 ? 0 : value_refuse(arg, text, error, len);
	case ARG_TEXT_FILE:
		return file_read(text, value, error, len);
	case ARG_CHOICE:
		ok = false;
		for (const char *const *c = arg->choices; *c && !ok; c++)
			ok = strcasecmp(*c, text) == 0;
		break;
	case ARG_SERVICE:
		ok = service_is_valid(text);
		break;
	case ARG_SERVER:
	case ARG_NEW_SERVER:
		ok = endpoint_parse(text, &e) == 0 || addr_parse(text, &a) == 0;
		break;
	case ARG_ENDPOINT:
		ok = endpoint_parse(text, &e) == 0;
		break;
	case ARG_ADDRESS:
		ok = addr_parse(text, &a) == 0 || addr_with_len_parse(text, &a, &bits) == 0;
		break;
	case ARG_PREFIX:
		ok = prefix_parse(text, &p) == 0;
		break;
	case ARG_DURATION:
		ok = duration_parse(text, &ms) == 0;
		break;
	default:
		ok = *text;
		break;
	}
	if (!ok)
		return value_refuse(arg, text, error, len);
	*value = json_string(text);
	if (*value)
		return 0;
	snprintf(error, len, "is not UTF-8 text");
	return -EINVAL;
}
