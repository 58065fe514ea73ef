/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of health in and out: names of checks, ranges of HTTP statuses. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- names of checks ---- */

static int name_add(struct config_context *ctx, const json_t *json, struct config_checks *out)
{
	char quoted[CONFIG_QUOTE_LEN];
	const char *text = json_string_value(json), *why = NULL;

	if (!text) {
		config_report(ctx, -EINVAL, NULL, "expected the name of a check");
		return -EINVAL;
	}
	if (strlen(text) >= CONFIG_CHECK_NAME_SIZE ||
	    config_text_check(RULE_LABEL, text, &why) < 0) {
		config_report(ctx, -EINVAL, NULL, "%s is not the name of a check",
			      config_quote(text, quoted));
		return -EINVAL;
	}
	for (uint8_t i = 0; i < out->n; i++) {
		if (strcmp(out->names[i], text) == 0) {
			config_report(ctx, -EINVAL, NULL, "\"%s\" stands here twice", text);
			return -EINVAL;
		}
	}
	snprintf(out->names[out->n++], CONFIG_CHECK_NAME_SIZE, "%s", text);
	return 0;
}

int config_names_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		       struct config_checks *out)
{
	int ret = 0;

	(void)f;
	memset(out, 0, sizeof(*out));
	if (!json_is_array(json))
		return name_add(ctx, json, out);
	if (json_array_size(json) > CONFIG_SERVER_CHECKS) {
		config_report(ctx, -ENOSPC, NULL,
			      "%zu checks are more than the limit of %u (CONFIG_SERVER_CHECKS)",
			      json_array_size(json), CONFIG_SERVER_CHECKS);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < json_array_size(json); i++) {
		context_push_index(ctx, i);
		if (name_add(ctx, json_array_get(json, i), out) < 0)
			ret = -EINVAL;
		context_pop(ctx);
	}
	return ret;
}

json_t *config_names_to_json(const struct config_checks *c)
{
	json_t *list;

	if (c->n == 1)
		return json_string(c->names[0]);
	list = json_array();
	for (uint8_t i = 0; list && i < c->n; i++)
		json_array_append_new(list, json_string(c->names[i]));
	return list;
}

/* ---- statuses ---- */

int config_status_parse(const char *text, struct check_status_range *out)
{
	unsigned int first, last;
	char rest;
	int n = sscanf(text, "%3u-%3u%c", &first, &last, &rest);

	if (n == 1 && strlen(text) == 3)
		last = first;
	else if (n != 2 || strlen(text) != 7)
		return -EINVAL;
	if (first < 100 || last > 599 || last < first)
		return -EINVAL;
	*out = (struct check_status_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

json_t *config_status_to_json(const struct check_status_range *r)
{
	return r->first == r->last ? json_integer(r->first)
				   : json_sprintf("%u-%u", r->first, r->last);
}
